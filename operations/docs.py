"""Writes what is documented from the code: OpenAPI, AsyncAPI, the tables of events and roles, the golden files.

``python -m operations.docs`` writes ``docs/generated``, and the table of roles in ``docs/operate.md``; ``--check`` says
whether it is fresh; ``--goldens`` adds the golden file of each event that has none, and never changes one that is
there: it is a promise.
"""

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import pratique.events as contract
from gateway.app import ROUTES
from gateway.openapi import document
from operations import permissions
from pratique.event import CONTENT_TYPE, EXAMPLE_URL, REGISTRY, Event, Value
from pratique.events.membership import Role
from pratique.examples import example
from pratique.permissions import ROLE_PERMISSIONS, SENTENCES
from pratique.schemas import comments_of, definitions, words_of
from pratique.subscribe import PUBLIC

HOME = Path(__file__).parents[1]
GENERATED = HOME / "docs" / "generated"
OPERATE = HOME / "docs" / "operate.md"  #: written by hand, but for the table of roles
_BEGIN, _END = "<!-- roles: written by make docs -->", "<!-- end of roles -->"
GOLDENS = HOME / "tests" / "contracts" / "golden"
VALUES = GOLDENS.with_name("values.json")  #: the values of enums that integrators were promised
REMEDY = "Run `python -m operations.docs --goldens` and commit what it adds."

_SCHEMAS = "#/components/schemas/"
_SERVER: Mapping[str, Any] = {
    "host": "{host}:{port}",
    "protocol": "amqp",
    "protocolVersion": "0.9.1",
    "description": "The network's RabbitMQ; its operator tells you its address, and makes your user and queues.",
    "variables": {
        "host": {"description": "As the operator says; inside compose it is this.", "default": "rabbitmq"},
        "port": {"description": "5671 where the operator has put TLS before it.", "default": "5672"},
    },
    "security": [{"$ref": "#/components/securitySchemes/user"}],
}
_TEXT = {"type": "string"}
_ID = {"type": "string", "format": "uuid"}
_INSTANT = {"type": "string", "format": "date-time"}


def all_events() -> list[type[Event]]:
    """Every event of the contract, by publisher and in the order in which its module tells them."""
    modules = [f"{contract.__name__}.{name}" for name in contract.__all__]
    known = [event for event in REGISTRY.values() if event.__module__ in modules]
    return sorted(known, key=lambda event: modules.index(event.__module__))


def golden_path(event_class: type[Event]) -> Path:
    """Return the path of the golden file of the event."""
    return GOLDENS / f"{event_class.type.removeprefix('org.pratique.')}.json"


def known_values() -> dict[str, list[str]]:
    """The values of every enum of the contract, by its name."""
    modules = [getattr(contract, name) for name in contract.__all__]
    enums = [each for module in modules for each in vars(module).values() if inspect.isclass(each)]
    own = [each for each in enums if issubclass(each, Enum) and each.__module__.startswith(contract.__name__)]
    return {each.__name__: [value.value for value in each] for each in sorted(own, key=lambda each: each.__name__)}


def asyncapi() -> str:
    """The AsyncAPI 3.0 document of what reaches integrators; private events are not in it."""
    public = [event for event in all_events() if not event.is_private]
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pratique: the events of a network of communities of practice",
            "version": version("pratique"),
            "license": {"name": "Apache-2.0"},
            "description": (
                f"Bind a queue of your own to the exchange `{PUBLIC}`. Delivery is at least once and in no promised "
                "order: keep `id` and drop what you have seen; keep `sequence` of each `subject` and drop what is "
                "older. New optional fields and new values of enumerations may come at any time: take a value that you "
                "do not know as unknown. All else comes as a new version beside the old. "
                "Events that carry names, addresses, free text or links travel on private exchanges and are left out."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _SERVER},
        "channels": {event.routing_key: _channel(event) for event in public},
        "operations": {f"publish{event.routing_key}": _operation(event) for event in public},
        "components": {
            "messages": {event.routing_key: _message(event) for event in public},
            "schemas": _schemas(public),
            "securitySchemes": {
                "user": {"type": "userPassword", "description": "The user that `pratique integrator add` made for you."}
            },
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _channel(event: type[Event]) -> dict[str, Any]:
    exchange = {"name": PUBLIC, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": event.routing_key,
        "messages": {event.routing_key: {"$ref": f"#/components/messages/{event.routing_key}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _operation(event: type[Event]) -> dict[str, Any]:
    channel = f"#/channels/{event.routing_key}"
    return {
        "action": "send",
        "summary": words_of(event),
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.routing_key}"}],
    }


def _message(event: type[Event]) -> dict[str, Any]:
    sealed = example(event)
    headers = {f"ce-{name}": value for name, value in sealed.attributes().items()}
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": words_of(event),
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": f"{_SCHEMAS}CloudEventHeaders"},
        "payload": {"$ref": f"{_SCHEMAS}{_enveloped(event)}"},
        "examples": [{"name": "sample", "headers": headers, "payload": json.loads(sealed.to_bytes())}],
    }


def _enveloped(event: type[Event]) -> str:
    return f"{event.__name__}CloudEvent{event.routing_key.removeprefix(event.__name__)}"


def _cloud_event(event: type[Event]) -> dict[str, Any]:
    properties = {
        "specversion": {"type": "string", "const": "1.0"},
        "id": _ID | {"description": "Of this event; a repeated delivery has the same."},
        "source": _TEXT | {"description": "/pratique/ and the service that publishes it."},
        "type": {"type": "string", "const": event.type, "description": "Ends in the version of the contract."},
        "subject": _ID | {"description": f"What the fact is about: {event.subject_field}."},
        "time": _INSTANT | {"description": "When it was told, in UTC."},
        "datacontenttype": {"type": "string", "const": "application/json"},
        "dataschema": _TEXT | {"format": "uri", "description": "Where the gateway serves the JSON Schema of `data`."},
        "correlationid": _ID | {"description": "Shared by all that follows from one act."},
        "sequence": _TEXT
        | {
            "pattern": "^[0-9]{10}$",
            "description": "The version of the subject after this fact: ten digits, so that texts compare as numbers.",
        },
        "causationid": _ID | {"description": "The event from which this one follows, if any."},
        "data": {"$ref": f"{_SCHEMAS}{event.routing_key}"},
    }
    required = [name for name in properties if name != "causationid"]
    return {"type": "object", "description": words_of(event), "properties": properties, "required": required}


def _headers(event: type[Event]) -> dict[str, Any]:
    told = [f"ce-{name}" for name in example(event).attributes()]
    properties = dict.fromkeys([*told, "ce-causationid"], _TEXT)
    words = "Each attribute of the CloudEvent, so that one can filter without parsing."
    return {"type": "object", "description": words, "properties": properties, "required": told}


def _schemas(events: Sequence[type[Event]]) -> dict[str, Any]:
    found = definitions(events, _SCHEMAS) | {_enveloped(event): _cloud_event(event) for event in events}
    found["CloudEventHeaders"] = _headers(events[0])
    return {name: found[name] for name in sorted(found)}


def _part(hint: Any) -> type[Value] | None:
    """The Value that an annotation speaks of, within a tuple or None or not."""
    if isinstance(hint, type) and issubclass(hint, Value):
        return hint
    return next((part for inner in get_args(hint) if (part := _part(inner)) is not None), None)


def events_page() -> str:
    """The table of all events, for people: when, who reacts, what is in them."""
    lines = [
        "# Events",
        "",
        f"Written by `make docs` from `pratique/events`. Integrators bind to the exchange `{PUBLIC}`; what is marked "
        "*private* carries names, addresses, free text or links, and only the services read it.",
        "",
    ]
    for publisher in contract.__all__:
        events = [event for event in all_events() if event.publisher == publisher]
        lines += [
            f"## {publisher}",
            "",
            "| event | when, and who reacts | exchange | routing key |",
            "|---|---|---|---|",
        ]
        for event in events:
            exchange = f"`{event.exchange()}`, *private*" if event.is_private else f"`{PUBLIC}`"
            link = f"[{event.__name__}](#{event.__name__.lower()})"
            lines.append(f"| {link} | {words_of(event)} | {exchange} | `{event.routing_key}` |")
        lines.append("")
        for event in events:
            lines += [f"### {event.__name__}", "", f"`{event.type}`, about `{event.subject_field}`.", ""]
            lines += ["| field | type | |", "|---|---|---|", *_rows(event), ""]
    return "\n".join(lines).rstrip() + "\n"


def _rows(struct: type[Any], prefix: str = "") -> list[str]:
    hints, comments, rows = get_type_hints(struct), comments_of(struct), []
    for name in struct.schema.fields:
        rows.append(f"| `{prefix}{name}` | {_type(hints[name])} | {comments.get(name, '')} |")
        if part := _part(hints[name]):
            is_list = get_origin(hints[name]) is tuple
            rows += _rows(part, f"{prefix}{name}{'[]' if is_list else ''}.")
    return rows


def _type(hint: Any) -> str:
    """An annotation in words."""
    if get_origin(hint) is UnionType:
        return f"{_type(get_args(hint)[0])}, or null"
    if get_origin(hint) is tuple:
        return f"list of {_type(get_args(hint)[0])}"
    if issubclass(hint, Enum):
        return " · ".join(f"`{each.value}`" for each in hint)
    plain: dict[Any, str] = {
        UUID: "UUID",
        datetime: "instant",
        str: "text",
        int: "integer",
        float: "number",
        bool: "true or false",
    }
    return plain[hint] if hint in plain else str(hint.__name__)


def openapi() -> str:
    """Return the OpenAPI document of a deployment; the embedded mode adds the pages that show its mails."""
    described = document(ROUTES, EXAMPLE_URL)
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


#: What ``make docs`` writes into docs/generated: file name -> what makes its text.
PAGES: Mapping[str, Callable[[], str]] = {
    "asyncapi.json": asyncapi,
    "events.md": events_page,
    "openapi.json": openapi,
    "permissions.json": permissions.page,
}


def roles_table() -> str:
    """Return the table of what each role may do, for the operator's page."""
    lines = [
        "| permission, and scope of a token | lets its holder | " + " | ".join(Role) + " |",
        "|---|---|" + "---|" * len(Role),
    ]
    for permission, words in SENTENCES.items():
        marks = ["●" if permission in ROLE_PERMISSIONS[role] else "" for role in Role]
        lines.append(f"| `{permission.value}` | {words} | " + " | ".join(marks) + " |")
    return "\n".join(lines)


def operate_page() -> str:
    """Return the operator's page with the table of roles as the code says."""
    head, _, rest = OPERATE.read_text(encoding="utf-8").partition(_BEGIN)
    return f"{head}{_BEGIN}\n{roles_table()}\n{_END}{rest.partition(_END)[2]}"


def stale() -> list[str]:
    """The pages that are missing or are not what the code says now."""
    found = [name for name, text in PAGES.items() if _read(GENERATED / name) != text()]
    return [*found, *([OPERATE.name] if _read(OPERATE) != operate_page() else [])]


def write_pages() -> None:
    """Leave docs/generated as the code says."""
    GENERATED.mkdir(parents=True, exist_ok=True)
    for name, text in PAGES.items():
        (GENERATED / name).write_text(text(), encoding="utf-8")
    OPERATE.write_text(operate_page(), encoding="utf-8")


def write_goldens() -> list[Path]:
    """Add the golden file of each event that has none, and new values of enums; returns the files that were added."""
    GOLDENS.mkdir(parents=True, exist_ok=True)
    missing = [event for event in all_events() if not golden_path(event).exists()]
    for event in missing:
        text = json.dumps(json.loads(example(event).to_bytes()), indent=2, ensure_ascii=False)
        golden_path(event).write_text(text + "\n", encoding="utf-8")
    promised = json.loads(_read(VALUES) or "{}")
    for name, values in known_values().items():
        promised[name] = list(dict.fromkeys([*promised.get(name, []), *values]))
    VALUES.write_text(json.dumps(promised, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return [golden_path(event) for event in missing]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments ask; 1 if a check fails, 2 if they are not understood."""
    if list(arguments) == ["--check"]:
        if names := stale():
            sys.stderr.write(f"docs/generated is not fresh ({', '.join(names)}): run `make docs` and commit it.\n")
            return 1
    elif list(arguments) == ["--goldens"]:
        for path in write_goldens():
            sys.stdout.write(f"added {path.relative_to(HOME)}\n")
    elif arguments:
        sys.stderr.write("usage: python -m operations.docs [--check | --goldens]\n")
        return 2
    else:
        write_pages()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
