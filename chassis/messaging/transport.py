"""Transports: AMQP to a broker, or queues in the memory of this process. ``transport_of`` chooses, once, at start.

A transport knows all in which the two differ: connections and heartbeats, declarations, publisher confirms,
acknowledgements, and how much a queue may hold.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from amqp.exceptions import NotFound
from kombu import Connection, Exchange, Queue

from chassis import green
from chassis.messaging import broker, in_memory
from pratique.event import Event

Confirm = Callable[[int, bool], None]  #: called with a delivery tag, and whether it speaks of all up to that one


class Transport(ABC):
    """A carrier of messages between the processes, or the services, of one network."""

    heartbeat_s: ClassVar[int]
    #: Whether queues outlive the process. Where not, what was published is offered again at start.
    is_durable: ClassVar[bool]
    #: Consumers of one service in a process, each with a batch of its own under way.
    consumers_at_once: ClassVar[int]

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """Open a connection in bounded time, and close it in bounded time."""
        opened = Connection(
            self.url,
            connect_timeout=broker.CONNECT_TIMEOUT_S,
            heartbeat=self.heartbeat_s,
            transport_options={"max_retries": 0, "confirm_publish": False},
        )
        try:
            with broker.time_limit(opened, broker.CONNECT_TIMEOUT_S + 1):
                opened.connect()
            yield opened
        finally:
            with contextlib.suppress(*broker.BROKER_ERRORS, green.Timeout), broker.time_limit(opened, 1.0):
                opened.release()

    @abstractmethod
    def check_heartbeat(self, connection: Any) -> None:
        """Send a heartbeat if one is due, and fail if the peer has sent none for too long."""

    def declare_exchanges(self, channel: Any, service: str) -> None:
        """Declare the exchanges on which a service publishes, the public one bound to its events."""
        broker.PUBLIC(channel).declare()
        broker.events_exchange(service)(channel).declare()
        self._bind_public(channel, service)
        broker.private_exchange(service)(channel).declare()  # last: if it exists, all of this was done

    def declare_queue(self, channel: Any, service: str, events: Iterable[type[Event]]) -> Any:
        """Declare the service's queue and bind it to these events; returns the bound queue."""
        self._declare_dead_letters(channel)
        queue = self.queue(service)(channel)
        queue.declare()
        events = list(events)
        for publisher in sorted({event.publisher for event in events}):
            heard = {event.exchange() for event in events if event.publisher == publisher}
            if not all(self.exists(channel, Exchange(name, "topic")) for name in heard):
                # All of them: if the private one exists, the public exchange must be bound to the other.
                self.declare_exchanges(channel, publisher)
        for event in events:
            queue.bind_to(event.exchange(), routing_key=event.routing_key)
        return queue

    @abstractmethod
    def queue(self, service: str) -> Queue:
        """Return the one durable queue of a service, named after it."""

    @abstractmethod
    def exists(self, channel: Any, entity: Exchange | Queue) -> bool:
        """Return whether an exchange or a queue is declared already, as far as can be known."""

    def ensure_exchange(self, channel: Any, exchange: Exchange) -> None:
        """Declare an exchange unless it exists: services may ask for it, but lack the permission to make it."""
        if not self.exists(channel, exchange):
            exchange(channel).declare()

    @abstractmethod
    def _bind_public(self, channel: Any, service: str) -> None: ...

    @abstractmethod
    def _declare_dead_letters(self, channel: Any) -> None: ...

    @abstractmethod
    def select_confirms(self, channel: Any, on_ack: Confirm, on_nack: Confirm) -> bool:
        """Ask for publisher confirms on a channel; False if there are none, since what is published has arrived."""

    @abstractmethod
    def on_return(self, channel: Any, returned: Callable[..., None]) -> None:
        """Call ``returned`` with each mandatory message for which there is no queue."""

    @abstractmethod
    def acknowledge(self, messages: Sequence[Any]) -> None:
        """Acknowledge deliveries of one channel: all that it was handed, up to the last of these."""

    @abstractmethod
    def has_room(self) -> bool:
        """Return whether relays may publish more now."""


class Amqp(Transport):
    """A broker that speaks AMQP 0-9-1, with quorum queues: RabbitMQ."""

    heartbeat_s = broker.HEARTBEAT_S
    is_durable = True
    consumers_at_once = 2  #: while the database works on one batch, the next is read and prepared (docs/decisions/0014)
    _QUORUM: ClassVar[dict[str, Any]] = {"x-queue-type": "quorum"}

    def check_heartbeat(self, connection: Any) -> None:
        """Send a heartbeat if one is due, and fail if the broker has sent none for too long."""
        connection.heartbeat_check()

    def queue(self, service: str) -> Queue:
        """Return the quorum queue of a service, which hands dead letters on after ``DELIVERY_LIMIT`` deliveries."""
        limit = {"x-delivery-limit": broker.DELIVERY_LIMIT, "x-dead-letter-exchange": broker.DEAD_LETTERS.name}
        return Queue(service, durable=True, queue_arguments=self._QUORUM | limit)

    def exists(self, channel: Any, entity: Exchange | Queue) -> bool:
        """Return whether an exchange or a queue is declared. RabbitMQ 4.3 tells those who have any permission on it."""
        try:
            with channel.connection.channel() as asking:  # the answer no closes the channel
                if isinstance(entity, Queue):
                    asking.queue_declare(entity.name, passive=True)
                else:
                    asking.exchange_declare(entity.name, entity.type, passive=True)
        except NotFound:
            return False
        return True

    def _bind_public(self, channel: Any, service: str) -> None:
        broker.PUBLIC(channel).bind_to(broker.events_exchange(service), routing_key="#")

    def _declare_dead_letters(self, channel: Any) -> None:
        name = broker.DEAD_LETTERS.name
        queue = Queue(name, broker.DEAD_LETTERS, durable=True, queue_arguments=self._QUORUM)
        if not self.exists(channel, queue):
            queue(channel).declare()

    def select_confirms(self, channel: Any, on_ack: Confirm, on_nack: Confirm) -> bool:
        """Ask for publisher confirms, which are pipelined: several messages are under way at once."""
        channel.confirm_select()
        channel.events["basic_ack"].add(on_ack)
        channel.events["basic_nack"].add(on_nack)
        return True

    def on_return(self, channel: Any, returned: Callable[..., None]) -> None:
        """Call ``returned`` with each mandatory message that the broker returns."""
        channel.events["basic_return"].add(returned)

    def acknowledge(self, messages: Sequence[Any]) -> None:
        """Acknowledge all up to the last of these, in one frame."""
        messages[-1].channel.basic_ack(messages[-1].delivery_tag, multiple=True)

    def has_room(self) -> bool:
        """Return True: the broker itself blocks connections when it lacks memory or disk."""
        return True


class InMemory(Transport):
    """Queues in this process, by ``chassis.messaging.in_memory``; each declaration costs nothing and is repeated."""

    heartbeat_s = 0
    is_durable = False
    consumers_at_once = 1  #: a second would wait for the one connection to the service's SQLite store

    def check_heartbeat(self, connection: Any) -> None:
        """Do nothing: there is no peer to lose."""

    def queue(self, service: str) -> Queue:
        """Return the queue of a service."""
        return Queue(service, durable=True)

    def exists(self, channel: Any, entity: Exchange | Queue) -> bool:
        """Return False, so that it is declared (again)."""
        return False

    def _bind_public(self, channel: Any, service: str) -> None:
        """Do nothing: kombu's virtual exchanges cannot be bound to each other, and no integrator reads here."""

    def _declare_dead_letters(self, channel: Any) -> None:
        """Do nothing: a message that ends the process is gone with it, and offered again at the next start."""

    def select_confirms(self, channel: Any, on_ack: Confirm, on_nack: Confirm) -> bool:
        """Return False: what is published stands in its queues."""
        return False

    def on_return(self, channel: Any, returned: Callable[..., None]) -> None:
        """Do nothing: kombu's virtual channels return no message; callers have their time-outs."""

    def acknowledge(self, messages: Sequence[Any]) -> None:
        """Acknowledge each: kombu's virtual channels have no acknowledgement of all up to one."""
        for message in messages:
            message.ack()

    def has_room(self) -> bool:
        """Return whether no queue is full; what the stores hold stays there meanwhile."""
        return in_memory.has_room()


def transport_of(url: str) -> Transport:
    """Return the transport to a broker's URL."""
    return InMemory(url) if url.startswith("embedded:") else Amqp(url)
