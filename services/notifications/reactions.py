"""What events make notifications do: keep copies, and decide who is to be written to.

Deliveries come in any order and repeat. A copy takes only what is newer; a message has one key, whichever of two
events comes second and completes the reason for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from pratique import clock, store
from pratique.due import Handlers
from pratique.event import Event
from pratique.events.evaluation import (
    InvitationRevoked,
    ResultsReleased,
    ResultsWithheld,
    SurveyInvitationsIssued,
    SurveyReminderDue,
)
from pratique.events.meetings import MeetingCancelled, MeetingClosed, MeetingDescribed, MeetingScheduled
from pratique.events.membership import (
    CommunityDescribed,
    MemberContactChanged,
    MembershipActivated,
    Role,
    RoleAssigned,
    RoleEnded,
)
from pratique.events.notifications import DropReason, Template
from pratique.inbox import Reactions, set_based
from pratique.rows import keep_newest
from services.notifications.commands import Wanted, drop_queued, queue_messages, renew
from services.notifications.models import (
    CommunityCard,
    CommunityMember,
    CommunityRole,
    ContactCard,
    MeetingCard,
    MeetingCommunity,
    MeetingEnd,
    MeetingWords,
    Message,
    Outcome,
    ResultsNotice,
    Revocation,
    State,
    message_id,
)

NEWS_FOR = timedelta(days=7)  #: results are told to whoever is concerned within a week, and to nobody later

_WHY_NOT = {Outcome.CANCELLED: DropReason.CANCELLED, Outcome.CLOSED: DropReason.EXPIRED}


@set_based
def keep_contact_cards(session: Session, events: Sequence[MemberContactChanged]) -> None:
    """Know how to write to these people."""
    rows = [
        {
            "member_id": event.member_id,
            "version": event.version,
            "name": event.name,
            "email": event.email,
            "locale": event.locale,
            "timezone": event.timezone,
        }
        for event in events
    ]
    keep_newest(session, ContactCard, rows)


@set_based
def keep_community_names(session: Session, events: Sequence[CommunityDescribed]) -> None:
    """Know what these communities are called."""
    rows = [{"community_id": event.community_id, "version": event.version, "name": event.name} for event in events]
    keep_newest(session, CommunityCard, rows)


@set_based
def invite_new_members(session: Session, events: Sequence[MembershipActivated]) -> None:
    """Invite these people to the meetings ahead of their communities, and tell them of results that are news."""
    rows = [
        {
            "membership_id": event.membership_id,
            "version": event.version,
            "community_id": event.community_id,
            "member_id": event.member_id,
        }
        for event in events
    ]
    keep_newest(session, CommunityMember, rows)
    _one_at_a_time(session)
    ahead = session.execute(
        select(MeetingCommunity.community_id, MeetingCard, MeetingEnd.outcome)
        .join(MeetingCard, MeetingCard.meeting_id == MeetingCommunity.meeting_id)
        .outerjoin(MeetingEnd, MeetingEnd.meeting_id == MeetingCommunity.meeting_id)
        .where(MeetingCommunity.community_id.in_({event.community_id for event in events}))
        .where(MeetingCard.ends_at > clock.now())
    ).all()
    news = _news(session, Template.RESULTS_RELEASED)
    wanted = []
    for event in events:
        of_theirs = [(card, outcome) for community_id, card, outcome in ahead if community_id == event.community_id]
        wanted += [_invitation(event.member_id, card, outcome, event) for card, outcome in of_theirs]
        told = [notice for notice in news if str(event.community_id) in notice.community_ids]
        wanted += [_results(event.member_id, notice, event) for notice in told]
    queue_messages(session, wanted)


def tell_new_facilitator(session: Session, event: RoleAssigned) -> None:
    """Know the role; a new facilitator is told of results that were withheld while that is news."""
    _keep_role(session, event, is_active=True)
    if event.role is not Role.FACILITATOR:
        return
    _one_at_a_time(session)
    news = [each for each in _news(session, Template.RESULTS_WITHHELD) if str(event.community_id) in each.community_ids]
    queue_messages(session, [_results(event.member_id, notice, event) for notice in news])


def end_role(session: Session, event: RoleEnded) -> None:
    """Know that the role is over; what it brought is dropped when its turn to be sent comes."""
    _keep_role(session, event, is_active=False)


def invite_members(session: Session, event: MeetingScheduled) -> None:
    """Invite every member of the meeting's communities, each once, whichever of them they are in."""
    _keep_meeting(session, event)
    _one_at_a_time(session)
    card = session.get_one(MeetingCard, event.meeting_id, populate_existing=True)
    end = session.get(MeetingEnd, event.meeting_id)
    outcome = end.outcome if end else None
    members = _members(session, event.community_ids)
    queue_messages(session, [_invitation(member_id, card, outcome, event) for member_id in members])


@set_based
def keep_meeting_words(session: Session, events: Sequence[MeetingDescribed]) -> None:
    """Know what these meetings are about, where they are, and why they were cancelled."""
    rows = [
        {
            "meeting_id": event.meeting_id,
            "version": event.version,
            "themes": list(event.themes),
            "place": event.place,
            "link": event.link,
            "cancel_reason": event.cancel_reason,
        }
        for event in events
    ]
    keep_newest(session, MeetingWords, rows)


def call_off(session: Session, event: MeetingCancelled) -> None:
    """Tell those whose invitation has left, or is leaving, and drop whatever else waits for this meeting.

    Whether an invitation that is leaving arrived is looked at again when the message about it is due.
    """
    _keep_end(session, event, Outcome.CANCELLED)
    of_meeting = Message.meeting_id == event.meeting_id
    is_other = Message.template != Template.MEETING_CANCELLED
    drop_queued(session, of_meeting, is_other, reason=DropReason.CANCELLED, because=event)
    has_left = or_(Message.state.in_((State.SENT, State.SENDING)), Message.interruptions > 0)
    invited = session.execute(
        select(Message.member_id, Message.relevant_until).where(
            of_meeting, Message.template == Template.MEETING_INVITATION, has_left
        )
    )
    wanted = [
        Wanted(
            template=Template.MEETING_CANCELLED,
            subject_id=event.meeting_id,
            member_id=member_id,
            meeting_id=event.meeting_id,
            source_version=event.version,
            relevant_until=relevant_until,
            because=event,
        )
        for member_id, relevant_until in invited
    ]
    queue_messages(session, wanted)


def stop_inviting(session: Session, event: MeetingClosed) -> None:
    """Drop the invitations to it that have not left: they come too late."""
    _keep_meeting(session, event)
    _keep_end(session, event, Outcome.CLOSED)
    is_invitation = Message.template == Template.MEETING_INVITATION
    of_meeting = Message.meeting_id == event.meeting_id
    drop_queued(session, of_meeting, is_invitation, reason=DropReason.EXPIRED, because=event)


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


def _one_at_a_time(session: Session) -> None:
    """Until the commit, let no other replica match members with meetings or results.

    Otherwise of two that bring a member and a meeting at once, neither would see what the other brings, and the member
    would never be invited. It is held as long as one batch takes, and never on the path of a survey.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("notifications.audience"))))


def _keep_role(session: Session, event: RoleAssigned | RoleEnded, is_active: bool) -> None:
    row = {
        "assignment_id": event.assignment_id,
        "version": event.version,
        "community_id": event.community_id,
        "member_id": event.member_id,
        "role": event.role,
        "is_active": is_active,
    }
    keep_newest(session, CommunityRole, [row])


def _keep_meeting(session: Session, event: MeetingScheduled | MeetingClosed) -> None:
    row = {
        "meeting_id": event.meeting_id,
        "version": event.version,
        "kind": event.kind,
        "mode": event.mode,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        "timezone": event.timezone,
    }
    keep_newest(session, MeetingCard, [row])
    places = [{"meeting_id": event.meeting_id, "community_id": id} for id in sorted(event.community_ids)]
    session.execute(store.insert(session, MeetingCommunity).values(places).on_conflict_do_nothing())


def _keep_end(session: Session, event: MeetingCancelled | MeetingClosed, outcome: Outcome) -> None:
    row = {"meeting_id": event.meeting_id, "version": event.version, "outcome": outcome}
    keep_newest(session, MeetingEnd, [row])


def _members(session: Session, community_ids: Iterable[UUID]) -> list[UUID]:
    """Who belongs to any of these communities, each once."""
    of_these = CommunityMember.community_id.in_(list(community_ids))
    return list(session.scalars(select(CommunityMember.member_id).where(of_these).distinct()))


def _facilitators(session: Session, community_ids: Iterable[UUID]) -> list[UUID]:
    of_these = CommunityRole.community_id.in_(list(community_ids))
    leads = (CommunityRole.role == Role.FACILITATOR, CommunityRole.is_active)
    return list(session.scalars(select(CommunityRole.member_id).where(of_these, *leads).distinct()))


def _news(session: Session, template: Template) -> list[ResultsNotice]:
    told = select(ResultsNotice).where(ResultsNotice.template == template, ResultsNotice.told_until > clock.now())
    return list(session.scalars(told))


def _tell(session: Session, event: ResultsReleased | ResultsWithheld, values: Mapping[str, object]) -> None:
    row = {
        **values,
        "version": event.version,
        "survey_id": event.survey_id,
        "meeting_id": event.meeting_id,
        "community_ids": [str(id) for id in event.community_ids],
    }
    keep_newest(session, ResultsNotice, [row])
    _one_at_a_time(session)
    notice = session.get_one(ResultsNotice, row["subject_id"], populate_existing=True)
    audience = _members if isinstance(event, ResultsReleased) else _facilitators
    queue_messages(
        session, [_results(member_id, notice, event) for member_id in audience(session, event.community_ids)]
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


def _invitation(member_id: UUID, card: MeetingCard, outcome: Outcome | None, because: Event) -> Wanted:
    return Wanted(
        template=Template.MEETING_INVITATION,
        subject_id=card.meeting_id,
        member_id=member_id,
        meeting_id=card.meeting_id,
        source_version=card.version,
        relevant_until=card.ends_at,
        because=because,
        drop_reason=_WHY_NOT[outcome] if outcome else None,
    )


def _results(member_id: UUID, notice: ResultsNotice, because: Event) -> Wanted:
    return Wanted(
        template=notice.template,
        subject_id=notice.subject_id,
        member_id=member_id,
        meeting_id=notice.meeting_id,
        survey_id=notice.survey_id,
        source_version=notice.version,
        relevant_until=notice.told_until,
        because=because,
    )


REACTIONS: Reactions = {
    MemberContactChanged: keep_contact_cards,
    CommunityDescribed: keep_community_names,
    MembershipActivated: invite_new_members,
    RoleAssigned: tell_new_facilitator,
    RoleEnded: end_role,
    MeetingScheduled: invite_members,
    MeetingDescribed: keep_meeting_words,
    MeetingCancelled: call_off,
    MeetingClosed: stop_inviting,
    SurveyInvitationsIssued: invite_to_surveys,
    SurveyReminderDue: remind_of_surveys,
    InvitationRevoked: revoke_invitations,
    ResultsReleased: tell_members,
    ResultsWithheld: tell_facilitators,
}
DUE: Handlers = {}
