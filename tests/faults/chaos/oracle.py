"""Says, from the driver's own record, what must be true when all is at rest, and what is not."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, text

from chassis.messaging import inbox, outbox
from chassis.sealing import Seal
from chassis.settings import SERVICES
from chassis.testing import SEAL_KEY
from pratique.event import REGISTRY
from pratique.events.notifications import Template
from services.notifications.models import message_id
from tests.bench.environment import broker
from tests.faults.chaos import copies
from tests.faults.chaos.driver import Api, address_of
from tests.faults.chaos.postbox import taken
from tests.faults.chaos.record import THERE, Meeting
from tests.faults.chaos.system import System
from tests.harness.client import NotAcknowledged

SEAL = Seal.of(SEAL_KEY)
READERS = 12  #: at once
SHOWN = 5  #: of each kind of failure, in full


@dataclass
class Verdict:
    """What a run came to, in the words of RabbitMQ's own Jepsen tests, and every sentence that is not true."""

    attempted: int = 0  #: meetings whose closing was sent
    acknowledged: int = 0  #: … and answered with 200
    found: int = 0  #: … and followed by their one survey and exactly their mails
    lost: int = 0  #: acknowledged, and a survey, a mail or an event is missing
    duplicated: int = 0  #: a survey, an event or a mail too many
    recovered: int = 0  #: not acknowledged at once, and found after the driver asked again
    mails: int = 0  #: survey invitations that arrived, each counted once
    copies: int = 0  #: mails handed over twice with the same Message-ID, within the honest limit
    failures: list[str] = field(default_factory=list)


def judge(system: System, api: Api) -> Verdict:
    """Compare everything with the record."""
    record, verdict = system.record, Verdict()
    verdict.attempted, verdict.acknowledged = len(record.attempted), len(record.acknowledged)
    surveys = _surveys(system)
    lost, twice = set[str](), set[str]()
    for meeting in record.acknowledged:
        count = len(surveys.get(meeting.id, []))
        if count != 1:
            (twice if count else lost).add(meeting.id)
            verdict.failures.append(f"meeting {meeting.id} was closed and has {count} surveys")
    _mails(system, surveys, verdict, lost, twice)
    for check in CHECKS:
        verdict.failures += check(system)
    verdict.failures += _visible(system, api)
    verdict.failures += system.complaints + record.wrong
    if count := record.answers["500"]:
        verdict.failures.append(f"{count} answers were 500, which says that nobody knows what happened")
    acknowledged = {meeting.id for meeting in record.acknowledged}
    verdict.lost, verdict.duplicated = len(lost), len(twice)
    verdict.found = len(acknowledged - lost)
    verdict.recovered = sum(meeting.was_retried for meeting in record.acknowledged if meeting.id not in lost)
    return verdict


def _surveys(system: System) -> dict[str, list[str]]:
    """The ids of surveys by meeting."""
    found: dict[str, list[str]] = {}
    with system.stores["evaluation"].begin() as session:
        for meeting_id, id in session.execute(text("select meeting_id, id from survey")):
            found.setdefault(str(meeting_id), []).append(str(id))
    return found


def _mails(system: System, surveys: dict[str, list[str]], verdict: Verdict, lost: set[str], twice: set[str]) -> None:
    """Exactly one invitation for everyone who is to get one, by Message-ID and address; nothing for anyone else."""
    arrived = Counter((mail.id, mail.to) for mail in taken(system.mails))
    for meeting in system.record.acknowledged:
        for survey_id in surveys.get(meeting.id, []):
            for member_id in meeting.eligible if meeting.is_done else ():
                key = _key(Template.SURVEY_INVITATION, survey_id, member_id)
                times = arrived.pop(key, 0)
                verdict.mails += times > 0
                verdict.copies += max(0, times - 1)
                if not times:
                    lost.add(meeting.id)
                    words = f"meeting {meeting.id}: no invitation for {member_id} to {survey_id}"
                    verdict.failures.append(f"{words}: {_fate(system, key[0])}")
    for meeting in system.record.meetings.values():
        for member_id in meeting.circle.member_ids if meeting.is_ahead else ():
            verdict.copies += max(0, arrived.pop(_key(Template.MEETING_INVITATION, meeting.id, member_id), 0) - 1)
    for id, to in arrived:
        owner = next((m for m in system.record.meetings.values() if _could_be(m, surveys, id)), None)
        twice.add(owner.id if owner else id)
        verdict.failures.append(f"a mail {id} to {to} that nobody was to get{f' ({owner.id})' if owner else ''}")
    if verdict.copies > system.copies_allowed:
        verdict.duplicated += verdict.copies
        verdict.failures.append(f"{verdict.copies} mails came twice; {system.copies_allowed} could honestly")


def _fate(system: System, id: str) -> str:
    """What notifications knows of a message."""
    query = text("select state, drop_reason, attempts, interruptions, last_error, due_at from message where id = :id")
    with system.stores["notifications"].begin() as session:
        row = session.execute(query, {"id": id}).first()
    return str(row._asdict()) if row else "notifications never heard of it"


def _could_be(meeting: Meeting, surveys: dict[str, list[str]], id: str) -> bool:
    """Whether it is an invitation to this meeting's survey for a person who was not to get one."""
    members, of_meeting = meeting.circle.member_ids, surveys.get(meeting.id, [])
    return any(_key(Template.SURVEY_INVITATION, each, member)[0] == id for each in of_meeting for member in members)


def _key(template: Template, subject_id: str, member_id: str) -> tuple[str, str]:
    return str(message_id(SEAL, template, UUID(subject_id), UUID(member_id))), address_of(member_id)


def _announced(system: System) -> Iterator[str]:
    """Each fact was published once, whatever was asked again."""
    once = {"MeetingClosed": "meetings", "MeetingStarted": "meetings", "SurveyOpened": "evaluation"}
    for name, service in once.items():
        with system.stores[service].begin() as session:
            where = outbox.EVENT_LOG.c.type.like(f"%.{name}.v1")
            counts = Counter(session.scalars(select(outbox.EVENT_LOG.c.subject).where(where)))
        yield from [f"{name} of {id} was published {n} times" for id, n in counts.items() if n > 1]
        if name == "MeetingClosed":
            missing = {meeting.id for meeting in system.record.acknowledged} - counts.keys()
            yield from [f"{name} of {id} was never published" for id in missing]


def _published(system: System) -> Iterator[str]:
    """No row waits in an outbox, and the bystander saw exactly what was published publicly."""
    logged: set[str] = set()
    for name in SERVICES:
        with system.stores[name].begin() as session:
            if waiting := outbox.backlog(session)[0]:
                yield f"{waiting} events of {name} are not published"
            for type_name, id in session.execute(select(outbox.EVENT_LOG.c.type, outbox.EVENT_LOG.c.id)):
                if not REGISTRY[type_name].is_private:
                    logged.add(str(id))
    seen = set(system.bystander.times)
    if logged - seen:
        yield f"{len(logged - seen)} of {len(logged)} public events never reached the bystander"
    if seen - logged:
        yield f"the bystander saw {len(seen - logged)} events that nobody published"


def _letters(system: System) -> Iterator[str]:
    """What a fault has poisoned is a dead letter; nothing else is parked, and nothing was set aside by the broker."""
    for name in SERVICES:
        with system.stores[name].begin() as session:
            found = {str(row.id): row for row in session.execute(select(inbox.PARKED))}
            poisoned = {id for id, service in system.dead_expected.items() if service == name}
            for id in poisoned:
                if id not in found or found[id].state != "dead":
                    yield f"{name} has no dead letter {id}, which nobody can read"
            for id, row in found.items():
                if id not in poisoned:
                    yield f"{name} has parked {row.type or 'something'} {row.id} ({row.state}): {row.error[:200]}"
            due = session.execute(text("select kind, error from due where state = 'dead'"))
            yield from [f"{name}: {row.kind} is dead: {row.error}" for row in due]
    with broker(system.fresh.broker_url) as connection:
        for queue in ("pratique.dead", *SERVICES):
            _, depth, _ = connection.channel().queue_declare(queue, passive=True)
            if depth:
                yield f"{depth} messages lie in the queue {queue}"


def _messages(system: System) -> Iterator[str]:
    """No message has failed or hangs, unless it is for later."""
    with system.stores["notifications"].begin() as session:
        query = "select state, template, count(*) as n, min(last_error) as error from message group by 1, 2"
        for row in session.execute(text(query)):
            if row.state in ("failed", "sending", "queued"):
                yield f"{row.n} messages {row.template} are {row.state}: {row.error}"


def _visible(system: System, api: Api) -> Iterator[str]:
    """Every acknowledged command can be read through the API."""
    done = [meeting for meeting in system.record.meetings.values() if meeting.is_done]
    with ThreadPoolExecutor(READERS) as readers:
        try:
            for found in readers.map(lambda meeting: _misread(api, meeting), done):
                yield from found
        except NotAcknowledged as error:  # then the others fare no better
            readers.shutdown(cancel_futures=True)
            yield str(error)


def _misread(api: Api, meeting: Meeting) -> list[str]:
    shown = api.ok("GET", f"/v1/meetings/{meeting.id}")
    states = meeting.states | ({meeting.corrected: "attended"} if meeting.corrected else {})
    read = {each["member_id"]: each["state"] for each in shown["attendance"]}
    wrong = []
    if shown["state"] != "closed":
        wrong.append(f"meeting {meeting.id} was closed and reads as {shown['state']}")
    if _known(read) != _known(states):
        wrong.append(f"meeting {meeting.id}: attendance was acknowledged otherwise than it reads")
    if shown["head_count"] != sum(state in THERE for state in states.values()):
        wrong.append(f"meeting {meeting.id}: {shown['head_count']} heads")
    return wrong


def _known(states: dict[str, str]) -> dict[str, str]:
    return {id: state for id, state in states.items() if state != "unknown"}


CHECKS: tuple[Callable[[System], Iterator[str]], ...] = (_announced, _published, _letters, _messages, copies.compare)


def shorten(failures: list[str]) -> list[str]:
    """The first of each kind, told apart by their words without ids and numbers."""
    shown: Counter[str] = Counter()
    kept = []
    for words in failures:
        kind = "".join(ch for ch in words if not ch.isdigit())[:40]
        kind = " ".join(word for word in kind.split() if "-" not in word)
        shown[kind] += 1
        if shown[kind] <= SHOWN:
            kept.append(words)
    return kept if len(kept) == len(failures) else [*kept, f"… and {len(failures) - len(kept)} more like these"]
