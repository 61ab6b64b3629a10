"""RPC between the gateway and the services: sealed, with deadlines, and errors that cross by name.

A request that waits in the queue past its deadline is not run, an answer that comes too late is dropped. Ids are
chosen by the caller, so that asking again is harmless.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from kombu import Consumer, Queue
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import DependencyProvider, Entrypoint, ProviderCollector, SharedExtension

from chassis import green, metrics
from chassis.actor import ACTOR
from chassis.crashpoint import crashpoint
from chassis.log import REQUEST_ID, bound_fact
from chassis.messaging import broker
from chassis.messaging.queue_consumer import QueueConsumer
from chassis.messaging.transport import Transport, transport_of
from chassis.rpc import letters
from chassis.sealing import Seal
from chassis.settings import Settings
from chassis.storage.store import StoreAway
from pratique.errors import DomainError, Unavailable

log = logging.getLogger(__name__)

_ADDRESS = re.compile("[0-9a-f-]{36}")  #: of a caller's queue for answers
_ROUTE = "call"  #: the same for each method, so that a routing key tells of none
_SEALED = "application/octet-stream"
_NO_BROKER = "The broker does not answer; try again in a moment."
_STARTING_S = 0.5  #: how long a call waits for the connection to be there before it gives up


class _Writer:
    """Sends on a consumer's connection, one message at a time, in bounded time."""

    def __init__(self, is_mandatory: bool) -> None:
        self._is_mandatory = is_mandatory  #: a message for which there is no queue comes back
        self._one_at_a_time = green.Semaphore()
        self.channel: Any = None

    def send(self, routing_key: str, body: bytes, timeout_s: float, **properties: Any) -> None:
        """Hand one sealed message to the broker.

        Raises:
            Unavailable: there is no connection, or it took nothing within ``timeout_s``; the connection is cut.
        """
        with self._one_at_a_time:
            channel = self.channel
            if channel is None or channel.connection is None:  # perhaps lost while others sent
                raise Unavailable(_NO_BROKER)
            message = channel.prepare_message(body, None, _SEALED, "binary", {}, {"delivery_mode": 1} | properties)
            to: dict[str, Any] = {"routing_key": routing_key, "mandatory": self._is_mandatory}
            try:
                with broker.time_limit(channel.connection.client, timeout_s):
                    channel.basic_publish(message, broker.RPC.name, **to)
            except broker.BROKER_ERRORS as error:
                raise Unavailable(_NO_BROKER) from error


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
            request = letters.open_request(self._seal, service, _bytes(message))
        except letters.Unopened as error:
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
            acting = {ACTOR.name: request.actor, REQUEST_ID: request.request_id}
            self.container.spawn_worker(provider, (), request.payload, context_data=acting, handle_result=answer)
        except ContainerBeingKilled:
            self.listener.in_flight.discard(message)

    def _worked(
        self, message: Any, request: letters.Request, began: float, context: Any, result: Any, exc_info: Any
    ) -> Any:
        if getattr(getattr(self.container.service_cls, request.method), "is_counted", True):
            metrics.RPC_SECONDS.labels(self.container.service_name, request.method).observe(time.perf_counter() - began)
        error = exc_info[1] if exc_info else result.error if isinstance(result, Refusal) else None
        self._answer(message, request, None if error else result, error)
        return result, exc_info

    def _answer(self, message: Any, request: letters.Request, result: Any, error: BaseException | None) -> None:
        """Reply and acknowledge. A reply that cannot go is dropped: its caller has a deadline."""
        try:
            reply_to = message.properties.get("reply_to")
            if reply_to and _ADDRESS.fullmatch(reply_to):  # an answer never goes where a request would
                body = letters.close_answer(self._seal, request.id, result, _packed(error))
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
    """What an RPC method returns where it has no result but an error that its caller expects; no failure to log."""

    error: DomainError | StoreAway


class _Requests(QueueConsumer):
    prefetch_count = 10

    def __init__(self, transport: Transport, service: str, take: Callable[[Any], None]) -> None:
        super().__init__(transport, f"{service} rpc")
        self._service, self._take = service, take
        self.in_flight: set[Any] = set()
        self.writer = _Writer(is_mandatory=False)

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
        """Whether every request taken has been answered."""
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


def _packed(error: BaseException | None) -> dict[str, Any] | None:
    """An error as it crosses: by name, in nameko's form. What is not ours crosses without its text."""
    if error is None:
        return None
    if isinstance(error, StoreAway):
        error = Unavailable("A store does not answer; try again in a moment.")
    if isinstance(error, DomainError):
        name, args = type(error).__name__, [error.message, error.fields]
    else:
        name, args = "InternalError", ["Something went wrong inside; the log of the service says what."]
    return {"exc_type": name, "exc_path": f"pratique.errors.{name}", "exc_args": args, "value": args[0]}


class InternalError(Exception):
    """The service failed in a way that its log tells and its answer does not."""


def _raised(error: Mapping[str, Any]) -> Exception:
    kind = DomainError.registry.get(str(error.get("exc_type")))
    if kind is None:
        return InternalError(str(error.get("value")))
    try:
        message, fields = error["exc_args"]
        return kind(str(message), {str(pointer): str(words) for pointer, words in fields.items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        return InternalError(str(error.get("value")))


def _bytes(message: Any) -> bytes:
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)


class _Replies(QueueConsumer):
    """The reply queue of one gateway process; it goes with its connection."""

    def __init__(self, transport: Transport, seal: Seal) -> None:
        super().__init__(transport, "rpc replies")
        self._seal = seal
        self.waiting: dict[str, green.Event] = {}
        self.writer = _Writer(is_mandatory=True)
        self.address = ""

    def consumers(self, channel: Any) -> Sequence[Any]:
        """An exclusive queue under a new name: an answer to the old one is too late anyway."""
        self.address = str(uuid.uuid4())
        self.transport.ensure_exchange(channel, broker.RPC)
        queue = Queue(f"rpc.reply-{self.address}", broker.RPC, routing_key=self.address, exclusive=True, durable=False)
        queue = queue(channel)
        queue.queue_declare()
        queue.queue_bind()
        self.transport.on_return(channel, self._on_return)
        self.writer.channel = channel
        return [Consumer(channel, queue, on_message=self._on_reply, no_ack=True, auto_declare=False)]

    def _on_reply(self, message: Any) -> None:
        try:
            answer = letters.open_answer(self._seal, _bytes(message))
        except letters.Unopened as error:
            log.warning("passed over an RPC answer: %s", error)
            return
        signal = self.waiting.pop(str(answer["id"]), None)  # as its box says; what stands outside proves nothing
        if signal is not None:  # else too late, and dropped
            signal.send(answer)

    def _on_return(self, *returned: Any) -> None:
        """The broker has no queue for the request: the service has never run."""
        signal = self.waiting.pop(str(returned[-1].properties.get("correlation_id")), None)
        if signal is not None:
            signal.send({"error": {"exc_type": "Unavailable", "exc_args": ["That service is not running yet.", {}]}})


class Services(DependencyProvider):
    """Injects ``call(service, method, payload)``, which asks a service and waits for its answer."""

    def setup(self) -> None:
        """Read the settings; nothing is opened yet.

        Raises:
            Missing: they have no seal key.
        """
        settings: Settings = self.container.config["settings"]
        self._timeout_s = settings.rpc_timeout_s
        self._seal = settings.seal
        transport = transport_of(settings.broker_url_of(self.container.service_name))
        self.listener = _Replies(transport, settings.seal)

    def start(self) -> None:
        """Begin to listen for replies."""
        self.container.spawn_managed_thread(self.listener.run, identifier="rpc replies")

    def stop(self) -> None:
        """Close; workers have finished by now."""
        self.listener.kill()

    kill = stop

    def get_dependency(self, worker_ctx: Any) -> "Services":
        """Itself."""
        return self

    def call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """What the service answered, as plain JSON.

        Raises:
            DomainError: what the service raised, by name.
            Unavailable: no answer within ``PRATIQUE_RPC_TIMEOUT_S``, no broker, or no such service.
            InternalError: the service failed; its log says how.
        """
        with green.Timeout(_STARTING_S, False):
            while not self.listener.is_consuming:
                green.sleep(0.01)
        correlation_id, signal = str(uuid.uuid4()), green.Event()
        request = letters.Request(method, correlation_id, payload, ACTOR.get(), bound_fact(REQUEST_ID))
        self.listener.waiting[correlation_id] = signal
        try:
            self.listener.writer.send(
                f"{service}.{_ROUTE}",
                letters.close_request(self._seal, service, request, self._timeout_s),
                self._timeout_s,
                reply_to=self.listener.address,
                correlation_id=correlation_id,
                expiration=str(int(self._timeout_s * 1000)),
            )
            crashpoint("rpc.asked")
            answer: Any = None
            with green.Timeout(self._timeout_s, False):
                answer = signal.wait()
            crashpoint("rpc.replied")
        finally:
            self.listener.waiting.pop(correlation_id, None)
        if answer is None:
            raise Unavailable(
                f"The service {service} did not answer within {self._timeout_s:g} s; try again in a moment."
            )
        if answer.get("error"):
            raise _raised(answer["error"])
        return answer["result"]


__all__ = ["InternalError", "Refusal", "Rpc", "RpcServer", "Services", "rpc"]
