"""The container of a service: nameko's, with the store, the relay, the consumers and the loops of the service."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nameko.containers import ServiceContainer
from nameko.extensions import DependencyProvider

from chassis import clock, green
from chassis.actor import ACTOR
from chassis.log import REQUEST_ID, bound
from chassis.loop import Loop
from chassis.messaging import inbox, outbox
from chassis.messaging.consumer import EventConsumer
from chassis.messaging.relay import Relay
from chassis.messaging.transport import transport_of
from chassis.runtime import store_metrics
from chassis.runtime.retention import RETENTION, retention
from chassis.scheduling import due
from chassis.settings import Settings
from chassis.storage import store
from chassis.storage.types import LoopName

log = logging.getLogger(__name__)

STOP_S = 12.0  #: a service that has not drained by then is ended; what it held is delivered again
LOOP_STOP_S = 10.0  #: for the unit of work that a loop has in hand

#: Makes, from the settings and the store, the unit of work of a loop, which returns whether there was work.
UnitFactory = Callable[[Settings, store.Store], Callable[[], bool]]


class Container(ServiceContainer):
    """nameko's container, with a stop in bounded time; a worker that cannot start harms only itself."""

    def __init__(self, service_cls: Any, config: Mapping[str, Any]) -> None:
        """Take the number of workers from the service class, where it names one, else from the settings."""
        super().__init__(
            service_cls, {**config, "max_workers": getattr(service_cls, "max_workers", None) or config["max_workers"]}
        )

    def stop(self) -> None:
        """Drain within ``STOP_S``, then end."""
        try:
            with green.Timeout(STOP_S):
                super().stop()
        except green.Timeout:
            log.error("%s did not drain within %g s and is ended", self.service_name, STOP_S)
            self.kill()

    def spawn_managed_thread(self, fn: Callable[[], Any], identifier: str | None = None) -> Any:
        """Run a loop of this service; its log lines carry the service's name."""

        def run() -> Any:
            with bound(service=self.service_name):
                return fn()

        return super().spawn_managed_thread(run, identifier)

    def _run_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        with bound(service=self.service_name, request_id=worker_ctx.data.get(REQUEST_ID)):
            self._run_bound_worker(worker_ctx, handle_result)

    def _run_bound_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        try:
            self._inject_dependencies(worker_ctx)
            self._worker_setup(worker_ctx)
        except Exception:
            log.exception("a worker of %s could not start", self.service_name)
            if handle_result is not None:
                handle_result(worker_ctx, None, sys.exc_info())
            return
        super()._run_worker(worker_ctx, handle_result)


class Provider(DependencyProvider):
    """nameko's dependency provider: a base for what is injected into a service class."""


class ServiceRuntime(Provider):
    """The store of a service, injected into its class; and its relay, consumers, retries, due work and loops."""

    def __init__(
        self,
        reactions: inbox.Reactions,
        handlers: due.Handlers,
        loops: Mapping[LoopName, Sequence[UnitFactory]] | None = None,
    ) -> None:
        """Take ``loops`` by the name that wakes them; several of one name work side by side."""
        self.reactions, self.handlers, self._factories = reactions, handlers, dict(loops or {})

    def setup(self) -> None:
        """Open the store; a missing database shows at its first use, not here."""
        settings: Settings = self.container.config["settings"]
        settings.seal  # noqa: B018  (Missing shows here, before anything runs)
        name = self.container.service_name
        self.store = store.open_store(settings, name, settings.max_workers)
        transport = transport_of(settings.broker_url_of(name))
        self.relay = Relay(self.store, transport)
        self.consumers = [
            EventConsumer(self.store, self.reactions, transport, settings.batch_size)
            for _ in range(transport.consumers_at_once)
        ]
        store_metrics.STORES.watch(self.store)
        self._is_open = True
        if observe := self.container.config.get("observe"):
            self.relay.published = lambda bodies: observe("published", name, bodies)
            for consumer in self.consumers:
                consumer.reacted = lambda envelopes: observe("reacted", name, envelopes)
        works: dict[LoopName, Callable[[], bool]] = {
            inbox.LOOP: lambda: inbox.retry_next(self.store, self.reactions),
            due.LOOP: lambda: due.run_next(self.store, self.handlers),
            RETENTION: retention(self.store),
        }
        self._loops = [self._loop(woken_by, work) for woken_by, work in works.items()]
        for woken_by, factories in self._factories.items():
            self._loops += [self._loop(woken_by, make(settings, self.store)) for make in factories]
        if not transport.is_durable:
            with self.store.begin() as session:
                outbox.offer_again(session, clock.now() - outbox.OFFER_AGAIN_FOR)

    def _loop(self, woken_by: LoopName, work: Callable[[], bool]) -> Loop:
        made = Loop(f"{woken_by} of {self.store.name}", work, (store.StoreAway,), "waits for the store")
        self.store.on_commit(woken_by, made.wake)
        return made

    def start(self) -> None:
        """Let everything run, each in a green thread of its own."""
        spawn = self.container.spawn_managed_thread
        spawn(self.relay.run, identifier="relay")
        for consumer in self.consumers:
            spawn(consumer.run, identifier="reactions")
        for loop in self._loops:
            spawn(loop.run, identifier=loop.name)

    def stop(self) -> None:
        """Finish work in flight, send what was committed, and close the store."""
        for stopped in [green.spawn(consumer.stop) for consumer in self.consumers]:
            stopped.wait()
        for loop in self._loops:
            loop.request_stop()
        for loop in self._loops:
            loop.stop(LOOP_STOP_S)
        self.relay.stop()
        self._close()

    def kill(self) -> None:
        """End at once; what was committed is sent after the next start."""
        for consumer in self.consumers:
            consumer.kill()
        self._close()

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            store_metrics.STORES.forget(self.store)
            self.store.close()

    def worker_setup(self, worker_ctx: Any) -> None:
        """Set the actor of the green thread that works for them."""
        if who := worker_ctx.data.get(ACTOR.name):
            ACTOR.set(who)

    def get_dependency(self, worker_ctx: Any) -> store.Store:
        """Return the store of the service."""
        return self.store
