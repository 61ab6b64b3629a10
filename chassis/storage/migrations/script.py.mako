"""${message}"""

import sqlalchemy as sa
from alembic import op

from chassis.storage import store

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Only add; removal waits one release."""
    ${upgrades if upgrades else "pass"}
