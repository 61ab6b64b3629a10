"""Bring stores up to date, and fill them with a sample."""

import time
from contextlib import suppress
from functools import partial

import click
from rich.console import Console
from rich.progress import Progress

from chassis import log, settings
from operations import Refusal, settings_of

_NAMES = click.Choice(settings.STORES)


@click.command()
@click.argument("names", metavar="[SERVICE]...", nargs=-1, type=_NAMES)
@click.option("--wait", "wait_s", type=click.IntRange(0), default=30, show_default=True, metavar="SECONDS",
              help="How long to wait for a database that does not answer yet.")  # fmt: skip
@click.pass_context
def migrate(ctx: click.Context, names: tuple[str, ...], wait_s: int) -> None:
    """Bring the tables of every store up to date, declare the queues, and give each broker user its permissions.

    Without names: all four services and the gateway. Safe to repeat, and safe while services run. Exchanges, queues
    and bindings are declared on the broker too, so that no event is lost before a service first starts. Services that
    have a broker user of their own (PRATIQUE_BROKER_MEETINGS and so on) get it, with the permissions that they need.

    \b
    pratique migrate
    pratique migrate meetings evaluation
    pratique --embedded migrate
    """
    chosen = settings_of(ctx)
    log.configure(chosen.log_format)
    names = names or settings.STORES
    for name in names:
        _migrate(name, chosen.store_url(name), wait_s)
        click.echo(f"{name}: every table is there")
    if chosen.is_embedded:
        return
    if services := [name for name in names if name in settings.SERVICES]:
        from chassis.runtime import topology
        from operations.composition import service_classes

        topology.declare(chosen, service_classes(services))
        click.echo(f"broker: queues of {', '.join(services)} are declared")
    if chosen.broker_urls:
        bound = {name: bindings_of(name, chosen.store_url(name)) for name in services}
        from operations.management import grant_permissions

        served = grant_permissions(chosen, bound)
        click.echo(f"broker: {', '.join(served) or 'nobody'} may do what each needs, and no more")


def bindings_of(name: str, url: str) -> list[tuple[str, str]]:
    """Return what the queue of a service is bound to; it unbinds at its start what it no longer wants."""
    from sqlalchemy import select

    from chassis.messaging.bindings import BINDING
    from chassis.storage.store import Store

    opened = Store(name, url, pool_size=1)
    try:
        with opened.begin() as session:
            return [(row.exchange, row.routing_key) for row in session.execute(select(BINDING))]
    finally:
        opened.close()


def _migrate(name: str, url: str, wait_s: int) -> None:
    from chassis.storage.migrate import migrate
    from chassis.storage.store import Store, StoreAway
    from operations.composition import migrations_of

    end = time.monotonic() + wait_s
    opened = Store(name, url, pool_size=1)
    try:
        while True:
            try:
                return migrate(opened, migrations_of(name))
            except StoreAway:
                if time.monotonic() >= end:
                    raise
                time.sleep(1)
    finally:
        opened.close()


@click.group()
def sample() -> None:
    """A network to try things on."""


@sample.command("load")
@click.option("--anew", "is_anew", is_flag=True, help="If it was interrupted: remove what there is of it first.")
@click.pass_context
def load(ctx: click.Context, is_anew: bool) -> None:
    """Fill the stores with a sample network: six communities, two years of meetings. Invented people only.

    Never do this where real people are. The stores must be migrated, and no service may run: it would take part of what
    happens for itself. Start them afterwards.

    \b
    pratique sample load
    pratique sample load --anew
    pratique --embedded sample load
    """
    import demo
    from operations.composition import service_classes

    chosen = settings_of(ctx)
    log.configure(chosen.log_format)
    if not chosen.is_embedded:
        _refuse_while_running(chosen)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Loading two years of a sample network", total=None)
        classes = service_classes(settings.SERVICES)
        progress = partial(bar.update, task)
        demo.load(chosen, classes, lambda done, total: progress(completed=done, total=total), is_anew=is_anew)
    click.echo("the sample network is there")


def _refuse_while_running(chosen: settings.Settings) -> None:
    """Refuse if a service takes what is in its queue.

    Raises:
        Refusal: one does, or the broker does not answer, so that nobody can say.
    """
    from amqp.exceptions import NotFound

    from chassis.messaging.broker import BROKER_ERRORS
    from chassis.messaging.transport import transport_of

    running = []
    try:
        with transport_of(chosen.broker_url).connection() as connection:
            for name in settings.SERVICES:
                with suppress(NotFound), connection.channel() as channel:
                    if channel.queue_declare(name, passive=True).consumer_count:
                        running.append(name)
    except BROKER_ERRORS as error:
        raise Refusal(f"The broker does not answer ({type(error).__name__}); is PRATIQUE_BROKER_URL right?") from error
    if running:
        raise Refusal(
            f"{', '.join(running)}: running. Stop all services first, for instance by "
            "`docker compose stop gateway membership meetings evaluation notifications`, and start them afterwards."
        )
