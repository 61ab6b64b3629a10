"""Dead letters: see them, try them again, or drop them. Whoever does that leaves a line in the log and the audit."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
from rich.markup import escape
from rich.table import Table

from chassis import log, settings
from chassis.crashpoint import crashpoint
from chassis.messaging import dead_letters as letters
from chassis.messaging.dead_letters import Letter
from chassis.storage import audit
from chassis.storage.store import Store, Transaction, open_store
from operations import Refusal, settings_of, whoami
from operations.show import cell, show

told = logging.getLogger("pratique.audit")
_of_service = click.option("--service", type=click.Choice(settings.SERVICES), help="Only of this service.")
_which = click.argument("id", metavar="[ID]", type=click.UUID, required=False)
_all = click.option("--all", "is_all", is_flag=True, help="Every dead letter, instead of one.")


@click.group()
def dead() -> None:
    """List, show, replay and drop what failed until its last attempt."""


@dead.command("list")
@_of_service
@click.option("--waiting", is_flag=True, help="Also what failed and is still tried again by itself.")
@click.pass_context
def list_(ctx: click.Context, service: str | None, waiting: bool) -> None:
    """List the dead letters of every service whose store is set.

    \b
    pratique dead list
    pratique dead list --service evaluation --waiting
    """
    table = Table("id", "service", "what", "state", "attempts", "at", "error")
    for opened in _stores(ctx, service):
        with opened.begin() as session:
            found = letters.list_letters(session, opened.name, with_waiting=waiting)
        for letter in found:
            error = letter.error.splitlines()[0][:100] if letter.error else ""
            row = (letter.id, letter.service, _what(letter), letter.state, letter.attempts, letter.at, error)
            table.add_row(*(escape(cell(value)) for value in row))
    show(table, "There is no dead letter." if not table.row_count else "")


@dead.command("show")
@click.argument("id", metavar="ID", type=click.UUID)
@_of_service
@click.pass_context
def show_(ctx: click.Context, id: UUID, service: str | None) -> None:
    """Show one dead letter: what it is, its whole error, and its content as it came.

    A sealed one is shown opened where PRATIQUE_SEAL_KEY is set here.

    \b
    pratique dead show 6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11
    """
    for letter in _found(ctx, id, service):
        click.echo(f"{letter.id} in {letter.service}: {_what(letter)}, {letter.state}")
        click.echo(f"attempts: {letter.attempts}   at: {cell(letter.at)}")
        click.echo(f"error:\n{letter.error}")
        click.echo(f"content:\n{letter.content}\n")


@dead.command()
@_which
@_of_service
@_all
@click.pass_context
def replay(ctx: click.Context, id: UUID | None, service: str | None, is_all: bool) -> None:
    """Let one dead letter, or all, be tried again now, with all attempts anew. A replay repeats no effect.

    An event that is parked in several services is replayed in each, unless --service names one.

    \b
    pratique dead replay 6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11
    pratique dead replay --all --service evaluation
    """
    _act(ctx, _chosen(ctx, id, service, is_all), letters.replay, "replayed")


@dead.command()
@_which
@_of_service
@_all
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def drop(ctx: click.Context, id: UUID | None, service: str | None, is_all: bool, yes: bool) -> None:
    """Forget one dead letter, or all, for good: what it should have caused will not happen.

    \b
    pratique dead drop 6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11
    pratique dead drop --all --service notifications --yes
    """
    chosen = _chosen(ctx, id, service, is_all)
    if chosen and not yes:
        click.confirm(f"Drop {len(chosen)} for good?", abort=True)
    _act(ctx, chosen, letters.drop, "dropped")


def _chosen(ctx: click.Context, id: UUID | None, service: str | None, is_all: bool) -> list[Letter]:
    if (id is None) == (not is_all):
        raise click.UsageError("Say which: one ID, or --all.")
    if id is not None:
        return _found(ctx, id, service)
    chosen: list[Letter] = []
    for opened in _stores(ctx, service):
        with opened.begin() as session:
            chosen += letters.list_letters(session, opened.name)
    return chosen


def _found(ctx: click.Context, id: UUID, service: str | None) -> list[Letter]:
    found = []
    for opened in _stores(ctx, service):
        with opened.begin() as session:
            if letter := letters.find_letter(session, opened.name, id):
                found.append(letter)
    if not found:
        raise Refusal(f"There is no dead letter {id} in the stores that are set; `pratique dead list` lists them.")
    return found


def _act(
    ctx: click.Context, chosen: list[Letter], change: Callable[[Transaction, list[Letter]], Any], done: str
) -> None:
    """Change the chosen letters, store by store, and say so here and in the log."""
    log.configure(settings_of(ctx).log_format, sys.stderr)
    for opened in _stores(ctx, None):
        own = [letter for letter in chosen if letter.service == opened.name]
        if not own:
            continue
        with opened.begin() as session:
            change(session, own)
            for letter in own:
                audit.record(session, f"letter.{done}", letter.id, after={"kind": letter.kind, "what": letter.what})
            crashpoint("dead.before_commit")
        crashpoint("dead.committed")
        for letter in own:
            told.info(
                "dead letter %s",
                done,
                extra={"service": letter.service, "letter": letter.id, "what": _what(letter), "by": whoami()},
            )
            click.echo(f"{letter.id} in {letter.service}: {done}")
    click.echo(f"{len(chosen)} {done}")


def _what(letter: Letter) -> str:
    return letter.what or "(cannot be read)"


def _stores(ctx: click.Context, service: str | None) -> Iterator[Store]:
    """Each service's store that is set, opened one after the other; or that of one service, which must be."""
    chosen = settings_of(ctx)
    names = [service] if service else [name for name in settings.SERVICES if name in chosen.store_urls]
    if not names:
        chosen.store_url(settings.SERVICES[0])
    for name in names:
        with _opened(chosen, name) as opened:
            yield opened


@contextmanager
def _opened(chosen: settings.Settings, name: str) -> Iterator[Store]:
    opened = open_store(chosen, name, pool_size=1)
    try:
        yield opened
    finally:
        opened.close()
