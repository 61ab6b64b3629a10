"""Queries for single ids that come at once are asked together, and each is answered with what is true after it came."""

from collections.abc import Mapping
from contextvars import copy_context
from typing import Any

import eventlet
import pytest
from eventlet.event import Event as Signal

from chassis.actor import ACTOR, NETWORK, Actor, acting
from chassis.rpc import gathering
from chassis.rpc.gathering import Gathering
from pratique.errors import InternalError, NotFound, Unavailable
from pratique.permissions import Grant, Permission


class Service:
    """Tells versions; a call waits until ``let_go`` where a test holds it back."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.asked: list[list[str]] = []
        self.actors: list[Actor] = []
        self.error: Exception | None = None
        self.held: Signal | None = None
        self.gathering = Gathering(self.call)

    def call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """Answer one call with the versions as they are when it is let go."""
        assert (service, method) == ("meetings", "list_versions")
        self.asked.append(payload["meeting_ids"])
        self.actors.append(ACTOR.get())
        if self.held is not None:
            self.held.wait()
        if self.error is not None:
            raise self.error
        return {id: self.versions[id] for id in payload["meeting_ids"] if id in self.versions}

    def find(self, id: str) -> Any:
        """The version of one."""
        return self.gathering.find("meetings", "list_versions", "meeting_ids", id)

    def hold(self) -> None:
        """Let every call wait from now on."""
        self.held = Signal()

    def let_go(self) -> None:
        """Answer what was held back, and hold nothing more."""
        held, self.held = self.held, None
        assert held is not None
        held.send()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(gathering, "JOIN_S", 60)
    return Service()


def begun(find: Any, *ids: str) -> list[Any]:
    """A query for each of these, as far as it gets by itself."""
    threads = [eventlet.spawn(find, id) for id in ids]
    eventlet.sleep(0)
    return threads


def test_a_query_alone_is_asked_at_once_and_by_itself(service: Service) -> None:
    service.versions = {"a": 3}

    assert [service.find("a"), service.find("b")] == [3, None]
    assert service.asked == [["a"], ["b"]]


def test_those_who_come_during_a_call_share_the_next_one_and_learn_what_is_true_then(service: Service) -> None:
    service.versions = {"a": 1, "b": 1}
    service.hold()
    first = begun(service.find, "a")
    late = begun(service.find, "b", "a", "c", "a")
    assert service.asked == [["a"]]

    service.versions = {"a": 2, "b": 1}
    service.let_go()

    assert [each.wait() for each in late] == [1, 2, None, 2]
    assert first[0].wait() == 2
    assert service.asked == [["a"], ["a", "b", "c"]]


def test_nobody_s_query_is_answered_by_what_another_may_see(service: Service) -> None:
    service.versions = {"a": 1, "b": 1}
    limited = Actor("token 12", (Grant(frozenset({Permission.MEETINGS_READ}), frozenset()),))
    service.hold()
    first = begun(service.find, "a")
    with acting(limited):
        other = eventlet.spawn(copy_context().run, service.find, "b")
        eventlet.sleep(0)
    service.let_go()

    assert [first[0].wait(), other.wait()] == [1, 1]
    assert service.asked == [["a"], ["b"]]
    assert service.actors == [NETWORK, limited]


def test_a_call_that_hangs_holds_back_no_other_for_long(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "JOIN_S", 0.01)
    service.versions = {"a": 1, "b": 1}
    service.hold()
    hanging, held = begun(service.find, "a"), service.held
    service.held = None

    assert service.find("b") == 1
    assert held is not None
    held.send()
    assert hanging[0].wait() == 1


def test_each_hears_why_their_call_failed_and_the_next_call_is_a_new_one(service: Service) -> None:
    service.hold()
    first = begun(service.find, "a")
    others = begun(service.find, "b", "c")
    service.error = NotFound("There is none.")
    service.let_go()

    for each in (*first, *others):
        with pytest.raises(NotFound):
            each.wait()
    service.error, service.versions = None, {"b": 5}
    assert service.find("b") == 5


def test_an_older_service_that_has_no_such_method_says_nothing(service: Service) -> None:
    service.error = InternalError("There is no RPC 'list_versions'.")

    assert service.find("a") is None


def test_who_waits_for_an_asker_that_is_ended_is_told_so(service: Service) -> None:
    service.hold()
    first = begun(service.find, "a")
    asker, other = begun(service.find, "b", "c")

    asker.kill()

    with pytest.raises(Unavailable):
        other.wait()
    service.versions = {"a": 1, "d": 1}
    service.let_go()
    assert (first[0].wait(), service.find("d")) == (1, 1)
