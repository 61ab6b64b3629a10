"""Who reads the tables learns who took part, while the survey is open, and not what anyone said."""

import hmac
import json
from collections import Counter
from datetime import timedelta
from math import sqrt
from uuid import uuid4

from sqlalchemy import inspect, select

from chassis import clock
from services.evaluation.models import KeptAnswers, Marker, Sheet, SurveyKey, surveys, tokens
from tests.evaluation.fixture import HAPPY, Fixture, attendee

PEOPLE = [uuid4() for _ in range(5)]
MEETINGS = 40
KINDS = (b"", b"marker", b"ballot", b"number", b"spent", b"proof", b"slip")


def test_the_order_of_rows_says_nothing_of_the_order_of_people(meeting: Fixture) -> None:
    """Five known people take ballots and answer in a known order, in forty rooms; where their rows lie is chance.

    Each place holds a given person 8 times of 40, and 26 times or more once in some million runs. Rows in the order of
    writing would give 40, and so would a single row that always stays last.
    """
    markers: Counter[tuple[int, int]] = Counter()
    responses: Counter[tuple[int, int]] = Counter()
    pairs = 0
    for _ in range(MEETINGS):
        meeting.meeting_id = uuid4()
        meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]), meeting.wrap_up())
        for score, member_id in enumerate(PEOPLE, 1):
            meeting.answer_in_room([member_id], {"satisfaction": score})
        people, scores = people_and_scores(meeting)
        markers.update(enumerate(people))
        responses.update(enumerate(scores))
        pairs += sum(score == person for person, score in zip(people, scores, strict=True))

    expected, deviation = MEETINGS / 5, sqrt(MEETINGS * 1 / 5 * 4 / 5)
    for found in (markers, responses):
        assert sum(found.values()) == MEETINGS * 5
        assert max(abs(found[place, who] - expected) for place in range(5) for who in range(1, 6)) < 7 * deviation
    # Rows matched place by place: right as often as by guessing, one in five.
    assert abs(pairs - MEETINGS) < 7 * sqrt(MEETINGS)


def people_and_scores(meeting: Fixture) -> tuple[list[int], list[int]]:
    """Of one survey, in the order in which the tables give their rows: whose ballot was taken, and what was answered.

    As whoever has the tables and the seal key can read them.
    """
    survey_id, seal = meeting.survey().id, meeting.store.settings.seal  # type: ignore[union-attr]
    with meeting.store.begin() as session:
        secret = surveys.read_secrets(session, [survey_id])[survey_id]
    known = {tokens.marker_of(secret, member_id): number for number, member_id in enumerate(PEOPLE, 1)}
    macs = [row.mac for row in meeting.read(select(Marker.mac).where(Marker.survey_id == survey_id))]
    boxes = [row.box for row in meeting.read(select(Sheet.box).where(Sheet.survey_id == survey_id))]
    scores = [json.loads(seal.open("sheet", box)[16:])["answers"]["satisfaction"] for box in boxes]
    return [known[mac] for mac in macs], scores


def test_nothing_beside_a_sheet_derives_from_its_person(meeting: Fixture) -> None:
    """Not even for whoever has the survey's secret; only with the ballot itself could it be computed."""
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    links = meeting.tokens()
    meeting.answer_by_link(PEOPLE)
    survey_id = meeting.survey().id
    with meeting.store.begin() as session:
        secret = surveys.read_secrets(session, [survey_id])[survey_id]
    markers = meeting.read(select(Marker.mac, Marker.ballot_mark))
    known = [each.bytes for each in PEOPLE] + [links[each].encode() for each in PEOPLE]
    known += [mark for row in markers for mark in row]
    derived = {hmac.digest(secret, kind + each, "sha256") for each in known for kind in KINDS} | set(known)

    sheets = meeting.read(select(Sheet.__table__))

    assert {column.key for column in inspect(Sheet).columns} == {"survey_id", "mark", "box"}
    assert {column.key for column in inspect(Marker).columns} == {"survey_id", "mac", "ballot_mark", "is_cast"}
    assert len(sheets) == 5
    assert derived.isdisjoint({row.mark for row in sheets})
    assert {hmac.digest(secret, b"spent" + each[:16], "sha256") for each in derived}.isdisjoint(
        row.mark for row in sheets
    )


def test_whoever_copies_the_tables_without_the_seal_key_learns_neither_who_nor_what(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]), meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:3], {"satisfaction": 1, "what_should_change": "Remarque"})

    held = b"".join(
        bytes(value)
        for table in (Marker, Sheet, SurveyKey)
        for row in meeting.read(select(table.__table__))
        for value in row
        if isinstance(value, bytes)
    )

    assert b"Remarque" not in held
    assert b"satisfaction" not in held
    assert not any(each.bytes in held for each in PEOPLE)


def test_a_sheet_does_not_tell_by_its_length_how_much_somebody_wrote(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    for member_id, words in zip(PEOPLE, ("", "non", "é" * 100, "x" * 300, "y" * 600), strict=True):
        comment = {"what_should_change": words} if words else {}
        meeting.answer_by_link([member_id], {**HAPPY, **comment})

    assert len({len(row.box) for row in meeting.read(select(Sheet.box))}) == 1


def test_withheld_answers_are_kept_by_question_in_orders_of_their_own(meeting: Fixture) -> None:
    """Four people answer two questions alike; read side by side, the lists fit each other no better than by chance."""
    fits = 0
    for _ in range(MEETINGS):
        meeting.meeting_id, meeting.version = uuid4(), 0
        meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
        for score, member_id in enumerate(PEOPLE[:4], 1):
            meeting.answer_by_link([member_id], {"satisfaction": score, "free_to_speak": score})
        clock.move(timedelta(days=8))
        meeting.run_due()
        seal = meeting.store.settings.seal  # type: ignore[union-attr]
        kept = {
            row.question: json.loads(seal.open("kept answers", row.box)[16:])
            for row in meeting.read(select(KeptAnswers.question, KeptAnswers.box))
        }
        first, second = kept["satisfaction"], kept["free_to_speak"]
        assert sorted(first) == sorted(second) == [[score, False] for score in (1, 2, 3, 4)]
        fits += sum(one == other for one, other in zip(first, second, strict=True))
        clock.move(timedelta(days=91))
        meeting.run_due()

    assert abs(fits - MEETINGS) < 7 * sqrt(MEETINGS)  # one of four fits by chance; all four would say that sheets stay


def test_a_comment_keeps_its_authors_leave_and_leave_is_no_question_of_its_own(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    meeting.answer_by_link(PEOPLE[:1], {"what_should_change": "oui", "comment_may_be_shown": True})
    meeting.answer_by_link(PEOPLE[1:2], {"what_should_change": "non"})
    clock.move(timedelta(days=7))
    meeting.run_due()

    rows = meeting.read(select(KeptAnswers.question, KeptAnswers.box))

    seal = meeting.store.settings.seal  # type: ignore[union-attr]
    kept = {row.question: json.loads(seal.open("kept answers", row.box)[16:]) for row in rows}
    assert sorted(kept["what_should_change"]) == [["non", False], ["oui", True]]
    assert "comment_may_be_shown" not in kept
    assert len({len(row.box) for row in rows}) == 1
