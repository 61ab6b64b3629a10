"""The fields of bodies and answers. They are the public documentation too, so each has a description and an example."""

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import Any, ClassVar
from uuid import UUID, uuid5

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from chassis import clock
from chassis.http.problems import MAX_TOLD
from pratique.errors import Invalid

_SPACE = UUID("6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12")
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Body(Schema):
    """What a client sends: a field that is not named here is refused."""

    class Meta:
        unknown = RAISE

    def load(self, data: Any, **options: Any) -> Any:
        """What was sent, checked. Names that are not known end the work once there are more than can be told."""
        if isinstance(data, Mapping):
            unknown = list(islice((name for name in data if name not in self.fields), MAX_TOLD + 1))
            if len(unknown) > MAX_TOLD:
                raise ValidationError({str(name): ["Unknown field."] for name in unknown})
        return super().load(data, **options)


class Query(Schema):
    """What a client asks for in the query of an address."""


class Answer(Schema):
    """What a client gets: what is not named here does not leave the gateway."""

    always: ClassVar[Sequence[str]] = ()  #: the fields that always come; empty: all of them


class Text(fields.String):
    """Text that every store and mail can carry: no NUL, no halves of characters; in one line unless told otherwise."""

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
            return Text(lines=True, validate=validate.Length(max=5000)).deserialize(value)
        raise ValidationError("Not a whole number, true or false, or text.")


class Listed(fields.List[Any]):
    """A list that is refused unread if it is too long, and read until as many of its items are faulty as are told."""

    def __init__(self, inner: fields.Field[Any], most: int, least: int, **options: Any) -> None:
        super().__init__(inner, validate=validate.Length(least, most), **options)
        self.most = most

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
                if len(wrong) >= MAX_TOLD:
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


def example_id(name: str) -> str:
    """A UUID that stands for this kind of thing in examples; always the same."""
    return str(uuid5(_SPACE, name))


def ident(words: str, name: str, **options: Any) -> fields.UUID:
    """A UUID, chosen by whoever creates the thing."""
    return fields.UUID(**_documented(words, example_id(name), options))


def text(words: str, example: str, most: int = 200, least: int = 0, lines: bool = False, **options: Any) -> Text:
    """Text of ``least`` to ``most`` characters."""
    checks = [validate.Length(least, most), *options.pop("validate", [])]
    return Text(lines=lines, validate=checks, **_documented(words, example, options))


def zone(**options: Any) -> Text:
    """The IANA name of a time zone."""
    return text("Time zone, by its IANA name.", "America/Toronto", 64, 1, validate=[_known_zone], **options)


def email(words: str, **options: Any) -> Text:
    """An address that mail can be sent to."""
    pattern = validate.Regexp(r"^[^@\s,;<>]+@[^@\s,;<>]+$", error="Not an e-mail address.")
    return text(words, "amina.k+cop@example.org", 254, 3, validate=[pattern], **options)


def one_of(kind: type[Enum], words: str, **options: Any) -> fields.Enum[Any]:
    """One of the values of an enum of ``pratique.events``."""
    documented = _documented(words, next(iter(kind)).value, options)
    documented["metadata"]["type"] = "string"
    return fields.Enum(kind, by_value=True, **documented)


def instant(words: str, example: str = "2026-03-12T14:00:00+00:00", **options: Any) -> fields.AwareDateTime:
    """An instant with its offset from UTC; one without is refused."""
    sane = validate.Range(_EARLIEST, _LATEST, error="Not between 1990 and 2200.")
    return fields.AwareDateTime(format="iso", validate=sane, **_documented(words, example, options))


def whole(words: str, example: int, least: int = 0, most: int = 1_000_000, **options: Any) -> Whole:
    """A whole number from ``least`` to ``most``."""
    return Whole(validate=validate.Range(least, most), **_documented(words, example, options))


def number(words: str, example: float, **options: Any) -> fields.Float:
    """A number."""
    return fields.Float(**_documented(words, example, options))


def scalar(words: str, example: int | bool | str, **options: Any) -> Scalar:
    """A whole number, true or false, or text of at most 5,000 characters."""
    documented = _documented(words, example, options)
    documented["metadata"]["type"] = ["integer", "boolean", "string"]
    return Scalar(**documented)


def flag(words: str, example: bool, **options: Any) -> Flag:
    """Yes or no."""
    return Flag(**_documented(words, example, options))


def listed(inner: fields.Field[Any], words: str, most: int = 100, least: int = 0, **options: Any) -> fields.List[Any]:
    """A list of ``least`` to ``most`` of something."""
    return Listed(inner, most, least, metadata={"description": words}, **options)


def version() -> Whole:
    """The version that the ETag names."""
    return whole("Version of the row; its ETag is this number in quotes.", 1)


def _documented(words: str, example: Any, options: dict[str, Any]) -> dict[str, Any]:
    return {**options, "metadata": {"description": words, "examples": [example]}}


def _known_zone(name: str) -> None:
    try:
        clock.known_zone(name)
    except Invalid as error:
        raise ValidationError(error.message) from error


def most_parts(schema: Schema) -> int:
    """How many strings and brackets a JSON object that fits the schema can have at most."""
    return 2 + sum(1 + _parts(each) for each in schema.fields.values())


def _parts(shown: Any) -> int:
    if isinstance(shown, fields.Nested):
        return most_parts(shown.schema)
    return 2 + shown.most * _parts(shown.inner) if isinstance(shown, Listed) else 1


def example_of(schema: type[Schema]) -> dict[str, Any]:
    """An object that fits the schema, made of the examples of its fields."""
    return {name: _example(each) for name, each in schema().fields.items()}


def _example(shown: Any) -> Any:
    if isinstance(shown, fields.Nested):
        nested = example_of(type(shown.schema))
        return [nested] if shown.many else nested
    if isinstance(shown, fields.List):
        return [_example(shown.inner)]
    return shown.metadata["examples"][0]


Keep = Callable[[Any], Any]  #: returns what may leave of a value


@functools.cache
def only_named(schema: type[Schema]) -> Keep:
    """Return a function that leaves of a row only what the schema names, at any depth.

    It is made once for each schema: to make a schema costs more than to read a meeting's row.
    """
    return _only_named(schema())


def _only_named(schema: Schema) -> Keep:
    kept = [(name, _keep(field)) for name, field in schema.fields.items()]

    def keep(row: Any) -> Any:
        if not isinstance(row, dict):
            return row
        return {name: inner(row[name]) if inner else row[name] for name, inner in kept if name in row}

    return keep


def _keep(field: Any) -> Keep | None:
    """What may leave of this field's value; None for all of it."""
    if isinstance(field, fields.Nested):
        one = _only_named(field.schema)
        return lambda value: [one(each) for each in value] if isinstance(value, list) else one(value)
    if isinstance(field, fields.List) and (inner := _keep(field.inner)):
        return lambda value: [inner(each) for each in value] if isinstance(value, list) else value
    return None
