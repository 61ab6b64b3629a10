"""Binds services to nameko: a provider that brings the bus, RPC methods, a container that stops in time."""

import logging
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from marshmallow import Schema
from nameko.containers import ServiceContainer
from nameko.extensions import DependencyProvider
from nameko.runners import ServiceRunner
from sqlalchemy.exc import OperationalError

from chassis import clock
from chassis.actor import ACTOR
from chassis.crashpoint import crashpoint
from chassis.messaging import broker, embedded, inbox, outbox
from chassis.messaging.listener import Listener
from chassis.messaging.reactor import Reactor
from chassis.messaging.relay import Relay
from chassis.rpc import arguments
from chassis.rpc.client import Services
from chassis.rpc.server import Refusal, RpcServer, rpc
from chassis.runtime import store_metrics
from chassis.runtime.health import Health
from chassis.runtime.upkeep import upkeep
from chassis.scheduling import due
from chassis.settings import Settings
from chassis.storage import store
from pratique.errors import DomainError

log = logging.getLogger(__name__)

STOP_S = 12.0  #: a service that has not drained by then is ended; what it held is delivered again
#: Batches of one process under way: while the database works on one, the next is read and prepared.
BATCHES_AT_ONCE = 2
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
            with eventlet.Timeout(STOP_S):
                super().stop()
        except eventlet.Timeout:
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


class Bus(DependencyProvider):
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
        broker_url = settings.broker_url_of(name)
        self.relay = Relay(self.store, broker_url)
        self.reactors = [
            Reactor(self.store, self.reactions, broker_url, settings.batch_size)
            for _ in range(1 if settings.is_embedded else BATCHES_AT_ONCE)
        ]
        store_metrics.STORES.watch(self.store)
        self._is_open = True
        if observe := self.container.config.get("observe"):
            self.relay.published = lambda bodies: observe("published", name, bodies)
            for reactor in self.reactors:
                reactor.reacted = lambda envelopes: observe("reacted", name, envelopes)
        works: dict[str, Callable[[], bool]] = {
            "parked": lambda: inbox.retry_next(self.store, self.reactions),
            "due": lambda: due.run_next(self.store, self.handlers),
            "upkeep": upkeep(self.store),
        }
        self._threads = [_Repeating(self.store, woken_by, work) for woken_by, work in works.items()]
        for woken_by, makes in self._loops.items():
            self._threads += [_Repeating(self.store, woken_by, make(settings, self.store)) for make in makes]
        if settings.is_embedded:
            with self.store.begin() as session:
                outbox.offer_again(session, clock.now() - outbox.OFFER_AGAIN_FOR)

    def start(self) -> None:
        """Let everything run, each in a green thread of its own."""
        spawn = self.container.spawn_managed_thread
        spawn(self.relay.run, identifier="relay")
        for reactor in self.reactors:
            spawn(reactor.run, identifier="reactions")
        for thread in self._threads:
            spawn(thread.run, identifier=thread.name)

    def stop(self) -> None:
        """Finish what is in flight, send what was committed, close the store."""
        for stopped in [eventlet.spawn(reactor.stop) for reactor in self.reactors]:
            stopped.wait()
        for thread in self._threads:
            thread.stop()
        self.relay.stop()
        self._close()

    def kill(self) -> None:
        """End at once; what was committed is sent after the next start."""
        for reactor in self.reactors:
            reactor.kill()
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
        self._woken, self._ended, self._is_stopping, self._is_running = Signal(), Signal(), False, False
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
                    eventlet.sleep(0)
                    continue
                pause_s = POLL_S
            except store.StoreAway as error:
                log.warning("%s of %s waits: %s", self.name, self._store.name, error)
                pause_s = POLL_S
            except Exception:
                log.exception("%s of %s goes on", self.name, self._store.name)
                pause_s = POLL_S * 2
            with eventlet.Timeout(pause_s, False):
                self._woken.wait()
            self._woken = Signal()
        self._ended.send()

    def stop(self) -> None:
        """Finish the unit in hand, at most ten seconds of it."""
        self._is_stopping = True
        self.wake()
        with eventlet.Timeout(10, False):
            if self._is_running:
                self._ended.wait()


def answer(function: Callable[..., Any], dump: Schema | None = None, is_counted: bool = True) -> Any:
    """An RPC method of the function's arguments: checked, in one transaction, its result dumped to plain JSON.

    The metrics leave it out where it is not ``is_counted``: where its figure would tell what somebody has just done.
    """

    def method(self: Any, **payload: Any) -> Any:
        try:
            checked = arguments.load(function, payload)
            with self.bus.begin() as session:
                result = dumped(function(session, **checked), dump)
                crashpoint("rpc.before_commit")
            crashpoint("rpc.committed")
            return result
        except (DomainError, store.StoreAway) as error:
            return Refusal(error)
        except OperationalError as error:  # a lock, a deadlock, a time-out: nothing was changed, and asking again helps
            log.warning("%s was in the way of another: %s", function.__name__, str(error.orig).splitlines()[0])
            return Refusal(store.StoreAway("the store is busy"))

    method.__name__, method.__doc__ = function.__name__, function.__doc__
    method.is_counted = is_counted  # type: ignore[attr-defined]
    method.answers = function, dump  # type: ignore[attr-defined]  # so that a caller in process finds what is behind
    return rpc(method)


def dumped(result: Any, dump: Schema | None) -> Any:
    """A result as it crosses RPC: plain JSON, in the shape that its kind has."""
    if isinstance(result, store.Saved):
        return {"row": dumped(result.row, dump), "is_new": result.is_new}
    if isinstance(result, store.Page):
        return {"rows": dumped(list(result.rows), dump), "after": result.after}
    if result is None or dump is None:
        return result
    return dump.dump(result, many=isinstance(result, list | tuple))


def declare(settings: Settings, classes: Iterable[Any]) -> None:
    """Leave the broker with the exchanges, queues and bindings of these services, before they first start.

    Otherwise what is published before a service has ever run would find no queue and be gone
    (docs/decisions/0001, W14).
    """
    found = {each.name: getattr(each, "bus", None) for each in classes}
    buses = {name: bus for name, bus in found.items() if isinstance(bus, Bus)}  # the gateway has none
    with broker.connection(settings.broker_url) as connection:
        channel = connection.default_channel
        broker.RPC(channel).declare()
        for name in buses:
            broker.declare_exchanges(channel, name, settings.is_embedded)
        for name, bus in buses.items():
            broker.declare_queue(channel, name, settings.broker_url, bus.reactions)


def runner(settings: Settings, classes: Iterable[Any], observe: Any = None) -> ServiceRunner:
    """These nameko classes in this process, ready to start."""
    made = ServiceRunner(
        {
            "AMQP_URI": settings.broker_url,
            "settings": settings,
            "max_workers": settings.max_workers,
            "SERVICE_CONTAINER_CLS": f"{__name__}.{Container.__name__}",
            "observe": observe,
        }
    )
    for each in classes:
        made.add_service(each)
    return made


def containers(made: ServiceRunner) -> list[Any]:
    """The containers of a runner."""
    return list(made.containers)


def readiness(container: Any) -> dict[str, bool]:
    """What this service needs and whether it has it; ready is when all of it is true, consuming included."""
    found: dict[str, bool] = {}
    for extension in container.extensions:
        listener = getattr(extension, "listener", None)
        if isinstance(extension, RpcServer | Services) and isinstance(listener, Listener):
            found["rpc"] = listener.is_consuming
        if isinstance(extension, Bus):
            found["reactions"] = all(reactor.is_consuming for reactor in extension.reactors)
            found["store"] = _answers(extension.store)
    return found


def _answers(opened: store.Store) -> bool:
    try:
        with opened.begin():
            return True
    except store.StoreAway:
        return False


def _facts(made: ServiceRunner, is_started: bool) -> dict[str, bool]:
    """What the services of this process need, and whether they have it; nothing is known before they started."""
    own = containers(made) if is_started else ()
    return {f"{each.service_name} {name}": holds for each in own for name, holds in readiness(each).items()}


def run(settings: Settings, classes: Sequence[Any], observe: Any = None) -> None:
    """Run these services until SIGTERM or SIGINT, then drain and return. Their health is told on ``health_port``.

    Raises:
        Missing: a setting is absent; nothing was started.
    """
    made = runner(settings, classes, observe)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: eventlet.spawn_n(made.stop))
    facts = {"started": False}
    if settings.health_port:
        told = lambda: facts | _facts(made, facts["started"])  # noqa: E731  (one line, used once)
        Health(settings.http_host, settings.health_port, told, settings.metrics_token)
    made.start()
    facts["started"] = True
    names = ", ".join(each.name for each in classes)
    log.info("started %s", names)
    made.wait()
    log.info("stopped %s", names)


__all__ = ["Bus", "Container", "answer", "containers", "declare", "embedded", "readiness", "run", "runner"]
