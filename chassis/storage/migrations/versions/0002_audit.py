"""The audit that every store has; the database itself refuses to change it, or to remove what is not old."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from chassis.storage import types

revision = "0002_audit"
down_revision = "0001_kernel"

_SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_FACTS = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

#: In 731 days there are 24 months; the database's own clock counts, since an application may lie about the time.
_SQLITE = (
    """
create trigger audit_is_not_changed before update on audit
begin select raise(abort, 'the audit is append-only'); end
""",
    """
create trigger audit_is_kept before delete on audit when old.at > datetime('now', '-731 days')
begin select raise(abort, 'the audit is append-only'); end
""",
)
_POSTGRESQL = (
    """
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if old.at <= now() - interval '731 days' then
            return old;
        end if;
    end if;
    raise exception 'the audit is append-only' using errcode = 'insufficient_privilege';
end
$$
""",
    """
create trigger audit_is_append_only before update or delete on audit
for each row execute function audit_is_append_only()
""",
    """
create trigger audit_is_not_emptied before truncate on audit
for each statement execute function audit_is_append_only()
""",
    "revoke update, truncate on audit from current_user",
)


def upgrade() -> None:
    """Only add; removal waits one release."""
    op.create_table(
        "audit",
        sa.Column("seq", _SEQ, autoincrement=True, nullable=False),
        sa.Column("at", types.Instant(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("before", _FACTS),
        sa.Column("after", _FACTS),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE if is_sqlite else _POSTGRESQL:
        op.execute(statement)
