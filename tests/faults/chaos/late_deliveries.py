"""What comes a week late: after a seed was judged, the clock goes on until surveys are closed, and then it comes."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.testing import heard
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.events.meetings import MeetingClosed
from pratique.events.membership import MemberContactChanged
from pratique.events.notifications import Template
from services.notifications.models import message_id
from tests.faults.chaos import oracle
from tests.faults.chaos.driver import Api, address_of, hold_and_close
from tests.faults.chaos.postbox import taken
from tests.faults.chaos.postman import hand_over, held_back
from tests.faults.chaos.quiescence import NotQuiescent, settle
from tests.faults.chaos.record import Meeting, fresh_id, start_of
from tests.faults.chaos.system import System
from tests.harness.client import NotAcknowledged
from tests.harness.people import Community

UNHEARD = 3  #: meetings of whose closing evaluation hears late
UNASKED = 2  #: meetings whose invitations come late
OF_THE_RUN = 30  #: meetings of the run that go on with their week; a thousand would take minutes
MEMBERS = 4
#: With the first come reminders; with the second those are asked whose meeting is still not closed, and with the third
#: they are reminded; with the last all surveys are closed.
STEPS = (timedelta(hours=60), timedelta(hours=12), timedelta(hours=60), timedelta(days=3))
HELD_FOR = timedelta(hours=49)  #: after that links go to an address that was changed
Key = tuple[str, str]  #: Message-ID and address


@dataclass
class Late:
    """What is kept back, and for whom it then comes too late."""

    circle: Community
    held: list[tuple[str, bytes]] = field(default_factory=list)  #: (service, event) in the order of publishing
    unheard: list[Meeting] = field(default_factory=list)  #: of whose closing evaluation does not hear
    unasked: list[Meeting] = field(default_factory=list)  #: of whose invitations notifications does not hear
    newest: dict[str, str] = field(default_factory=dict)  #: member -> their address in the end
    known: dict[str, str] = field(default_factory=dict)  #: member -> their address as notifications knows it meanwhile
    moves: list[tuple[str, int, str]] = field(default_factory=list)  #: (member, version after it, their former address)


def run_week(system: System, api: Api, seed: int) -> list[str]:
    """Run through the week, and return every sentence that is not true then."""
    chance = random.Random(seed + 10**6)
    before, mails_before = _some_of_the_run(system, chance), len(taken(system.mails))
    try:
        late = _keep_back(system, api, chance)
        for step in STEPS:
            system.move_clock(step)
            settle(system)
        unknown = list(_too_early(system, late))
        for service, body in reversed(late.held):
            hand_over(system, service, [body])
        system.held.clear()
        settle(system)
        system.move_clock(HELD_FOR)
        settle(system)
        afterwards = _hold(system, api, late.circle, chance)
        settle(system)
    except (TimeoutError, NotQuiescent, NotAcknowledged) as error:
        return [f"a week later: {str(error)[-1500:]}"]
    arrived = Counter((mail.id, mail.to) for mail in taken(system.mails)[mails_before:])
    failures = [*unknown, *_surveys(system, before, late), *_mails(system, arrived, before, late, afterwards)]
    for check in oracle.CHECKS:
        failures += check(system)
    system.remarks.append(f"{len(late.held)} events came a week late; {arrived.total()} mails in that week")
    return [f"a week later: {words}" for words in failures]


def _some_of_the_run(system: System, chance: random.Random) -> list[Meeting]:
    """Meetings that go on; the surveys of all others are neither reminded of nor closed for another year."""
    closed = system.record.acknowledged
    chosen = chance.sample(closed, min(OF_THE_RUN, len(closed)))
    others = "select id from survey where meeting_id::text <> all(:ids)"
    put_off = f"update due set due_at = due_at + interval '1 year' where state = 'waiting' and subject in ({others})"
    with system.stores["evaluation"].begin() as session:
        session.execute(text(put_off), {"ids": [meeting.id for meeting in chosen]})
    return chosen


def _keep_back(system: System, api: Api, chance: random.Random) -> Late:
    """Hold meetings and change addresses, and let some services not hear of it."""
    late = Late(system.driver.found(1, MEMBERS, chance.getrandbits(32))[0])
    settle(system)
    late.known = {id: address_of(id) for id in late.circle.member_ids}
    with held_back(system, MeetingClosed, "evaluation", UNHEARD) as held:
        late.unheard = [
            _hold(system, api, late.circle, chance, is_in_room=number % 2 == 0) for number in range(UNHEARD)
        ]
    _keep(system, late, "evaluation", held)
    with held_back(system, SurveyInvitationsIssued, "notifications", UNASKED) as held:
        late.unasked = [_hold(system, api, late.circle, chance, present=1) for _ in range(UNASKED)]
    _keep(system, late, "notifications", held)
    moved, moved_twice = late.circle.member_ids[:2]
    with held_back(system, MemberContactChanged, "notifications", 2) as held:
        _move(api, late, moved, 1)
        _move(api, late, moved_twice, 1)
    _keep(system, late, "notifications", held)
    _move(api, late, moved_twice, 2)
    late.known[moved_twice] = late.newest[moved_twice]
    settle(system)
    return late


def _keep(system: System, late: Late, service: str, held: list[bytes]) -> None:
    late.held += [(service, body) for body in held]
    system.held |= {heard(body).id for body in held}


def _hold(
    system: System, api: Api, circle: Community, chance: random.Random, present: int = 3, is_in_room: bool = False
) -> Meeting:
    """A meeting at which the first of the members are; one answers in the room, if its survey opens there."""
    there, absent = circle.member_ids[:present], circle.member_ids[present:]
    meeting = Meeting(
        id=fresh_id(chance),
        circle=circle,
        states=dict.fromkeys(there, "attended") | dict.fromkeys(absent, "no_show"),
        facilitator_id=None,
        is_ahead=is_in_room,
        starts_at=start_of(datetime.now(UTC) + system.off, is_in_room),
        answers_in_room=there[0] if is_in_room else None,
        corrected=None,
    )
    api.record.meetings[meeting.id] = meeting
    hold_and_close(api, meeting)
    return meeting


def _move(api: Api, late: Late, member_id: str, version: int) -> None:
    """This member has a new address; ``version`` is that of the one before."""
    late.moves.append((member_id, version + 1, late.newest.get(member_id, address_of(member_id))))
    late.newest[member_id] = f"neu{version}.{address_of(member_id)}"
    if_version = {"If-Match": f'"{version}"'}
    api.put_member(member_id, "Personne qui déménage", email=late.newest[member_id], headers=if_version)


def _too_early(system: System, late: Late) -> Iterator[str]:
    """What must not be known before it came."""
    known = dict[str, str](_rows(system, "notifications", "select member_id, email from contact_card"))
    yield from [f"{id} has the address {known[id]}" for id, email in late.known.items() if known[id] != email]
    with_survey = {meeting_id for meeting_id, _ in _rows(system, "evaluation", "select meeting_id, state from survey")}
    for meeting in late.unheard:
        if (meeting.id in with_survey) != (meeting.answers_in_room is not None):
            yield f"meeting {meeting.id} has a survey, or has none, though nobody told evaluation that it was closed"


def _surveys(system: System, before: list[Meeting], late: Late) -> Iterator[str]:
    """Each has closed once and was withheld once, for the right reason; the log has forgotten whom it asked."""
    query = "select s.meeting_id, s.state, e.type, convert_from(e.body, 'utf8')::json #>> '{data,reason}'"
    told: dict[str, Counter[str]] = {}
    states = {}
    for meeting_id, state, type_name, reason in _rows(
        system, "evaluation", f"{query} from survey s join event_log e on e.subject = s.id::text"
    ):
        name = type_name.split(".")[-2]
        told.setdefault(meeting_id, Counter())[f"{name} {reason}" if name == "ResultsWithheld" else name] += 1
        states[meeting_id] = state
    for meeting in [*before, *late.unheard, *late.unasked]:
        reason = "below_k" if meeting.eligible | {meeting.answers_in_room} - {None} else "no_attendance"
        expected = {"SurveyOpened": 1, "SurveyClosed": 1, f"ResultsWithheld {reason}": 1}
        expected |= {"SurveyAskedBeforeClosing": int(_is_left_open(meeting, late))}
        expected |= dict.fromkeys(("SurveyInvitationsIssued", "SurveyReminderDue", "InvitationRevoked"), 0)
        found = told.get(meeting.id, Counter())
        wrong = {name: found[name] for name, n in expected.items() if found[name] != n}
        outcomes = sum(n for name, n in found.items() if name.startswith("Results"))
        if wrong or outcomes != 1 or states.get(meeting.id) != "withheld":
            yield f"the survey of {meeting.id} is {states.get(meeting.id)}, expected {expected}, told {dict(found)}"


def _is_left_open(meeting: Meeting, late: Late) -> bool:
    """Whether evaluation has to believe, for a week, that nobody has closed it."""
    return meeting in late.unheard and meeting.answers_in_room is not None


def _mails(
    system: System, arrived: Counter[Key], before: list[Meeting], late: Late, afterwards: Meeting
) -> Iterator[str]:
    """A reminder for whoever had not answered, one mail to whoever was asked afterwards, and what news there is."""
    surveys = dict[str, str](_rows(system, "evaluation", "select meeting_id, id from survey"))
    newest = late.known | late.newest
    expected = Counter[Key]()

    def expect(template: Template, meeting: Meeting, address: Callable[[str], str]) -> None:
        for member_id in meeting.eligible:
            id = message_id(oracle.SEAL, template, UUID(surveys[meeting.id]), UUID(member_id))
            expected[str(id), address(member_id)] += 1

    for meeting in before:
        expect(Template.SURVEY_REMINDER, meeting, address_of)
        if meeting.facilitator_id:
            _expect(expected, Template.RESULTS_WITHHELD, surveys[meeting.id], meeting.facilitator_id)
    for meeting in late.unheard:
        if _is_left_open(meeting, late):
            expect(Template.SURVEY_INVITATION, meeting, late.known.__getitem__)
            expect(Template.SURVEY_REMINDER, meeting, late.known.__getitem__)
    for member_id, number, former in late.moves:
        id = message_id(oracle.SEAL, Template.ADDRESS_CHANGED, UUID(member_id), UUID(member_id), number)
        expected[str(id), former] += 1
    for meeting in late.unasked:
        expect(Template.SURVEY_REMINDER, meeting, late.known.__getitem__)
    expect(Template.SURVEY_INVITATION, afterwards, newest.__getitem__)
    for meeting in late.unheard:  # those ahead are announced, as far as their invitations left before they were held
        for member_id in late.circle.member_ids if meeting.is_ahead else ():
            invited = message_id(oracle.SEAL, Template.MEETING_INVITATION, UUID(meeting.id), UUID(member_id))
            for key in [key for key in arrived if key[0] == str(invited)]:
                expected[key] = 1
    yield from [f"a mail {id} to {to} that was due did not come" for id, to in (expected - arrived)]
    yield from [f"a mail {id} to {to} came that nobody was to get, or twice" for id, to in (arrived - expected)]


def _expect(expected: Counter[Key], template: Template, subject_id: str, member_id: str) -> None:
    id = message_id(oracle.SEAL, template, UUID(subject_id), UUID(member_id))
    expected[str(id), address_of(member_id)] += 1


def _rows(system: System, store: str, query: str) -> list[Any]:
    with system.stores[store].begin() as session:
        return [tuple(map(str, row)) for row in session.execute(text(query))]
