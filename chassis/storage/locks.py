"""Advisory locks on names and ids, by which replicas of one service exclude one another until a transaction ends."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from chassis.storage import arrays


class AdvisoryLocks:
    """PostgreSQL's advisory locks. Replicas of two releases run at once: never change how the keys are made."""

    def hold(self, session: Session, name: str) -> None:
        """Wait for the lock of this name, as long as ``lock_timeout`` allows."""
        sql = "select pg_advisory_xact_lock(hashtext(%(name)s))"
        session.connection().exec_driver_sql(sql, {"name": name})

    def try_hold(self, session: Session, name: str) -> bool:
        """Take the lock of this name without waiting; False if another transaction holds it."""
        sql = "select pg_try_advisory_xact_lock(hashtext(%(name)s))"
        return bool(session.connection().exec_driver_sql(sql, {"name": name}).scalar())

    def hold_each(self, session: Session, ids: Iterable[object], is_shared: bool) -> None:
        """Wait for the lock of each id, in one order for all transactions, so that none waits in a ring.

        Shared holders exclude only those who do not share.
        """
        function = "pg_advisory_xact_lock_shared" if is_shared else "pg_advisory_xact_lock"
        keys = "select hashtextextended(id, 0) as key from unnest(%(ids)s::text[]) as id order by 1"
        sql = f"select {function}(key) from ({keys}) as keys"  # noqa: S608  (one of our own two names)
        session.connection().exec_driver_sql(sql, {"ids": arrays.literal([str(each) for each in ids])})


class NoLocks:
    """No locks, for SQLite, which has one writer at a time."""

    def hold(self, session: Session, name: str) -> None:
        """Return at once."""

    def try_hold(self, session: Session, name: str) -> bool:
        """Return True at once."""
        return True

    def hold_each(self, session: Session, ids: Iterable[object], is_shared: bool) -> None:
        """Return at once."""


Locks = AdvisoryLocks | NoLocks
