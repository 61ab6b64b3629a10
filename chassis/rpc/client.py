"""The caller's end of RPC: sealed requests with a deadline, and the answers that belong to them.

An answer that comes too late is dropped. Ids are chosen by the caller, so that asking again is harmless.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from kombu import Consumer, Queue
from nameko.extensions import DependencyProvider

from chassis import green
from chassis.actor import ACTOR
from chassis.crashpoint import crashpoint
from chassis.log import REQUEST_ID, bound_fact
from chassis.messaging import broker
from chassis.messaging.queue_consumer import QueueConsumer
from chassis.messaging.transport import Transport, transport_of
from chassis.rpc import messages, wire
from chassis.rpc.gathering import Gathering
from chassis.sealing import Seal
from chassis.settings import Settings
from pratique.errors import Unavailable

log = logging.getLogger(__name__)

_ROUTE = "call"  #: the same for each method, so that a routing key tells of none
_STARTING_S = 0.5  #: how long a call waits for the connection to be there before it gives up


class _Replies(QueueConsumer):
    """The reply queue of one gateway process; it goes with its connection."""

    def __init__(self, transport: Transport, seal: Seal) -> None:
        super().__init__(transport, "rpc replies")
        self._seal = seal
        self.waiting: dict[str, green.Event] = {}
        self.writer = wire.Writer(is_mandatory=True)
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
            answer = messages.open_answer(self._seal, wire.body_of(message))
        except messages.Unopened as error:
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
        self._gathering = Gathering(self._list_versions)

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

    def _list_versions(self, service: str, method: str, payload: Mapping[str, Any]) -> dict[str, int]:
        return {row["id"]: row["version"] for row in self.call(service, method, payload)}

    def find(self, service: str, method: str, argument: str, id: str) -> Any:
        """Return the version of one id, by a method that lists those of many; None if the service knows of none.

        Raises:
            DomainError: as ``call``.
        """
        return self._gathering.find(service, method, argument, id)

    def call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """Call the service and return its answer, as plain JSON.

        Raises:
            DomainError: what the service raised, by name.
            Unavailable: no answer within ``PRATIQUE_RPC_TIMEOUT_S``, no broker, or no such service.
            InternalError: the service failed; its log says how.
        """
        with green.Timeout(_STARTING_S, False):
            while not self.listener.is_consuming:
                green.sleep(0.01)
        correlation_id, signal = str(uuid.uuid4()), green.Event()
        who, request_id = ACTOR.get(), bound_fact(REQUEST_ID)
        request = messages.RpcRequest(method, correlation_id, payload, who.name, request_id, who.authority())
        self.listener.waiting[correlation_id] = signal
        try:
            self.listener.writer.send(
                f"{service}.{_ROUTE}",
                messages.close_request(self._seal, service, request, self._timeout_s),
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
            raise wire.unpack(answer["error"])
        return answer["result"]
