"""Publish once more what was published before, where a broker or a store has lost it."""

import logging
from datetime import datetime

import click

from chassis import log, settings
from chassis.messaging import outbox
from chassis.storage import audit
from chassis.storage.store import open_store
from operations import settings_of, whoami

told = logging.getLogger("pratique.audit")


@click.command()
@click.argument("names", metavar="[SERVICE]...", nargs=-1, type=click.Choice(settings.SERVICES))
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z"]),
              help="From when on, with an offset: 2026-03-12T14:00:00+00:00.")  # fmt: skip
@click.pass_context
def again(ctx: click.Context, names: tuple[str, ...], since: datetime) -> None:
    """Publish every event since then once more, of all services or of these.

    For when a queue was deleted, or the broker lost its disk: the event logs keep what was published for 90 days. Each
    service handles what it had missed and passes over what it has seen; integrators get it again under the same ids.

    \b
    pratique again --since 2026-03-12T14:00:00+00:00
    """
    chosen = settings_of(ctx)
    log.configure(chosen.log_format)
    for name in names or settings.SERVICES:
        opened = open_store(chosen, name, pool_size=1)
        try:
            with opened.begin() as session:
                count = outbox.offer_again(session, since)
                audit.record(session, "events.again", name, after={"since": since.isoformat(), "count": count})
        finally:
            opened.close()
        told.info("%s lets %s publish %d events since %s again", whoami(), name, count, since.isoformat())
        click.echo(f"{name}: {count} events are published again")
