"""Headings of survey pages: community, theme and day of a meeting, as notifications has them; none while it is away."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chassis import clock
from gateway.routes import Call
from pratique.errors import DomainError, InternalError, NotFound
from pratique.requests.notifications import ReadMeetingHeading

PAUSE = timedelta(seconds=30)  #: for which a service that did not answer is not asked: nobody waits for a mere line


class Headings:
    """Circuit breaker before notifications, whose answer no page of a survey needs."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._asks_again_at: datetime | None = None

    def find(self, meeting_id: str) -> Mapping[str, Any] | None:
        """Return the heading of a meeting as notifications answers it; None if it knows of none, or is away."""
        now = clock.now()
        if self._asks_again_at is not None:
            if timedelta(0) < self._asks_again_at - now <= PAUSE:
                return None
            self._asks_again_at = now + PAUSE  # one request tries again, and others need not wait with it
        try:
            heading: Mapping[str, Any] = self._call(
                ReadMeetingHeading.service, ReadMeetingHeading.method, {"meeting_id": meeting_id}
            )
        except NotFound:
            return None
        except (DomainError, InternalError):  # away, or older than this question
            self._asks_again_at = clock.now() + PAUSE
            return None
        self._asks_again_at = None
        return heading
