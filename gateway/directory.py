"""Communities by id, for the pages that name them: what anyone may know of them, read once a minute for all pages."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chassis import clock
from chassis.actor import NETWORK, acting
from gateway.routes import Call
from pratique.requests.membership import ListCommunities

BELIEVED_FOR = timedelta(minutes=1)  #: how long names are believed; an id that is new is looked for at once
ASKED_EVERY = timedelta(seconds=1)  #: at most, however many unknown ids are asked for
PAGE = 500  #: communities in one answer

Community = Mapping[str, Any]  #: as membership answers it


class Directory:
    """All communities with their names, languages and zones; whose they are, the services say."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._known: dict[str, Community] = {}
        self._read_at: datetime | None = None

    def all(self) -> Mapping[str, Community]:
        """Return every community by id."""
        if self._is_older_than(BELIEVED_FOR):
            self._read()
        return self._known

    def of(self, ids: Iterable[str]) -> dict[str, Community]:
        """Return these communities by id, in this order; one that there is not is left out."""
        asked = list(ids)
        known = self.all()
        if any(id not in known for id in asked) and self._is_older_than(ASKED_EVERY):
            self._read()
        return {id: self._known[id] for id in asked if id in self._known}

    def forget(self) -> None:
        """Read them again when they are asked for: one has changed."""
        self._read_at = None

    def _is_older_than(self, age: timedelta) -> bool:
        return self._read_at is None or not timedelta(0) <= clock.now() - self._read_at < age

    def _read(self) -> None:
        rows: list[Community] = []
        asked: dict[str, Any] = {"limit": PAGE}
        with acting(NETWORK):
            while asked:
                page = self._call(ListCommunities.service, ListCommunities.method, asked)
                rows += page["rows"]
                asked = {"limit": PAGE, "after": page["after"]} if page["after"] else {}
        self._known, self._read_at = {row["community_id"]: row for row in rows}, clock.now()
