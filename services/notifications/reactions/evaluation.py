"""Reactions to events of evaluation: ask, remind, forget whom, tell of results.

Whom a survey asks and reminds tells in the end who had not answered. Rows name nobody but in a box, nothing is
published of such mails, and when the survey is closed no trace of them is left.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select

from chassis import clock
from chassis.messaging import inbox
from chassis.messaging.inbox import Reactions, set_based, set_based_on_envelopes
from chassis.storage.rows import keep_newest
from chassis.storage.transaction import Transaction
from pratique.event import Cause, Envelope
from pratique.events.evaluation import (
    InvitationRevoked,
    ResultsReleased,
    ResultsWithheld,
    SurveyAskedBeforeClosing,
    SurveyClosed,
    SurveyInvitationsIssued,
    SurveyReminderDue,
)
from pratique.events.notifications import DropReason, Template
from services.notifications.commands import MAIL_LOOP, NewMessage, drop_queued, queue_messages, renew
from services.notifications.kinds import ABOUT_SURVEY
from services.notifications.models import (
    Message,
    Receipt,
    ResultsNotice,
    Revocation,
    Sealed,
    SurveyEnd,
    message_id,
)
from services.notifications.reactions.audience import (
    facilitators_of,
    keep_communities,
    lock_audience,
    results_message,
    tell_those_there,
)

NEWS_FOR = timedelta(days=7)  #: results are told to whoever is concerned within a week, and to nobody later
Asking = SurveyInvitationsIssued | SurveyReminderDue


@set_based_on_envelopes
def invite_to_surveys(transaction: Transaction, envelopes: Sequence[Envelope[SurveyInvitationsIssued]]) -> None:
    """Ask each of those named once. Five statements for any number of events."""
    _ask(transaction, Template.SURVEY_INVITATION, envelopes)


@set_based_on_envelopes
def remind_of_surveys(transaction: Transaction, envelopes: Sequence[Envelope[SurveyReminderDue]]) -> None:
    """Remind each of those named once, and nobody else."""
    _ask(transaction, Template.SURVEY_REMINDER, envelopes)


def revoke_invitations(transaction: Transaction, event: InvitationRevoked) -> None:
    """Do not ask these people, unless something newer than this says so; what was sent cannot be taken back."""
    if event.survey_id not in _open_among(transaction, [event.survey_id]):
        return
    seal, asking = transaction.seal, list[UUID]()
    rows = []
    for member_id in event.member_ids:
        ids = {template: message_id(seal, template, event.survey_id, member_id) for template in ABOUT_SURVEY}
        invitation_id = ids[Template.SURVEY_INVITATION]
        rows.append({"invitation_id": invitation_id, "version": event.version, "survey_id": event.survey_id})
        asking += ids.values()
    keep_newest(transaction, Revocation, rows)
    is_older = Message.source_version <= event.version
    drop_queued(transaction, Message.id.in_(asking), is_older, reason=DropReason.REVOKED)


@set_based
def forget_surveys(transaction: Transaction, events: Sequence[SurveyClosed]) -> None:
    """Leave no trace of whom these surveys asked, and let nothing that comes late bring one back."""
    survey_ids = sorted({event.survey_id for event in events})
    transaction.lock_each(survey_ids)
    at = clock.now()
    ends = [{"survey_id": id, "at": at} for id in survey_ids]
    transaction.execute(transaction.insert(SurveyEnd).values(ends).on_conflict_do_nothing())
    asked = select(Message.id).where(Message.survey_id.in_(survey_ids), Message.template.in_(ABOUT_SURVEY))
    transaction.execute(delete(Message).where(Message.id.in_(asked.order_by(Message.id).with_for_update())))
    transaction.execute(delete(Receipt).where(~exists().where(Message.id == Receipt.message_id)))
    transaction.execute(delete(Revocation).where(Revocation.survey_id.in_(survey_ids)))
    for survey_id in survey_ids:
        inbox.forget(transaction, (SurveyInvitationsIssued, SurveyReminderDue, InvitationRevoked), subject=survey_id)


def tell_results(transaction: Transaction, event: ResultsReleased) -> None:
    """Tell those who were at the meeting, and nobody else, that there are results, and where."""
    notice = {
        "subject_id": event.release_id,
        "template": Template.RESULTS_RELEASED,
        "responses_count": event.responses_count,
        "withheld_reason": None,
        "told_until": event.released_at + NEWS_FOR,
    }
    _keep_notice(transaction, event, notice)
    transaction.lock_each([event.meeting_id])
    tell_those_there(transaction, {event.meeting_id: transaction.cause})


def tell_withheld(transaction: Transaction, event: ResultsWithheld) -> None:
    """Tell whoever facilitates, and nobody else, that there are no results, and why."""
    notice = {
        "subject_id": event.survey_id,
        "template": Template.RESULTS_WITHHELD,
        "responses_count": None,
        "withheld_reason": event.reason,
        "told_until": clock.now() + NEWS_FOR,
    }
    _tell_facilitators(transaction, event, notice)


def tell_left_open(transaction: Transaction, event: SurveyAskedBeforeClosing) -> None:
    """Tell whoever facilitates that the meeting was not closed, and what happened therefore."""
    notice = {
        "subject_id": event.meeting_id,
        "template": Template.MEETING_LEFT_OPEN,
        "responses_count": None,
        "withheld_reason": None,
        "told_until": event.closes_at,
    }
    _tell_facilitators(transaction, event, notice)


def _tell_facilitators(
    transaction: Transaction, event: ResultsWithheld | SurveyAskedBeforeClosing, values: Mapping[str, object]
) -> None:
    _keep_notice(transaction, event, values)
    lock_audience(transaction)
    notice = transaction.get_one(ResultsNotice, values["subject_id"], populate_existing=True)
    people = facilitators_of(transaction, event.meeting_id, event.community_ids)
    queue_messages(transaction, [results_message(member_id, notice) for member_id in people])


def _keep_notice(
    transaction: Transaction,
    event: ResultsReleased | ResultsWithheld | SurveyAskedBeforeClosing,
    values: Mapping[str, object],
) -> None:
    row = {
        **values,
        "version": event.version,
        "survey_id": event.survey_id,
        "meeting_id": event.meeting_id,
        "community_ids": [str(id) for id in event.community_ids],
    }
    keep_newest(transaction, ResultsNotice, [row])
    keep_communities(transaction, [event])


def _open_among(transaction: Transaction, survey_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these surveys that are not closed as far as we know; none is until the commit."""
    ids = sorted(set(survey_ids))
    transaction.lock_each(ids, is_shared=True)
    return set(ids).difference(transaction.scalars(select(SurveyEnd.survey_id).where(SurveyEnd.survey_id.in_(ids))))


def _ask(transaction: Transaction, template: Template, envelopes: Sequence[Envelope[Asking]]) -> None:
    seal = transaction.seal
    surveys = _open_among(transaction, (each.event.survey_id for each in envelopes if each.event.invitations))
    if not surveys:
        return
    revocations = transaction.scalars(select(Revocation).where(Revocation.survey_id.in_(surveys)))
    revoked = {revocation.invitation_id: revocation.version for revocation in revocations}
    known = select(Message).where(Message.survey_id.in_(surveys), Message.template == template).order_by(Message.id)
    before = {message.id: message for message in transaction.scalars(known.with_for_update())}
    messages = []
    for event, because in [(envelope.event, envelope.as_cause()) for envelope in envelopes]:
        is_anew = isinstance(event, SurveyInvitationsIssued) and event.is_anew is True
        for one in _messages(template, event, because) if event.survey_id in surveys else ():
            key = message_id(seal, Template.SURVEY_INVITATION, event.survey_id, one.member_id)
            if revoked.get(key, 0) >= event.version:
                one = dataclasses.replace(one, drop_reason=DropReason.REVOKED)
            message = before.get(one.id(seal))
            if message is None:
                messages.append(one)
            elif renew(message, one, seal, is_anew=is_anew):
                transaction.wake(MAIL_LOOP)
    queue_messages(transaction, messages)


def _messages(template: Template, event: Asking, because: Cause) -> Iterable[NewMessage]:
    for invitation in event.invitations:
        yield NewMessage(
            template=template,
            subject_id=event.survey_id,
            member_id=invitation.member_id,
            meeting_id=event.meeting_id,
            survey_id=event.survey_id,
            community_ids=(),  # of which only what is published has need
            source_version=event.version,
            relevant_until=event.closes_at,
            because=because,
            sealed=Sealed(member_id=invitation.member_id, token=invitation.token),
        )


REACTIONS: Reactions = {
    SurveyInvitationsIssued: invite_to_surveys,
    SurveyReminderDue: remind_of_surveys,
    InvitationRevoked: revoke_invitations,
    SurveyAskedBeforeClosing: tell_left_open,
    SurveyClosed: forget_surveys,
    ResultsReleased: tell_results,
    ResultsWithheld: tell_withheld,
}
