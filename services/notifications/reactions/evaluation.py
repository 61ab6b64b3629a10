"""What events of evaluation make notifications do: ask, remind, and tell of results."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from pratique import clock, store
from pratique.events.evaluation import (
    InvitationRevoked,
    ResultsReleased,
    ResultsWithheld,
    SurveyInvitationsIssued,
    SurveyReminderDue,
)
from pratique.events.notifications import DropReason, Template
from pratique.inbox import set_based
from pratique.rows import keep_newest
from services.notifications.commands import Wanted, drop_queued, queue_messages, renew
from services.notifications.models import Message, ResultsNotice, Revocation, message_id
from services.notifications.reactions.audience import (
    facilitators_of,
    keep_communities,
    match_alone,
    members_of,
    results_message,
)

NEWS_FOR = timedelta(days=7)  #: results are told to whoever is concerned within a week, and to nobody later


@set_based
def invite_to_surveys(session: Session, events: Sequence[SurveyInvitationsIssued]) -> None:
    """Ask each of those named once. Three statements for any number of events."""
    _ask(session, Template.SURVEY_INVITATION, events)


@set_based
def remind_of_surveys(session: Session, events: Sequence[SurveyReminderDue]) -> None:
    """Remind each of those named once, and nobody else."""
    _ask(session, Template.SURVEY_REMINDER, events)


def revoke_invitations(session: Session, event: InvitationRevoked) -> None:
    """Do not ask these people, unless something newer than this says so; what was sent cannot be taken back."""
    rows = [
        {
            "invitation_id": message_id(Template.SURVEY_INVITATION, event.survey_id, member_id),
            "version": event.version,
            "survey_id": event.survey_id,
        }
        for member_id in event.member_ids
    ]
    keep_newest(session, Revocation, rows)
    drop_queued(
        session,
        Message.survey_id == event.survey_id,
        Message.member_id.in_(event.member_ids),
        Message.template.in_((Template.SURVEY_INVITATION, Template.SURVEY_REMINDER)),
        Message.source_version <= event.version,
        reason=DropReason.REVOKED,
        because=event,
    )


def tell_members(session: Session, event: ResultsReleased) -> None:
    """Tell the members of the meeting's communities that there are results."""
    notice = {
        "subject_id": event.release_id,
        "template": Template.RESULTS_RELEASED,
        "responses_count": event.responses_count,
        "withheld_reason": None,
        "told_until": event.released_at + NEWS_FOR,
    }
    _tell(session, event, notice)


def tell_facilitators(session: Session, event: ResultsWithheld) -> None:
    """Tell the facilitators of the meeting's communities, and only them, that there are no results, and why."""
    notice = {
        "subject_id": event.survey_id,
        "template": Template.RESULTS_WITHHELD,
        "responses_count": None,
        "withheld_reason": event.reason,
        "told_until": clock.now() + NEWS_FOR,
    }
    _tell(session, event, notice)


def _tell(session: Session, event: ResultsReleased | ResultsWithheld, values: Mapping[str, object]) -> None:
    row = {
        **values,
        "version": event.version,
        "survey_id": event.survey_id,
        "meeting_id": event.meeting_id,
        "community_ids": [str(id) for id in event.community_ids],
    }
    keep_newest(session, ResultsNotice, [row])
    keep_communities(session, event.meeting_id, event.community_ids)
    match_alone(session)
    notice = session.get_one(ResultsNotice, row["subject_id"], populate_existing=True)
    audience = members_of if isinstance(event, ResultsReleased) else facilitators_of
    queue_messages(
        session, [results_message(member_id, notice, event) for member_id in audience(session, event.community_ids)]
    )


def _ask(
    session: Session, template: Template, events: Sequence[SurveyInvitationsIssued] | Sequence[SurveyReminderDue]
) -> None:
    surveys = {event.survey_id for event in events}
    revocations = session.scalars(select(Revocation).where(Revocation.survey_id.in_(surveys)))
    revoked = {revocation.invitation_id: revocation.version for revocation in revocations}
    known = select(Message).where(Message.survey_id.in_(surveys), Message.template == template).order_by(Message.id)
    before = {message.id: message for message in session.scalars(known.with_for_update())}
    wanted = []
    for event in events:
        for invitation in event.invitations:
            key = message_id(Template.SURVEY_INVITATION, event.survey_id, invitation.member_id)
            is_revoked = revoked.get(key, 0) >= event.version
            one = Wanted(
                template=template,
                subject_id=event.survey_id,
                member_id=invitation.member_id,
                meeting_id=event.meeting_id,
                survey_id=event.survey_id,
                source_version=event.version,
                relevant_until=event.closes_at,
                because=event,
                token=invitation.token,
                drop_reason=DropReason.REVOKED if is_revoked else None,
            )
            if one.id not in before:
                wanted.append(one)
            elif renew(before[one.id], one):
                store.wake(session, "mail")
    queue_messages(session, wanted)
