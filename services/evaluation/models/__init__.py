"""The tables of evaluation and the rules that one aggregate can check alone."""

from services.evaluation.models.ballots import Marker, Response
from services.evaluation.models.releases import K_COMMENTS, K_SCORES, Release
from services.evaluation.models.surveys import Attendance, Base, Invitation, InvitationState, Survey, SurveyState
from services.evaluation.models.tokens import Channel

__all__ = [
    "K_COMMENTS",
    "K_SCORES",
    "Attendance",
    "Base",
    "Channel",
    "Invitation",
    "InvitationState",
    "Marker",
    "Release",
    "Response",
    "Survey",
    "SurveyState",
]
