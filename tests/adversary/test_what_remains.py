"""What still succeeds, so that docs/adversary.md tells it as it is: where an attack fails here, the page is wrong."""

from uuid import UUID

import pytest

from tests.adversary import sheets
from tests.adversary.curious import OFFICE
from tests.adversary.roles import opener_of
from tests.adversary.scenarios import (
    BORED,
    CONTENT,
    PLEASED,
    distributions,
    meet,
    play,
    take_in_room,
    try_to_answer,
    uncovered,
    without,
)
from tests.adversary.surveys import COMMENT, Simulator


@pytest.fixture
def there(simulator: Simulator) -> list[UUID]:
    return [each.id for each in simulator.people[:10]]


def test_five_who_tell_each_other_their_answers_learn_those_of_the_sixth(
    simulator: Simulator, there: list[UUID]
) -> None:
    own = [PLEASED, PLEASED, CONTENT, CONTENT, BORED]
    survey = play(simulator, there, dict(zip(there, [*own, BORED], strict=False)))
    left = without(distributions(survey.results), own)
    assert uncovered(left, 1)["satisfaction"] == "2"


def test_puppets_that_stay_marked_as_there_uncover_the_only_honest_answer_and_all_of_them_get_a_mail(
    simulator: Simulator, there: list[UUID]
) -> None:
    votes = {
        each.id: sheet for each, sheet in zip(simulator.puppets, [PLEASED, PLEASED, CONTENT, CONTENT], strict=True)
    }
    survey = play(simulator, there, {there[0]: BORED}, puppets=votes)
    assert uncovered(without(distributions(survey.results), list(votes.values())), 1)["satisfaction"] == "2"
    heard = {each.recipient for each in simulator.network.letters if "/results/" in each.content}
    assert {each.address for each in simulator.puppets} <= heard


def test_all_who_were_there_answered_if_that_many_answers_are_released(simulator: Simulator, there: list[UUID]) -> None:
    survey = play(simulator, there, {one: [PLEASED, CONTENT, BORED][place % 3] for place, one in enumerate(there)})
    assert survey.n == len(there)


def test_two_copies_of_evaluations_store_with_the_key_around_one_answer_tell_whose_it_is(
    simulator: Simulator, there: list[UUID]
) -> None:
    with simulator.evening(0) as evening:
        meet(evening, there, {there[0]: CONTENT, there[1]: PLEASED}, {})
        before = simulator.network.copy()
        evening.answer_in_room(there[2], BORED)
        after = simulator.network.copy()
    opened = opener_of(simulator)
    (sheet,) = [
        each.sheet
        for each in sheets.in_copy(after, opened)
        if each.sheet not in [one.sheet for one in sheets.in_copy(before, opened)]
    ]
    assert sheet == BORED
    assert sheets.marked_in(after, opened, there) - sheets.marked_in(before, opened, there) == {there[2]}


@pytest.mark.parametrize("did_all_answer", [True, False])
def test_removing_all_but_five_tells_whether_all_five_answered_at_the_price_of_the_results(
    simulator: Simulator, there: list[UUID], did_all_answer: bool
) -> None:
    """Seven of ten answered. Each removal is on record, and each of those removed was told of the survey or its end."""
    answering = there[:7] if did_all_answer else there[1:8]
    with simulator.evening(0) as evening:
        meet(evening, there, {one: [PLEASED, CONTENT, BORED][place % 3] for place, one in enumerate(answering)}, {})
        evening.close()
        evening.mark(dict.fromkeys(there[5:], "excused"))
        evening.let_it_close()
        assert (evening.survey.results["state"] == "released") is did_all_answer
        told = "\n".join(str(row) for row in evening.network.copy().tables["meetings.audit"])
        assert all(str(one) in told for one in there[5:])


def test_voting_in_somebodys_name_tells_whether_they_had_answered_and_leaves_its_trace(
    simulator: Simulator, there: list[UUID]
) -> None:
    """Whoever is in the room can. In the name of one who had not, a vote is taken, and they see it when they come."""
    with simulator.evening(0) as evening:
        meet(evening, there, {there[0]: CONTENT}, {})
        tried = [take_in_room(evening, one).json["ballot_id"] for one in there[:2]]
        assert [try_to_answer(evening, ballot, BORED, OFFICE) for ballot in tried] == [409, 204]
        own = take_in_room(evening, there[1]).json["ballot_id"]
        assert try_to_answer(evening, own, PLEASED) == 409


def test_whoever_answers_on_a_phone_that_opened_anothers_link_answers_for_them_and_is_told_so_before(
    simulator: Simulator, there: list[UUID]
) -> None:
    """A link on the wall, or sent about, leaves its owner's pass on each phone that opens it."""
    owner = there[0]
    with simulator.evening(0) as evening:
        evening.open_invitation(owner)
        evening.begin(there)
        held = {"Cookie": evening.passes[owner]}
        page = evening.network.ask("GET", f"/r/{evening.room_code}?lang=en", headers=held)
        named = simulator.ok("GET", f"/v1/rooms/{evening.room_code}")["attending"]
        label = next(each["label"] for each in named if each["member_id"] == str(owner))
        assert f"You are {label}" in page.text
        assert "This is not me" in page.text
        evening.answer_with_pass(owner, BORED)
        own = take_in_room(evening, owner).json["ballot_id"]
        assert try_to_answer(evening, own, PLEASED) == 409


def test_the_one_who_said_otherwise_learns_that_all_others_said_the_same(
    simulator: Simulator, there: list[UUID]
) -> None:
    survey = play(simulator, there, {**dict.fromkeys(there[:5], PLEASED), there[5]: BORED})
    told = {cell["question"]: cell.get("nearly_all") for cell in survey.results["questions"]}
    assert told["satisfaction"] == "5"


def test_a_very_long_comment_is_seen_by_its_length_on_the_broker_but_not_whose_it_is(
    simulator: Simulator, there: list[UUID]
) -> None:
    lengths = []
    for comment in ("x", "😀" * 2000):
        with simulator.evening(0) as evening:
            evening.begin(there)
            before = len(simulator.network.messages)
            evening.answer_in_room(there[0], {**BORED, COMMENT: comment})
            lengths.append(max(len(each.body) for each in simulator.network.messages[before:]))
    assert lengths[0] < lengths[1]
