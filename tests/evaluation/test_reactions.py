"""From a meeting's events to who is asked, once, and to what is told in the end."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from pratique import clock
from pratique.errors import Gone, NotFound
from pratique.events.evaluation import (
    CountBand,
    InvitationRevoked,
    ResultsReleased,
    ResultsWithheld,
    SurveyClosed,
    SurveyInvitationsIssued,
    SurveyOpened,
    SurveyReminderDue,
    WithheldReason,
)
from pratique.events.meetings import AttendanceState, MeetingRole
from services.evaluation.models import Invitation, Survey
from tests.evaluation.scene import Scene, attendee

PEOPLE = [uuid4() for _ in range(10)]
FACILITATOR = uuid4()
STATE = AttendanceState


def present() -> list[object]:
    chair = attendee(FACILITATOR, role=MeetingRole.FACILITATOR)
    return [*[attendee(each) for each in PEOPLE], chair]


def test_after_a_wrap_up_only_the_missing_are_invited(meeting: Scene) -> None:
    absent = [attendee(uuid4(), STATE.NO_SHOW) for _ in range(12)]
    meeting.deliver(meeting.recorded([*present(), *absent]))
    meeting.deliver(meeting.wrap_up())
    assert meeting.survey().room_code is not None
    meeting.answer_in_room(PEOPLE[:7])

    closed = meeting.closed([*present(), *absent])
    meeting.deliver(closed)
    meeting.deliver(closed)

    assert sorted(meeting.asked()) == sorted(PEOPLE[7:])
    assert len(meeting.published(SurveyOpened)) == 1


def test_closing_without_a_wrap_up_opens_the_survey_and_asks_all_who_were_there(meeting: Scene) -> None:
    partly, excused, unknown, no_show = (uuid4() for _ in range(4))
    meeting.deliver(
        meeting.closed(
            [
                *present(),
                attendee(partly, STATE.ATTENDED_PARTLY),
                attendee(excused, STATE.EXCUSED),
                attendee(unknown, STATE.UNKNOWN),
                attendee(no_show, STATE.NO_SHOW),
            ]
        )
    )

    assert sorted(meeting.asked()) == sorted([*PEOPLE, partly])
    assert [each.opens_at for each in meeting.published(SurveyOpened)] == [clock.now()]
    assert meeting.survey().room_code is None


def test_a_wrap_up_that_arrives_after_the_closing_changes_nothing(meeting: Scene) -> None:
    wrap_up = meeting.wrap_up()
    meeting.deliver(meeting.closed(present()))
    before = meeting.survey()

    meeting.deliver(wrap_up)

    assert meeting.survey() == before
    assert len(meeting.published(SurveyOpened)) == 1
    clock.move(timedelta(hours=25))
    meeting.run_due()
    assert meeting.published(SurveyClosed) == []


def test_many_closings_in_one_batch_each_ask_their_own_people(meeting: Scene) -> None:
    meetings = [(uuid4(), uuid4()) for _ in range(5)]
    meeting.deliver(
        *[meeting.closed([attendee(member_id)], meeting_id=id) for id, member_id in meetings],
        meeting.closed([attendee(meetings[0][1])], meeting_id=meetings[0][0]),
    )

    issued = meeting.published(SurveyInvitationsIssued)
    assert {event.meeting_id: [each.member_id for each in event.invitations] for event in issued} == {
        id: [member_id] for id, member_id in meetings
    }


def test_a_closing_replayed_after_a_year_asks_nobody(meeting: Scene) -> None:
    closed = meeting.closed(present())
    meeting.deliver(closed)
    clock.move(timedelta(days=365))
    meeting.run_due()
    meeting.forget_inbox()
    news = len(meeting.published(SurveyOpened)), len(meeting.asked()), len(meeting.published(SurveyClosed))

    meeting.deliver(closed)
    meeting.run_due()

    assert news == (1, 10, 1)
    assert (len(meeting.published(SurveyOpened)), len(meeting.asked()), len(meeting.published(SurveyClosed))) == news


def test_a_closing_that_first_arrives_after_a_year_asks_nobody(meeting: Scene) -> None:
    closed = meeting.closed(present())
    clock.move(timedelta(days=365))

    meeting.deliver(closed)
    meeting.run_due()

    assert meeting.asked() == []
    assert [each.reason for each in meeting.published(ResultsWithheld)] == [WithheldReason.BELOW_K]


def test_someone_added_by_a_correction_is_invited_alone(meeting: Scene) -> None:
    added = uuid4()
    meeting.deliver(meeting.closed(present()))

    correction = meeting.corrected(added, STATE.ATTENDED)
    meeting.deliver(correction)
    meeting.forget_inbox()
    meeting.deliver(correction)

    first, second = meeting.published(SurveyInvitationsIssued)
    assert len(first.invitations) == 10
    assert [each.member_id for each in second.invitations] == [added]
    assert second.version > first.version


def test_someone_removed_by_a_correction_loses_the_unused_invitation(meeting: Scene) -> None:
    meeting.deliver(meeting.closed(present()))
    token = meeting.tokens()[PEOPLE[0]]

    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))

    assert [each.member_ids for each in meeting.published(InvitationRevoked)] == [(PEOPLE[0],)]
    with pytest.raises(NotFound):
        meeting.take_by_link(token)


def test_an_invitation_that_was_used_is_not_revoked(meeting: Scene) -> None:
    meeting.deliver(meeting.closed(present()))
    ballot = meeting.take_by_link(meeting.tokens()[PEOPLE[0]])

    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))
    meeting.cast(ballot)

    assert meeting.published(InvitationRevoked) == []


def test_someone_removed_and_added_again_is_asked_again_by_the_same_link(meeting: Scene) -> None:
    """Their first mail may have been called off; notifications sees to it that nobody has two."""
    meeting.deliver(meeting.closed(present()))
    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))
    first = meeting.tokens()[PEOPLE[0]]
    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.ATTENDED))

    assert meeting.asked().count(PEOPLE[0]) == 2
    assert meeting.tokens()[PEOPLE[0]] == first
    meeting.cast(meeting.take_by_link(meeting.tokens()[PEOPLE[0]]))


def test_a_facilitator_added_by_a_correction_is_not_asked(meeting: Scene) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.deliver(meeting.corrected(FACILITATOR, STATE.ATTENDED_PARTLY, role=MeetingRole.FACILITATOR))

    assert FACILITATOR not in meeting.asked()


def test_corrections_that_arrive_before_the_closing_count(meeting: Scene) -> None:
    closed = meeting.closed(present())
    added = uuid4()
    meeting.deliver(meeting.corrected(added, STATE.ATTENDED), meeting.corrected(PEOPLE[0], STATE.EXCUSED))

    meeting.deliver(closed)

    assert sorted(meeting.asked()) == sorted([*PEOPLE[1:], added])
    assert meeting.published(InvitationRevoked) == []


def test_one_reminder_after_48_hours_for_those_who_have_not_answered(meeting: Scene) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[:4])
    clock.move(timedelta(hours=47, minutes=59))
    meeting.run_due()
    assert meeting.published(SurveyReminderDue) == []

    clock.move(timedelta(minutes=1))
    meeting.run_due()
    clock.move(timedelta(days=4))
    meeting.run_due()

    (reminder,) = meeting.published(SurveyReminderDue)
    tokens = meeting.tokens()
    assert {each.member_id: each.token for each in reminder.invitations} == {each: tokens[each] for each in PEOPLE[4:]}


def test_nobody_is_reminded_when_all_have_answered(meeting: Scene) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE)

    clock.move(timedelta(hours=48))
    meeting.run_due()

    assert meeting.published(SurveyReminderDue) == []


def test_no_reminder_for_someone_whose_invitation_was_revoked(meeting: Scene) -> None:
    meeting.deliver(meeting.closed([attendee(PEOPLE[0])]))
    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))

    clock.move(timedelta(hours=48))
    meeting.run_due()

    assert meeting.published(SurveyReminderDue) == []


def test_after_seven_days_the_survey_closes_and_both_rates_are_told(meeting: Scene) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:7])
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[7:9])
    token = meeting.tokens()[PEOPLE[9]]

    clock.move(timedelta(days=7))
    with pytest.raises(Gone):
        meeting.take_by_link(token)
    meeting.run_due()
    meeting.run_due()

    (closed,) = meeting.published(SurveyClosed)
    assert (closed.eligible, closed.responses) == (CountBand.FROM_10, CountBand.FROM_5)
    assert (closed.rate_in_meeting, closed.rate_after) == (0.7, 0.2)
    (released,) = meeting.published(ResultsReleased)
    assert released.responses_count == 9
    assert released.version > closed.version
    assert meeting.published(ResultsWithheld) == []


def test_a_closed_survey_keeps_no_trace_of_who_was_asked(meeting: Scene) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE[:6])

    clock.move(timedelta(days=7))
    meeting.run_due()

    assert meeting.count(Invitation) == 0
    assert meeting.read(Survey.__table__.select())[0].secret is None


def test_a_survey_is_open_for_seven_days_by_the_wall_also_when_clocks_change(meeting: Scene) -> None:
    closed_at = datetime(2026, 10, 28, 15, 0, tzinfo=ZoneInfo("America/Toronto"))
    with clock.fixed(closed_at):
        meeting.deliver(meeting.closed(present(), timezone="America/Toronto"))

        assert meeting.survey().closes_at.astimezone(ZoneInfo("America/Toronto")).hour == 15
        assert meeting.survey().closes_at - closed_at.astimezone(UTC) == timedelta(days=7, hours=1)


def test_a_survey_opened_at_the_wrap_up_keeps_its_closing_hour(meeting: Scene) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())
    closes_at = meeting.survey().closes_at
    clock.move(timedelta(minutes=40))

    meeting.deliver(meeting.closed(present()))

    assert meeting.survey().closes_at == closes_at
    assert {each.closes_at for each in meeting.published(SurveyInvitationsIssued)} == {closes_at}


def test_a_meeting_that_is_never_closed_is_given_up_a_day_after_its_end(meeting: Scene) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up(ends_at=clock.now() + timedelta(minutes=5)))
    meeting.answer_in_room(PEOPLE)
    clock.move(timedelta(hours=24))
    meeting.run_due()
    assert meeting.published(SurveyClosed) == []

    clock.move(timedelta(minutes=5))
    meeting.run_due()

    assert [each.reason for each in meeting.published(ResultsWithheld)] == [WithheldReason.NO_ATTENDANCE]
    assert [each.rate_in_meeting for each in meeting.published(SurveyClosed)] == [None]
    meeting.deliver(meeting.closed(present()))
    assert meeting.asked() == []
    assert len(meeting.published(SurveyClosed)) == 1


def test_a_closing_in_time_keeps_the_survey_from_being_given_up(meeting: Scene) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())
    meeting.deliver(meeting.closed(present()))

    clock.move(timedelta(hours=25))
    meeting.run_due()

    assert meeting.published(SurveyClosed) == []


def test_a_meeting_to_which_nobody_came_has_its_results_withheld(meeting: Scene) -> None:
    meeting.deliver(meeting.closed([attendee(PEOPLE[0], STATE.NO_SHOW)]))

    clock.move(timedelta(days=7))
    meeting.run_due()

    assert meeting.asked() == []
    assert [each.reason for each in meeting.published(ResultsWithheld)] == [WithheldReason.NO_ATTENDANCE]
    assert [each.eligible for each in meeting.published(SurveyClosed)] == [CountBand.NONE]
