"""Addresses of calendars: for each person at most one, a random secret of which the store keeps the hash alone.

They are read by programs that hold no cookie, so an address lasts until its owner ends it or makes another.
"""

import re
import secrets
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from chassis import clock
from chassis.storage.store import Store
from gateway.hashes import hash_of
from gateway.limits import Allowance
from gateway.models import CalendarAddress
from pratique.errors import NotFound, TooManyTries

READ_IN_AN_HOUR = 60  #: times, of one address; calendars ask every few hours
WRONG_IN_AN_HOUR = 60  #: times, from one client, that an address is looked for in vain

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_WORDS = "This calendar was asked for too often; ask again in an hour."


class CalendarStore:
    """The addresses that are kept, and how often each was read lately."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._read = Allowance(READ_IN_AN_HOUR, timedelta(hours=1))
        self._wrong = Allowance(WRONG_IN_AN_HOUR, timedelta(hours=1))

    def renew(self, member_id: UUID) -> str:
        """Give a person a new address, and end the one that they had; return its secret, which is not kept."""
        token = secrets.token_urlsafe(32)
        with self.store.begin() as transaction:
            transaction.execute(delete(CalendarAddress).where(CalendarAddress.member_id == member_id))
            transaction.add(
                CalendarAddress(
                    member_id=member_id, token_sha256=hash_of(token), created_at=clock.now(), last_read_on=None
                )
            )
        return token

    def end(self, member_id: UUID) -> None:
        """End the address of a person; without one nothing changes."""
        with self.store.begin() as transaction:
            transaction.execute(delete(CalendarAddress).where(CalendarAddress.member_id == member_id))

    def of(self, member_id: UUID) -> CalendarAddress | None:
        """Return what is kept of a person's address; None if they have none."""
        with self.store.begin(is_reading=True) as transaction:
            return transaction.get(CalendarAddress, member_id)

    def read(self, token: str, client: str) -> UUID:
        """Return whose address has this secret, and remember the day on which it was read.

        Raises:
            NotFound: it is none, or no more. Which of the two is not told.
            TooManyTries: it was read, or this client asked for what is none, too often in this hour.
        """
        digest, today = hash_of(token), clock.now().date()
        if not self._read.take(digest):
            raise TooManyTries(_WORDS)
        with self.store.begin() as transaction:
            mine = CalendarAddress.token_sha256 == digest
            found = transaction.scalar(select(CalendarAddress).where(mine)) if _TOKEN.fullmatch(token) else None
            if found is not None:
                if found.last_read_on != today:
                    found.last_read_on = today
                return found.member_id
        if not self._wrong.take(client):
            raise TooManyTries(_WORDS)
        raise NotFound("There is no calendar at this address, or no more; make another on your page.")
