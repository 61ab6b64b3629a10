"""The tables of evaluation and the rules that one aggregate can check alone."""

from services.evaluation.models.ballots import Filled, Marker, Sheet
from services.evaluation.models.releases import CommunityRelease, KeptAnswers, Release
from services.evaluation.models.surveys import Attendance, Base, Survey, SurveyKey, SurveyState, Thresholds
from services.evaluation.models.tokens import Channel

__all__ = [
    "Attendance",
    "Base",
    "Channel",
    "CommunityRelease",
    "Filled",
    "KeptAnswers",
    "Marker",
    "Release",
    "Sheet",
    "Survey",
    "SurveyKey",
    "SurveyState",
    "Thresholds",
]
