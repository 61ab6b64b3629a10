"""RPC methods: functions of a service, bound to its RPC queue with their arguments checked and their results dumped."""

import logging
from collections.abc import Callable
from typing import Any

from marshmallow import Schema
from sqlalchemy.exc import OperationalError

from chassis.crashpoint import crashpoint
from chassis.rpc import arguments
from chassis.rpc.rpc import Refusal, rpc
from chassis.storage import rows, store
from pratique.errors import DomainError

log = logging.getLogger(__name__)


def answer(function: Callable[..., Any], dump: Schema | None = None, is_counted: bool = True) -> Any:
    """Return an RPC method with the function's arguments: checked, in one transaction, its result dumped to plain JSON.

    The metrics leave it out where it is not ``is_counted``: where its figure would tell what somebody has just done.
    """

    def method(self: Any, **payload: Any) -> Any:
        try:
            checked = arguments.load(function, payload)
            with self.bus.begin() as session:
                result = dumped(function(session, **checked), dump)
                crashpoint("rpc.before_commit")
            crashpoint("rpc.committed")
            return result
        except (DomainError, store.StoreAway) as error:
            return Refusal(error)
        except OperationalError as error:  # a lock, a deadlock, a time-out: nothing was changed, and asking again helps
            log.warning("%s was in the way of another: %s", function.__name__, str(error.orig).splitlines()[0])
            return Refusal(store.StoreAway("the store is busy"))

    method.__name__, method.__doc__ = function.__name__, function.__doc__
    method.is_counted = is_counted  # type: ignore[attr-defined]
    method.answers = function, dump  # type: ignore[attr-defined]  # so that a caller in process finds what is behind
    return rpc(method)


def dumped(result: Any, dump: Schema | None) -> Any:
    """Return a result as it crosses RPC: plain JSON, in the shape that its kind has."""
    if isinstance(result, rows.Saved):
        return {"row": dumped(result.row, dump), "is_new": result.is_new}
    if isinstance(result, rows.Page):
        return {"rows": dumped(list(result.rows), dump), "after": result.after}
    if result is None or dump is None:
        return result
    return dump.dump(result, many=isinstance(result, list | tuple))
