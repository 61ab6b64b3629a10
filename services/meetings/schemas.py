"""What meetings answers by RPC. Dump is a promise."""

from marshmallow import Schema, fields

from pratique.events.meetings import AttendanceState, MeetingKind, MeetingRole, MeetingState, Mode, Partstat


class Meeting(Schema):
    """A meeting, without its attendance."""

    meeting_id = fields.UUID()
    state = fields.Enum(MeetingState, by_value=True)
    community_ids = fields.List(fields.UUID())
    kind = fields.Enum(MeetingKind, by_value=True)
    mode = fields.Enum(Mode, by_value=True)
    starts_at = fields.AwareDateTime(format="iso")
    ends_at = fields.AwareDateTime(format="iso")
    timezone = fields.String()
    place = fields.String()
    link = fields.String()
    themes = fields.List(fields.String())
    capacity = fields.Integer(allow_none=True)
    facilitator_id = fields.UUID(allow_none=True)
    note_taker_id = fields.UUID(allow_none=True)
    started_at = fields.AwareDateTime(format="iso", allow_none=True)
    wrap_up_at = fields.AwareDateTime(format="iso", allow_none=True)
    closed_at = fields.AwareDateTime(format="iso", allow_none=True)
    cancelled_at = fields.AwareDateTime(format="iso", allow_none=True)
    cancel_reason = fields.String()
    head_count = fields.Integer()
    version = fields.Integer()


class Attendance(Schema):
    """Whether one person came, as of the meeting's day."""

    member_id = fields.UUID()
    state = fields.Enum(AttendanceState, by_value=True)
    role = fields.Enum(MeetingRole, by_value=True)
    community_id = fields.UUID(allow_none=True)
    organization_id = fields.UUID(allow_none=True)
    version = fields.Integer()


class MeetingWithAttendance(Meeting):
    """A meeting and its roll, by member id."""

    attendance = fields.List(fields.Nested(Attendance()))


class Registration(Schema):
    """A member's word on coming."""

    meeting_id = fields.UUID()
    member_id = fields.UUID()
    partstat = fields.Enum(Partstat, by_value=True)
    registered_at = fields.AwareDateTime(format="iso")
    version = fields.Integer()
