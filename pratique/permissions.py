"""Permissions: what may be asked for, what each role gives, and over which communities.

One table for people and for tokens. A request names the permission that it needs (``pratique.request``), and the
service that has the rows checks it against the grants of whoever asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from uuid import UUID

from pratique.events.membership import Role


class Permission(StrEnum):
    """A kind of act, over the communities of a grant. The values are the scopes of tokens too."""

    COMMUNITIES_READ = "communities:read"
    MEMBERSHIP_READ = "membership:read"
    MEMBERSHIP_WRITE = "membership:write"
    ROLES_WRITE = "roles:write"
    AGENDA_READ = "agenda:read"
    MEETINGS_READ = "meetings:read"
    MEETINGS_WRITE = "meetings:write"
    SURVEYS_READ = "surveys:read"
    SURVEYS_FACILITATE = "surveys:facilitate"
    MESSAGES_READ = "messages:read"
    AUDIT_READ = "audit:read"
    TOKENS_WRITE = "tokens:write"
    METRICS_READ = "metrics:read"


class Rule(Enum):
    """A rule in the place of a permission, for what no role gives."""

    ANYONE = "anyone"  #: whoever reaches it: a secret in the request is what lets them in, or it tells nothing
    NETWORK = "network"  #: the network itself: its services, its gateway on its own behalf, its operator


#: What each permission lets its holder do, in a sentence.
SENTENCES: Mapping[Permission, str] = {
    Permission.COMMUNITIES_READ: "Read communities and organizations, and no person.",
    Permission.MEMBERSHIP_READ: "Read communities, and members with their names and addresses.",
    Permission.MEMBERSHIP_WRITE: "Record organizations, communities, members and memberships.",
    Permission.ROLES_WRITE: "Give and end roles that give no more than one has oneself; name sets of communities.",
    Permission.AGENDA_READ: "Read when, where and about what communities meet, and no person.",
    Permission.MEETINGS_READ: "Read meetings and who attended them.",
    Permission.MEETINGS_WRITE: "Schedule and run meetings, take attendance.",
    Permission.SURVEYS_READ: "Read the state of surveys, and results once they are released.",
    Permission.SURVEYS_FACILITATE: "See the code by which a room answers its survey.",
    Permission.MESSAGES_READ: "Read which messages a member was sent.",
    Permission.AUDIT_READ: "Read who changed what.",
    Permission.TOKENS_WRITE: "Make and revoke tokens.",
    Permission.METRICS_READ: "Read the gateway's own metrics.",
}
EVERYTHING = frozenset(Permission)
#: What is part of what: whoever has the one has the others too.
_CONTAINED: Mapping[Permission, frozenset[Permission]] = {
    Permission.MEMBERSHIP_READ: frozenset({Permission.COMMUNITIES_READ}),
    Permission.MEETINGS_READ: frozenset({Permission.AGENDA_READ}),
}

#: What belonging to a community gives, without any role, over that community.
MEMBER_PERMISSIONS = frozenset({Permission.COMMUNITIES_READ, Permission.AGENDA_READ})
_RUN_MEETINGS = frozenset(
    {
        Permission.COMMUNITIES_READ,
        Permission.MEMBERSHIP_READ,
        Permission.AGENDA_READ,
        Permission.MEETINGS_READ,
        Permission.MEETINGS_WRITE,
        Permission.SURVEYS_READ,
        Permission.SURVEYS_FACILITATE,
    }
)
#: What each role gives, over the communities of its scope.
ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.NETWORK_ADMIN: EVERYTHING,
    Role.COORDINATOR: _RUN_MEETINGS | {Permission.MEMBERSHIP_WRITE, Permission.ROLES_WRITE, Permission.MESSAGES_READ},
    Role.FACILITATOR: _RUN_MEETINGS,
    Role.NOTE_TAKER: _RUN_MEETINGS,
    Role.EVALUATOR: MEMBER_PERMISSIONS | {Permission.SURVEYS_READ},
    Role.RESOURCE_PERSON: MEMBER_PERMISSIONS,
    Role.ORG_CONTACT: MEMBER_PERMISSIONS,
}


def completed(permissions: Iterable[Permission]) -> frozenset[Permission]:
    """Return these permissions and those that are part of them."""
    given = frozenset(permissions)
    return given.union(*(_CONTAINED.get(each, frozenset()) for each in given))


@dataclass(frozen=True)
class Grant:
    """Permissions over some communities, or over the whole network."""

    permissions: frozenset[Permission]
    community_ids: frozenset[UUID] | None = None  #: None: the whole network, and what belongs to no community
    set_ids: frozenset[UUID] = frozenset()  #: sets of communities that it is over as a whole, one without any too

    @classmethod
    def of_role(cls, role: str, community_ids: Iterable[UUID] | None = None, set_ids: Iterable[UUID] = ()) -> "Grant":
        """Return what a role gives; nothing for one that this version does not know."""
        known = role in tuple(Role)
        permissions = ROLE_PERMISSIONS[Role(role)] if known else frozenset()
        return cls(permissions, None if community_ids is None else frozenset(community_ids), frozenset(set_ids))
