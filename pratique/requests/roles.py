"""Shapes of sets of communities and of roles, which requests to membership take and answer with."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from marshmallow.validate import Length

from pratique.events.membership import Role
from pratique.fields import Doc
from pratique.request import Answer, Body
from pratique.requests.fields import Version


class CommunitySetBody(Body):
    """A named set of communities."""

    name: Annotated[str, Length(1, 200), Doc("What it is called.", "Région de Montréal")]
    community_ids: Annotated[
        tuple[Annotated[UUID, Doc("A community.")], ...], Length(0, 5000), Doc("The communities in it.")
    ]


class CommunitySet(Answer, CommunitySetBody):
    """A set of communities, over which roles are given."""

    set_id: Annotated[UUID, Doc("Id, chosen by whoever recorded it.")]
    version: Version


class RoleBody(Body):
    """Time of a role."""

    begins_at: Annotated[datetime | None, Doc("When it begins; now, if nothing is said.")] = None
    ends_at: Annotated[
        datetime | None,
        Doc("When it ends by itself; when somebody ends it, if nothing is said.", "2027-03-12T14:00:00+00:00"),
    ] = None


class RoleAssignment(Answer, RoleBody):
    """A role of a person, over a community, a set of them, or the network."""

    assignment_id: Annotated[UUID, Doc("Id, as events name it where the role is over one community.")]
    community_id: Annotated[UUID | None, Doc("Over which community; null if over more than one.")]
    set_id: Annotated[UUID | None, Doc("Over which set of communities; null if over one, or over the network.")]
    member_id: Annotated[UUID, Doc("The person.")]
    role: Annotated[Role, Doc("What with.")]
    assigned_at: Annotated[datetime, Doc("When it was given.")]
    ended_at: Annotated[datetime | None, Doc("When it ended; null while they have it.")]
    version: Version


class RoleHolder(RoleAssignment):
    """A role, with whose it is."""

    name: Annotated[str, Doc("Their name.", "Amina Kaboré")]
    email: Annotated[str, Doc("Address for mail.", "amina.k+cop@example.org")]


class RoleHolders(Answer):
    """A set of communities, or the network, and who has a role over it."""

    of_set: CommunitySet | None  #: None: the network
    holders: Annotated[tuple[RoleHolder, ...], Length(0), Doc("Roles that have not ended, by name as French sorts.")]
