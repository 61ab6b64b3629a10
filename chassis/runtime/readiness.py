"""Readiness of services: consuming from the broker, and the store reachable."""

from collections.abc import Iterable
from typing import Any

from chassis.messaging.queue_consumer import QueueConsumer
from chassis.rpc.client import Services
from chassis.rpc.server import RpcServer
from chassis.runtime.container import ServiceRuntime
from chassis.storage import store


def readiness(container: Any) -> dict[str, bool]:
    """Return what this service needs and whether it has it; it is ready when all of it is true, consuming included."""
    found: dict[str, bool] = {}
    for extension in container.extensions:
        listener = getattr(extension, "listener", None)
        if isinstance(extension, RpcServer | Services) and isinstance(listener, QueueConsumer):
            found["rpc"] = listener.is_consuming
        if isinstance(extension, ServiceRuntime):
            found["reactions"] = all(consumer.is_consuming for consumer in extension.consumers)
            found["store"] = _answers(extension.store)
    return found


def _answers(opened: store.Store) -> bool:
    try:
        with opened.begin():
            return True
    except store.StoreAway:
        return False


def readiness_of(containers: Iterable[Any]) -> dict[str, bool]:
    """Return the same of several services, each name with its service before it."""
    return {f"{each.service_name} {name}": holds for each in containers for name, holds in readiness(each).items()}
