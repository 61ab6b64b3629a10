"""The container of a service: nameko's, with the store, the relay, the consumers and the loops of the service."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nameko.containers import ServiceContainer
from nameko.extensions import DependencyProvider

from chassis import clock, green
from chassis.actor import ACTOR
from chassis.messaging import inbox, outbox
from chassis.messaging.consumer import EventConsumer
from chassis.messaging.relay import Relay
from chassis.messaging.transport import transport_of
from chassis.runtime import store_metrics
from chassis.runtime.retention import retention
from chassis.scheduling import due
from chassis.settings import Settings
from chassis.storage import store

log = logging.getLogger(__name__)

Provider = DependencyProvider  #: the base of what brings a service class what it needs; nameko is imported here only

STOP_S = 12.0  #: a service that has not drained by then is ended; what it held is delivered again
POLL_S = 1.0  #: how often a loop looks by itself, beside being woken

#: Makes, from the settings and the store, a callable that does one unit of work and says whether there was any.
Loop = Callable[[Settings, store.Store], Callable[[], bool]]


class Container(ServiceContainer):
    """nameko's container, but it stops in bounded time and a worker that cannot start harms only itself."""

    def __init__(self, service_cls: Any, config: Mapping[str, Any]) -> None:
        """A service class may say itself how many workers it needs."""
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

    def _run_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        try:
            self._inject_dependencies(worker_ctx)
            self._worker_setup(worker_ctx)
        except Exception:
            log.exception("a worker of %s could not start", self.service_name)
            if handle_result is not None:
                handle_result(worker_ctx, None, sys.exc_info())
            return
        super()._run_worker(worker_ctx, handle_result)


class Bus(Provider):
    """Brings a service its store, and keeps its relay, reactions, retries, due work and loops going."""

    def __init__(
        self, reactions: inbox.Reactions, handlers: due.Handlers, loops: Mapping[str, Sequence[Loop]] | None = None
    ) -> None:
        """``loops`` says by what name each is woken; several of one name work side by side."""
        self.reactions, self.handlers, self._loops = reactions, handlers, dict(loops or {})

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
        works: dict[str, Callable[[], bool]] = {
            "parked": lambda: inbox.retry_next(self.store, self.reactions),
            "due": lambda: due.run_next(self.store, self.handlers),
            "retention": retention(self.store),
        }
        self._threads = [_Repeating(self.store, woken_by, work) for woken_by, work in works.items()]
        for woken_by, makes in self._loops.items():
            self._threads += [_Repeating(self.store, woken_by, make(settings, self.store)) for make in makes]
        if not transport.is_durable:
            with self.store.begin() as session:
                outbox.offer_again(session, clock.now() - outbox.OFFER_AGAIN_FOR)

    def start(self) -> None:
        """Let everything run, each in a green thread of its own."""
        spawn = self.container.spawn_managed_thread
        spawn(self.relay.run, identifier="relay")
        for consumer in self.consumers:
            spawn(consumer.run, identifier="reactions")
        for thread in self._threads:
            spawn(thread.run, identifier=thread.name)

    def stop(self) -> None:
        """Finish what is in flight, send what was committed, close the store."""
        for stopped in [green.spawn(consumer.stop) for consumer in self.consumers]:
            stopped.wait()
        for thread in self._threads:
            thread.stop()
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
        """Know who acts, in the green thread that works for them."""
        if who := worker_ctx.data.get(ACTOR.name):
            ACTOR.set(str(who))

    def get_dependency(self, worker_ctx: Any) -> store.Store:
        """The store of the service."""
        return self.store


class _Repeating:
    """Does a kind of work as long as there is some, then waits to be woken, at most ``POLL_S``."""

    def __init__(self, opened: store.Store, name: str, work: Callable[[], bool]) -> None:
        self.name, self._store, self._work = name, opened, work
        self._woken, self._ended, self._is_stopping, self._is_running = green.Event(), green.Event(), False, False
        opened.on_commit(name, self.wake)

    def wake(self) -> None:
        """There is work."""
        if not self._woken.ready():
            self._woken.send()

    def run(self) -> None:
        """Work until stopped, whatever goes wrong."""
        self._is_running = True
        while not self._is_stopping:
            try:
                if self._work():
                    green.sleep(0)
                    continue
                pause_s = POLL_S
            except store.StoreAway as error:
                log.warning("%s of %s waits: %s", self.name, self._store.name, error)
                pause_s = POLL_S
            except Exception:
                log.exception("%s of %s goes on", self.name, self._store.name)
                pause_s = POLL_S * 2
            with green.Timeout(pause_s, False):
                self._woken.wait()
            self._woken = green.Event()
        self._ended.send()

    def stop(self) -> None:
        """Finish the unit in hand, at most ten seconds of it."""
        self._is_stopping = True
        self.wake()
        with green.Timeout(10, False):
            if self._is_running:
                self._ended.wait()
