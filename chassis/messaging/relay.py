"""Sends what services have committed: one active relay per store at a time, rows in order, confirms in windows."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import eventlet
from eventlet.event import Event as Signal
from sqlalchemy import text

from chassis import metrics
from chassis.crashpoint import crashpoint
from chassis.log import Ids
from chassis.messaging import broker, embedded, outbox
from chassis.storage import store
from pratique.event import REGISTRY, attributes_of

log = logging.getLogger(__name__)

WINDOW = 500  #: messages under way at once
GATHER_S = 0.01  #: after a window that was not full, commits gather so long and go together; the first never waits
POLL_S = 1.0  #: the net beneath the waking at commit
Published = Callable[[Sequence[Mapping[str, Any]]], None]


class Relay:
    """``run`` belongs in a green thread of its own; every process of a service has one."""

    def __init__(self, opened: store.Store, url: str) -> None:
        self._store, self._is_embedded = opened, url.startswith("embedded:")
        self._publisher = broker.Publisher(url, opened.name)
        self._woken = Signal()
        self._ended = Signal()
        self._stood_by = 0
        self.is_stopping = False
        self.is_connected = False
        self.published: Published = lambda bodies: None  #: told of each window; for whoever watches
        opened.on_commit("outbox", self.wake)

    def wake(self) -> None:
        """There is something to send."""
        if not self._woken.ready():
            self._woken.send()

    def run(self) -> None:
        """Send until stopped; what the broker does not take now is offered again, for ever."""
        pause_s = 0.0
        while True:
            while self._is_embedded and not embedded.has_room() and not self.is_stopping:
                eventlet.sleep(GATHER_S)
            try:
                count = self.send_window()
                pause_s = 0.0
            except (broker.NotConfirmed, store.StoreAway) as error:
                log.warning("%s: events wait (%s)", self._store.name, str(error)[:200])
                count, pause_s = 0, min(2.0, (pause_s or 0.05) * 2)
                self.is_connected = False
            except Exception:
                log.exception("%s: the relay goes on", self._store.name)
                count, pause_s = 0, 2.0
            if self.is_stopping and not count:
                self._publisher.close()
                self._ended.send()
                return
            if pause_s:
                eventlet.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  (no secret)
            elif not count:
                self._wait()
            elif count < WINDOW and not self.is_stopping:
                eventlet.sleep(GATHER_S)

    def _wait(self) -> None:
        with eventlet.Timeout(POLL_S, False):
            self._woken.wait()
        if self._woken.ready():
            self._woken = Signal()
        else:
            self._publisher.keep_alive()

    def send_window(self) -> int:
        """Send the oldest rows, at most ``WINDOW``; returns how many.

        Raises:
            NotConfirmed, StoreAway: they stay in the outbox.
        """
        with self._store.begin() as session:
            if not self._store.is_sqlite and not session.scalar(
                text("select pg_try_advisory_xact_lock(hashtext('pratique.relay'))")
            ):
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
                    messages.append(broker.Outgoing(*route, row.body, headers, body["id"]))
                    seqs.append(row.seq)
                else:
                    # Guessing whether it is private would be worse than waiting for the code that knows it.
                    log.error("outbox row %d holds %s, which this code does not know; it waits", row.seq, body["type"])
            crashpoint("relay.selected")
            self._publisher.publish(messages)
            self.is_connected = True
            self.published(bodies)
            crashpoint("relay.confirmed")
            outbox.confirmed(session, seqs)
            crashpoint("relay.before_commit")
        crashpoint("relay.cleared")
        metrics.EVENTS_PUBLISHED.labels(self._store.name).inc(len(seqs))
        _log_published(messages)
        return len(seqs)

    def _stand_by(self) -> None:
        """Another replica sends: look again when it may have ended, ever later while it has not."""
        self._stood_by += 1
        eventlet.spawn_after(min(POLL_S, 0.01 * 2**self._stood_by), self.wake)

    def stop(self, flush_s: float = 2.0) -> None:
        """Send what is left if the broker takes it within ``flush_s``; the rest goes out after the next start."""
        self.is_stopping = True
        self.wake()
        with eventlet.Timeout(flush_s, False):
            self._ended.wait()


_LOGGED = {"type": "ce-type", "id": "ce-id", "subject": "ce-subject", "correlation_id": "ce-correlationid"}


def _log_published(messages: Sequence[broker.Outgoing]) -> None:
    """Log which events the broker has confirmed, in one line for a window: ids, as the broker sees them too."""
    if not messages or not log.isEnabledFor(logging.INFO):
        return
    events = Ids({name: each.headers[header] for name, header in _LOGGED.items()} for each in messages)
    log.info("published %d events", len(events), extra={"events": events})
