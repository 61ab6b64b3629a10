"""Sessions of people who are signed in: where, and the end of all of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
from rich.table import Table

from chassis.storage.store import Store
from operations import settings_of
from operations.show import cell, show


@click.group()
def session() -> None:
    """List and end the sessions of a person."""


@session.command("list")
@click.argument("member_id", metavar="MEMBER_ID", type=click.UUID)
@click.pass_context
def list_(ctx: click.Context, member_id: UUID) -> None:
    """List where the person of this id is signed in.

    \b
    pratique session list 5f0e1c9a-3a52-4f0e-8d0b-0a4a3f1d2c77
    """
    columns = ("session_id", "label", "created_at", "last_seen_on", "expires_at")
    with _sessions(ctx) as (opened, sessions):
        rows = sessions.SessionStore(opened).list_live(member_id)
    table = Table(*columns)
    for row in rows:
        table.add_row(*[cell(getattr(row, column)) for column in columns])
    show(table, "They are signed in nowhere." if not rows else "")


@session.command()
@click.argument("member_id", metavar="MEMBER_ID", type=click.UUID)
@click.pass_context
def end(ctx: click.Context, member_id: UUID) -> None:
    """Sign the person of this id out everywhere, and let no sign-in link of theirs work.

    \b
    pratique session end 5f0e1c9a-3a52-4f0e-8d0b-0a4a3f1d2c77
    """
    with _sessions(ctx) as (opened, sessions):
        ended = sessions.SessionStore(opened).end_all(member_id)
    click.echo(f"{ended} sessions are over; within 5 s every gateway knows")


@contextmanager
def _sessions(ctx: click.Context) -> Iterator[tuple[Store, Any]]:
    """The gateway's store, and its own module that knows sessions."""
    opened = Store("gateway", settings_of(ctx).store_url("gateway"), pool_size=1)
    try:
        from gateway import sessions  # with the libraries of HTTP, which no other verb needs

        yield opened, sessions
    finally:
        opened.close()
