"""Exchanges, queues and bindings of services, declared before they first start."""

from collections.abc import Iterable
from typing import Any

from chassis.messaging import broker
from chassis.messaging.transport import transport_of
from chassis.runtime.container import ServiceRuntime
from chassis.settings import Settings


def declare(settings: Settings, classes: Iterable[Any]) -> None:
    """Declare the exchanges, queues and bindings of these services, before they first start.

    Otherwise what is published before a service has ever run would find no queue and be gone
    (docs/decisions/0001, W14).
    """
    found = {each.name: getattr(each, "runtime", None) for each in classes}
    runtimes = {name: each for name, each in found.items() if isinstance(each, ServiceRuntime)}  # the gateway has none
    transport = transport_of(settings.broker_url)
    with transport.connection() as connection:
        channel = connection.default_channel
        broker.RPC(channel).declare()
        for name in runtimes:
            transport.declare_exchanges(channel, name)
        for name, runtime in runtimes.items():
            transport.declare_queue(channel, name, runtime.reactions)
