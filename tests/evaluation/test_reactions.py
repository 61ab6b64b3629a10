"""From a meeting's events to who is asked, once, and to what is told in the end."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from chassis import clock
from pratique.errors import NotFound
from pratique.events.evaluation import (
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
from pratique.events.meetings import AttendanceState, MeetingRole
from tests.evaluation.fixture import FACILITATOR, PEOPLE, Fixture, attendee, fixture, present

STATE = AttendanceState


def test_after_a_wrap_up_only_the_missing_are_invited(meeting: Fixture) -> None:
    absent = [attendee(uuid4(), STATE.NO_SHOW) for _ in range(12)]
    meeting.deliver(meeting.recorded([*present(), *absent]))
    meeting.deliver(meeting.wrap_up())
    assert meeting.survey().room_code is not None
    meeting.answer_in_room(PEOPLE[:7])

    closed = meeting.closed([*present(), *absent])
    meeting.deliver(closed)
    meeting.deliver(closed)

    assert sorted(meeting.asked()) == sorted(PEOPLE[7:])
    assert len(meeting.published(SurveyOpened)) == len(meeting.published(SurveyInvitationsIssued)) == 1


def test_who_was_taken_off_before_anybody_could_answer_withholds_nothing_from_the_five_who_were_there(
    meeting: Fixture,
) -> None:
    there = PEOPLE[:5]
    meeting.deliver(meeting.recorded([attendee(each) for each in PEOPLE]))
    meeting.deliver(
        meeting.closed([*map(attendee, there), *[attendee(each, STATE.NO_SHOW) for each in PEOPLE[5:]]]),
    )
    meeting.answer_by_link(there)

    clock.move(timedelta(days=8))
    meeting.run_due()
    meeting.run_due()

    assert [each.suppressed_count for each in meeting.published(ResultsReleased)] == [0]


def test_two_closings_of_one_meeting_in_one_batch_ask_whom_the_newer_one_names(meeting: Fixture) -> None:
    older, newer = meeting.closed(map(attendee, PEOPLE[:6])), meeting.closed(map(attendee, PEOPLE[2:8]))

    meeting.deliver(newer, older)

    assert set(PEOPLE[2:8]) <= set(meeting.asked())


def test_when_all_have_answered_in_the_room_the_event_comes_and_names_nobody(meeting: Fixture) -> None:
    """Otherwise its absence would tell that all have."""
    meeting.deliver(meeting.recorded(present()), meeting.wrap_up())
    meeting.answer_in_room(PEOPLE)

    meeting.deliver(meeting.closed(present()))

    assert [each.invitations for each in meeting.published(SurveyInvitationsIssued)] == [()]


def test_a_meeting_about_which_nobody_is_to_be_asked_has_no_survey(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded(present()), meeting.wrap_up(with_survey=False))
    meeting.deliver(meeting.closed(present(), with_survey=False))

    assert meeting.published(SurveyOpened) == []
    with pytest.raises(NotFound):
        meeting.survey()


def test_closing_without_a_wrap_up_opens_the_survey_and_asks_all_who_were_there(meeting: Fixture) -> None:
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


def test_where_a_backup_was_restored_the_survey_is_the_same_again_and_links_mailed_before_open(
    meeting: Fixture,
) -> None:
    """As after a restore: a store that does not know the survey yet hears again of the closing."""
    closing = meeting.closed([attendee(each) for each in PEOPLE])
    meeting.deliver(closing)
    mailed, survey_id = meeting.tokens(), meeting.survey().id

    with fixture() as restored:
        restored.meeting_id = meeting.meeting_id
        restored.deliver(closing)

        assert restored.survey().id == survey_id
        restored.send(restored.ballot_by_link(mailed[PEOPLE[0]]))
        assert len(restored.sheets()) == 1


def test_a_wrap_up_that_arrives_after_the_closing_changes_nothing(meeting: Fixture) -> None:
    wrap_up = meeting.wrap_up()
    meeting.deliver(meeting.closed(present()))
    before = meeting.survey()

    meeting.deliver(wrap_up)

    assert meeting.survey() == before
    assert len(meeting.published(SurveyOpened)) == 1
    clock.move(timedelta(hours=25))
    meeting.run_due()
    assert meeting.published(SurveyClosed) == []


def test_many_closings_in_one_batch_each_ask_their_own_people(meeting: Fixture) -> None:
    meetings = [(uuid4(), uuid4()) for _ in range(5)]
    meeting.deliver(
        *[meeting.closed([attendee(member_id)], meeting_id=id) for id, member_id in meetings],
        meeting.closed([attendee(meetings[0][1])], meeting_id=meetings[0][0]),
    )

    issued = meeting.published(SurveyInvitationsIssued)
    assert {event.meeting_id: [each.member_id for each in event.invitations] for event in issued} == {
        id: [member_id] for id, member_id in meetings
    }


def test_a_closing_replayed_after_a_year_asks_nobody(meeting: Fixture) -> None:
    closed = meeting.closed(present())
    meeting.deliver(closed)
    assert len(meeting.asked()) == 10
    clock.move(timedelta(days=365))
    meeting.run_due()
    meeting.forget_inbox()

    meeting.deliver(closed)
    meeting.run_due()

    assert meeting.asked() == []
    assert (len(meeting.published(SurveyOpened)), len(meeting.published(SurveyClosed))) == (1, 1)


def test_a_closing_that_first_arrives_after_a_year_asks_nobody(meeting: Fixture) -> None:
    closed = meeting.closed(present())
    clock.move(timedelta(days=365))

    meeting.deliver(closed)
    meeting.run_due()

    assert meeting.asked() == []
    assert [each.reason for each in meeting.published(ResultsWithheld)] == [WithheldReason.BELOW_K]


def test_someone_added_by_a_correction_is_invited_alone(meeting: Fixture) -> None:
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


def test_a_correction_that_comes_after_a_newer_one_says_nothing(meeting: Fixture) -> None:
    added = uuid4()
    meeting.deliver(meeting.closed(present()))
    older, newer = meeting.corrected(added, STATE.ATTENDED), meeting.corrected(added, STATE.NO_SHOW)

    meeting.deliver(newer)
    meeting.deliver(older)

    assert len(meeting.published(SurveyInvitationsIssued)) == 1
    assert [each.member_ids for each in meeting.published(InvitationRevoked)] == [(added,)]


def test_someone_removed_by_a_correction_loses_the_unused_invitation(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed(present()))
    token = meeting.tokens()[PEOPLE[0]]

    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))

    assert [each.member_ids for each in meeting.published(InvitationRevoked)] == [(PEOPLE[0],)]
    with pytest.raises(NotFound):
        meeting.ballot_by_link(token)


@pytest.mark.parametrize("state", [STATE.NO_SHOW, STATE.ATTENDED_PARTLY])
def test_a_correction_tells_nothing_of_whether_its_person_had_answered(meeting: Fixture, state: STATE) -> None:
    """One event of the same kind, and the same versions, in either case: A8."""
    heard = []
    for answered in ([], [PEOPLE[0]]):
        meeting.meeting_id, meeting.version = uuid4(), 0
        meeting.deliver(meeting.closed(present()))
        meeting.answer_by_link(answered)
        meeting.deliver(meeting.corrected(PEOPLE[0], state))
        survey_id = meeting.survey().id
        news: list[InvitationRevoked | SurveyInvitationsIssued] = [*meeting.published(InvitationRevoked)]
        news += meeting.published(SurveyInvitationsIssued)
        heard.append(sorted((type(each).__name__, each.version) for each in news if each.survey_id == survey_id))
        clock.move(timedelta(days=7))
        meeting.run_due()
        heard[-1] += [
            ("closed", each.version) for each in meeting.published(SurveyClosed) if each.survey_id == survey_id
        ]

    assert heard[0] == heard[1]
    assert len(heard[0]) == 3


def test_someone_removed_and_added_again_is_asked_again_and_the_first_link_works(meeting: Fixture) -> None:
    """Their first mail may have been called off; notifications sees to it that nobody has two."""
    meeting.deliver(meeting.closed(present()))
    first = meeting.tokens()[PEOPLE[0]]
    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))
    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.ATTENDED))

    assert meeting.asked().count(PEOPLE[0]) == 2
    assert meeting.ballot_by_link(meeting.tokens()[PEOPLE[0]])
    meeting.send(meeting.ballot_by_link(first))


def test_a_facilitator_added_by_a_correction_is_not_asked(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.deliver(meeting.corrected(FACILITATOR, STATE.ATTENDED_PARTLY, role=MeetingRole.FACILITATOR))

    assert FACILITATOR not in meeting.asked()


def test_corrections_that_arrive_before_the_closing_count(meeting: Fixture) -> None:
    closed = meeting.closed(present())
    added = uuid4()
    meeting.deliver(meeting.corrected(added, STATE.ATTENDED), meeting.corrected(PEOPLE[0], STATE.EXCUSED))

    meeting.deliver(closed)

    assert sorted(meeting.asked()) == sorted([*PEOPLE[1:], added])


def test_one_reminder_after_48_hours_for_those_who_have_not_answered(meeting: Fixture) -> None:
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
    assert sorted(each.member_id for each in reminder.invitations) == sorted(PEOPLE[4:])
    meeting.send(meeting.ballot_by_link(reminder.invitations[0].token))


def test_when_all_have_answered_the_reminder_comes_and_names_nobody(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed(present()))
    meeting.answer_by_link(PEOPLE)

    clock.move(timedelta(hours=48))
    meeting.run_due()

    assert [each.invitations for each in meeting.published(SurveyReminderDue)] == [()]


def test_no_reminder_for_someone_whose_invitation_was_revoked(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed([attendee(PEOPLE[0])]))
    meeting.deliver(meeting.corrected(PEOPLE[0], STATE.NO_SHOW))

    clock.move(timedelta(hours=48))
    meeting.run_due()

    assert [each.invitations for each in meeting.published(SurveyReminderDue)] == [()]


def test_whoever_joins_the_list_after_the_reminder_is_asked_once(meeting: Fixture) -> None:
    meeting.deliver(meeting.closed(present()))
    clock.move(timedelta(days=3))
    meeting.run_due()
    added = uuid4()

    meeting.deliver(meeting.corrected(added, STATE.ATTENDED))
    clock.move(timedelta(days=3))
    meeting.run_due()

    reminded = [each.member_id for event in meeting.published(SurveyReminderDue) for each in event.invitations]
    assert (meeting.asked().count(added), added in reminded) == (1, False)


def test_a_survey_is_open_for_seven_days_by_the_wall_also_when_clocks_change(meeting: Fixture) -> None:
    closed_at = datetime(2026, 10, 28, 15, 0, tzinfo=ZoneInfo("America/Toronto"))
    with clock.fixed(closed_at):
        meeting.deliver(meeting.closed(present(), timezone="America/Toronto"))

        assert meeting.survey().closes_at.astimezone(ZoneInfo("America/Toronto")).hour == 15
        assert meeting.survey().closes_at - closed_at.astimezone(UTC) == timedelta(days=7, hours=1)


def test_a_survey_opened_at_the_wrap_up_keeps_its_closing_hour(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())
    closes_at = meeting.survey().closes_at
    clock.move(timedelta(minutes=40))

    meeting.deliver(meeting.closed(present()))

    assert meeting.survey().closes_at == closes_at
    assert {each.closes_at for each in meeting.published(SurveyInvitationsIssued)} == {closes_at}


def test_a_day_after_a_meeting_that_nobody_closed_those_recorded_by_then_are_asked(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up(ends_at=clock.now() + timedelta(minutes=5)))
    meeting.answer_in_room(PEOPLE[:6])
    clock.move(timedelta(hours=24))
    meeting.run_due()
    assert meeting.published(SurveyAskedBeforeClosing) == []

    clock.move(timedelta(minutes=5))
    meeting.run_due()

    assert len(meeting.published(SurveyAskedBeforeClosing)) == 1
    assert sorted(meeting.asked()) == sorted(PEOPLE[6:])
    assert meeting.survey().room_code is None
    meeting.answer_by_link(PEOPLE[6:8])


def test_a_closing_on_monday_asks_whoever_was_not_recorded_on_friday(meeting: Fixture) -> None:
    late = uuid4()
    meeting.deliver(meeting.recorded(present()), meeting.wrap_up())
    meeting.answer_in_room(PEOPLE[:6])
    clock.move(timedelta(hours=24))
    meeting.run_due()
    clock.move(timedelta(days=2))

    meeting.deliver(meeting.closed([*present(), attendee(late)]))
    assert late in meeting.tokens()
    clock.move(timedelta(days=5))
    meeting.run_due()

    (released,) = meeting.published(ResultsReleased)
    assert released.responses_count == 6


def test_a_closing_in_time_asks_nobody_a_second_time(meeting: Fixture) -> None:
    meeting.deliver(meeting.recorded(present()))
    meeting.deliver(meeting.wrap_up())
    meeting.deliver(meeting.closed(present()))

    clock.move(timedelta(hours=25))
    meeting.run_due()

    assert meeting.published(SurveyAskedBeforeClosing) == []
    assert sorted(meeting.asked()) == sorted(PEOPLE)
