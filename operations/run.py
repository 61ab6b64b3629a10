"""Start things, and ask whether they are ready."""

import logging
import sys

import click

from chassis import log, settings
from operations import Refusal

_PROCESSES = click.Choice([*settings.SERVICES, "gateway"])


@click.command()
@click.pass_context
def up(ctx: click.Context) -> None:
    """Start everything in this one process, with a sample network.

    Needs no broker and no database: the stores are SQLite files under --data, mails are written into files there.
    The first time a sample network is loaded. Stays up until Ctrl-C. The port is PRATIQUE_HTTP_PORT, 8000 if unset.

    \b
    pratique up
    PRATIQUE_HTTP_PORT=8080 pratique --data /tmp/trial up
    """
    from chassis import green  # here, so that commands which serve nothing start without it

    green.patch()
    chosen = settings.embedded(settings.home(), ctx.obj["data"])
    log.configure(chosen.log_format, sys.stderr, logging.WARNING)  # it tells by itself what happens
    from operations.up import up as stay_up  # after the patch, since it imports what is to be green

    stay_up(chosen)


@click.command()
@click.argument("names", metavar="SERVICE...", nargs=-1, required=True, type=_PROCESSES)
@click.pass_context
def run(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Run one or more services, or the gateway, against RabbitMQ and PostgreSQL.

    Waits for both by itself, and stops within 12 seconds when told to (SIGTERM, Ctrl-C), finishing what is in hand.
    As many processes of one service as needed may run; they share its queue.

    \b
    pratique run meetings
    pratique run membership meetings evaluation notifications gateway
    """
    from chassis import green  # here, so that commands which serve nothing start without it

    green.patch()
    chosen = settings.load()
    chosen.seal  # noqa: B018  (that it is missing shows here, as one sentence)
    log.configure(chosen.log_format)
    from chassis.runtime import service_runner  # after the patch, as above
    from operations.composition import service_classes

    service_runner.run(chosen, service_classes(names))


@click.command()
@click.pass_context
def ready(ctx: click.Context) -> None:
    """Exit with 0 if the process in this container is ready; for health checks.

    Asks http://127.0.0.1:PRATIQUE_HEALTH_PORT/readyz; where no health port is set, PRATIQUE_HTTP_PORT, as for the
    gateway.

    \b
    PRATIQUE_HEALTH_PORT=9100 pratique ready
    """
    from chassis.runtime.probe import why_not_ready

    chosen = settings.load()
    if words := why_not_ready(f"http://127.0.0.1:{chosen.health_port or chosen.http_port}/readyz"):
        raise Refusal(words)
