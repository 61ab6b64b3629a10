"""Daily quota of mails for each token, counted in each service's store.

People at a command line, and the sample, have none; nor has a store that was opened without settings.
"""

from datetime import timedelta

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, delete

from chassis import clock
from chassis.actor import ACTOR
from chassis.storage.transaction import Transaction
from pratique.errors import QuotaSpent


def table(metadata: MetaData) -> Table:
    """Return the table in which a service counts: a row for each token that brought about a mail today (UTC)."""
    return Table(
        "mails_spent",
        metadata,
        Column("day", Date, primary_key=True),
        Column("token_id", String(64), primary_key=True),
        Column("mails", Integer, nullable=False),
    )


def spend(transaction: Transaction, counts: Table, mails: int) -> None:
    """Count the mails that this command brings about to whoever acts; two at once wait for each other.

    Raises:
        QuotaSpent: they would be more than are left for today; the caller's transaction must not be committed.
    """
    kind, _, token = ACTOR.get().name.partition(" ")
    if kind != "token" or not mails:
        return
    try:
        most = transaction.settings.mails_a_day
    except LookupError:
        return
    today = clock.now().date()
    statement = transaction.insert(counts).values(day=today, token_id=token.partition(" ")[0][:64], mails=mails)
    spent = counts.c.mails + statement.excluded.mails
    statement = statement.on_conflict_do_update(
        index_elements=["day", "token_id"], set_={"mails": spent}, where=spent <= most
    )
    total = transaction.scalar(statement.returning(counts.c.mails)) if mails <= most else None
    if total is None:
        raise QuotaSpent(
            f"A token may bring about {most} mails in a day, and this would be more; the next day begins at "
            f"{today + timedelta(days=1)}T00:00:00Z. Nothing was changed. The operator can allow more."
        )
    if total == mails:  # the first of this day, so there may be rows of the days before
        transaction.execute(delete(counts).where(counts.c.day < today))
