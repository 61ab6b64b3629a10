"""The base of commands, queries and their answers, and the schemas made of their annotations.

A request asks one service for one thing. It is a frozen value; its annotations are its schema, limits, descriptions
and examples included: RPC's check, the gateway's bodies and answers, OpenAPI and samples come from it.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, NamedTuple, Self, dataclass_transform, get_args, get_origin, get_type_hints
from uuid import UUID, uuid5

from marshmallow import Schema, fields
from marshmallow.validate import Length, Range

from pratique.fields import (
    ABSENT,
    LINES,
    UNCHECKED,
    AnswerSchema,
    BodySchema,
    Choice,
    Doc,
    Flag,
    Listed,
    Scalar,
    Text,
    Whole,
)
from pratique.permissions import Permission, Rule
from pratique.value import Instant, Struct, Value, freeze, hints_of, inner_of, is_optional

_SPACE = UUID("6f0a4f1e-0b3a-4b7e-9a53-3f6f0d9a1b12")
_SANE = Range(datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC), error="Not between 1990 and 2200.")
_INSTANT = "2026-03-12T14:00:00+00:00"


class _Hint(NamedTuple):
    """An annotation taken apart."""

    type: Any
    is_optional: bool
    marks: tuple[Any, ...]  #: validators, Doc and markers

    @property
    def doc(self) -> Doc | None:
        return next((each for each in self.marks if isinstance(each, Doc)), None)

    @property
    def validators(self) -> list[Callable[[Any], Any]]:
        return [each for each in self.marks if callable(each)]

    def length(self, most: int) -> Length:
        """The limits that the annotation has, or 0 to ``most``."""
        return next((each for each in self.marks if isinstance(each, Length)), Length(0, most))


def _parsed(hint: Any) -> _Hint:
    marks: tuple[Any, ...] = ()
    found = False
    while get_origin(hint) is Annotated or is_optional(hint):
        if is_optional(hint):
            hint, found = inner_of(hint), True
        else:
            hint, marks = hint.__origin__, (*marks, *hint.__metadata__)
    return _Hint(hint, found, marks)


def example_id(name: str) -> str:
    """A UUID that stands for this kind of thing in examples; always the same."""
    return str(uuid5(_SPACE, name))


def _field(name: str, annotation: Any, required: bool = False) -> fields.Field[Any]:
    """The marshmallow field of one annotation. Whatever the annotation leaves unlimited has the usual limit."""
    hint = _parsed(annotation)
    options: dict[str, Any] = {"required": required, "allow_none": hint.is_optional and ABSENT not in hint.marks}
    kind = hint.type
    if isinstance(kind, type) and issubclass(kind, Value):
        return fields.Nested(type(kind.schema), **options)
    if get_origin(kind) is tuple:
        return _list_field(name, hint, options)
    if hint.doc:
        example = _example(name, kind) if hint.doc.example is None else hint.doc.example
        options["metadata"] = {"description": hint.doc.description, "examples": [example]}
    if isinstance(kind, type) and issubclass(kind, Enum):
        options.setdefault("metadata", {})["type"] = "string"
        return Choice(kind, by_value=True, **options)
    return _PLAIN[kind](hint, options)


def _list_field(name: str, hint: _Hint, options: dict[str, Any]) -> fields.Field[Any]:
    inner = _field(name.removesuffix("s"), get_args(hint.type)[0])
    if hint.doc:
        options["metadata"] = {"description": hint.doc.description}
    length = hint.length(100)
    return fields.List(inner, **options) if length.max is None else Listed(inner, length, **options)


def _text(hint: _Hint, options: dict[str, Any]) -> fields.String:
    if UNCHECKED in hint.marks:
        return fields.String(**options)
    checks = [hint.length(200), *[each for each in hint.validators if not isinstance(each, Length)]]
    return Text(lines=LINES in hint.marks, validate=checks, **options)


def _scalar(hint: _Hint, options: dict[str, Any]) -> Scalar:
    options.setdefault("metadata", {})["type"] = ["integer", "boolean", "string"]
    return Scalar(**options)


_PLAIN: Mapping[Any, Callable[[_Hint, dict[str, Any]], fields.Field[Any]]] = {
    UUID: lambda hint, options: fields.UUID(**options),
    datetime: lambda hint, options: Instant(format="iso", validate=_SANE, **options),
    str: _text,
    int: lambda hint, options: Whole(validate=hint.validators or Range(0, 1_000_000), **options),
    float: lambda hint, options: fields.Float(**options),
    bool: lambda hint, options: Flag(**options),
    int | bool | str: _scalar,
    Mapping[str, int]: lambda hint, options: fields.Dict(fields.String(), fields.Integer(), **options),
    Mapping[str, str]: lambda hint, options: fields.Dict(fields.String(), fields.String(), **options),
}


def _example(name: str, kind: Any) -> Any:
    """The usual example of a field of this name and type."""
    if kind is UUID:
        return example_id(name.removesuffix("_id").replace("_", " "))
    if kind is datetime:
        return _INSTANT
    return next(iter(kind)).value if isinstance(kind, type) and issubclass(kind, Enum) else None


class Shape(Struct):
    """A value with a closed schema, of which every field has a limit and a description: a request, or a part of one."""

    _schema_class: ClassVar[type[Schema]] = BodySchema

    @classmethod
    def _make_schema(cls) -> Schema:
        hints = get_type_hints(cls, include_extras=True)
        made = {
            each.name: _field(each.name, hints[each.name], required=_is_required(each))
            for each in dataclasses.fields(cls)  # type: ignore[arg-type]  # made one by ``_compile``
        }
        schema_class = cls._schema_class.from_dict(made, name=cls.__name__)
        schema_class.check_together = cls.check_together  # type: ignore[attr-defined]  # BodySchema has it
        return schema_class()

    @classmethod
    def check_together(cls, sent: Mapping[str, Any]) -> None:
        """Check fields against each other; raises ValidationError."""

    @classmethod
    def read(cls, raw: Any) -> Self:
        """Return the value of this JSON object.

        Raises:
            ValidationError: with a message for each field that is missing, unknown or malformed.
        """
        hints = hints_of(cls)
        loaded: dict[str, Any] = cls.schema.load(raw)
        return cls(**{name: freeze(value, hints[name]) for name, value in loaded.items()})

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Return an example as plain JSON, made of the examples of the fields."""
        return {name: shown for name, each in cls.schema.fields.items() if (shown := example_of(each)) is not None}


def _is_required(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def example_of(shown: Any) -> Any:
    """The example of a marshmallow field, as plain JSON; None if it has none."""
    if isinstance(shown, fields.Nested):
        found = {name: example_of(each) for name, each in shown.schema.fields.items()}
        return {name: each for name, each in found.items() if each is not None}
    if isinstance(shown, fields.List):
        inner = example_of(shown.inner)
        return None if inner is None else [inner]
    return shown.metadata.get("examples", [None])[0]


class Body(Shape, Value):
    """The part of a request that a client sends in the body, or in the query of the address; or a part of that."""


class Answer(Shape, Value):
    """The shape of an answer, or a part of one. Later versions may add fields."""

    _schema_class: ClassVar[type[Schema]] = AnswerSchema
    _absent: ClassVar[frozenset[str]] = frozenset()  #: fields that are left out where they do not apply

    @classmethod
    def dump_of(cls, row: Any) -> dict[str, Any]:
        """Return the row, an object or a mapping, in this shape, as plain JSON."""
        try:
            dumped = cls._write_all(row)
        except (AttributeError, TypeError):  # a mapping, or a row that lacks what does not apply
            dumped = cls.schema.dump(row)
        if not cls._absent:
            return dumped
        return {name: each for name, each in dumped.items() if each is not None or name not in cls._absent}

    @classmethod
    def _compile(cls) -> None:
        super()._compile()
        hints = get_type_hints(cls, include_extras=True)
        cls._absent = frozenset(name for name in cls.schema.fields if ABSENT in _parsed(hints[name]).marks)

    @classmethod
    def always(cls) -> list[str]:
        """Return the names of the fields that every answer of this shape has."""
        return [name for name in cls.schema.fields if name not in cls._absent]


def parts_of(shape: type[Shape]) -> list[type[Shape]]:
    """Return the shape and those within it, each once."""
    found: dict[type[Shape], None] = {shape: None}
    for hint in get_type_hints(shape).values():
        for each in _shapes(hint):
            found |= dict.fromkeys(parts_of(each))
    return list(found)


def _shapes(hint: Any) -> list[type[Shape]]:
    if isinstance(hint, type) and issubclass(hint, Shape):
        return [hint]
    return [each for inner in get_args(hint) for each in _shapes(inner)]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Request(Shape):
    """A command or a query to one service. Asking for the same again is harmless."""

    service: ClassVar[str]  #: the name of the module that it stands in
    method: ClassVar[str]  #: its name on the wire: close_meeting for CloseMeeting
    answer: ClassVar[type[Answer] | None]  #: the shape of its answer, or of each row of it; None: no answer
    body: ClassVar[type[Body] | None]  #: the part of it that clients send in a body or query; the rest is in the path
    needs: ClassVar[Permission | Rule]  #: the permission that whoever asks must have, or who else may
    is_counted: ClassVar[bool]  #: False: no metric counts it, since that would tell what somebody has just done

    def __init_subclass__(
        cls,
        answer: type[Answer] | None = None,
        is_counted: bool = True,
        needs: Permission | Rule | None = None,
    ) -> None:
        cls._compile()
        cls.service = cls.__module__.rsplit(".", 1)[-1]
        cls.method = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()
        cls.answer, cls.is_counted = answer, is_counted
        if needs is not None:  # the kinds of requests need nothing, and each request does: a test looks
            cls.needs = needs
        cls.body = next(
            (each for each in cls.__mro__ if issubclass(each, Body) and not issubclass(each, Request)), None
        )

    @classmethod
    def check_together(cls, sent: Mapping[str, Any]) -> None:
        """Check nothing: the rules of a body are those of who sends one, and its service has its own."""

    def payload(self) -> dict[str, Any]:
        """Return this request as plain JSON, without what says no more than its default."""
        defaults = {each.name: each.default for each in dataclasses.fields(self)}  # type: ignore[arg-type]  # see above
        return {name: each for name, each in self.dump().items() if getattr(self, name) != defaults[name]}


class Command(Request):
    """A request that changes something."""


class VersionedCommand(Command):
    """A command that creates something, or changes it where the caller has seen its present version."""

    if_version: Annotated[int | None, Range(0, 10**9)] = None  #: as the caller has seen it; 0: whatever version it has


class Query(Request):
    """A request that changes nothing."""


class ListQuery(Query):
    """A query for rows, one page at a time."""

    after: Annotated[str | None, Length(0, 1000)] = None  #: the ``after`` of the page before
    limit: Annotated[int, Range(1, 500)] = 100  #: rows in a page
