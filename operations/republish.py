"""Republishing of events that a broker or a store has lost."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from chassis import log, settings
from chassis.messaging import outbox
from chassis.storage import audit
from chassis.storage.store import StoreAway, open_store
from operations import Refusal, settings_of, whoami

told = logging.getLogger("pratique.audit")
_names = click.argument("names", metavar="[SERVICE]...", nargs=-1, type=click.Choice(settings.SERVICES))
_since = click.option(
    "--since",
    required=True,
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]),
    help="From when on, with an offset: 2026-03-12T14:00:00+00:00.",
)


@click.command()
@_names
@_since
@click.pass_context
def republish(ctx: click.Context, names: tuple[str, ...], since: datetime) -> None:
    """Publish every event since then once more, of all services or of these.

    For when a queue was deleted, or the broker lost its disk: the event logs keep what was published for 90 days. Each
    service handles what it had missed and passes over what it has seen; integrators get it again under the same ids.
    A service whose store fails keeps no other from it; repeating the command for all is harmless.

    \b
    pratique republish --since 2026-03-12T14:00:00+00:00
    pratique republish meetings evaluation --since 2026-03-12T14:00:00+00:00
    """
    chosen = settings_of(ctx)
    log.configure(chosen.log_format)
    failed = []
    for name in names or settings.SERVICES:
        try:
            count = _republish(chosen, name, since)
        except (StoreAway, settings.Missing, SQLAlchemyError) as error:
            failed.append(name)
            click.echo(f"{name}: NOT republished: {_reason(error)}", err=True)
        else:
            told.info("%s lets %s publish %d events since %s again", whoami(), name, count, since.isoformat())
            click.echo(f"{name}: {count} events are published again")
    if failed:
        repeat = f"pratique republish {' '.join(failed)} --since {since.isoformat()}"
        raise Refusal(f"Not republished: {', '.join(failed)}. Mend what is said above, then: {repeat}")


@click.command(hidden=True)
@_names
@_since
@click.pass_context
def again(ctx: click.Context, names: tuple[str, ...], since: datetime) -> None:
    """Do what ``pratique republish`` does, under its former name, for one more release.

    \b
    pratique republish --since 2026-03-12T14:00:00+00:00
    """
    click.echo(
        "`pratique again` is now called `pratique republish`; the old name goes with the next release.", err=True
    )
    call: Callable[..., Any] = ctx.invoke
    call(republish, names=names, since=since)


def _republish(chosen: settings.Settings, name: str, since: datetime) -> int:
    """Put the events of one service back into its outbox, with a record in its audit; returns how many."""
    opened = open_store(chosen, name, pool_size=1)
    try:
        with opened.begin() as session:
            count = outbox.offer_again(session, since)
            audit.record(session, "events.republished", name, after={"since": since.isoformat(), "count": count})
        return count
    finally:
        opened.close()


def _reason(error: Exception) -> str:
    """Return the first line of what went wrong, without statement and values."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
