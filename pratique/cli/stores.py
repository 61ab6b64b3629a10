"""Bring stores up to date, and fill them with a sample."""

import time
from importlib import import_module

import click
from rich.console import Console
from rich.progress import Progress

from pratique import log, settings
from pratique.cli import settings_of

_NAMES = click.Choice(settings.STORES)


@click.command()
@click.argument("names", metavar="[SERVICE]...", nargs=-1, type=_NAMES)
@click.option("--wait", "wait_s", type=click.IntRange(0), default=30, show_default=True, metavar="SECONDS",
              help="How long to wait for a database that does not answer yet.")  # fmt: skip
@click.pass_context
def migrate(ctx: click.Context, names: tuple[str, ...], wait_s: int) -> None:
    """Bring the tables of every store up to date, and declare the queues.

    Without names: all four services and the gateway. Safe to repeat, and safe while services run. Exchanges, queues
    and bindings are declared on the broker too, so that no event is lost before a service first starts.

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
    services = [name for name in names if name in settings.SERVICES]
    if services and not chosen.is_embedded:
        import_module("pratique.bus").declare(chosen, services)
        click.echo(f"broker: queues of {', '.join(services)} are declared")


def _migrate(name: str, url: str, wait_s: int) -> None:
    from pratique.migrate import migrate, package_of
    from pratique.store import Store, StoreAway

    end = time.monotonic() + wait_s
    opened = Store(name, url, pool_size=1)
    try:
        while True:
            try:
                return migrate(opened, package_of(name))
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
@click.pass_context
def load(ctx: click.Context) -> None:
    """Fill the stores with a sample network: six communities, two years of meetings. Invented people only.

    Never do this where real people are. The stores must be migrated.

    \b
    pratique --embedded sample load
    """
    chosen = settings_of(ctx)
    log.configure(chosen.log_format)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Loading two years of a sample network", total=None)
        import_module("pratique.sample").load(chosen, lambda done, total: bar.update(task, completed=done, total=total))
    click.echo("the sample network is there")
