"""Pages that ask several services: side by side, as whoever is signed in, and each error as one call would raise it."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from werkzeug.test import create_environ
from werkzeug.wrappers import Request

from chassis import clock, green
from chassis.actor import ACTOR, Actor, acting
from gateway.directory import Directory
from gateway.routes import Ask, RequestContext
from gateway.together import one_by_one, side_by_side
from pratique.errors import NotFound, Unavailable
from pratique.request import example_id
from pratique.requests.evaluation import GetSurvey
from pratique.requests.meetings import GetMeeting
from tests.gateway.conftest import Gate
from tests.harness.network import AT

MEETING = example_id("meeting")
at_once = partial(side_by_side, green.spawn)
both_ways = pytest.mark.parametrize("together", [one_by_one, at_once])


def context_of(gate: Gate, together: Any) -> RequestContext:
    gate.app.together = together
    return RequestContext(gate.app, gate.app.routes[0], Request(create_environ("/")), {}, {}, None)


@both_ways
def test_answers_come_in_the_order_of_the_questions(gate: Gate, together: Any) -> None:
    gate.peer.answers["meetings.get_meeting"] = lambda **asked: green.sleep(0.02) or {"meeting_id": MEETING}
    gate.peer.says("evaluation.get_survey", {"state": "open"})
    asks = (Ask(GetMeeting, meeting_id=MEETING), Ask(GetSurvey, meeting_id=MEETING))
    assert context_of(gate, together).call_all(*asks) == [{"meeting_id": MEETING}, {"state": "open"}]


def test_services_are_asked_side_by_side() -> None:
    """The first waits for what the second does: one after the other, it would wait for ever."""
    asked = green.Event()
    assert at_once([lambda: asked.wait(), lambda: asked.send("both") or "there"]) == ["both", "there"]


@both_ways
def test_whoever_asks_several_services_acts_as_themself_at_each(gate: Gate, together: Any) -> None:
    gate.peer.answers["meetings.get_meeting"] = lambda **asked: ACTOR.get().name
    with acting(Actor("member ada")):
        assert context_of(gate, together).call_all(*[Ask(GetMeeting, meeting_id=MEETING)] * 2) == ["member ada"] * 2


@both_ways
def test_an_error_is_raised_unless_it_may_be_answered_by_nothing(gate: Gate, together: Any) -> None:
    gate.peer.says("meetings.get_meeting", {"meeting_id": MEETING})
    gate.peer.says("evaluation.get_survey", NotFound("There is none yet."))
    context = context_of(gate, together)
    meeting, survey = Ask(GetMeeting, meeting_id=MEETING), Ask(GetSurvey, meeting_id=MEETING)
    with pytest.raises(NotFound, match="There is none yet"):
        context.call_all(meeting, survey)
    spared = Ask(GetSurvey, (NotFound, Unavailable), meeting_id=MEETING)
    assert context.call_all(meeting, spared) == [{"meeting_id": MEETING}, None]


def test_names_of_communities_are_read_once_a_minute_and_at_once_for_a_new_one(gate: Gate) -> None:
    rows = [{"community_id": "a", "name": "Aînés"}]
    gate.peer.answers["membership.list_communities"] = lambda **asked: {"rows": list(rows), "after": None}
    directory = Directory(gate.peer.call)
    with clock.fixed(AT):
        assert [each["name"] for each in directory.of(["a"]).values()] == ["Aînés"]
        rows.append({"community_id": "b", "name": "Bien-être"})
        clock.move(timedelta(seconds=30))
        assert directory.of(["a"]).keys() == {"a"}
        assert len(gate.peer.asked) == 1
        assert [each["name"] for each in directory.of(["b", "a"]).values()] == ["Bien-être", "Aînés"]
        directory.of(["nobody's"])
        assert len(gate.peer.asked) == 2, "an unknown id is looked for once a second at most"
        clock.move(timedelta(minutes=2))
        directory.of(["a"])
        assert len(gate.peer.asked) == 3


def test_all_pages_of_a_long_list_of_communities_are_read(gate: Gate) -> None:
    pages = {
        None: {"rows": [{"community_id": "a"}], "after": "a"},
        "a": {"rows": [{"community_id": "b"}], "after": None},
    }
    gate.peer.answers["membership.list_communities"] = lambda **asked: pages[asked.get("after")]
    assert list(Directory(gate.peer.call).all()) == ["a", "b"]
