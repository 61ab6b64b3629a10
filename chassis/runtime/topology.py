"""Exchanges, queues and bindings of services, declared before they first start."""

from collections.abc import Iterable
from typing import Any

from chassis.messaging import broker
from chassis.messaging.transport import transport_of
from chassis.runtime.container import Bus
from chassis.settings import Settings


def declare(settings: Settings, classes: Iterable[Any]) -> None:
    """Declare the exchanges, queues and bindings of these services, before they first start.

    Otherwise what is published before a service has ever run would find no queue and be gone
    (docs/decisions/0001, W14).
    """
    found = {each.name: getattr(each, "bus", None) for each in classes}
    buses = {name: bus for name, bus in found.items() if isinstance(bus, Bus)}  # the gateway has none
    transport = transport_of(settings.broker_url)
    with transport.connection() as connection:
        channel = connection.default_channel
        broker.RPC(channel).declare()
        for name in buses:
            transport.declare_exchanges(channel, name)
        for name, bus in buses.items():
            transport.declare_queue(channel, name, bus.reactions)
