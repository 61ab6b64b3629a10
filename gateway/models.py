"""The gateway's only table: the bearer tokens of machines."""

from datetime import date, datetime

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.storage import types


class Base(DeclarativeBase):
    """The tables of the gateway."""

    metadata = types.metadata()
    type_annotation_map = types.COLUMN_TYPES


class ApiToken(Base):
    """Record of a token: everything but the secret, of which only the hash is kept."""

    __tablename__ = "api_token"

    token_id: Mapped[str] = mapped_column(String(16), primary_key=True)  #: the readable part, by which it is looked up
    secret_sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))  #: whose it is, in the operator's words
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_on: Mapped[date | None]  #: a day and no more: enough to find tokens that nobody uses

    def is_valid(self, at: datetime) -> bool:
        """Return whether the token opens anything at this instant."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)
