"""One address, one person: what two ways of writing an address have in common, unique; and a day's count of mails.

Where people share an address already, all of them stay, and the key goes to the one with the lowest id. The others
have none until their next change, which is refused while they share it.
"""

import sqlalchemy as sa
from alembic import op

from services.membership.models import key_of

revision = "membership_0002"
down_revision = "membership_0001"

_AT_ONCE = 1000
_PERSON = sa.table("member", sa.column("member_id", sa.Uuid), sa.column("email"), sa.column("email_key"))


def upgrade() -> None:
    """Add, fill, and then make it unique."""
    op.add_column("member", sa.Column("email_key", sa.String(254)))
    _fill()
    op.create_index("ix_member_email_key", "member", ["email_key"], unique=True)
    op.create_table(
        "mails_spent",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("token_id", sa.String(64), nullable=False),
        sa.Column("mails", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("day", "token_id", name="pk_mails_spent"),
    )


def _fill() -> None:
    connection = op.get_bind()
    people = connection.execute(sa.select(_PERSON.c.member_id, _PERSON.c.email).order_by(_PERSON.c.member_id)).all()
    keys: dict[str, object] = {}
    for member_id, email in people:
        key = key_of(email)
        if len(key) <= 254:
            keys.setdefault(key, member_id)
    filled = [{"of": member_id, "key": key} for key, member_id in keys.items()]
    statement = sa.update(_PERSON).where(_PERSON.c.member_id == sa.bindparam("of"))
    for begin in range(0, len(filled), _AT_ONCE):
        connection.execute(statement.values(email_key=sa.bindparam("key")), filled[begin : begin + _AT_ONCE])
