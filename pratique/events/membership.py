"""Events of membership: people, organisations, communities, and who belongs where."""

from enum import StrEnum
from uuid import UUID

from pratique.event import Event


class Locale(StrEnum):
    """The languages in which Pratique speaks."""

    FR = "fr"
    EN = "en"


class CommunityKind(StrEnum):
    """Who meets: anyone eligible, a cohort chosen for a fixed programme, or people in their own name."""

    OPEN = "open"
    COHORT = "cohort"
    INDIVIDUALS = "individuals"


class Capacity(StrEnum):
    """In whose name a member takes part: the organisation's, or their own."""

    REPRESENTATIVE = "representative"
    INDIVIDUAL = "individual"


class Role(StrEnum):
    """What a person is trusted with. ``pratique.permissions`` says what each role gives."""

    COORDINATOR = "coordinator"
    FACILITATOR = "facilitator"
    RESOURCE_PERSON = "resource_person"
    NETWORK_ADMIN = "network_admin"
    NOTE_TAKER = "note_taker"
    EVALUATOR = "evaluator"
    ORG_CONTACT = "org_contact"


class EndReason(StrEnum):
    """Why a membership ended, as far as anybody has to know."""

    LEFT = "left"
    REMOVED = "removed"
    OTHER = "other"


class CommunityFounded(Event, subject="community_id"):
    """Published when a community is first recorded. Meetings learns where it may meet."""

    community_id: UUID
    kind: CommunityKind
    locale: Locale
    timezone: str  # IANA name


class CommunityChanged(Event, subject="community_id"):
    """Published when a community's kind, language or zone changed. Meetings takes the newer."""

    community_id: UUID
    kind: CommunityKind
    locale: Locale
    timezone: str  # IANA name


class CommunityDescribed(Event, subject="community_id", private=True):
    """Published with the words of a community whenever they change. Notifications writes them into mails."""

    community_id: UUID
    name: str
    purpose: str
    locale: Locale
    timezone: str  # IANA name


class MemberRegistered(Event, subject="member_id"):
    """Published when a person is first recorded. Integrators learn that there is one more, not who."""

    member_id: UUID
    locale: Locale
    timezone: str  # IANA name


class MemberContactChanged(Event, subject="member_id", private=True):
    """Published with a person's contact card, first and whenever it changes.

    Notifications keeps its copy, and tells the former address where it is another.
    """

    member_id: UUID
    name: str
    email: str
    former_email: str | None  # which this one replaces; None where it is as it was, or the first
    locale: Locale
    timezone: str  # IANA name


class MembershipActivated(Event, subject="membership_id"):
    """Published when a person begins to belong to a community, or belongs in another capacity.

    Meetings lets them be marked as attending; notifications invites them to what is scheduled.
    """

    membership_id: UUID
    community_id: UUID
    member_id: UUID
    capacity: Capacity
    organization_id: UUID | None  # whom they represent; None for individuals


class MembershipEnded(Event, subject="membership_id"):
    """Published when a person belongs to a community no longer. What they attended stays.

    Meetings lets them be marked no more; notifications invites them no more.
    """

    membership_id: UUID
    community_id: UUID
    member_id: UUID
    reason: EndReason


class RoleAssigned(Event, subject="assignment_id"):
    """Published when a role of a person in a community begins. Meetings marks facilitators as such.

    A role over several communities, or over the network, is told for each of them, with an id of its own in each.

    Notifications sends results to facilitators.
    """

    assignment_id: UUID
    community_id: UUID
    member_id: UUID
    role: Role


class RoleEnded(Event, subject="assignment_id"):
    """Published when a role of a person in a community ends, or is over it no longer.

    Notifications and meetings stop what the role brought.
    """

    assignment_id: UUID
    community_id: UUID
    member_id: UUID
    role: Role
