"""The service's end of RPC: takes requests from its queue, runs each once in its time, and answers.

A request that waits in the queue past its deadline is not run.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from kombu import Consumer, Queue
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, ProviderCollector, SharedExtension

from chassis import metrics
from chassis.actor import ACTOR, Actor
from chassis.crashpoint import crashpoint
from chassis.log import REQUEST_ID
from chassis.messaging import broker
from chassis.messaging.queue_consumer import QueueConsumer
from chassis.messaging.transport import Transport, transport_of
from chassis.rpc import messages, wire
from chassis.settings import Settings
from chassis.storage.store import StoreAway
from pratique.errors import DomainError, Unavailable

log = logging.getLogger(__name__)

_ADDRESS = re.compile("[0-9a-f-]{36}")  #: of a caller's queue for answers


class RpcServer(SharedExtension, ProviderCollector):
    """The RPC queue of one service, shared by its methods; no message and no lost broker ends the process."""

    def setup(self) -> None:
        """Read the settings; nothing is opened yet.

        Raises:
            Missing: they have no seal key.
        """
        settings: Settings = self.container.config["settings"]
        self._seal = settings.seal
        transport = transport_of(settings.broker_url_of(self.container.service_name))
        self.listener = _Requests(transport, self.container.service_name, self._take)
        self.listener.prefetch_count = self.container.max_workers

    def start(self) -> None:
        """Begin to consume."""
        self.container.spawn_managed_thread(self.listener.run, identifier="rpc")

    def stop(self) -> None:
        """Answer what is in flight, then close."""
        self.listener.stop()

    def kill(self) -> None:
        """Close at once."""
        self.listener.kill()

    def drain(self) -> None:
        """Take no more requests; called when the container stops its entrypoints."""
        self.listener.drain()

    def _take(self, message: Any) -> None:
        service = self.container.service_name
        try:
            request = messages.open_request(self._seal, service, wire.body_of(message))
        except messages.Unopened as error:
            log.warning("%s passed over an RPC request: %s", service, error)
            self._acknowledge(message)
            return
        provider = next((each for each in self._providers if each.method_name == request.method), None)
        if provider is None:
            self._answer(message, request, None, DomainError(f"There is no RPC {request.method[:60]!r}."))
            return
        self.listener.in_flight.add(message)
        crashpoint("rpc.taken")
        try:
            answer = partial(self._worked, message, request, time.perf_counter())
            who = Actor.read(request.actor or "", request.authority)
            acting = {ACTOR.name: who, REQUEST_ID: request.request_id}
            self.container.spawn_worker(provider, (), request.payload, context_data=acting, handle_result=answer)
        except ContainerBeingKilled:
            self.listener.in_flight.discard(message)

    def _worked(
        self, message: Any, request: messages.RpcRequest, began: float, context: Any, result: Any, exc_info: Any
    ) -> Any:
        if getattr(getattr(self.container.service_cls, request.method), "is_counted", True):
            metrics.RPC_SECONDS.labels(self.container.service_name, request.method).observe(time.perf_counter() - began)
        error = exc_info[1] if exc_info else result.error if isinstance(result, Refusal) else None
        self._answer(message, request, None if error else result, error)
        return result, exc_info

    def _answer(self, message: Any, request: messages.RpcRequest, result: Any, error: BaseException | None) -> None:
        """Reply and acknowledge. A reply that cannot go is dropped: its caller has a deadline."""
        try:
            reply_to = message.properties.get("reply_to")
            if reply_to and _ADDRESS.fullmatch(reply_to):  # an answer never goes where a request would
                body = messages.close_answer(self._seal, request.id, result, wire.pack(error))
                self.listener.writer.send(reply_to, body, broker.PUBLISH_TIMEOUT_S, correlation_id=request.id)
                crashpoint("rpc.answered")
        except Unavailable as lost:
            log.warning("an RPC answer of %s was lost: %s", self.container.service_name, lost)
        except (TypeError, ValueError):
            log.exception("an RPC answer of %s is no JSON", self.container.service_name)
        finally:
            self._acknowledge(message)

    def _acknowledge(self, message: Any) -> None:
        self.listener.in_flight.discard(message)
        if message.channel is not None and message.channel.connection is not None:
            try:
                message.ack()
            except broker.BROKER_ERRORS as lost:
                log.info("an RPC request stays unacknowledged: %r", lost)


class Refusal(NamedTuple):
    """An expected error in the place of a result; no failure to log."""

    error: DomainError | StoreAway


class _Requests(QueueConsumer):
    prefetch_count = 10

    def __init__(self, transport: Transport, service: str, take: Callable[[Any], None]) -> None:
        super().__init__(transport, f"{service} rpc")
        self._service, self._take = service, take
        self.in_flight: set[Any] = set()
        self.writer = wire.Writer(is_mandatory=False)

    def consumers(self, channel: Any) -> Sequence[Any]:
        """The queue that nameko names for RPC."""
        self.in_flight.clear()
        self.writer.channel = channel
        self.transport.ensure_exchange(channel, broker.RPC)
        queue = Queue(f"rpc-{self._service}", broker.RPC, routing_key=f"{self._service}.*", durable=True)(channel)
        queue.queue_declare()
        queue.queue_bind()
        channel.basic_qos(0, self.prefetch_count, False)
        refuse = lambda message, error: message.reject()  # noqa: E731  (one line, used once)
        return [Consumer(channel, queue, on_message=self._take, on_decode_error=refuse, auto_declare=False)]

    def is_drained(self) -> bool:
        """Return whether every request taken has been answered."""
        return not self.in_flight


class Rpc(Entrypoint):
    """Makes a method callable over RPC by its name."""

    server = RpcServer()

    def setup(self) -> None:
        """Be found by name."""
        self.server.register_provider(self)

    def stop(self) -> None:
        """Take no more requests."""
        self.server.drain()


rpc = Rpc.decorator
