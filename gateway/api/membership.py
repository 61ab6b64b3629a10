"""Routes of membership: people, organizations, communities, and who belongs where."""

from gateway.routes import Route
from pratique.errors import Conflict, NotFound, PreconditionRequired, QuotaSpent, Stale
from pratique.events.membership import Role
from pratique.request import Request
from pratique.requests.membership import (
    EndMembership,
    EndNetworkRole,
    EndRole,
    EndSetRole,
    FoundInSet,
    GetCommunity,
    GetCommunitySet,
    GetMember,
    GetOrganization,
    ListCommunities,
    ListCommunitySets,
    ListMembers,
    ListMemberships,
    ListNetworkRoles,
    ListOrganizations,
    ListRoles,
    ListSetRoles,
    PutCommunity,
    PutCommunitySet,
    PutMember,
    PutMembership,
    PutNetworkRole,
    PutOrganization,
    PutRole,
    PutSetRole,
)

_CHANGE = (PreconditionRequired, Stale)
_PERSON = "<uuid:member_id>/<any({}):role>"
_ANY_ROLE = _PERSON.format(", ".join(Role))
_LIMITED_ROLE = _PERSON.format(", ".join(role for role in Role if role is not Role.NETWORK_ADMIN))
_TIMES = "It begins and ends by itself where the body says so; without one it begins now, and ends when it is ended."


def _role_routes(
    of: str, role: str, where: str, put: type[Request], end: type[Request], list_: type[Request]
) -> tuple[Route, ...]:
    """Return the rows by which roles are given, ended and listed there."""
    return (
        Route(
            "PUT",
            f"{of}/roles/{role}",
            f"Trust a person with a role {where}",
            request=put,
            problems=(NotFound,),
            description=f"{_TIMES} Nobody gives a role that gives more than they have there themselves.",
        ),
        Route(
            "DELETE",
            f"{of}/roles/{role}",
            f"End a person's role {where}",
            request=end,
            status=204,
            problems=(NotFound, Conflict),
        ),
        Route(
            "GET",
            f"{of}/roles",
            f"List who is trusted with what {where}, or was",
            request=list_,
            problems=(NotFound,) if of != "/v1" else (),
        ),
    )


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
        "DELETE",
        "/v1/communities/<uuid:community_id>/memberships/<uuid:member_id>",
        "End a person's belonging to a community",
        request=EndMembership,
        status=204,
        problems=(NotFound,),
        description="They are invited no more; what they attended stays, and they may join again.",
    ),
    Route(
        "PUT",
        "/v1/community-sets/<uuid:set_id>",
        "Record a set of communities, or change it",
        request=PutCommunitySet,
        problems=_CHANGE,
        description="Roles over the set are over what it gains, and no longer over what it loses.",
    ),
    Route(
        "GET",
        "/v1/community-sets/<uuid:set_id>",
        "Read a set of communities",
        request=GetCommunitySet,
        problems=(NotFound,),
    ),
    Route("GET", "/v1/community-sets", "List the sets of communities", request=ListCommunitySets),
    Route(
        "PUT",
        "/v1/community-sets/<uuid:set_id>/communities/<uuid:community_id>",
        "Found a community within a set, or change it",
        request=FoundInSet,
        problems=(NotFound, Conflict, *_CHANGE),
        description=(
            "The set has it at once, and roles over the set are over it. It takes a role over the set, or over the "
            "network; a community that there is already joins a set by a change of the set."
        ),
    ),
    *_role_routes("/v1/communities/<uuid:community_id>", _LIMITED_ROLE, "in a community", PutRole, EndRole, ListRoles),
    *_role_routes(
        "/v1/community-sets/<uuid:set_id>",
        _LIMITED_ROLE,
        "over a set of communities",
        PutSetRole,
        EndSetRole,
        ListSetRoles,
    ),
    *_role_routes("/v1", _ANY_ROLE, "over the whole network", PutNetworkRole, EndNetworkRole, ListNetworkRoles),
)
