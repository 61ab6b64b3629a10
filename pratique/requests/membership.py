"""Requests to membership: organizations, communities, people, and who belongs where."""

from typing import Annotated
from uuid import UUID

from marshmallow.validate import Length, Regexp

from pratique.events.membership import Capacity, CommunityKind, EndReason, Locale, Role
from pratique.fields import ABSENT, LINES, Doc
from pratique.permissions import Permission, Rule
from pratique.request import Answer, Body, Command, ListQuery, Query, VersionedCommand
from pratique.requests.fields import AuditQuery, AuditRecord, Timezone, Version
from pratique.requests.roles import CommunitySet, CommunitySetBody, RoleAssignment, RoleBody, RoleHolders

NAME_AT_MOST = 200  #: characters
EMAIL_AT_MOST = 254  #: characters, RFC 5321 with its erratum 1690
_IS_EMAIL = Regexp(r"^[^@\s,;<>]+@[^@\s,;<>]+$", error="Not an e-mail address.")
_EMAIL = "amina.k+cop@example.org"


class OrganizationBody(Body):
    """Record of an organization."""

    name: Annotated[str, Length(1, NAME_AT_MOST), Doc("Name of the organization.", "Centre des aînés de Verdun")]
    region: Annotated[str, Length(0, NAME_AT_MOST), Doc("Where it works.", "Montréal")] = ""
    sector: Annotated[str, Length(0, NAME_AT_MOST), Doc("What it works on.", "Vieillissement")] = ""
    size_band: Annotated[str, Length(0, NAME_AT_MOST), Doc("How large it is, roughly.", "10-49")] = ""


class Organization(Answer, OrganizationBody):
    """An organization that sends people to communities."""

    organization_id: Annotated[UUID, Doc("Id, chosen by whoever recorded it.")]
    version: Version


class PutOrganization(VersionedCommand, OrganizationBody, answer=Organization, needs=Permission.MEMBERSHIP_WRITE):
    """Record an organization, or change it."""

    organization_id: UUID


class GetOrganization(Query, answer=Organization, needs=Permission.COMMUNITIES_READ):
    """Read an organization."""

    organization_id: UUID


class ListOrganizations(ListQuery, answer=Organization, needs=Permission.COMMUNITIES_READ):
    """Read all organizations, by id."""


class CommunityBody(Body):
    """Record of a community."""

    name: Annotated[str, Length(1, NAME_AT_MOST), Doc("Name that its members know it by.", "Proches aidance")]
    purpose: Annotated[str, Length(0, 4000), LINES, Doc("Why it meets.", "Échanger sur nos pratiques.")]
    kind: Annotated[CommunityKind, Doc("Who meets.")]
    locale: Annotated[Locale, Doc("Language that it is written to in.")]
    timezone: Timezone


class Community(Answer, CommunityBody):
    """A community of practice."""

    community_id: Annotated[UUID, Doc("Id, chosen by whoever recorded it.")]
    version: Version


class PutCommunity(VersionedCommand, CommunityBody, answer=Community, needs=Permission.MEMBERSHIP_WRITE):
    """Found a community, or change it."""

    community_id: UUID


class GetCommunity(Query, answer=Community, needs=Permission.COMMUNITIES_READ):
    """Read a community."""

    community_id: UUID


class ListCommunities(ListQuery, answer=Community, needs=Permission.COMMUNITIES_READ):
    """Read all communities, by id."""


class MemberBody(Body):
    """Record of a person."""

    name: Annotated[str, Length(1, NAME_AT_MOST), Doc("Name, as the person writes it.", "Amina Kaboré")]
    email: Annotated[str, Length(3, EMAIL_AT_MOST), _IS_EMAIL, Doc("Address for mail.", _EMAIL)]
    locale: Annotated[Locale, Doc("Language that they are written to in.")]
    timezone: Timezone


class Member(Answer, MemberBody):
    """A person, with their address."""

    member_id: Annotated[UUID, Doc("Id, chosen by whoever recorded it.")]
    version: Version


class PutMember(VersionedCommand, MemberBody, answer=Member, needs=Permission.MEMBERSHIP_WRITE):
    """Record a person, or change what is known of them."""

    member_id: UUID


class GetMember(Query, answer=Member, needs=Permission.MEMBERSHIP_READ):
    """Read a person."""

    member_id: UUID


class MemberQuery(Body):
    """Address of the person to find."""

    email: Annotated[str, Length(3, EMAIL_AT_MOST), _IS_EMAIL, Doc("Their address; case does not count.", _EMAIL)]


class ListMembers(ListQuery, MemberQuery, answer=Member, needs=Permission.MEMBERSHIP_READ):
    """Find the person who has an address."""


class MembershipBody(Body):
    """Capacity in which a person belongs."""

    capacity: Annotated[Capacity, Doc("For an organization, or in their own name.")]
    organization_id: Annotated[UUID | None, Doc("Whom they represent; null for individuals.")] = None


class Membership(Answer, MembershipBody):
    """A person's belonging to a community."""

    membership_id: Annotated[UUID, Doc("Id, as events name it.")]
    community_id: Annotated[UUID, Doc("The community.")]
    member_id: Annotated[UUID, Doc("The person.")]
    version: Version


class PutMembership(VersionedCommand, MembershipBody, answer=Membership, needs=Permission.MEMBERSHIP_WRITE):
    """Let a person belong to a community."""

    community_id: UUID
    member_id: UUID


class ListMemberships(ListQuery, answer=Membership, needs=Permission.MEMBERSHIP_READ):
    """Read who belongs to a community, by the membership's id."""

    community_id: UUID


class AddedPerson(Answer):
    """A person who takes part in a community."""

    member_id: UUID
    is_new: bool  #: False where they belonged to it before


class AddPerson(Command, MemberQuery, answer=AddedPerson, needs=Permission.MEMBERSHIP_WRITE):
    """Let whoever has an address take part in a community; a person and an organization that are new are recorded."""

    community_id: UUID
    member_id: UUID  #: of whoever is recorded now
    name: Annotated[str, Length(0, NAME_AT_MOST)] = ""  #: of whoever is recorded now
    locale: Locale | None = None  #: of whoever is recorded now; by default that of the community
    capacity: Capacity | None = None  #: None: they do not belong to it, and have a role alone
    organization: Annotated[str, Length(0, NAME_AT_MOST)] = ""  #: the name of whom they represent
    role: Role | None = None  #: to be trusted with


class MembershipQuery(Body):
    """Reason for the end of a membership."""

    reason: Annotated[EndReason | None, ABSENT, Doc("Why; left, if nothing is said.")] = None


class EndMembership(Command, MembershipQuery, needs=Permission.MEMBERSHIP_WRITE):
    """End a person's belonging to a community. What they attended stays, and they may join again."""

    community_id: UUID
    member_id: UUID


class PutCommunitySet(VersionedCommand, CommunitySetBody, answer=CommunitySet, needs=Permission.ROLES_WRITE):
    """Record a set of communities, or change it; roles over it are over what it gains, and no longer what it loses."""

    set_id: UUID


class GetCommunitySet(Query, answer=CommunitySet, needs=Permission.COMMUNITIES_READ):
    """Read a set of communities."""

    set_id: UUID


class ListCommunitySets(ListQuery, answer=CommunitySet, needs=Permission.COMMUNITIES_READ):
    """Read all sets of communities, by id."""


class FoundInSet(VersionedCommand, CommunityBody, answer=Community, needs=Permission.MEMBERSHIP_WRITE):
    """Found a community within a set, which has it from then on; or change one that was founded so."""

    set_id: UUID
    community_id: UUID


class PutRole(Command, RoleBody, answer=RoleAssignment, needs=Permission.ROLES_WRITE):
    """Trust a person with a role in a community."""

    community_id: UUID
    member_id: UUID
    role: Role


class EndRole(Command, needs=Permission.ROLES_WRITE):
    """End a person's role in a community."""

    community_id: UUID
    member_id: UUID
    role: Role


class PutSetRole(Command, RoleBody, answer=RoleAssignment, needs=Permission.ROLES_WRITE):
    """Trust a person with a role over a set of communities."""

    set_id: UUID
    member_id: UUID
    role: Role


class EndSetRole(Command, needs=Permission.ROLES_WRITE):
    """End a person's role over a set of communities."""

    set_id: UUID
    member_id: UUID
    role: Role


class PutNetworkRole(Command, RoleBody, answer=RoleAssignment, needs=Permission.ROLES_WRITE):
    """Trust a person with a role over the whole network."""

    member_id: UUID
    role: Role


class EndNetworkRole(Command, needs=Permission.ROLES_WRITE):
    """End a person's role over the whole network."""

    member_id: UUID
    role: Role


class ListSetRoles(ListQuery, answer=RoleAssignment, needs=Permission.MEMBERSHIP_READ):
    """Read who is trusted with what over a set of communities, or was, by the assignment's id."""

    set_id: UUID


class ListNetworkRoles(ListQuery, answer=RoleAssignment, needs=Permission.MEMBERSHIP_READ):
    """Read who is trusted with what over the whole network, or was, by the assignment's id."""


class GetRoleHolders(Query, answer=RoleHolders, needs=Permission.MEMBERSHIP_READ):
    """Read who has, or is to have, a role over a set of communities or over the network."""

    set_id: UUID | None = None  #: None: over the network


class TrustPerson(Command, MemberQuery, RoleBody, answer=RoleAssignment, needs=Permission.MEMBERSHIP_WRITE):
    """Trust whoever has an address with a role over a set or over the network; a person who is new is recorded."""

    set_id: UUID | None = None  #: None: over the network
    member_id: UUID  #: of whoever is recorded now
    name: Annotated[str, Length(0, NAME_AT_MOST)] = ""  #: of whoever is recorded now
    locale: Locale  #: of whoever is recorded now
    timezone: Timezone
    role: Role


class ListRoles(ListQuery, answer=RoleAssignment, needs=Permission.MEMBERSHIP_READ):
    """Read who is trusted with what in a community, or was, by the assignment's id."""

    community_id: UUID


class RoleHeld(Answer):
    """A role that is in force now, and where."""

    role: Annotated[Role, Doc("What with.")]
    community_ids: Annotated[
        tuple[Annotated[UUID, Doc("A community.")], ...] | None,
        Length(0),
        Doc("Over which communities; null for the whole network."),
    ]
    set_ids: Annotated[
        tuple[Annotated[UUID, Doc("A set of communities.")], ...],
        Length(0),
        Doc("Over which sets as a whole, with what they are yet to gain."),
    ] = ()


class Authority(Answer):
    """A person, as far as it matters for what they may do."""

    member_id: Annotated[UUID, Doc("The person.")]
    name: Annotated[str, Doc("Their name, as they write it.", "Amina Kaboré")]
    locale: Annotated[Locale, Doc("The language to speak to them in.")]
    timezone: Timezone
    roles: Annotated[tuple[RoleHeld, ...], Length(0), Doc("Their roles now in force.")]
    community_ids: Annotated[
        tuple[Annotated[UUID, Doc("A community.")], ...], Length(0), Doc("The communities that they belong to.")
    ]


class GetAuthority(Query, answer=Authority, needs=Rule.NETWORK):
    """Read what a person may do now: their roles, and where they belong."""

    member_id: UUID


class Attending(Answer):
    """A person in the room, by first name and initial."""

    member_id: Annotated[UUID, Doc("The person.")]
    label: Annotated[str, Doc("First name and initial.", "Amina K.")]


class ListLabels(Query, answer=Attending, needs=Rule.ANYONE):
    """Read how each of these people is named in a room, told apart and sorted as French sorts."""

    member_ids: Annotated[tuple[UUID, ...], Length(0, 5000)]


class RosterEntry(Answer):
    """A person on the roster of a community."""

    member_id: Annotated[UUID, Doc("The person.")]
    name: Annotated[str, Doc("Their name.", "Amina Kaboré")]
    email: Annotated[str, Doc("Address for mail.", _EMAIL)]
    community_id: Annotated[UUID, Doc("The community.")]
    capacity: Annotated[Capacity | None, Doc("For an organization, or in their own name; null for staff.")]
    organization_id: Annotated[UUID | None, Doc("Whom they represent; null for individuals and staff.")]
    organization: Annotated[str, Doc("Its name; empty where there is none.", "Centre des aînés de Verdun")]
    roles: Annotated[tuple[Annotated[Role, Doc("A role.")], ...], Length(0), Doc("Roles here, while they have them.")]


class ListRoster(ListQuery, answer=RosterEntry, needs=Permission.MEMBERSHIP_READ):
    """Read who belongs to these communities or has a role there, sorted by name as French sorts."""

    community_ids: Annotated[tuple[Annotated[UUID, Doc("A community.")], ...], Length(1, 50)]
    search: Annotated[str, Length(0, NAME_AT_MOST)] = ""  #: letters of a name or an organization; accents do not count


class PersonInCommunity(RosterEntry):
    """A person on the roster of a community, with each role that they have or are to have there."""

    assignments: Annotated[
        tuple[RoleAssignment, ...],
        Length(0),
        Doc(
            "Roles that have not ended, over it or a set with it in it; those over the network for whoever reads that."
        ),
    ]
    sets: Annotated[tuple[CommunitySet, ...], Length(0), Doc("The sets of these roles that whoever asks may read.")]


class GetPersonInCommunity(Query, answer=PersonInCommunity, needs=Permission.MEMBERSHIP_READ):
    """Read one person of a community, and what they are trusted with there."""

    community_id: UUID
    member_id: UUID


class MembershipAudit(Answer):
    """Records of membership, and the names of people who stand in these or in others' records."""

    records: Annotated[tuple[AuditRecord, ...], Length(0)]
    labels: Annotated[tuple[Attending, ...], Length(0)]


class ListMembershipAudit(AuditQuery, answer=MembershipAudit, needs=Permission.AUDIT_READ):
    """Read who did what in membership, between two instants, the newest first; and what people are called."""

    names_of: Annotated[tuple[UUID, ...], Length(0, 5000)] = ()  #: besides those who acted in what is told
