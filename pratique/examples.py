"""Examples of events that make sense, for the pages that are made from the code and for golden files."""

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pratique.event import Envelope, Event
from pratique.events import evaluation, meetings, membership, notifications
from pratique.testing import AT, envelope, part, sample

_SOON = AT + timedelta(days=14)
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)


def _attendee(number: int, state: meetings.AttendanceState, role: meetings.MeetingRole) -> meetings.Attendee:
    return part(meetings.Attendee, member_id=UUID(int=number), state=state, role=role)


_ATTENDEES = (
    _attendee(1, meetings.AttendanceState.ATTENDED, meetings.MeetingRole.FACILITATOR),
    _attendee(2, meetings.AttendanceState.ATTENDED_PARTLY, meetings.MeetingRole.PARTICIPANT),
    _attendee(3, meetings.AttendanceState.EXCUSED, meetings.MeetingRole.PARTICIPANT),
)
_PLANNED: dict[str, Any] = {"starts_at": _SOON, "ends_at": _SOON + 2 * _HOUR, "capacity": 30}
#: What an example says otherwise than a sample, so that times, numbers and states agree.
_TOLD: dict[type[Event], dict[str, Any]] = {
    membership.MemberContactChanged: {"name": "Ada Tremblay", "email": "ada@example.org", "former_email": None},
    meetings.MeetingScheduled: _PLANNED,
    meetings.MeetingChanged: _PLANNED | {"version": 2, "changed": ("ends_at", "place")},
    meetings.MeetingDescribed: {"cancel_reason": ""},
    meetings.AttendanceRecorded: {"attendees": _ATTENDEES},
    meetings.AttendanceCorrected: {
        "from_state": meetings.AttendanceState.NO_SHOW,
        "to_state": meetings.AttendanceState.ATTENDED,
        "role": meetings.MeetingRole.PARTICIPANT,
    },
    meetings.MeetingWrapUpStarted: {"wrap_up_at": AT, "ends_at": AT + _HOUR / 6},
    meetings.MeetingClosed: {
        "starts_at": AT - 2 * _HOUR,
        "started_at": AT - 2 * _HOUR,
        "ends_at": AT,
        "attendees": _ATTENDEES,
        "head_count": 2,
    },
    evaluation.SurveyOpened: {"closes_at": AT + _WEEK},
    evaluation.SurveyInvitationsIssued: {"closes_at": AT + _WEEK, "is_anew": None},
    evaluation.SurveyAskedBeforeClosing: {"closes_at": AT + _WEEK},
    evaluation.SurveyReminderDue: {"closes_at": AT + _WEEK},
    evaluation.SurveyClosed: {
        "eligible": evaluation.CountBand.FROM_20,  # 20: five answered in the room, five later
        "responses": evaluation.CountBand.FROM_10,
        "rate_in_meeting": 0.25,
        "rate_after": 0.25,
    },
    evaluation.ResultsReleased: {"responses_count": 10, "suppressed_count": 0},
    notifications.MessageDropped: {"reason": notifications.DropReason.CANCELLED},
}


def example(event_class: type[Event]) -> Envelope[Event]:
    """An example of the event in an envelope that is always the same."""
    id = uuid5(NAMESPACE_URL, event_class.type)
    return envelope(sample(event_class, **_TOLD.get(event_class, {})), id=id, correlation_id=id)
