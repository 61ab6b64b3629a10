"""Who reads the tables learns who took part, while the survey is open, and not what anyone said."""

from collections import Counter
from datetime import date, timedelta
from math import sqrt
from uuid import UUID, uuid4

from sqlalchemy import inspect, select

from pratique import clock
from services.evaluation.models import Marker, Response, Survey, tokens
from tests.evaluation.scene import AT, Scene, attendee

PEOPLE = [uuid4() for _ in range(5)]
MEETINGS = 40


def test_the_order_of_rows_says_nothing_of_the_order_of_people(meeting: Scene) -> None:
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


def people_and_scores(meeting: Scene) -> tuple[list[int], list[int]]:
    """Of one survey, in the order in which the tables give their rows: who took a ballot, and what was answered."""
    survey_id = meeting.survey().id
    ((secret,),) = meeting.read(select(Survey.secret).where(Survey.id == survey_id))
    macs = [row.mac for row in meeting.read(select(Marker.mac).where(Marker.survey_id == survey_id))]
    known = {tokens.marker_of(secret, member_id): number for number, member_id in enumerate(PEOPLE, 1)}
    rows = meeting.read(select(Response.answers).where(Response.survey_id == survey_id))
    return [known[mac] for mac in macs], [row.answers["satisfaction"] for row in rows]


def test_nothing_in_an_answer_derives_from_its_person(meeting: Scene) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    links = meeting.tokens()
    meeting.answer_by_link(PEOPLE)
    ((secret, survey_id),) = meeting.read(select(Survey.secret, Survey.id))
    personal = {value for member_id in PEOPLE for value in derived(member_id, links[member_id], secret)}

    rows = meeting.read(select(Response.__table__))

    assert {column.key for column in inspect(Response).columns} == {
        "id",
        "survey_id",
        "answered_on",
        "channel",
        "locale",
        "answers",
        "ballot_mac",
    }
    assert {column.key for column in inspect(Marker).columns} == {"survey_id", "mac"}
    for row in rows:
        assert row.id.version == 4
        assert (row.survey_id, row.answered_on) == (survey_id, date(AT.year, AT.month, AT.day))
        assert personal.isdisjoint({row.id.bytes, row.ballot_mac, row.ballot_mac[:16]})


def derived(member_id: UUID, token: str, secret: bytes) -> set[bytes]:
    """What an attacker with the secret can compute from a person, and might look for beside an answer."""
    marker = tokens.marker_of(secret, member_id)
    return {member_id.bytes, marker, marker[:16], tokens.spent_mark(token), tokens.spent_mark(token)[:16]}


def test_closing_leaves_answers_under_new_ids_without_a_mark_of_their_ballots(meeting: Scene) -> None:
    meeting.deliver(meeting.closed([attendee(each) for each in PEOPLE]))
    meeting.answer_by_link(PEOPLE)
    before = {row.id for row in meeting.read(select(Response.id))}

    clock.move(timedelta(days=7))
    meeting.run_due()

    rows = meeting.read(select(Response.id, Response.ballot_mac))
    assert len(rows) == 5
    assert before.isdisjoint({row.id for row in rows})
    assert {row.ballot_mac for row in rows} == {None}
    assert meeting.count(Marker) == 0
