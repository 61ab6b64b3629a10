"""The routes of membership: people, organizations, communities, and who belongs where."""

from gateway import fields
from gateway.routes import Route
from pratique.errors import Conflict, NotFound, PreconditionRequired, QuotaSpent, Stale
from pratique.events.membership import Capacity, CommunityKind, Locale, Role


class OrganizationBody(fields.Body):
    """What is recorded of an organization."""

    name = fields.text("Name of the organization.", "Centre des aînés de Verdun", least=1, required=True)
    region = fields.text("Where it works.", "Montréal")
    sector = fields.text("What it works on.", "Vieillissement")
    size_band = fields.text("How large it is, roughly.", "10-49")


class Organization(OrganizationBody):
    """An organization that sends people to communities."""

    organization_id = fields.ident("Id, chosen by whoever recorded it.", "organization")
    version = fields.version()


class CommunityBody(fields.Body):
    """What is recorded of a community."""

    name = fields.text("Name that its members know it by.", "Proches aidance", least=1, required=True)
    purpose = fields.text("Why it meets.", "Échanger sur nos pratiques.", 4000, lines=True, required=True)
    kind = fields.one_of(CommunityKind, "Who meets.", required=True)
    locale = fields.one_of(Locale, "Language that it is written to in.", required=True)
    timezone = fields.zone(required=True)


class Community(CommunityBody):
    """A community of practice."""

    community_id = fields.ident("Id, chosen by whoever recorded it.", "community")
    version = fields.version()


class MemberBody(fields.Body):
    """What is recorded of a person."""

    name = fields.text("Name, as the person writes it.", "Amina Kaboré", least=1, required=True)
    email = fields.email("Address for mail.", required=True)
    locale = fields.one_of(Locale, "Language that they are written to in.", required=True)
    timezone = fields.zone(required=True)


class Member(MemberBody):
    """A person."""

    member_id = fields.ident("Id, chosen by whoever recorded it.", "member")
    version = fields.version()


class MemberQuery(fields.Query):
    """Whom to look for."""

    email = fields.email("Their address; case does not count.", required=True)


class MembershipBody(fields.Body):
    """In whose name a person belongs."""

    capacity = fields.one_of(Capacity, "For an organization, or in their own name.", required=True)
    organization_id = fields.ident("Whom they represent; null for individuals.", "organization", allow_none=True)


class Membership(MembershipBody):
    """That a person belongs to a community."""

    membership_id = fields.ident("Id, as events name it.", "membership")
    community_id = fields.ident("The community.", "community")
    member_id = fields.ident("The person.", "member")
    version = fields.version()


class RoleAssignment(fields.Answer):
    """That a member is trusted with something in a community."""

    assignment_id = fields.ident("Id, as events name it.", "assignment")
    community_id = fields.ident("The community.", "community")
    member_id = fields.ident("The member.", "member")
    role = fields.one_of(Role, "What with.")
    assigned_at = fields.instant("When it was given.")
    ended_at = fields.instant("When it ended; null while they have it.", allow_none=True)
    version = fields.version()


_CHANGE = (PreconditionRequired, Stale)
_ROLE_PATH = (
    "/v1/communities/<uuid:community_id>/roles/<uuid:member_id>/<any(coordinator, facilitator, resource_person):role>"
)

ROUTES = (
    Route(
        "PUT",
        "/v1/organizations/<uuid:organization_id>",
        "Record an organization, or change it",
        scope="membership:write",
        rpc="membership.put_organization",
        body=OrganizationBody,
        answer=Organization,
        is_versioned=True,
        problems=_CHANGE,
    ),
    Route(
        "GET",
        "/v1/organizations/<uuid:organization_id>",
        "Read an organization",
        scope="membership:read",
        rpc="membership.get_organization",
        answer=Organization,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/organizations",
        "List the organizations",
        scope="membership:read",
        rpc="membership.list_organizations",
        answer=Organization,
        is_list=True,
    ),
    Route(
        "PUT",
        "/v1/communities/<uuid:community_id>",
        "Found a community, or change it",
        scope="membership:write",
        rpc="membership.put_community",
        body=CommunityBody,
        answer=Community,
        is_versioned=True,
        problems=(Conflict, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>",
        "Read a community",
        scope="membership:read",
        rpc="membership.get_community",
        answer=Community,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities",
        "List the communities",
        scope="membership:read",
        rpc="membership.list_communities",
        answer=Community,
        is_list=True,
    ),
    Route(
        "PUT",
        "/v1/members/<uuid:member_id>",
        "Record a person, or change what is known of them",
        scope="membership:write",
        rpc="membership.put_member",
        body=MemberBody,
        answer=Member,
        is_versioned=True,
        problems=(Conflict, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/members/<uuid:member_id>",
        "Read a person",
        scope="membership:read",
        rpc="membership.get_member",
        answer=Member,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/members",
        "Find the person who has an address",
        scope="membership:read",
        rpc="membership.list_members",
        query=MemberQuery,
        answer=Member,
        is_list=True,
        description="A list of one, or of none. Proxies write addresses of pages into their logs, and so this one too.",
    ),
    Route(
        "PUT",
        "/v1/communities/<uuid:community_id>/memberships/<uuid:member_id>",
        "Let a person belong to a community",
        scope="membership:write",
        rpc="membership.put_membership",
        body=MembershipBody,
        answer=Membership,
        is_versioned=True,
        problems=(NotFound, QuotaSpent, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/memberships",
        "List who belongs to a community",
        scope="membership:read",
        rpc="membership.list_memberships",
        answer=Membership,
        is_list=True,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/roles",
        "List who is trusted with what in a community, or was",
        scope="membership:read",
        rpc="membership.list_roles",
        answer=RoleAssignment,
        is_list=True,
        problems=(NotFound,),
    ),
    Route(
        "PUT",
        _ROLE_PATH,
        "Trust a member with a role",
        scope="membership:write",
        rpc="membership.put_role",
        answer=RoleAssignment,
        problems=(NotFound, Conflict),
    ),
    Route(
        "DELETE",
        _ROLE_PATH,
        "End a member's role",
        scope="membership:write",
        rpc="membership.end_role",
        status=204,
        problems=(NotFound,),
    ),
)
