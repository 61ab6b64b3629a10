"""A2 and A7: copies of all stores. After closing no sheet is left, and nothing names who was asked."""

import pytest

from tests.adversary import mentions, sheets
from tests.adversary.network import Copy
from tests.adversary.roles import opener_of
from tests.adversary.scenarios import BORED, CONTENT, PLEASED
from tests.adversary.surveys import COMMENT, MAY_BE_SHOWN, Simulator, Survey

REMARK = "remark 731 on the second part"


@pytest.fixture(scope="module", params=[7, 3], ids=["released", "withheld"])
def played(simulator: Simulator, request: pytest.FixtureRequest) -> Survey:
    """A survey with answers by both ways, a comment, a correction and a reminder; the copies are made meanwhile."""
    there = [each.id for each in simulator.people[:12]]
    with simulator.evening(0) as evening:
        evening.begin(there)
        evening.answer_in_room(there[0], {**PLEASED, COMMENT: REMARK, MAY_BE_SHOWN: False})
        for one in there[1 : request.param - 2]:
            evening.answer_in_room(one, CONTENT)
        evening.close()
        evening.go_to(evening.at(hours=3))
        evening.answer_by_link(there[8], BORED)
        evening.mark({there[9]: "excused"})
        evening.mark({there[9]: "attended"})
        evening.go_to(evening.at(days=3))
        evening.answer_by_link(there[10], PLEASED)
        evening.survey.while_open = simulator.network.copy()
        evening.let_it_close()
        evening.survey.afterwards = simulator.network.copy()
        return evening.survey


def test_after_closing_no_sheet_is_left_for_anybody(simulator: Simulator, played: Survey) -> None:
    assert sheets.in_copy(_after(played), opener_of(simulator)) == []


def test_after_closing_nothing_says_by_which_way_or_when_an_answer_came(simulator: Simulator, played: Survey) -> None:
    opened = opener_of(simulator)
    for table, rows in _after(played).tables.items():
        if table.startswith("evaluation.") and not table.endswith(("survey", "due", "event_log", "audit")):
            words = [
                str({key: opened(each) if isinstance(each, bytes) else each for key, each in row.items()})
                for row in rows
            ]
            assert not any("'room'" in each or "'message'" in each or "answered_on" in each for each in words), table


def test_of_a_released_survey_nothing_but_the_release_is_kept(simulator: Simulator, played: Survey) -> None:
    lists = sheets.lists_in_copy(_after(played), opener_of(simulator))
    assert lists == {} if played.n is not None else lists


def test_answers_to_different_questions_lie_in_orders_of_their_own(simulator: Simulator) -> None:
    """Four people, each of whom gives one score to all questions: put together again as they lie, sheets are mixed."""
    there = [each.id for each in simulator.people[:8]]
    mixed = 0
    for _ in range(3):
        with simulator.evening(0) as evening:
            evening.begin(there)
            for score, one in enumerate(there[:4], 1):
                evening.answer_in_room(one, {key: score for key in PLEASED if key != "would_come_again"})
            evening.close()
            evening.let_it_close()
            copy = simulator.network.copy()
        lists = [each for each in sheets.lists_in_copy(copy, opener_of(simulator)).values() if len(each) == 4]
        mixed += any(each != lists[0] for each in lists[1:])
        assert sheets.in_copy(copy, opener_of(simulator)) == []
    assert mixed == 3  # all alike three times by chance: once in some ten million million runs


@pytest.mark.parametrize("has_key", [False, True], ids=["without key", "with key"])
def test_after_closing_nobody_is_named_as_asked_or_reminded(
    simulator: Simulator, played: Survey, has_key: bool
) -> None:
    opened = opener_of(simulator) if has_key else mentions.plain
    known = sheets.people_of(played, _after(played), opened)
    assert {frozenset(each.channels) for each in known.values()} == {frozenset({"room", "message"})}


def test_what_was_there_while_it_was_open_is_nowhere_in_the_files_afterwards(played: Survey) -> None:
    """Secrets, markers, sheets and invitations, looked for byte by byte, in deleted rows too."""
    assert played.while_open is not None
    gone = _secrets_of(played.while_open, played)
    assert len(gone) > 10
    for name, content in _after(played).raw.items():
        found = [what for what, each in gone if each in content]
        assert found == [], f"in the file of {name}"


def test_a_comment_is_nowhere_in_clear_while_the_survey_is_open(played: Survey) -> None:
    assert played.while_open is not None
    assert [name for name, content in played.while_open.raw.items() if REMARK.encode() in content] == []


def test_the_key_of_a_closed_survey_is_in_no_file(played: Survey) -> None:
    """With it, whoever kept the markers of an earlier copy could still tell whose they are."""
    assert played.while_open is not None
    secrets = _secrets(played.while_open)
    assert secrets
    for name, content in _after(played).raw.items():
        assert not any(secret in content for secret in secrets), f"in the file of {name}"


def _after(played: Survey) -> Copy:
    assert played.afterwards is not None
    return played.afterwards


def _secrets_of(copy: Copy, played: Survey) -> list[tuple[str, bytes]]:
    """What must not outlive the survey: the bytes of its volatile rows, tokens, and boxes that name people."""
    found: list[tuple[str, bytes]] = []
    for table in ("response", "sheet", "marker", "invitation", "survey_key", "survey"):
        for row in copy.tables.get(f"evaluation.{table}", ()):
            found += [
                (f"{table}.{key}", each) for key, each in row.items() if isinstance(each, bytes) and len(each) > 15
            ]
            if table == "response":
                found.append(("response.answers", str(row["answers"]).encode()))
    for row in copy.tables["notifications.message"]:
        if "survey" in str(row.get("template")):
            found += [
                (f"message.{key}", each) for key, each in row.items() if isinstance(each, bytes) and len(each) > 15
            ]
            found.append(("message.id", str(row["id"]).encode()))
    for store in ("evaluation", "notifications"):
        for row in copy.tables[f"{store}.event_log"]:
            if any(
                name in row["type"] for name in ("SurveyInvitationsIssued", "SurveyReminderDue", "InvitationRevoked")
            ):
                found.append((row["type"], row["body"]))
    return found


def _secrets(copy: Copy) -> list[bytes]:
    rows = [row for name, rows in copy.tables.items() if name.startswith("evaluation.survey") for row in rows]
    return [each for row in rows for each in row.values() if isinstance(each, bytes) and len(each) >= 32]
