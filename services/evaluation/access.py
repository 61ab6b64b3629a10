"""Access to evaluation: which communities each request concerns, for whoever may act in some of them alone.

Whoever facilitates a meeting, or takes its notes, has the code of its room without any role.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.actor import Actor
from chassis.rpc.access import Access, nowhere, one_of, over
from chassis.storage.transaction import Transaction
from pratique.requests.evaluation import (
    ChangeRoomCode,
    GetResults,
    GetSurvey,
    ListEvaluationAudit,
    ListOutcomes,
    ListReleases,
    ReadMeetingResults,
    VoidRoom,
)
from services.evaluation.models import Survey


def _communities_of(transaction: Transaction, request: GetResults) -> Collection[UUID]:
    survey = transaction.get(Survey, request.survey_id)
    return survey.communities if survey else ()


def _is_run_by(transaction: Transaction, request: Any, actor: Actor) -> bool:
    """Return whether the actor may act in one of the meeting's communities, or is named by the meeting."""
    survey = transaction.scalar(select(Survey).where(Survey.meeting_id == request.meeting_id))
    if survey is None:
        return False
    return actor.may_in_one(request.needs, survey.communities) or survey.is_run_by(actor.member_id)


ACCESS: Access = {
    GetSurvey: _is_run_by,
    ChangeRoomCode: _is_run_by,
    VoidRoom: _is_run_by,
    ReadMeetingResults: _is_run_by,
    ListOutcomes: lambda transaction, request, actor: True,  # tells of those alone that the actor may read
    GetResults: one_of(_communities_of),
    ListReleases: over("community_id"),
    ListEvaluationAudit: nowhere,
}
