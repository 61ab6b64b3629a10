"""Routes of membership: people, organizations, communities, and who belongs where."""

from gateway.routes import Route
from pratique.errors import Conflict, NotFound, PreconditionRequired, QuotaSpent, Stale
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
_ROLE_PATH = (
    "/v1/communities/<uuid:community_id>/roles/<uuid:member_id>/<any(coordinator, facilitator, resource_person):role>"
)

ROUTES = (
    Route(
        "PUT",
        "/v1/organizations/<uuid:organization_id>",
        "Record an organization, or change it",
        scope="membership:write",
        request=PutOrganization,
        problems=_CHANGE,
    ),
    Route(
        "GET",
        "/v1/organizations/<uuid:organization_id>",
        "Read an organization",
        scope="membership:read",
        request=GetOrganization,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/organizations",
        "List the organizations",
        scope="membership:read",
        request=ListOrganizations,
    ),
    Route(
        "PUT",
        "/v1/communities/<uuid:community_id>",
        "Found a community, or change it",
        scope="membership:write",
        request=PutCommunity,
        problems=(Conflict, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>",
        "Read a community",
        scope="membership:read",
        request=GetCommunity,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities",
        "List the communities",
        scope="membership:read",
        request=ListCommunities,
    ),
    Route(
        "PUT",
        "/v1/members/<uuid:member_id>",
        "Record a person, or change what is known of them",
        scope="membership:write",
        request=PutMember,
        problems=(Conflict, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/members/<uuid:member_id>",
        "Read a person",
        scope="membership:read",
        request=GetMember,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/members",
        "Find the person who has an address",
        scope="membership:read",
        request=ListMembers,
        description="A list of one, or of none. Proxies write addresses of pages into their logs, and so this one too.",
    ),
    Route(
        "PUT",
        "/v1/communities/<uuid:community_id>/memberships/<uuid:member_id>",
        "Let a person belong to a community",
        scope="membership:write",
        request=PutMembership,
        problems=(NotFound, QuotaSpent, *_CHANGE),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/memberships",
        "List who belongs to a community",
        scope="membership:read",
        request=ListMemberships,
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/roles",
        "List who is trusted with what in a community, or was",
        scope="membership:read",
        request=ListRoles,
        problems=(NotFound,),
    ),
    Route(
        "PUT",
        _ROLE_PATH,
        "Trust a member with a role",
        scope="membership:write",
        request=PutRole,
        problems=(NotFound, Conflict),
    ),
    Route(
        "DELETE",
        _ROLE_PATH,
        "End a member's role",
        scope="membership:write",
        request=EndRole,
        status=204,
        problems=(NotFound,),
    ),
)
