"""Queries for one id each, gathered while an earlier one is on its way and asked together in a single call.

A query never learns what was true before it was made: whoever comes while a call is on its way is asked for by the next
one. With one query at a time there is nothing to wait for, and each is a call of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from chassis import green
from chassis.actor import ACTOR
from pratique.errors import InternalError, Unavailable
from pratique.permissions import Grant

JOIN_S = 0.05  #: how long a query waits for the call before; if that takes longer, the next does not wait for it

#: Service, method, argument, and what who asks may do: nobody's query is answered by what another may see.
_Key = tuple[str, str, str, tuple[Grant, ...], UUID | None]


class _Batch:
    """Ids that one call asks for, and its answer by id."""

    def __init__(self, id: str) -> None:
        self.ids = {id}
        self.answer = green.Event()
        self.ended = green.Event()  #: sent whatever the answer is


class Gathering:
    """Finds what a service says of single ids, by methods that take a list of them."""

    def __init__(self, call: Callable[[str, str, Mapping[str, Any]], Any]) -> None:
        self._call = call
        self._next: dict[_Key, _Batch] = {}  #: not asked yet; the first of them asks
        self._asked: dict[_Key, _Batch] = {}  #: the call that is on its way

    def find(self, service: str, method: str, argument: str, id: str) -> Any:
        """Return what the method says of this id; None if it says nothing, or does not exist in an older service.

        Raises:
            DomainError: what ``call`` raises.
        """
        actor = ACTOR.get()
        key = service, method, argument, actor.grants, actor.member_id
        batch = self._next.get(key)
        if batch is not None:
            batch.ids.add(id)
        else:
            batch = self._next[key] = _Batch(id)
            self._ask(key, batch)
        return batch.answer.wait().get(id)

    def _ask(self, key: _Key, batch: _Batch) -> None:
        """Wait for the call before, then ask for all that came meanwhile; each of them hears what went wrong."""
        service, method, argument, *_ = key
        try:
            if (before := self._asked.get(key)) is not None:
                with green.Timeout(JOIN_S, False):
                    before.ended.wait()
            self._asked[key] = self._next.pop(key)
            batch.answer.send(self._call(service, method, {argument: sorted(batch.ids)}))
        except InternalError:  # no such method in an older service; if this one failed, so will what is asked instead
            batch.answer.send({})
        except Exception as error:  # noqa: BLE001  (raised in each of those who wait, this one included)
            batch.answer.send_exception(error)
        finally:
            for batches in (self._next, self._asked):
                if batches.get(key) is batch:
                    del batches[key]
            if not batch.answer.ready():
                batch.answer.send_exception(Unavailable("This process is about to end; try again in a moment."))
            batch.ended.send()
