"""Domain errors: what a service may answer instead of a result. They cross RPC by name, and become problems."""

from collections.abc import Mapping
from typing import ClassVar


class DomainError(Exception):
    """Something a person can act on; the message is a sentence for them. Nothing was changed."""

    registry: ClassVar[dict[str, type["DomainError"]]] = {}

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})  #: JSON pointer of each bad field -> what is wrong with it

    def __init_subclass__(cls) -> None:
        DomainError.registry[cls.__name__] = cls


class NotFound(DomainError):
    """There is no such thing, or the caller may not know of it; do not retry."""


class Invalid(DomainError):
    """What was sent cannot be; mend the fields that are named and send again."""


class Conflict(DomainError):
    """The state of things forbids it; read again, then decide."""


class Stale(DomainError):
    """The row changed since it was read; read it again, merge, and send the new ETag."""


class PreconditionRequired(DomainError):
    """A change needs If-Match with the ETag that was read; read, then send it."""


class Forbidden(DomainError):
    """The caller is known and may not do this; ask for the scope or role that the message names."""


class Unauthenticated(DomainError):
    """The caller is unknown; send a bearer token that ``pratique token create`` made."""


class Gone(DomainError):
    """It was there and is over, for good; do not retry."""


class TooManyTries(DomainError):
    """Slow down; wait as long as Retry-After says."""


class QuotaSpent(DomainError):
    """The mails of a day are used up; the message says when the next day begins. Send it again then."""


class Unavailable(DomainError):
    """A service or a server that is needed does not answer; what was sent may be sent again, with the same ids."""


class NotYet(DomainError):
    """A reaction or a message needs something that has not arrived yet; it is tried again later by itself."""


class InternalError(Exception):
    """The service failed in a way that its log tells and its answer does not."""
