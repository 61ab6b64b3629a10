"""What both peers of the evening write and send; how they receive, and in what process, is their own.

One store holds what our two services keep in two, so that no second hop is needed. Each recipient is a message of its
own, and each mail a transaction: the row is locked, the mail sent, and what became of it recorded with its event.
"""

import dataclasses
import smtplib
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Table, Update, select, update
from sqlalchemy.orm import DeclarativeBase

from chassis.messaging.outbox import EVENT_LOG
from chassis.scheduling.due import DUE
from pratique.events.evaluation import Anonymity, Moment
from pratique.events.meetings import AttendanceState, MeetingRole
from pratique.events.notifications import Template
from services.evaluation.models import Attendance, Survey, SurveyKey, SurveyState, tokens
from services.notifications import mails, wording
from services.notifications.models import (
    CommunityCard,
    ContactCard,
    MeetingCard,
    MeetingCommunity,
    MeetingEnd,
    Message,
    Outcome,
    State,
)
from tests.bench.peers.wire import PUBLIC_URL, SEAL, key_row, log_row
from words.catalogue import sentences

THERE = (AttendanceState.ATTENDED, AttendanceState.ATTENDED_PARTLY)
SENDER = "Pratique <pratique@localhost>"
Rows = Sequence[tuple[Table | type[DeclarativeBase], list[dict[str, Any]]]]


@dataclasses.dataclass(frozen=True)
class Written:
    """What follows from one closing: rows by table, the event log's rows, and the ids of the mails to send."""

    rows: Rows
    log: list[dict[str, Any]]
    message_ids: list[UUID]


def written(closing: Mapping[str, Any]) -> Written:
    """The rows that follow from one closing, as our services would leave them."""
    closed, now = closing["data"], datetime.now(UTC)
    meeting_id, version = UUID(closed["meeting_id"]), closed["version"]
    zone, closed_at = ZoneInfo(closed["timezone"]), datetime.fromisoformat(closed["closed_at"])
    remind_at, closes_at = ((closed_at.astimezone(zone) + timedelta(days=d)).astimezone(UTC) for d in (2, 7))
    survey_id = uuid4()
    people = [(UUID(each["member_id"]), each["state"], each["role"]) for each in closed["attendees"]]
    there = [id for id, state, role in people if state in THERE and role == MeetingRole.PARTICIPANT]
    links = dict(zip(there, tokens.links_for(SEAL, survey_id, there), strict=True))
    survey = {
        **{"id": survey_id, "meeting_id": meeting_id, "community_ids": closed["community_ids"], "is_asked": True},
        **{"k_scores": 5, "k_comments": 10},
        **{"timezone": closed["timezone"], "moment": Moment.WRAP_UP, "anonymity": Anonymity.ANONYMOUS},
        **{"questions_version": 2, "state": SurveyState.OPEN, "opens_at": closed_at, "closes_at": closes_at},
        **{"is_meeting_closed": True, "room_code": None, "version": 2},
    }
    card = {name: closed[name] for name in ("kind", "mode", "timezone", "version")} | {"meeting_id": meeting_id}
    card |= {name: datetime.fromisoformat(closed[name]) for name in ("starts_at", "ends_at")}
    messages = [_message(survey_id, meeting_id, each, links[each], closes_at, now) for each in there]
    rows: Rows = [
        (Survey, [survey]),
        (Attendance, [_attendance(meeting_id, version, *each) for each in people]),
        (SurveyKey, [key_row(survey_id)]),
        (DUE, [_due("remind", survey_id, remind_at, closing), _due("close", survey_id, closes_at, closing)]),
        (MeetingCard, [card]),
        (MeetingCommunity, [{"meeting_id": meeting_id, "community_id": UUID(e)} for e in closed["community_ids"]]),
        (MeetingEnd, [{"meeting_id": meeting_id, "version": version, "outcome": Outcome.CLOSED}]),
        (Message, messages),
    ]
    log = [log_row("evaluation", *event, closing, now) for event in _events(survey, links)]
    return Written(rows, log, [each["id"] for each in messages])


def _attendance(meeting_id: UUID, version: int, member_id: UUID, state: str, role: str) -> dict[str, Any]:
    may = state in THERE and role == MeetingRole.PARTICIPANT
    row = {"meeting_id": meeting_id, "member_id": member_id, "state": state, "role": role, "version": version}
    return row | {"was_eligible": may}


def _due(kind: str, subject: UUID, at: datetime, cause: Mapping[str, Any]) -> dict[str, Any]:
    row = {"id": uuid4(), "kind": kind, "subject": subject, "due_at": at}
    return row | {"correlation_id": UUID(cause["correlationid"]), "causation_id": UUID(cause["id"])}


def _message(
    survey_id: UUID, meeting_id: UUID, member_id: UUID, token: str, closes_at: datetime, now: datetime
) -> dict[str, Any]:
    template = Template.SURVEY_INVITATION
    return {
        "id": uuid4(),
        **{"member_id": member_id, "template": template, "subject_id": survey_id, "meeting_id": meeting_id},
        **{"survey_id": survey_id, "state": State.QUEUED, "priority": 1, "source_version": 2, "due_at": now},
        **{"relevant_until": closes_at, "box": token.encode(), "created_at": now},
    }


def _events(survey: Mapping[str, Any], links: Mapping[UUID, str]) -> Sequence[tuple[str, UUID, dict[str, Any]]]:
    """What is announced: that the survey is open, and whom it asks by which link."""
    id, closes_at = survey["id"], survey["closes_at"].isoformat()
    shared = {"survey_id": str(id), "meeting_id": str(survey["meeting_id"]), "community_ids": survey["community_ids"]}
    opened = {"version": 1, "moment": "wrap_up", "anonymity": "anonymous", "opens_at": survey["opens_at"].isoformat()}
    invited = [{"member_id": str(member_id), "token": token} for member_id, token in links.items()]
    return [
        ("SurveyOpened", id, {**shared, **opened, "closes_at": closes_at}),
        (
            "SurveyInvitationsIssued",
            id,
            {**shared, "version": 2, "closes_at": closes_at, "invitations": invited, "is_anew": None},
        ),
    ]


def waiting(id: UUID) -> Select[Message, ContactCard, MeetingCard, str]:
    """A message that waits to be sent, locked, with all that its mail says."""
    return (
        select(Message, ContactCard, MeetingCard, CommunityCard.name)
        .join(ContactCard, ContactCard.member_id == Message.member_id)
        .join(MeetingCard, MeetingCard.meeting_id == Message.meeting_id)
        .join(MeetingCommunity, MeetingCommunity.meeting_id == Message.meeting_id)
        .join(CommunityCard, CommunityCard.community_id == MeetingCommunity.community_id)
        .where(Message.id == id, Message.state == State.QUEUED)
        .with_for_update(of=Message)
    )


def letter(message: Message, contact: ContactCard, meeting: MeetingCard, community: str) -> EmailMessage:
    """The mail of our templates, put together as the documentation of ``email`` shows."""
    locale = contact.locale
    words: dict[str, object] = {
        "locale": locale.value,
        "name": contact.name,
        "of_communities": wording.of_communities([community], locale),
        "kind": sentences(locale)(wording.KINDS[meeting.kind]),
        "meeting_day": wording.day(meeting.starts_at, meeting.timezone, locale),
        "survey_url": f"{PUBLIC_URL}/s/{(message.box or b'').decode()}",
        "threshold": wording.number(5, locale),
        "closes": wording.moment(message.relevant_until, contact.timezone, locale),
    }
    subject, text, html, _ = mails.render(message.template, words)
    mail = EmailMessage()
    mail["From"] = SENDER
    mail["To"] = f"{contact.name} <{contact.email}>"
    mail["Subject"] = subject
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = f"<{message.id}@localhost>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = locale.value
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


_open = threading.local()


def post(smtp_url: str, mail: EmailMessage) -> None:
    """Hand it over, by a connection that each thread keeps."""
    connection: smtplib.SMTP | None = getattr(_open, "connection", None)
    if connection is None:
        parts = urlsplit(smtp_url)
        connection = _open.connection = smtplib.SMTP(parts.hostname or "", parts.port or 25, "localhost")
    connection.send_message(mail)


def settled(message: Message) -> Update:
    """That it was sent. Nothing is published: what became of a survey's mails is told to nobody."""
    values = {"state": State.SENT, "attempts": message.attempts + 1, "settled_at": datetime.now(UTC), "box": None}
    return update(Message).where(Message.id == message.id).values(values | {"version": message.version + 1})


__all__ = ["EVENT_LOG", "Written", "letter", "post", "settled", "waiting", "written"]
