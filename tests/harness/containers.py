"""Services running in this process, as ``pratique run`` would run them, and a caller beside them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nameko.runners import ServiceRunner

from chassis.rpc.client import Services
from chassis.runtime import service_runner
from chassis.runtime.container import ServiceRuntime
from chassis.runtime.readiness import readiness
from chassis.settings import Settings
from chassis.storage.store import Store
from tests.harness.waiting import until


class Caller:
    """What the gateway is to the services: somebody who calls them."""

    name = "caller"
    services = Services()


class Running:
    """A runner that has been started; ``call`` asks its services over the bus."""

    def __init__(self, runner: ServiceRunner) -> None:
        self.runner = runner

    def container(self, name: str) -> Any:
        """The container of one service."""
        return next(each for each in self.runner.containers if each.service_name == name)

    def extension(self, name: str, kind: type) -> Any:
        """The extension of this kind in one service."""
        return next(each for each in self.container(name).extensions if isinstance(each, kind))

    def store(self, name: str) -> Store:
        """The store of one service."""
        store: Store = self.extension(name, ServiceRuntime).store
        return store

    def call(self, service: str, method: str, **payload: Any) -> Any:
        """What the service answers; its errors are raised here."""
        return self.extension("caller", Services).call(service, method, payload)

    def is_ready(self) -> bool:
        """Whether everything consumes."""
        return all(all(readiness(each).values()) for each in self.runner.containers)

    def stop(self) -> None:
        """Drain and end, as SIGTERM does."""
        self.runner.stop()


@contextmanager
def running(settings: Settings, classes: Sequence[type], is_awaited: bool = True) -> Iterator[Running]:
    """Start these nameko classes, wait until they consume, stop them at the end."""
    runner = service_runner.make_runner(settings, [])
    for each in [*classes, Caller]:
        runner.add_service(each)
    runner.start()
    started = Running(runner)
    try:
        if is_awaited:
            until(started.is_ready)
        yield started
    finally:
        runner.stop()
