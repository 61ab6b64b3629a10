"""Marshmallow fields of requests and answers: strict types, and limits on everything that is sent."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length

MAX_REPORTED = 20  #: bad fields reported of one request; checking ends there


class Doc(NamedTuple):
    """Description and example of a field, for the public documentation."""

    description: str
    example: Any = None  #: plain JSON; None: the usual one of its type


class Marker:
    """Property of a field that its type cannot express."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


ABSENT = Marker("ABSENT")  #: None stands for a field that is left out; ``null`` is refused, and is never sent
LINES = Marker("LINES")  #: the text may have several lines
UNCHECKED = Marker("UNCHECKED")  #: any text at all; whoever takes it checks it


class BodySchema(Schema):
    """Schema of what a client sends: a field that it does not name is refused."""

    check_together: ClassVar[Callable[[Mapping[str, Any]], None]]  #: raises ValidationError; the rules of its class

    class Meta:
        unknown = RAISE

    @validates_schema(skip_on_field_errors=False)
    def check_fields_together(self, sent: Mapping[str, Any], **rest: Any) -> None:
        """Check the fields against each other, also where some are bad in themselves."""
        type(self).check_together(sent)

    def load(self, data: Any, **options: Any) -> Any:
        """Return what was sent, checked. Stops at unknown names once there are more than are reported."""
        if isinstance(data, Mapping):
            unknown = list(islice((name for name in data if name not in self.fields), MAX_REPORTED + 1))
            if len(unknown) > MAX_REPORTED:
                raise ValidationError({str(name): ["Unknown field."] for name in unknown})
        return super().load(data, **options)


class AnswerSchema(Schema):
    """Schema of what a client gets: a field that it does not name does not leave."""

    class Meta:
        unknown = EXCLUDE


class Text(fields.String):
    """Text that every store and mail can carry: no NUL, no halves of characters; in one line unless ``lines``."""

    def __init__(self, *, lines: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._allowed = "\n\r\t" if lines else ""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **rest)
        if any((ch < " " and ch not in self._allowed) or ch == "\x7f" or "\ud800" <= ch <= "\udfff" for ch in text):
            raise ValidationError("Holds a character that is no text.")
        return text


class Whole(fields.Integer):
    """A whole number. ``12.0`` is one, as JSON Schema has it; ``"12"`` and ``true`` are not."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool | str) or (isinstance(value, float) and not value.is_integer()):
            raise self.make_error("invalid", input=value)
        number: int = super()._validated(value)
        return number


class Scalar(fields.Field[int | bool | str]):
    """A whole number, true or false, or text: what an answer to a question can be."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> int | bool | str:
        if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 1_000_000):
            return value
        if isinstance(value, float) and value.is_integer() and abs(value) < 1_000_000:
            return int(value)
        if isinstance(value, str):
            return Text(lines=True, validate=Length(max=5000)).deserialize(value)
        raise ValidationError("Not a whole number, true or false, or text.")


class Listed(fields.List[Any]):
    """A list that is refused unread if it is too long, and read until as many of its items are bad as are reported."""

    def __init__(self, inner: fields.Field[Any], length: Length, **options: Any) -> None:
        super().__init__(inner, validate=length, **options)
        self.most = length.max or 0

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) > self.most:
            raise ValidationError(f"Has {len(value)} items; at most {self.most} are allowed.")
        items, wrong = [], {}
        for index, item in enumerate(value):
            try:
                items.append(self.inner.deserialize(item, **rest))
            except ValidationError as error:
                wrong[index] = error.messages
                if len(wrong) >= MAX_REPORTED:
                    break
        if wrong:
            raise ValidationError(wrong)
        return items


class Flag(fields.Boolean):
    """``true`` or ``false``; no other word for them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Choice(fields.Enum[Any]):
    """A value of an enumeration. What a store kept as plain text is written as it is."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **rest: Any) -> Any:
        return getattr(value, "value", value)


class Zone:
    """Validator of the IANA name of a time zone."""

    def __call__(self, name: str) -> str:
        """Return the name.

        Raises:
            ValidationError: there is no such zone.
        """
        known_zone(name)
        return name


def known_zone(name: str) -> ZoneInfo:
    """Return the time zone of this IANA name.

    Raises:
        ValidationError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(f"{name[:100]!r} is no time zone; use an IANA name such as America/Toronto.") from error
