"""Daily quota of mails for each token and each person, counted in each service's store.

A person has one, in however many browsers they are signed in. Operators at a command line, and the sample, have none;
nor has a store that was opened without settings.
"""

from datetime import timedelta

from sqlalchemy import Column, Date, Integer, MetaData, String, Table, delete

from chassis import clock
from chassis.actor import ACTOR
from chassis.storage.transaction import Transaction
from pratique.errors import QuotaSpent


def table(metadata: MetaData) -> Table:
    """Return the table in which a service counts: a row for each token or person that brought about a mail today (UTC).

    ``token_id`` holds a person's id too; it was named when only tokens were counted.
    """
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
    kind, _, who = ACTOR.get().name.partition(" ")
    if kind not in ("token", "member") or not mails:
        return
    try:
        most = transaction.settings.mails_a_day
    except LookupError:
        return
    today = clock.now().date()
    statement = transaction.insert(counts).values(day=today, token_id=who.partition(" ")[0][:64], mails=mails)
    spent = counts.c.mails + statement.excluded.mails
    statement = statement.on_conflict_do_update(
        index_elements=["day", "token_id"], set_={"mails": spent}, where=spent <= most
    )
    total = transaction.scalar(statement.returning(counts.c.mails)) if mails <= most else None
    if total is None:
        raise QuotaSpent(
            f"Nobody may bring about more than {most} mails in a day, and this would be more; the next day begins at "
            f"{today + timedelta(days=1)}T00:00:00Z. Nothing was changed. The operator can allow more."
        )
    if total == mails:  # the first of this day, so there may be rows of the days before
        transaction.execute(delete(counts).where(counts.c.day < today))
