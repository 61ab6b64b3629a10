"""Routes of membership: people, organizations, communities, and who belongs where."""

from gateway.routes import Route
from pratique.errors import Conflict, NotFound, PreconditionRequired, QuotaSpent, Stale
from pratique.events.membership import Role
from pratique.requests.membership import (
    EndRole,
    GetCommunity,
    GetMember,
    GetOrganization,
    ListCommunities,
    ListMembers,
    ListMemberships,
    ListOrganizations,
    ListRoles,
    PutCommunity,
    PutMember,
    PutMembership,
    PutOrganization,
    PutRole,
)

_CHANGE = (PreconditionRequired, Stale)
_ROLE = f"<uuid:member_id>/<any({', '.join(Role)}):role>"
_ROLE_PATH = f"/v1/communities/<uuid:community_id>/roles/{_ROLE}"

ROUTES = (
    Route(
        "PUT",
        "/v1/organizations/<uuid:organization_id>",
        "Record an organization, or change it",
        request=PutOrganization,
        problems=_CHANGE,
    ),
    Route(
        "GET",
        "/v1/organizations/<uuid:organization_id>",
        "Read an organization",
        request=GetOrganization,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/organizations",
        "List the organizations",
        request=ListOrganizations,
    ),
    Route(
        "PUT",
        "/v1/communities/<uuid:community_id>",
        "Found a community, or change it",
        request=PutCommunity,
        problems=(Conflict, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>",
        "Read a community",
        request=GetCommunity,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities",
        "List the communities",
        request=ListCommunities,
    ),
    Route(
        "PUT",
        "/v1/members/<uuid:member_id>",
        "Record a person, or change what is known of them",
        request=PutMember,
        problems=(Conflict, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/members/<uuid:member_id>",
        "Read a person",
        request=GetMember,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/members",
        "Find the person who has an address",
        request=ListMembers,
        description="A list of one, or of none. Proxies write addresses of pages into their logs, and so this one too.",
    ),
    Route(
        "PUT",
        "/v1/communities/<uuid:community_id>/memberships/<uuid:member_id>",
        "Let a person belong to a community",
        request=PutMembership,
        problems=(NotFound, QuotaSpent, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/memberships",
        "List who belongs to a community",
        request=ListMemberships,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/roles",
        "List who is trusted with what in a community, or was",
        request=ListRoles,
        problems=(NotFound,),
    ),
    Route(
        "PUT",
        _ROLE_PATH,
        "Trust a member with a role",
        request=PutRole,
        problems=(NotFound, Conflict),
    ),
    Route(
        "DELETE",
        _ROLE_PATH,
        "End a member's role",
        request=EndRole,
        status=204,
        problems=(NotFound,),
    ),
)
