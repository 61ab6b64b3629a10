"""Invariants that hold whenever nothing is under way: in the stores, on the bus, and in people's mailboxes."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis import clock
from chassis.sealing import Seal
from chassis.settings import SERVICES
from chassis.testing import SEAL_KEY
from pratique.events import evaluation
from pratique.events.membership import Role
from pratique.events.notifications import Template
from services.evaluation import questions
from services.evaluation.models import surveys, tokens
from tests.faults.model.cast import ENOUGH, Meeting, Survey
from tests.faults.model.mailbox import Mailbox
from tests.faults.model.reference import ReferenceModel
from tests.harness.faulty import FaultyNetwork

TRIES = 10  #: after so many attempts the sender gives a message up
SEAL = Seal.of(SEAL_KEY)
ASKING = (evaluation.SurveyInvitationsIssued, evaluation.SurveyReminderDue, evaluation.InvitationRevoked)
ASKS = (Template.SURVEY_INVITATION.value, Template.SURVEY_REMINDER.value)
ASKED = [each for each in questions.SETS[questions.CURRENT] if not each.permits]


@dataclass
class Linkage:
    """How often the n-th marker and the n-th answer in a survey's tables are one person's; by chance it is once."""

    surveys: int = 0
    together: int = 0
    seen: dict[UUID, int] = field(default_factory=dict)

    def look(self, network: FaultyNetwork, survey: Survey) -> None:
        """Compare the two tables in the order in which they keep their rows, if an answer came since the last look."""
        n = len(survey.casts)
        if n < 2 or self.seen.get(survey.id) == n:
            return
        self.seen[survey.id] = n
        with network.stores["evaluation"].begin() as session:
            secret = surveys.read_secrets(session, [survey.id])[survey.id]
        of_survey = "where survey_id = ? order by rowid"
        macs = [mac for (mac,) in network.rows("evaluation", f"select mac from marker {of_survey}", survey.id.hex)]
        people = {tokens.marker_of(secret, cast.member): cast for cast in survey.casts.values()}
        marked = [people[mac].words for mac in macs if mac in people]
        said = [words for _, words in sheets_of(network, survey)]
        self.surveys += 1
        self.together += sum(one == other for one, other in zip(marked, said, strict=True))

    def check(self) -> None:
        """More or fewer than chance allows, five standard deviations wide, is no chance."""
        if self.surveys >= 20:
            assert abs(self.together / self.surveys - 1) < 5 / self.surveys**0.5, (
                "markers and answers stand in one order"
            )


def check(
    network: FaultyNetwork,
    reference: ReferenceModel,
    mailbox: Mailbox,
    versions: dict[tuple[str, str], list[tuple[int, str]]],
) -> None:
    """Check everything, when nothing is under way."""
    _check_kernel(network)
    _check_versions(reference, versions)
    _check_sources(network, reference)
    _check_copies(network)
    _check_attendance(network, reference)
    for meeting in reference.meetings.values():
        _check_meeting(network, reference, meeting, mailbox)
        if meeting.survey is not None:
            _check_survey(network, reference, meeting.survey)
            _check_asked(reference, meeting.survey, mailbox)
            _check_reminded(meeting.survey, mailbox)
            _check_news(network, reference, meeting.survey, mailbox)
    _check_messages(network, mailbox)


def _check_kernel(network: FaultyNetwork) -> None:
    for name in SERVICES:
        assert not network.rows(name, "select 1 from outbox"), f"{name} has not sent all"
        assert not network.rows(name, "select type, error from parked"), f"something is parked in {name}"
        assert not network.rows(name, "select 1 from due where state = 'dead'"), f"work of {name} is dead"
        assert not network.is_due(name), f"{name} has left something undone"
        assert not network.broker.queues[name], f"{name} has not taken all"


def _check_versions(reference: ReferenceModel, versions: dict[tuple[str, str], list[tuple[int, str]]]) -> None:
    """Of each subject every version is told, and no event is told twice."""
    for (publisher, subject), told in versions.items():
        assert len(set(told)) == len(told), f"{publisher} told one thing twice of {subject}"
        numbers = [version for version, _ in told]
        assert numbers == sorted(numbers), f"{publisher} told of {subject} in a wrong order"
        missing = set(range(min(numbers), max(numbers))) - set(numbers)
        assert not missing, f"{publisher} skipped versions {missing} of {subject}"
        if publisher in ("membership", "meetings"):
            assert min(numbers) == 1, f"the first of {subject} was not told"


def _check_sources(network: FaultyNetwork, reference: ReferenceModel) -> None:
    """What people said, and nothing else, is on record."""
    people = {(p.id.hex, p.name, p.email, p.locale, p.version) for p in reference.people.values()}
    assert people == set(network.rows("membership", "select member_id, name, email, locale, version from member"))
    communities = {(c.id.hex, c.name, c.kind, c.locale, c.zone, c.version) for c in reference.communities.values()}
    columns = "community_id, name, kind, locale, timezone, version"
    assert communities == set(network.rows("membership", f"select {columns} from community"))
    belonging = {
        (community.id.hex, member.hex, organization.hex if organization else None)
        for community in reference.communities.values()
        for member, organization in community.members.items()
    }
    assert belonging == set(
        network.rows("membership", "select community_id, member_id, organization_id from membership")
    )
    roles = {
        (community.id.hex, member.hex, role.value, lasts)
        for community in reference.communities.values()
        for (member, role), lasts in community.roles.items()
    }
    sql = "select community_id, member_id, role, ended_at is null from role_assignment"
    assert roles == {(*row[:3], bool(row[3])) for row in network.rows("membership", sql)}
    held = {(m.id.hex, m.state, m.place, m.reason, m.version) for m in reference.meetings.values()}
    assert held == set(network.rows("meetings", "select meeting_id, state, place, cancel_reason, version from meeting"))


_COPIES = [
    ("meetings", "community", "membership", "community", "community_id, kind, timezone"),
    ("meetings", "membership", "membership", "membership", "membership_id, member_id, organization_id, version"),
    ("notifications", "contact_card", "membership", "member", "member_id, name, email, locale, timezone, version"),
    ("notifications", "community_card", "membership", "community", "community_id, name"),
    ("notifications", "community_member", "membership", "membership", "membership_id, member_id, community_id"),
    ("notifications", "meeting_card", "meetings", "meeting", "meeting_id, kind, mode, starts_at, ends_at, timezone"),
    ("notifications", "meeting_community", "meetings", "meeting_community", "meeting_id, community_id"),
    ("evaluation", "attendance", "meetings", "attendance", "meeting_id, member_id, state, role"),
]  # fmt: skip


def _check_copies(network: FaultyNetwork) -> None:
    """What services copied of one another is as it is there."""
    for service, copy, owner, table, columns in _COPIES:
        copied = sorted(network.rows(service, f"select {columns} from {copy}"), key=repr)
        owned = sorted(network.rows(owner, f"select {columns} from {table}"), key=repr)
        assert copied == owned, f"{service}'s {copy} is not as {owner} has it"
    told = ", ".join(f"json_extract(described, '$.{name}')" for name in ("themes", "place", "link", "cancel_reason"))
    copied = sorted(network.rows("notifications", f"select meeting_id, {told} from meeting_words"))
    words = "select meeting_id, json(themes), place, link, cancel_reason from meeting"
    assert copied == sorted(network.rows("meetings", words)), "notifications does not know the words of meetings"
    roles = "select assignment_id, role, version, {} from {}"
    copied = sorted(network.rows("notifications", roles.format("is_active", "community_role")))
    assert copied == sorted(network.rows("membership", roles.format("ended_at is null", "role_assignment")))
    ends = set(network.rows("notifications", "select meeting_id, outcome from meeting_end"))
    over = "select meeting_id, state from meeting where state in ('closed', 'cancelled')"
    assert ends == set(network.rows("meetings", over)), "notifications does not know which meetings are over"


def _check_attendance(network: FaultyNetwork, reference: ReferenceModel) -> None:
    marked = {
        (m.id.hex, member.hex, state.value) for m in reference.meetings.values() for member, state in m.roll.items()
    }
    assert marked == set(network.rows("meetings", "select meeting_id, member_id, state from attendance"))
    counts = {(m.id.hex, len(m.heads)) for m in reference.meetings.values()}
    assert counts == set(network.rows("meetings", "select meeting_id, head_count from meeting"))
    said = {(m.id.hex, member.hex, word) for m in reference.meetings.values() for member, word in m.coming.items()}
    assert said == set(network.rows("meetings", "select meeting_id, member_id, partstat from registration"))


def _check_meeting(network: FaultyNetwork, reference: ReferenceModel, meeting: Meeting, mailbox: Mailbox) -> None:
    """One survey where there should be one; each member invited once, and told once if it is cancelled."""
    surveys = network.rows("evaluation", "select id from survey where meeting_id = ?", meeting.id.hex)
    expected = int(meeting.has_survey)
    assert len(surveys) == expected, f"a meeting that is {meeting.state} has {len(surveys)} surveys"
    assert (meeting.survey is not None) == (expected == 1), "a survey opened and nobody was told"
    members = {each for id in meeting.community_ids for each in reference.communities[id].members}
    members |= {each for each in (meeting.facilitator, meeting.note_taker) if each is not None}
    invited = mailbox.got(Template.MEETING_INVITATION, meeting.id)
    called_off = mailbox.got(Template.MEETING_CANCELLED, meeting.id)
    assert invited <= members, "someone is invited to a meeting that is not theirs"
    if clock.now() < meeting.ends_at and meeting.state not in ("closed", "cancelled"):
        missing = members - invited - mailbox.failed(Template.MEETING_INVITATION, meeting.id)
        assert not missing, "a member is not invited to a meeting ahead"
    if meeting.state == "cancelled":
        perhaps = mailbox.uncertain(Template.MEETING_INVITATION, meeting.id)
        assert called_off <= invited | perhaps, "a meeting is called off to someone who was not invited"
        if clock.now() < meeting.ends_at:
            missing = invited - called_off - mailbox.failed(Template.MEETING_CANCELLED, meeting.id)
            assert not missing, "someone who was invited is not told that the meeting is cancelled"
    else:
        assert not called_off, "a meeting is called off that is not cancelled"


def _check_survey(network: FaultyNetwork, reference: ReferenceModel, survey: Survey) -> None:
    """Its answers are those that were kept, and once it is closed nothing says whose, or whom it asked."""
    traces = {
        table: network.rows("evaluation", f"select count(*) from {table} where survey_id = ?", survey.id.hex)[0][0]
        for table in ("sheet", "marker", "survey_key", "kept_answers")
    }
    ((state, code),) = network.rows("evaluation", "select state, room_code from survey where id = ?", survey.id.hex)
    if survey.closed is None:
        assert state == "open"
        kept = Counter((channel, _frozen(words)) for channel, words in sheets_of(network, survey))
        cast = Counter((each.channel, _frozen(each.words)) for each in survey.casts.values())
        assert kept == cast, "answers are lost or doubled"
        expected = {"sheet": len(survey.casts), "marker": len(survey.taken), "survey_key": 1, "kept_answers": 0}
        assert traces == expected, "not as many markers as people took a ballot"
        assert clock.now() < survey.opened.closes_at, "a survey is not closed after seven days"
        is_late = clock.now() >= max(survey.meeting.ends_at, survey.opened.opens_at) + timedelta(hours=24)
        is_asking = survey.meeting.closed_at is not None or survey.asked_early is not None
        assert is_asking or not is_late, "a meeting is not closed for a day, and nobody is asked"
        return
    assert survey.outcome is not None, "a survey closed, and neither are results released nor withheld"
    is_released = isinstance(survey.outcome, evaluation.ResultsReleased)
    assert state == ("released" if is_released else "withheld")
    assert code is None, "a closed survey has its room still"
    count = 0 if is_released or not survey.casts or _is_long_over(survey) else len(ASKED)
    assert traces == {"sheet": 0, "marker": 0, "survey_key": 0, "kept_answers": count}, "a closed survey keeps traces"
    names = ", ".join(f"'{each.type}'" for each in ASKING)
    asking = network.rows(
        "evaluation", f"select 1 from event_log where subject = ? and type in ({names})", str(survey.id)
    )
    assert not asking, "what was published still says whom a closed survey asked"
    assert survey.id in reference.ended, "notifications has not heard that a survey is closed"
    asked = network.rows(
        "notifications", "select 1 from message where template in (?, ?) and survey_id = ?", *ASKS, survey.id.hex
    )
    revoked = network.rows("notifications", "select 1 from revocation where survey_id = ?", survey.id.hex)
    assert not asked + revoked, "notifications knows still whom a closed survey asked"


def _is_long_over(survey: Survey) -> bool:
    return survey.closed is not None and clock.now() >= survey.closed.closed_at + timedelta(days=90)


def sheets_of(network: FaultyNetwork, survey: Survey) -> list[tuple[str, dict[str, Any]]]:
    """By which way each answer came and what it says, in the order in which they are kept; with the network's key."""
    boxes = network.rows("evaluation", "select box from sheet where survey_id = ? order by rowid", survey.id.hex)
    contents = [json.loads(SEAL.open("sheet", box)[16:]) for (box,) in boxes]
    return [(each["channel"], each["answers"]) for each in contents]


def _frozen(words: dict[str, Any]) -> frozenset[tuple[str, str, Any]]:
    return frozenset((key, type(value).__name__, value) for key, value in words.items())


def _check_asked(reference: ReferenceModel, survey: Survey, mailbox: Mailbox) -> None:
    """Each who was there and has not answered has exactly one mail that asks them, and nobody else has one."""
    meeting = survey.meeting
    invited = mailbox.got(Template.SURVEY_INVITATION, survey.id)
    reminded = mailbox.got(Template.SURVEY_REMINDER, survey.id)
    assert invited | reminded <= survey.asked.keys(), "someone is asked of whom evaluation knows nothing"
    if not survey.is_open or meeting.id not in reference.heard.closings:
        return
    assert reference.heard.of(meeting) == meeting.present, "evaluation does not know who was there"
    failed = mailbox.failed(Template.SURVEY_INVITATION, survey.id)
    failed |= mailbox.failed(Template.SURVEY_REMINDER, survey.id)
    missing = meeting.present - set(survey.taken) - survey.given_back - invited - reminded - failed
    assert not missing, "someone was there, has not answered, and no mail asks them"


def _check_reminded(survey: Survey, mailbox: Mailbox) -> None:
    """At most one reminder, two days later, to each who is still missing then."""
    if not survey.is_open or survey.remind_at is None or clock.now() < survey.remind_at:
        return
    assert survey.reminded is not None, "those who are missing are not reminded"
    for member in (survey.reminded or set()) & survey.standing:
        first = mailbox.first_at(Template.SURVEY_INVITATION, survey.id, member)
        if mailbox.first_at(Template.SURVEY_REMINDER, survey.id, member) or (
            member in mailbox.failed(Template.SURVEY_REMINDER, survey.id)
        ):
            continue
        reminded_at = mailbox.dropped_at(Template.SURVEY_REMINDER, survey.id, member)
        is_double = first is not None and reminded_at is not None and reminded_at < first + timedelta(hours=24)
        last = mailbox.last_at(Template.SURVEY_INVITATION, survey.id, member)
        is_replaced = reminded_at is not None and (last is None or last >= reminded_at)  # a late copy reminds as well
        assert is_double or is_replaced, "a reminder that was due did not leave"


def _check_news(network: FaultyNetwork, reference: ReferenceModel, survey: Survey, mailbox: Mailbox) -> None:
    """Released results are told to whoever was there, withheld ones to each facilitator, and to nobody else."""
    meeting = survey.meeting
    communities = [reference.communities[id] for id in meeting.community_ids]
    led = {m for each in communities for m, role in each.roles if role is Role.FACILITATOR} | {meeting.facilitator}
    left_open = mailbox.got(Template.MEETING_LEFT_OPEN, meeting.id)
    assert left_open <= (led if survey.asked_early is not None else set()), "someone is told that a meeting is open"
    outcome = survey.outcome
    if outcome is None:
        return
    if isinstance(outcome, evaluation.ResultsReleased):
        assert outcome.responses_count >= ENOUGH
        template, subject, until = Template.RESULTS_RELEASED, outcome.release_id, outcome.released_at
        told = mailbox.got(template, subject)
        assert told <= meeting.was_welcome, "results are told to someone who was not there"
        if clock.now() < until + timedelta(days=7):
            missing = meeting.heads - told - mailbox.failed(template, subject)
            assert not missing, "someone who was there is not told of results"
    else:
        told = mailbox.got(Template.RESULTS_WITHHELD, survey.id)
        assert told <= led, "withheld results are told to someone who facilitates nothing"
        assert not mailbox.got(Template.RESULTS_RELEASED, survey.id)


def _check_messages(network: FaultyNetwork, mailbox: Mailbox) -> None:
    """Nothing waits, and what failed has failed for a reason that the model knows."""
    assert not network.rows("notifications", "select 1 from message where state in ('queued', 'sending')")
    post = network.post
    for id, error in network.rows("notifications", "select id, last_error from message where state = 'failed'"):
        key = UUID(id)
        is_known = key in post.refused or post.troubles.get(key, 0) >= 2 or post.put_off >= TRIES
        assert is_known or "arrived" in error, f"a message failed without a reason: {error}"
    for (id,) in network.rows("notifications", "select id from message where state = 'sent'"):
        assert mailbox.copies(UUID(id)), "a message is recorded as sent and no server has it"
