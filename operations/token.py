"""Bearer tokens for machines that call the gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

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
@click.option("--scope", "scopes", multiple=True, help="What it may do; may be given several times.")
@click.option("--role", help="A role whose permissions it has, beside its scopes.")
@click.option(
    "--community",
    "community_ids",
    metavar="ID",
    type=click.UUID,
    multiple=True,
    help="A community to which it is limited; may be given several times. Without one it reaches the whole network.",
)
@click.pass_context
def create(
    ctx: click.Context, name: str, scopes: tuple[str, ...], role: str | None, community_ids: tuple[UUID, ...]
) -> None:
    """Make a token called NAME and print it, this once; only its hash is kept.

    It needs a scope or a role. Give each program its own, with as little as it needs, and only the communities that
    it is about.

    \b
    pratique token create intranet --scope meetings:read --scope membership:write
    pratique token create region --role coordinator --community 6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11
    """
    with _gateway(ctx) as (session, auth):
        text = auth.create_token(session, name, scopes, role=role, community_ids=community_ids)
        crashpoint("token.before_commit")
    crashpoint("token.committed")
    click.echo(text)
    reach = f"these communities: {len(community_ids)}" if community_ids else "the whole network, all communities"
    click.echo(
        "Keep it now; it is not shown again. Send it as: Authorization: Bearer …\n"
        f"Within what it may do it reaches {reach}.",
        err=True,
    )


@token.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """List the tokens: id, name, what they may do and where, when they were made, used and revoked; never their texts.

    \b
    pratique token list
    """
    columns = (
        "token_id",
        "name",
        "scopes",
        "role",
        "community_ids",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_on",
    )
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
