"""Annotations that several requests share."""

from datetime import datetime
from typing import Annotated

from marshmallow.validate import Length, Range

from pratique.fields import UNCHECKED, Doc, Zone
from pratique.request import Answer, Query

Timezone = Annotated[str, Length(1, 64), Zone(), Doc("Time zone, by its IANA name.", "America/Toronto")]
Version = Annotated[int, Doc("Version of the row; its ETag is this number in quotes.", 1)]


class AuditRecord(Answer):
    """Record of what somebody did."""

    at: Annotated[datetime, Doc("When.")]
    actor: Annotated[str, UNCHECKED, Doc("By whom.", "operator ada")]
    action: Annotated[str, UNCHECKED, Doc("What.", "role.assigned")]
    subject: Annotated[str, UNCHECKED, Doc("To what: its id.")]
    before: Annotated[str | None, UNCHECKED, Doc("What was before, as JSON; null if nothing.", "{}")]
    after: Annotated[str | None, UNCHECKED, Doc("What is after, as JSON; null if nothing.", "{}")]


class AuditQuery(Query):
    """A query for what is on record between two instants, the newest first."""

    since: datetime
    before: datetime
    actor: Annotated[str, Length(0, 100)] = ""  #: words in it
    action: Annotated[str, Length(0, 100)] = ""  #: its beginning
    limit: Annotated[int, Range(1, 500)] = 50
