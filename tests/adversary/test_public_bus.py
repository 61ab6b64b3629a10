"""A3: whoever gets all public events, and reads by the API, learns of nobody whether they answered."""

import json
import re
from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.adversary import curious, mentions
from tests.adversary.network import Message
from tests.adversary.scenarios import BORED, CONTENT
from tests.adversary.surveys import Simulator, Survey

ABOUT_SURVEYS = re.compile("survey_(invitation|reminder)")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def heard(simulator: Simulator) -> tuple[Survey, list[Message]]:
    """A survey of twelve: six answer in the room and two by mail; two are corrected, one of whom had answered."""
    there = [each.id for each in simulator.people[:12]]
    with simulator.evening(0) as evening:
        evening.begin(there)
        for one in there[:6]:
            evening.answer_in_room(one, CONTENT)
        evening.close()
        evening.go_to(evening.at(hours=3))
        for one in there[6:8]:
            evening.answer_by_link(one, BORED)
        for one in (there[0], there[11]):
            evening.mark({one: "excused"})
            evening.mark({one: "attended"})
        evening.go_to(evening.at(days=3))
        curious.look_as_integrator(evening)
        evening.let_it_close()
        curious.look_as_integrator(evening)
        return evening.survey, list(simulator.network.messages)


def test_no_public_event_is_about_somebodys_survey_mail(heard: tuple[Survey, list[Message]]) -> None:
    public = [each.body.decode() for each in heard[1] if each.exchange.endswith(".events")]
    assert [each for each in public if ABOUT_SURVEYS.search(each)] == []


def test_no_list_of_messages_holds_survey_mails(heard: tuple[Survey, list[Message]]) -> None:
    told = [each for each in heard[0].heard if each.request.endswith("/messages")]
    assert len(told) == 24
    assert [each.body for each in told if ABOUT_SURVEYS.search(json.dumps(each.body))] == []


def test_no_id_on_the_bus_can_be_computed_from_public_ids(heard: tuple[Survey, list[Message]]) -> None:
    survey, messages = heard
    subjects = [survey.meeting_id, survey.survey_id]
    subjects += [UUID(found) for each in messages for found in _ID.findall(str(_data(each).get("release_id")))]
    computed = {
        str(uuid5(mentions.MESSAGE_IDS, f"{template}:{subject}:{person.id}"))
        for template in mentions.TEMPLATES
        for subject in subjects
        for person in survey.people
    }
    seen = {id for each in messages for id in _ID.findall(each.body.decode("latin-1"))}
    assert seen.isdisjoint(computed)


@pytest.mark.parametrize(("in_room", "by_mail", "there"), [(6, 2, 12), (7, 0, 8), (5, 5, 12), (2, 6, 9), (4, 1, 12)])
def test_rates_and_bands_let_no_count_under_five_be_computed(
    simulator: Simulator, in_room: int, by_mail: int, there: int
) -> None:
    """Neither of those who answered by either way, nor of those who did not; not by events, nor by results."""
    people = [each.id for each in simulator.people[:there]]
    with simulator.evening(0) as evening:
        evening.begin(people)
        for one in people[:in_room]:
            evening.answer_in_room(one, CONTENT)
        evening.close()
        evening.go_to(evening.at(hours=3))
        for one in people[in_room : in_room + by_mail]:
            evening.answer_by_link(one, BORED)
        evening.let_it_close()
        told = [_data(each) for each in simulator.network.messages if each.routing_key == "SurveyClosed"]
        results = evening.survey.results
    rates = [value for value in told[0].values() if isinstance(value, float)]
    counts = {round(rate * there) for rate in rates}
    assert counts <= {0, *range(5, there - 4), there}
    assert not any(0 < there - count < 5 for count in counts)
    numbers = [results[name] for name in ("n_in_meeting", "n_after") if name in results]
    assert numbers == ([] if not rates else [in_room, by_mail]), "told where the rates are, and nowhere else"
    for number in (*numbers, *[there - each for each in numbers]):
        assert number == 0 or number >= 5


def test_numbers_of_bands_leave_a_withheld_survey_between_none_and_four(simulator: Simulator) -> None:
    """Whether nobody answered, or one, or four, a withheld survey is told in the same words."""
    people, told = [each.id for each in simulator.people[:12]], []
    for count in (0, 1, 4):
        with simulator.evening(0) as evening:
            evening.begin(people)
            for one in people[:count]:
                evening.answer_in_room(one, CONTENT)
            evening.close()
            evening.let_it_close()
            closed = [
                _data(each)
                for each in simulator.network.messages
                if each.routing_key in ("SurveyClosed", "ResultsWithheld")
            ]
            told.append(
                [{k: v for k, v in each.items() if k != "survey_id"} for each in closed] + [_without_id(evening.survey)]
            )
    assert told[0] == told[1] == told[2]


def _without_id(survey: Survey) -> dict[str, Any]:
    return {key: value for key, value in survey.results.items() if key != "survey_id"}


def _data(message: Message) -> dict[str, Any]:
    try:
        data = json.loads(message.body).get("data")
    except (ValueError, AttributeError):
        return {}
    return data if isinstance(data, dict) else {}
