"""Sign-in links and sessions of people: each a random secret, of which the store keeps the hash alone.

A link is mailed, works once and for a quarter of an hour. A session's cookie reads ``prs_<id>_<secret>``; it ends 30
days after it began, after 14 days without a visit, or when its owner says so (docs/decisions/0023).
"""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.storage import audit
from chassis.storage.store import Store
from gateway.cache import Cache
from gateway.hashes import hash_of, is_right
from gateway.models import PersonSession, SignInLink

LINK_LASTS = timedelta(minutes=15)
SESSION_LASTS = timedelta(days=30)  #: from the signing in, however often it is used
MAX_LABEL = 60  #: characters

_COOKIE = re.compile(r"prs_(?P<id>[0-9a-f]{12})_(?P<secret>[A-Za-z0-9_-]{43})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class SessionStore:
    """The links and sessions that are kept; a session is read at most once in five seconds."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._seen = Cache(self._read)

    def create_link(self, member_id: UUID, leads_to: str = "") -> tuple[str, datetime]:
        """Make a link that signs this person in; return its secret, which is not kept, and until when it works."""
        token, now = secrets.token_urlsafe(32), clock.now()
        link = SignInLink(
            token_sha256=hash_of(token),
            member_id=member_id,
            leads_to=leads_to,
            expires_at=now + LINK_LASTS,
            used_at=None,
        )
        with self.store.begin() as transaction:
            _prune(transaction, now)
            transaction.add(link)
        return token, link.expires_at

    def is_link(self, token: str) -> bool:
        """Return whether this link would sign somebody in now; it is not spent by that."""
        if not _TOKEN.fullmatch(token):
            return False
        with self.store.begin(is_reading=True) as transaction:
            link = transaction.get(SignInLink, hash_of(token))
            return link is not None and link.used_at is None and clock.now() < link.expires_at

    def spend_link(self, token: str, label: str, former: str = "") -> tuple[str, str] | None:
        """Spend the link and begin a session; return its cookie, and where the link leads. None if it is no use now.

        Of two that spend it at once, one succeeds. ``former`` is the cookie that the browser had: its session ends.
        """
        if not _TOKEN.fullmatch(token):
            return None
        now = clock.now()
        mine = (SignInLink.token_sha256 == hash_of(token), SignInLink.used_at.is_(None), SignInLink.expires_at > now)
        with self.store.begin() as transaction:
            spent = update(SignInLink).where(*mine).values(used_at=now)
            link = transaction.execute(spent.returning(SignInLink.member_id, SignInLink.leads_to)).first()
            if link is None:
                return None
            replaced = self._valid(transaction, former)
            if replaced is not None:
                replaced.ended_at = now
            cookie = _begin(transaction, link.member_id, label)
        if replaced is not None:
            self._seen.forget(replaced.session_id)
        return cookie, link.leads_to

    def begin(self, member_id: UUID, label: str) -> str:
        """Begin a session without a link; return its cookie."""
        with self.store.begin() as transaction:
            return _begin(transaction, member_id, label)

    def find(self, cookie: str) -> PersonSession | None:
        """Return the session of this cookie; None if it is none of ours, or over. Which of the two is not told."""
        parts = _COOKIE.fullmatch(cookie)
        if not parts:
            return None
        row = self._seen.get(parts["id"])
        is_ours = is_right(parts["secret"], row.secret_sha256 if row else None)
        return row if row is not None and is_ours and row.is_live(clock.now()) else None

    def list_live(self, member_id: UUID) -> Sequence[PersonSession]:
        """Return where this person is signed in, the newest first."""
        with self.store.begin(is_reading=True) as transaction:
            theirs = select(PersonSession).where(PersonSession.member_id == member_id)
            rows = transaction.scalars(theirs.order_by(PersonSession.created_at.desc(), PersonSession.session_id))
            return [row for row in rows if row.is_live(clock.now())]

    def end(self, member_id: UUID, session_id: str) -> bool:
        """End one session of this person; return whether there was such. Others believe it for 5 s more at most."""
        return bool(self._end(member_id, PersonSession.session_id == session_id))

    def end_all(self, member_id: UUID) -> int:
        """End all sessions of this person, and let no link of theirs work; return how many sessions there were."""
        return self._end(member_id)

    def _end(self, member_id: UUID, *which: object) -> int:
        with self.store.begin() as transaction:
            ended = _end_sessions(transaction, member_id, *which)
        for session_id in ended:
            self._seen.forget(session_id)
        return len(ended)

    def _valid(self, transaction: Session, cookie: str) -> PersonSession | None:
        parts = _COOKIE.fullmatch(cookie)
        row = transaction.get(PersonSession, parts["id"]) if parts else None
        return row if parts and is_right(parts["secret"], row.secret_sha256 if row else None) else None

    def _read(self, session_id: str) -> PersonSession | None:
        now = clock.now()
        with self.store.begin() as transaction:
            row = transaction.get(PersonSession, session_id)
            if row is not None and row.is_live(now) and row.last_seen_on != now.date():
                row.last_seen_on = now.date()
        return row


def _end_sessions(transaction: Session, member_id: UUID, *which: object) -> list[str]:
    """End these sessions of a person, or all; then no link of theirs works either. Return the ids of those that ended.

    The audit says by whom, and how many; not where that person was signed in.
    """
    now = clock.now()
    live = (PersonSession.member_id == member_id, PersonSession.ended_at.is_(None), PersonSession.expires_at > now)
    ending = update(PersonSession).where(*live, *which).values(ended_at=now)  # type: ignore[arg-type]  # conditions
    ended = list(transaction.scalars(ending.returning(PersonSession.session_id)))
    if not which:
        transaction.execute(delete(SignInLink).where(SignInLink.member_id == member_id, SignInLink.expires_at > now))
        if ended:
            audit.record(transaction, "sessions.ended", member_id, before={"sessions": len(ended)})
    return ended


def _begin(transaction: Session, member_id: UUID, label: str) -> str:
    """Add a session under an id and a secret that nobody had before; return its cookie."""
    session_id, secret, now = secrets.token_hex(6), secrets.token_urlsafe(32), clock.now()
    transaction.add(
        PersonSession(
            session_id=session_id,
            secret_sha256=hash_of(secret),
            member_id=member_id,
            label=label[:MAX_LABEL],
            created_at=now,
            last_seen_on=now.date(),
            expires_at=now + SESSION_LASTS,
            ended_at=None,
        )
    )
    return f"prs_{session_id}_{secret}"


def _prune(transaction: Session, now: datetime) -> None:
    """Delete what is over: links that have expired, and sessions at the end of their 30 days."""
    for table in (SignInLink, PersonSession):
        transaction.execute(delete(table).where(table.expires_at <= now))
