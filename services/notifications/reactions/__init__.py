"""Reactions of notifications to events: keep copies, and decide who is written to.

Deliveries come in any order and repeat. A copy takes only what is newer; a message has one key, whichever of two
events comes second and completes the reason for it.
"""

from chassis.messaging.inbox import Reactions
from chassis.scheduling.due import Handlers
from pratique.events.evaluation import (
    InvitationRevoked,
    ResultsReleased,
    ResultsWithheld,
    SurveyAskedBeforeClosing,
    SurveyClosed,
    SurveyInvitationsIssued,
    SurveyReminderDue,
)
from pratique.events.meetings import (
    AttendanceCorrected,
    AttendanceRecorded,
    MeetingCancelled,
    MeetingChanged,
    MeetingClosed,
    MeetingDescribed,
    MeetingScheduled,
)
from pratique.events.membership import (
    CommunityDescribed,
    MemberContactChanged,
    MembershipActivated,
    RoleAssigned,
    RoleEnded,
)
from services.notifications.reactions import evaluation, meetings, membership

REACTIONS: Reactions = {
    MemberContactChanged: membership.keep_contact_cards,
    CommunityDescribed: membership.keep_community_names,
    MembershipActivated: membership.invite_new_members,
    RoleAssigned: membership.tell_new_facilitator,
    RoleEnded: membership.end_role,
    MeetingScheduled: meetings.invite,
    MeetingChanged: meetings.tell_of_change,
    MeetingDescribed: meetings.keep_meeting_words,
    MeetingCancelled: meetings.call_off,
    AttendanceRecorded: meetings.keep_attendance,
    AttendanceCorrected: meetings.correct_attendance,
    MeetingClosed: meetings.stop_inviting,
    SurveyInvitationsIssued: evaluation.invite_to_surveys,
    SurveyReminderDue: evaluation.remind_of_surveys,
    InvitationRevoked: evaluation.revoke_invitations,
    SurveyAskedBeforeClosing: evaluation.tell_left_open,
    SurveyClosed: evaluation.forget_surveys,
    ResultsReleased: evaluation.tell_results,
    ResultsWithheld: evaluation.tell_withheld,
}
DUE: Handlers = {}
