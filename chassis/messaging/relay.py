"""The relay: sends what a service has committed, in order, confirmed in windows; one is active per store at a time."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chassis import green, metrics
from chassis.crashpoint import crashpoint
from chassis.log import Ids
from chassis.loop import POLL_S, Loop
from chassis.messaging import outbox
from chassis.messaging.publisher import NotConfirmed, Outgoing, Publisher
from chassis.messaging.transport import Transport
from chassis.storage import store
from chassis.storage.event_log import RELAY
from pratique.event import REGISTRY, attributes_of

log = logging.getLogger(__name__)

_LOCK = "pratique.relay"  #: held by the one relay that is active for a store
WINDOW = 500  #: messages under way at once
GATHER_S = 0.01  #: after a window that was not full, commits gather so long and go together; the first never waits
Published = Callable[[Sequence[Mapping[str, Any]]], None]


class Relay:
    """The sender of one store's outbox. Every process of a service has one; ``run`` belongs in a green thread."""

    def __init__(self, opened: store.Store, transport: Transport) -> None:
        self._store, self._transport = opened, transport
        self._publisher = Publisher(transport, opened.name)
        self._loop = Loop(
            f"{opened.name} relay", self._send, (NotConfirmed, store.StoreAway), "events wait", drains=True
        )
        self._stood_by = 0
        self.published: Published = lambda bodies: None  #: called with each window, for observers
        opened.on_commit(RELAY, self._loop.wake)

    def run(self) -> None:
        """Send until stopped; what the broker does not take now is offered again, without end."""
        try:
            self._loop.run()
        finally:
            self._publisher.close()

    def _send(self) -> bool:
        while not self._transport.has_room() and not self._loop.is_stopping:
            green.sleep(GATHER_S)
        count = self.send_window()
        if not count:
            self._publisher.keep_alive()
        elif count < WINDOW:
            green.sleep(GATHER_S)
        return count > 0

    def send_window(self) -> int:
        """Send the oldest rows, at most ``WINDOW``; returns how many it sent.

        Raises:
            NotConfirmed, StoreAway: they stay in the outbox.
        """
        with self._store.begin() as session:
            if not session.try_lock(_LOCK):
                self._stand_by()
                return 0
            self._stood_by = 0
            rows = outbox.unpublished(session, WINDOW)
            if not rows:
                return 0
            bodies = [attributes_of(row.body) for row in rows]
            seqs, messages = [], []
            for row, body in zip(rows, bodies, strict=True):
                if event_class := REGISTRY.get(body["type"]):
                    headers = {f"ce-{name}": value for name, value in body.items()}
                    route = event_class.exchange(), event_class.routing_key
                    messages.append(Outgoing(*route, row.body, headers, body["id"]))
                    seqs.append(row.seq)
                else:
                    # Guessing whether it is private would be worse than waiting for the code that knows it.
                    log.error("outbox row %d holds %s, which this code does not know; it waits", row.seq, body["type"])
            crashpoint("relay.selected")
            self._publisher.publish(messages)
            self.published(bodies)
            crashpoint("relay.confirmed")
            outbox.confirmed(session, seqs)
            crashpoint("relay.before_commit")
        crashpoint("relay.cleared")
        metrics.EVENTS_PUBLISHED.labels(self._store.name).inc(len(seqs))
        _log_published(messages)
        return len(seqs)

    def _stand_by(self) -> None:
        """Look again when the replica that sends may have ended, ever later while it has not."""
        self._stood_by += 1
        green.spawn_after(min(POLL_S, 0.01 * 2**self._stood_by), self._loop.wake)

    def stop(self, flush_s: float = 2.0) -> None:
        """Send what is left if the broker takes it within ``flush_s``; the rest goes out after the next start."""
        self._loop.stop(flush_s)


_LOGGED = {"type": "ce-type", "id": "ce-id", "subject": "ce-subject", "correlation_id": "ce-correlationid"}


def _log_published(messages: Sequence[Outgoing]) -> None:
    """Log which events the broker has confirmed, in one line for a window: ids, as the broker sees them too."""
    if not messages or not log.isEnabledFor(logging.INFO):
        return
    events = Ids({name: each.headers[header] for name, header in _LOGGED.items()} for each in messages)
    log.info("published %d events", len(events), extra={"events": events})
