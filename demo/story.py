"""The story of the main job: events on the bus, printed as they happen."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console

from chassis import clock
from pratique.event import Envelope, Event
from pratique.value import read_instant


class Story:
    """Tells each event as a line: who published what, who reacted, how long after."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.is_told = False
        self._tellers: dict[str, Callable[[str, Sequence[Any]], None]] = {
            "published": self._published,
            "reacted": self._reacted,
        }

    def observe(self, what: str, service: str, items: Sequence[Any]) -> None:
        """Called by the bus for each window that was published and each batch that was reacted to."""
        if self.is_told:
            self._tellers[what](service, items)

    def _published(self, service: str, bodies: Sequence[Mapping[str, Any]]) -> None:
        told = [(str(body["type"]).split(".")[-2], read_instant(body["time"])) for body in bodies]
        self._print(f"[cyan]{service:>13}[/cyan] published  ", told)

    def _reacted(self, service: str, envelopes: Sequence[Envelope[Event]]) -> None:
        told = [(type(envelope.event).__name__, envelope.time) for envelope in envelopes]
        self._print(f"[green]{service:>13}[/green] reacted to ", told)

    def _print(self, who: str, told: Sequence[tuple[str, datetime]]) -> None:
        """One line for all events of one name: the oldest of them says how long after."""
        for name in dict.fromkeys(name for name, _ in told):
            times = [at for other, at in told if other == name]
            count = f" × {len(times)}" if len(times) > 1 else ""
            self._console.print(f"  {who}[bold]{name}[/bold]{count} [dim]{_ms_since(min(times))} ms after[/dim]")


def _ms_since(at: datetime) -> int:
    return round((clock.now() - at).total_seconds() * 1000)
