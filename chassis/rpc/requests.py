"""Requests as they cross RPC: checked on the way in, plain JSON on the way out."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from marshmallow import ValidationError

from chassis.storage import rows
from chassis.storage.transaction import Transaction
from chassis.validation import pointers
from pratique.errors import Invalid
from pratique.request import Answer, Request

Some = TypeVar("Some", bound=Request)
#: ``handler(transaction, request)`` carries out a request and returns its row, Saved row or Page of rows.
Handler = Callable[[Transaction, Any], Any]
Handlers = Mapping[type[Request], Handler]


def read(kind: type[Some], payload: Mapping[str, Any]) -> Some:
    """Return the request that this plain JSON is.

    Raises:
        Invalid: with a JSON pointer to each field that is missing, unknown or malformed.
    """
    try:
        return kind.read(payload)
    except ValidationError as error:
        raise Invalid("Some of what was sent cannot be read.", pointers(error.messages)) from error


def dump(result: Any, answer: type[Answer] | None) -> Any:
    """Return the result of a handler as plain JSON, each row of it in the shape of the answer."""
    if result is None or answer is None:
        return None
    if isinstance(result, rows.Saved):
        return {"row": dump(result.row, answer), "is_new": result.is_new}
    if isinstance(result, rows.Page):
        return {"rows": dump(list(result.rows), answer), "after": result.after}
    if isinstance(result, list | tuple):
        return [answer.dump_of(row) for row in result]
    return answer.dump_of(result)


def handle(transaction: Transaction, kind: type[Request], handler: Handler, payload: Mapping[str, Any]) -> Any:
    """Let the handler carry out the request that this plain JSON is; returns its answer, as plain JSON too.

    Raises:
        DomainError: the request cannot be read, or the handler refuses it.
    """
    return dump(handler(transaction, read(kind, payload)), kind.answer)
