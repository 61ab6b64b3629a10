"""Annotations that several requests share."""

from typing import Annotated

from marshmallow.validate import Length

from pratique.fields import Doc, Zone

Timezone = Annotated[str, Length(1, 64), Zone(), Doc("Time zone, by its IANA name.", "America/Toronto")]
Version = Annotated[int, Doc("Version of the row; its ETag is this number in quotes.", 1)]
