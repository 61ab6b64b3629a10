"""Binds membership to the bus."""

from chassis.rpc.methods import answer
from chassis.runtime.container import Bus
from services.membership import commands, queries, schemas
from services.membership.reactions import DUE, REACTIONS


class Membership:
    """Who belongs to which community, for whom, and what they are trusted with."""

    name = "membership"
    bus = Bus(REACTIONS, DUE)

    put_organization = answer(commands.put_organization, schemas.Organization())
    put_community = answer(commands.put_community, schemas.Community())
    put_member = answer(commands.put_member, schemas.Member())
    put_membership = answer(commands.put_membership, schemas.Membership())
    put_role = answer(commands.put_role, schemas.RoleAssignment())
    end_role = answer(commands.end_role, schemas.RoleAssignment())
    get_community = answer(queries.get_community, schemas.Community())
    list_communities = answer(queries.list_communities, schemas.Community())
    get_member = answer(queries.get_member, schemas.Member())
    list_members = answer(queries.list_members, schemas.Member())
    get_organization = answer(queries.get_organization, schemas.Organization())
    list_organizations = answer(queries.list_organizations, schemas.Organization())
    list_memberships = answer(queries.list_memberships, schemas.Membership())
    list_roles = answer(queries.list_roles, schemas.RoleAssignment())
    list_labels = answer(queries.list_labels, schemas.Label())
