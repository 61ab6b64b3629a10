"""A survey that closes: what is told, what is destroyed, and what nobody can bring about by marking people."""

import dataclasses
from datetime import timedelta
from uuid import uuid4

import pytest

from chassis import clock
from pratique.errors import Gone
from pratique.events.evaluation import (
    CountBand,
    InvitationRevoked,
    ResultsReleased,
    ResultsWithheld,
    SurveyAskedBeforeClosing,
    SurveyClosed,
    SurveyInvitationsIssued,
    SurveyOpened,
    SurveyReminderDue,
    WithheldReason,
)
from pratique.events.meetings import AttendanceState
from services.evaluation.models import KeptAnswers, Marker, Sheet, SurveyKey
from tests.evaluation.fixture import FACILITATOR, PEOPLE, Fixture, attendee, present

STATE = AttendanceState


def test_after_seven_days_the_survey_closes_and_no_rate_is_told_that_counts_fewer_than_five(
    meeting: Fixture,
) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:7])
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[7:9])
    token = meeting.tokens()[PEOPLE[9]]

    clock.move(timedelta(days=7))
    with pytest.raises(Gone):
        meeting.ballot_by_link(token)
    meeting.run_due()
    meeting.run_due()

    (closed,) = meeting.published(SurveyClosed)
    assert (closed.eligible, closed.responses) == (CountBand.FROM_10, CountBand.FROM_5)
    assert (closed.rate_in_meeting, closed.rate_after) == (None, None)
    (released,) = meeting.published(ResultsReleased)
    assert released.responses_count == 9
    assert released.version > closed.version
    assert meeting.published(ResultsWithheld) == []


def test_both_rates_are_told_where_each_count_is_none_or_at_least_five(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:5])
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[5:])

    clock.move(timedelta(days=7))
    meeting.run_due()

    (closed,) = meeting.published(SurveyClosed)
    assert (closed.rate_in_meeting, closed.rate_after) == (0.5, 0.5)
    results = meeting.results()
    assert (results["n_in_meeting"], results["n_after"]) == (5, 5)


@pytest.mark.parametrize("answered", [6, 3])
def test_a_closed_survey_keeps_neither_sheet_nor_marker_nor_who_was_asked(meeting: Fixture, answered: int) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[:answered])
    meeting.deliver(meeting.corrected(PEOPLE[9], STATE.NO_SHOW))
    clock.move(timedelta(days=2))
    meeting.run_due()
    assert meeting.published(SurveyReminderDue) != []

    clock.move(timedelta(days=5))
    meeting.run_due()

    assert [meeting.count(each) for each in (Sheet, Marker, SurveyKey)] == [0, 0, 0]
    for asking in (SurveyInvitationsIssued, SurveyReminderDue, InvitationRevoked):
        assert meeting.published(asking) == []
    assert len(meeting.published(SurveyOpened)) == len(meeting.published(SurveyClosed)) == 1


def test_of_a_released_survey_no_answer_stays_and_of_a_withheld_one_ninety_days(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[:6])
    clock.move(timedelta(days=7))
    meeting.run_due()
    assert meeting.count(KeptAnswers) == 0

    meeting.meeting_id, meeting.version = uuid4(), 0
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[:4])
    clock.move(timedelta(days=7))
    meeting.run_due()
    assert meeting.count(KeptAnswers) == 6
    clock.move(timedelta(days=89))
    meeting.run_due()
    assert meeting.count(KeptAnswers) == 6
    clock.move(timedelta(days=1))
    meeting.run_due()
    assert meeting.count(KeptAnswers) == 0


def test_puppets_who_are_taken_off_again_do_not_release_the_one_honest_answer(meeting: Fixture) -> None:
    honest, puppets = PEOPLE[0], PEOPLE[1:5]
    meeting.deliver(meeting.recorded([attendee(each) for each in [honest, *puppets]]), meeting.wrap_up())
    meeting.answer_in_room(puppets)
    meeting.answer_in_room([honest], {"satisfaction": 1})
    meeting.deliver(meeting.recorded([attendee(each, STATE.EXCUSED) for each in puppets]))
    meeting.deliver(meeting.closed([attendee(honest), *[attendee(each, STATE.EXCUSED) for each in puppets]]))

    clock.move(timedelta(days=7))
    meeting.run_due()

    assert [each.reason for each in meeting.published(ResultsWithheld)] == [WithheldReason.BELOW_K]
    assert set(meeting.results()) == {"survey_id", "state", "reason"}


def test_whether_somebody_who_is_taken_off_had_answered_decides_nothing_that_is_told(meeting: Fixture) -> None:
    told = []
    for answered in (PEOPLE[:9], PEOPLE[1:]):
        meeting.meeting_id, meeting.version = uuid4(), 0
        meeting.deliver(meeting.closed(present()))
        meeting.answer_by_link(answered)
        meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))
        clock.move(timedelta(days=8))
        meeting.run_due()
        told.append({key: value for key, value in meeting.results().items() if not key.endswith("_id")})

    assert told[0] == told[1]
    rates = {(each.rate_in_meeting, each.rate_after) for each in meeting.published(SurveyClosed)}
    assert rates == {(None, None)}


def test_whoever_was_marked_by_mistake_before_anybody_could_answer_counts_for_nothing(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded([*present(), attendee(FACILITATOR)]))
    meeting.deliver(meeting.recorded([attendee(FACILITATOR, STATE.EXCUSED)]), meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:5])
    meeting.deliver(meeting.closed(present()))
    clock.move(timedelta(days=7))
    meeting.run_due()

    (released,) = meeting.published(ResultsReleased)
    assert released.suppressed_count == 0


def test_removing_one_person_does_not_withhold_what_five_others_said(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[:6])
    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))

    clock.move(timedelta(days=7))
    meeting.run_due()

    (released,) = meeting.published(ResultsReleased)
    assert released.responses_count == 6


def test_a_network_may_ask_for_more_answers_but_not_for_fewer(meeting: Fixture) -> None:
    """Also while a survey is open: what is asked for may only become more."""
    lower, higher = (dataclasses.replace(meeting.store.settings, k_scores=k) for k in (2, 8))  # type: ignore[type-var]
    for at_opening, at_closing, answered, is_released in (
        (lower, lower, 4, False),
        (lower, lower, 5, True),
        (higher, lower, 7, False),
        (lower, higher, 7, False),
        (higher, higher, 8, True),
    ):
        meeting.meeting_id, meeting.version = uuid4(), 0
        meeting.store.settings = at_opening
        meeting.deliver(meeting.closed(present()))
        meeting.answer_by_link(PEOPLE[:answered])
        meeting.store.settings = at_closing
        clock.move(timedelta(days=7))
        meeting.run_due()
        assert (meeting.results()["state"] == "released") is is_released


def test_a_meeting_that_is_never_closed_is_released_by_the_attendance_recorded_so_far(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded(present()), meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:6])

    clock.move(timedelta(days=7))
    meeting.run_due()

    assert [each.responses_count for each in meeting.published(ResultsReleased)] == [6]


def test_without_any_attendance_it_waits_seven_days_and_is_withheld(meeting: Fixture) -> None:
    meeting.deliver(meeting.wrap_up())
    clock.move(timedelta(days=6))
    meeting.run_due()
    assert [len(meeting.published(each)) for each in (SurveyAskedBeforeClosing, SurveyClosed)] == [1, 0]

    clock.move(timedelta(days=1))
    meeting.run_due()

    assert [each.reason for each in meeting.published(ResultsWithheld)] == [WithheldReason.NO_ATTENDANCE]


def test_a_meeting_to_which_nobody_came_has_its_results_withheld(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed([attendee(PEOPLE[0], STATE.NO_SHOW)]))

    clock.move(timedelta(days=7))
    meeting.run_due()

    assert meeting.asked() == []
    assert [each.reason for each in meeting.published(ResultsWithheld)] == [WithheldReason.NO_ATTENDANCE]
    assert [each.eligible for each in meeting.published(SurveyClosed)] == [CountBand.NONE]
