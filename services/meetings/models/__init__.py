"""Tables of meetings, and the rules that one meeting can check alone."""

from services.meetings.models.attendance import Attendance, AttendanceChange
from services.meetings.models.communities import MAILS_SPENT, Base, Community, FacilitatorRole, Membership
from services.meetings.models.meetings import Meeting, MeetingCommunity
from services.meetings.models.registrations import Registration

__all__ = [
    "MAILS_SPENT",
    "Attendance",
    "AttendanceChange",
    "Base",
    "Community",
    "FacilitatorRole",
    "Meeting",
    "MeetingCommunity",
    "Membership",
    "Registration",
]
