"""RPC methods of a service: one for each request of its tables, which carries it out in one transaction."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from chassis.crashpoint import crashpoint
from chassis.rpc.requests import Handler, Handlers, handle
from chassis.rpc.server import Refusal, rpc
from chassis.storage import store
from pratique.errors import DomainError
from pratique.request import Query, Request

log = logging.getLogger(__name__)
Served = TypeVar("Served")


def serves(*tables: Handlers) -> Callable[[type[Served]], type[Served]]:
    """Give a service class one RPC method for each request of these tables; ``handlers`` has them by their names."""

    def bind(service: type[Served]) -> type[Served]:
        handlers = {kind.method: (kind, handler) for table in tables for kind, handler in table.items()}
        for name, (kind, handler) in handlers.items():
            setattr(service, name, _method(kind, handler))
        service.handlers = handlers  # type: ignore[attr-defined]  # so that a caller in process finds them
        return service

    return bind


def _method(kind: type[Request], handler: Handler) -> Any:
    """Return an RPC method that checks a request, carries it out and returns its answer as plain JSON.

    A command is one transaction. A query writes nothing and needs none, which would cost two round trips more.
    """
    is_reading = issubclass(kind, Query)

    def method(self: Any, **payload: Any) -> Any:
        try:
            with self.runtime.begin(is_reading) as transaction:
                result = handle(transaction, kind, handler, payload)
                crashpoint("rpc.before_commit")
            crashpoint("rpc.committed")
            return result
        except (DomainError, store.StoreAway) as error:
            return Refusal(error)
        except OperationalError as error:  # a lock, a deadlock, a time-out: nothing was changed, and asking again helps
            if kind.is_counted:  # the time of a line would tell when somebody answers, as a metric would
                log.warning("%s was in the way of another: %s", kind.method, str(error.orig).splitlines()[0])
            return Refusal(store.StoreAway("the store is busy"))

    method.__name__, method.__doc__ = kind.method, kind.__doc__
    method.is_counted = kind.is_counted  # type: ignore[attr-defined]  # as the RPC server asks for it
    return rpc(method)
