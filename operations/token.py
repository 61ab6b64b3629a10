"""Bearer tokens for machines that call the gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.table import Table
from sqlalchemy.orm import Session

from chassis.crashpoint import crashpoint
from chassis.storage.store import Store
from operations import settings_of
from operations.show import cell, show


@click.group()
def token() -> None:
    """Make, list and revoke bearer tokens for the HTTP API."""


@token.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do; may be given several times.")
@click.pass_context
def create(ctx: click.Context, name: str, scopes: tuple[str, ...]) -> None:
    """Make a token called NAME and print it, this once; only its hash is kept.

    A token reaches the whole network: every community, its people and its meetings, within its scopes. Give each
    program its own, with as few scopes as it needs.

    \b
    pratique token create intranet --scope meetings:read --scope membership:write
    """
    with _gateway(ctx) as (session, auth):
        text = auth.create_token(session, name, scopes)
        crashpoint("token.before_commit")
    crashpoint("token.committed")
    click.echo(text)
    click.echo(
        "Keep it now; it is not shown again. Send it as: Authorization: Bearer …\n"
        "Within its scopes it reaches the whole network, all communities: nobody can be limited to some of them yet.",
        err=True,
    )


@token.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """List the tokens: id, name, scopes, when they were made, used and revoked; never the tokens themselves.

    \b
    pratique token list
    """
    columns = ("token_id", "name", "scopes", "created_at", "expires_at", "revoked_at", "last_used_on")
    with _gateway(ctx) as (session, auth):
        rows = [[cell(getattr(row, column)) for column in columns] for row in auth.list_tokens(session)]
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    show(table, "There is no token." if not rows else "")


@token.command()
@click.argument("token_id", metavar="ID")
@click.pass_context
def revoke(ctx: click.Context, token_id: str) -> None:
    """Let the token of this ID open nothing from now on; `pratique token list` shows the ids.

    \b
    pratique token revoke 3f9c01d2ab47
    """
    with _gateway(ctx) as (session, auth):
        auth.revoke_token(session, token_id)
    click.echo(f"{token_id} is revoked")


@contextmanager
def _gateway(ctx: click.Context) -> Iterator[tuple[Session, Any]]:
    """A transaction on the gateway's store, and the gateway's own module that knows tokens."""
    opened = Store("gateway", settings_of(ctx).store_url("gateway"), pool_size=1)
    try:
        with opened.begin() as session:
            from gateway import auth  # with the libraries of HTTP, which no other verb needs

            yield session, auth
    finally:
        opened.close()
