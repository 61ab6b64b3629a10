"""What people do: each rule is a command of a service, allowed or refused as the account has it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as some
from hypothesis.stateful import initialize, precondition

from chassis import clock
from pratique.errors import Conflict, Invalid
from pratique.events.meetings import AttendanceState, MeetingKind, Mode, Partstat
from pratique.events.membership import Capacity, CommunityKind, Locale, Role
from pratique.requests.meetings import (
    AttendanceEntry,
    CancelMeeting,
    CloseMeeting,
    PutMeeting,
    RecordAttendance,
    RegisterMember,
    StartMeeting,
    WrapUpMeeting,
)
from pratique.requests.membership import EndRole, PutCommunity, PutMember, PutMembership, PutOrganization, PutRole
from tests.faults.model.answers import Answers
from tests.faults.model.cast import Community, Meeting, Person
from tests.faults.model.steps import WHICH, WHO, one_of, step, those_of
from tests.harness.faulty import MailFate

ZONES = ("America/Toronto", "Europe/Paris", "America/St_Johns")
STATES = tuple(AttendanceState)
MEETINGS_AT_MOST = 6
PEOPLE_AT_MOST = 18


class People(Answers):
    """The rules of those who coordinate and facilitate."""

    @initialize(members=some.integers(6, 12), zone=WHICH, has_arrived=some.sampled_from([True, True, False]))
    def begin(self, members: int, zone: int, has_arrived: bool) -> None:
        """A community that somebody leads."""
        organization = uuid4()
        self.do(PutOrganization, organization_id=organization, name="Maison")
        self.reference.organizations.append(organization)
        self.found(zone, 0)
        self._join(0, members, 1)
        (community,) = self.reference.communities.values()
        self._give_role(community, next(iter(community.members)), Role.FACILITATOR)
        if has_arrived:
            self.network.flow(0)
            self._schedule(zone, 30, 0, False)

    # Membership.

    def found(self, zone: int, kind: int) -> None:
        """A community is founded."""
        kinds = [CommunityKind.OPEN, CommunityKind.COHORT, CommunityKind.INDIVIDUALS]
        said = Community(uuid4(), f"Cercle {zone}", one_of(kinds, kind).value, "fr", one_of(ZONES, zone))
        self._put_community(said, None)
        self.reference.communities[said.id] = said

    def _put_community(self, said: Community, if_version: int | None) -> None:
        self.do(
            PutCommunity,
            community_id=said.id,
            name=said.name,
            purpose="Apprendre.",
            kind=CommunityKind(said.kind),
            locale=Locale(said.locale),
            timezone=said.zone,
            if_version=if_version,
        )

    @precondition(lambda self: len(self.reference.communities) < 3)
    @step(zone=WHICH, kind=WHICH)
    def found_another(self, zone: int, kind: int) -> None:
        """One more community."""
        self.found(zone, kind)

    @step(which=WHICH, zone=WHICH)
    def change_community(self, which: int, zone: int) -> None:
        """It gets another name, and perhaps another zone."""
        said = one_of(list(self.reference.communities.values()), which)
        before = said.version
        said.name, said.zone, said.version = f"Réseau {before}", one_of(ZONES, zone), before + 1
        self._put_community(said, before)

    @precondition(lambda self: len(self.reference.people) < PEOPLE_AT_MOST)
    @step(which=WHICH, members=some.integers(1, 3), language=WHICH)
    def join(self, which: int, members: int, language: int) -> None:
        """New people come."""
        self._join(which, members, language)

    def _join(self, which: int, members: int, language: int) -> None:
        community = one_of(list(self.reference.communities.values()), which)
        for _ in range(members):
            number = len(self.reference.people)
            locale = one_of(("fr", "en"), language)
            said = Person(uuid4(), f"Personne N{number}", f"p{number}+1@example.org", locale)
            self._put_member(said, None)
            self.reference.people[said.id] = said
            self._belong(community, said.id, None, None)

    def _put_member(self, said: Person, if_version: int | None) -> None:
        words: dict[str, Any] = {"name": said.name, "email": said.email, "timezone": ZONES[0]}
        words["locale"] = Locale(said.locale)
        self.do(PutMember, member_id=said.id, if_version=if_version, **words)

    @step(which=WHICH)
    def change_address(self, which: int) -> None:
        """Somebody has a new address."""
        said = one_of(list(self.reference.people.values()), which)
        said.version += 1
        said.email = f"{said.email.partition('+')[0]}+{said.version}@example.org"
        self._put_member(said, said.version - 1)

    @step(which=WHICH, who=WHICH, stands_for=some.booleans())
    def belong(self, which: int, who: int, stands_for: bool) -> None:
        """Somebody belongs to one more community, or in another capacity."""
        community = one_of(list(self.reference.communities.values()), which)
        person = one_of(list(self.reference.people), who)
        may = stands_for and community.kind != CommunityKind.INDIVIDUALS
        version = community.membership_versions.get(person)
        self._belong(community, person, self.reference.organizations[0] if may else None, version)

    def _belong(self, community: Community, person: UUID, organization: UUID | None, if_version: int | None) -> None:
        saved = self.do(
            PutMembership,
            community_id=community.id,
            member_id=person,
            capacity=Capacity.REPRESENTATIVE if organization else Capacity.INDIVIDUAL,
            organization_id=organization,
            if_version=if_version,
        )
        community.members[person] = organization
        community.membership_ids[person] = saved.row.membership_id
        community.membership_versions[person] = saved.row.version

    @step(which=WHICH, who=WHICH, role=WHICH)
    def give_role(self, which: int, who: int, role: int) -> None:
        """Somebody is trusted with something, or would be with the whole network, which no community can."""
        community = one_of(list(self.reference.communities.values()), which)
        if community.members:
            self._give_role(community, one_of(list(community.members), who), one_of(list(Role), role))

    def _give_role(self, community: Community, person: UUID, role: Role) -> None:
        may = role is not Role.NETWORK_ADMIN
        if self.do(PutRole, may, Invalid, community_id=community.id, member_id=person, role=role):
            community.roles[person, role] = True

    @step(which=WHICH, who=WHICH)
    def end_role(self, which: int, who: int) -> None:
        """Somebody's role ends, once more perhaps."""
        community = one_of(list(self.reference.communities.values()), which)
        if community.roles:
            person, role = one_of(list(community.roles), who)
            self.do(EndRole, community_id=community.id, member_id=person, role=role)
            community.roles[person, role] = False

    # Meetings.

    @precondition(lambda self: len(self.reference.meetings) < MEETINGS_AT_MOST)
    @step(which=WHICH, hours=some.sampled_from([2, 30, 170]), who=WHICH, are_together=some.booleans())
    def schedule(self, which: int, hours: int, who: int, are_together: bool) -> None:
        """A community will meet, or all together."""
        self._schedule(which, hours, who, are_together)

    def _schedule(self, which: int, hours: int, who: int, are_together: bool) -> Meeting | None:
        """It is planned; None if meetings does not know the community yet."""
        everyone = list(self.reference.communities.values())
        communities = everyone if are_together else [one_of(everyone, which)]
        people = list(self.reference.people)
        lead = people[0] if who < 48 else one_of(people, who)
        notes = one_of(people, who // 2) if who % 2 else None
        starts_at = clock.now() + timedelta(hours=hours)
        said = Meeting(
            uuid4(),
            tuple(each.id for each in communities),
            lead,
            notes if notes != lead else None,
            starts_at,
            starts_at + timedelta(hours=1),
            one_of(ZONES, which),
        )
        may = all(self.reference.knows("meetings", each.id) for each in communities)
        if not self._put_meeting(said, None, may, Invalid):
            return None
        self.reference.meetings[said.id] = said
        return said

    def _put_meeting(self, said: Meeting, if_version: int | None, may: bool, why: Any) -> Any:
        return self.do(
            PutMeeting,
            may,
            why,
            meeting_id=said.id,
            community_ids=said.community_ids,
            kind=MeetingKind.MEETING,
            mode=Mode.ONLINE,
            starts_at=said.starts_at,
            ends_at=said.ends_at,
            timezone=said.zone,
            place=said.place,
            capacity=said.capacity,
            facilitator_id=said.facilitator,
            note_taker_id=said.note_taker,
            if_version=if_version,
        )

    @precondition(lambda self: self.reference.meetings)
    @step(which=WHICH, is_told=some.booleans())
    def change_meeting(self, which: int, is_told: bool) -> None:
        """Its place changes, or the number of its seats, of which no mail tells."""
        meeting = one_of(list(self.reference.meetings.values()), which)
        before, may = (meeting.place, meeting.capacity), meeting.state == "scheduled"
        if is_told:
            meeting.place = f"Salle {meeting.version}"
        else:
            meeting.capacity = meeting.version + 10
        if self._put_meeting(meeting, meeting.version, may, Conflict):
            meeting.version += 1
        else:
            meeting.place, meeting.capacity = before

    @precondition(lambda self: self.reference.meetings)
    @step(which=WHICH, is_leaving=some.booleans())
    def cancel(self, which: int, is_leaving: bool) -> None:
        """It will not be held; seldom, or no meeting would be. A sender may just have ended with its invitations."""
        meeting = one_of(list(self.reference.meetings.values()), which)
        if which % 3:
            return
        if is_leaving:
            self.network.flow(0)
            self.network.send_mails([MailFate.SENDER_DIES_BEFORE])
        may = meeting.state in ("scheduled", "cancelled")
        reason = f"Grippe {meeting.version}"
        is_done = self.do(CancelMeeting, may, meeting_id=meeting.id, reason=reason)
        if is_done and meeting.state == "scheduled":
            meeting.state, meeting.reason, meeting.version = "cancelled", reason, meeting.version + 1

    @precondition(lambda self: self.reference.meetings)
    @step(which=WHICH, who=WHICH, word=some.sampled_from(list(Partstat)))
    def register(self, which: int, who: int, word: Partstat) -> None:
        """Somebody says whether they come, which says nothing of whether they came."""
        meeting = one_of(list(self.reference.meetings.values()), which)
        person = one_of(list(self.reference.people), who)
        is_same = meeting.coming.get(person) == word
        belongs = person in meeting.coming or self._belongs(meeting, person)
        belongs = belongs or person in (meeting.facilitator, meeting.note_taker)
        may = belongs and (is_same or meeting.state not in ("closed", "cancelled"))
        told = {"meeting_id": meeting.id, "member_id": person, "partstat": word}
        if self.do(RegisterMember, may, (Conflict, Invalid), **told) and not is_same:
            meeting.coming[person] = word.value
            meeting.version += 1

    def _belongs(self, meeting: Meeting, person: UUID) -> bool:
        """Whether meetings knows by now that they belong to one of its communities."""
        ids = [self.reference.communities[id].membership_ids.get(person) for id in meeting.community_ids]
        return any(self.reference.knows("meetings", id) for id in ids if id)

    @precondition(lambda self: any(not each.is_over for each in self.reference.meetings.values()))
    @step(which=WHICH, who=WHO, stages=some.sampled_from([4, 1, 2, 3, 4]), answering=WHO)
    def go_on(self, which: int, who: int, stages: int, answering: int) -> None:
        """What comes next in the life of a meeting; people may answer in the room as soon as its survey is open."""
        meeting = one_of([each for each in self.reference.meetings.values() if not each.is_over], which)
        for _ in range(stages):
            self._advance(meeting, which, who)
            if stages > 2 and meeting.state == "wrap_up" and which % 2:
                self.network.flow(who)
                if meeting.survey:
                    self._answer_in_room(meeting.survey, answering)

    def _advance(self, meeting: Meeting, which: int, who: int) -> None:
        """It starts, people are marked, it wraps up, it closes."""
        if meeting.state == "scheduled":
            self._start(meeting)
        elif not meeting.roll:
            self._mark(meeting, dict.fromkeys(those_of(self._welcome(meeting), who), AttendanceState.ATTENDED))
        elif meeting.state == "in_progress" and which % 4:
            self._wrap_up(meeting)
        else:
            self._close(meeting)

    @precondition(lambda self: self.reference.meetings)
    @step(which=WHICH, what=WHICH)
    def say_out_of_turn(self, which: int, what: int) -> None:
        """Any command at any time: twice, too early, too late."""
        meeting = one_of(list(self.reference.meetings.values()), which)
        one_of([self._start, self._wrap_up, self._close], what)(meeting)

    def _start(self, meeting: Meeting) -> None:
        may = meeting.state != "cancelled"
        if self.do(StartMeeting, may, meeting_id=meeting.id) and meeting.state == "scheduled":
            meeting.state, meeting.version = "in_progress", meeting.version + 1

    def _wrap_up(self, meeting: Meeting) -> None:
        may = meeting.state in ("in_progress", "wrap_up") or meeting.wrap_up_at is not None
        at = clock.now()
        if self.do(WrapUpMeeting, may, meeting_id=meeting.id) and meeting.wrap_up_at is None:
            meeting.state, meeting.wrap_up_at, meeting.version = "wrap_up", at, meeting.version + 1

    def _close(self, meeting: Meeting) -> None:
        at = clock.now()
        if not self.do(CloseMeeting, meeting.has_begun, meeting_id=meeting.id):
            return
        if meeting.closed_at is None:
            meeting.state, meeting.closed_at, meeting.version = "closed", at, meeting.version + 1

    @precondition(lambda self: self.reference.meetings)
    @step(which=WHICH, who=WHO, state=some.sampled_from(STATES))
    def take_roll(self, which: int, who: int, state: AttendanceState) -> None:
        """People are marked, for the first time or in correction; strangers and the note taker are refused."""
        meeting = one_of(list(self.reference.meetings.values()), which)
        people = list(self.reference.people) if which % 8 == 7 else self._welcome(meeting)
        self._mark(meeting, dict.fromkeys(those_of(people, who)[:4], state))

    def _turn_round(self, meeting: Meeting, person: UUID) -> None:
        """Whoever was there was not, and the other way round."""
        was_there = person in meeting.heads
        self._mark(meeting, {person: AttendanceState.NO_SHOW if was_there else AttendanceState.ATTENDED})

    def _welcome(self, meeting: Meeting) -> list[UUID]:
        """Whom meetings would mark."""
        others = [each for each in self.reference.people if each != meeting.note_taker]
        return [e for e in others if e in meeting.roll or e == meeting.facilitator or self._belongs(meeting, e)]

    def _mark(self, meeting: Meeting, marks: dict[UUID, AttendanceState]) -> None:
        may = meeting.has_begun and marks.keys() <= set(self._welcome(meeting))
        entries = tuple(AttendanceEntry(member_id=each, state=state) for each, state in marks.items())
        told = {"meeting_id": meeting.id, "entries": entries}
        if self.do(RecordAttendance, may, (Conflict, Invalid), **told):
            meeting.mark(marks, self.reference.leading(meeting))
