"""Commands of membership. Ids are the caller's, so that asking twice is harmless."""

from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from chassis import clock
from chassis.actor import ACTOR
from chassis.rpc.access import refusal
from chassis.rpc.requests import Handlers
from chassis.storage import audit, quota, rows
from chassis.storage.rows import Saved
from chassis.storage.transaction import Transaction
from chassis.validation import ValidationErrors
from pratique.errors import Conflict, Invalid, NotFound, PreconditionRequired
from pratique.event import Event
from pratique.events.membership import Capacity, CommunityKind, EndReason, Locale
from pratique.permissions import Permission
from pratique.requests.membership import (
    AddPerson,
    CommunityBody,
    EndMembership,
    EndNetworkRole,
    EndRole,
    EndSetRole,
    FoundInSet,
    ListMembers,
    PutCommunity,
    PutCommunitySet,
    PutMember,
    PutMembership,
    PutNetworkRole,
    PutOrganization,
    PutRole,
    PutSetRole,
    TrustPerson,
)
from services.membership import queries, roles
from services.membership.labels import fold
from services.membership.models import (
    MAILS_SPENT,
    Community,
    CommunitySet,
    Member,
    Membership,
    Organization,
    RoleAssignment,
    key_of,
    masked,
)


def put_organization(transaction: Transaction, command: PutOrganization) -> Saved[Organization]:
    """Record the organisation, or change it. Nothing is announced."""
    organization = rows.row_of(Organization, command)
    with ValidationErrors() as errors:
        organization.check(errors)
    return rows.put(transaction, organization, command.if_version)


def put_community(transaction: Transaction, command: PutCommunity) -> Saved[Community]:
    """Record the community, or change it: its traits are announced to all, its words privately.

    Raises:
        Conflict: it would become one of individuals while representatives belong to it.
    """
    community = rows.row_of(Community, command)
    with ValidationErrors() as errors:
        community.check(errors)
    saved = rows.put(transaction, community, command.if_version)
    if "kind" in saved.changed and command.kind is CommunityKind.INDIVIDUALS:
        _check_no_representatives(transaction, command.community_id)
    _announce(transaction, saved.row.events_of(saved))
    if saved.is_new:
        roles.tell_founded(transaction, command.community_id)
    return saved


def _check_no_representatives(transaction: Transaction, community_id: UUID) -> None:
    representatives = transaction.scalar(
        select(func.count()).where(
            Membership.community_id == community_id,
            Membership.capacity == Capacity.REPRESENTATIVE,
            Membership.ended_at.is_(None),
        )
    )
    if representatives:
        raise Conflict(
            f"{representatives} of its members represent an organisation; "
            "let them belong as individuals first, then make this a community of individuals."
        )


def put_member(transaction: Transaction, command: PutMember) -> Saved[Member]:
    """Record the person, or change what is known of them; only notifications is told their name and address.

    Raises:
        Conflict: another person has this address.
        Forbidden: their address would change, and they have a role that gives more than whoever asks has.
    """
    member = rows.row_of(Member, command, email_key=key_of(command.email))
    with ValidationErrors() as errors:
        member.check(errors)
    _refuse_shared_address(transaction, member)
    try:
        saved = rows.put(transaction, member, command.if_version)
        transaction.flush()
    except IntegrityError as error:  # another took the address in this instant
        raise _address_taken() from error
    if former := saved.former.get("email"):
        roles.refuse_address_of_others(transaction, command.member_id)
        before, after = {"email": masked(former)}, {"email": masked(command.email)}
        audit.record(transaction, "member.address_changed", command.member_id, before=before, after=after)
    _announce(transaction, saved.row.events_of(saved))
    return saved


def _refuse_shared_address(transaction: Transaction, member: Member) -> None:
    others = select(Member.member_id).where(Member.email_key == member.email_key, Member.member_id != member.member_id)
    if transaction.scalar(others.limit(1)) is not None:
        raise _address_taken()


def _address_taken() -> Conflict:
    words = (
        "Another person has this address, and each needs one of their own, for whoever reads it answers for them. "
        "Look up who has it (GET /v1/members?email=…) before you record anyone twice; "
        "give this person another, or change the other's first."
    )
    return Conflict(words, {"/email": words})


def put_membership(transaction: Transaction, command: PutMembership) -> Saved[Membership]:
    """Let a person belong to a community, in this capacity.

    Raises:
        NotFound: the community, the member or the organisation is unknown; the message names which.
        QuotaSpent: it would bring about one more mail than this token may in a day.
    """
    # Held until the end, so that the community does not become one of individuals meanwhile.
    community = transaction.get(Community, command.community_id, with_for_update={"read": True})
    if community is None:
        raise queries.no_community(command.community_id)
    queries.access_member(transaction, command.member_id)
    id = Membership.id_of(command.community_id, command.member_id)
    membership = rows.row_of(Membership, command, membership_id=id)
    with ValidationErrors() as errors:
        membership.check(errors, community)
    if command.organization_id is not None and transaction.get(Organization, command.organization_id) is None:
        words = f"There is no organisation {command.organization_id}; record it first."
        raise NotFound(words, {"/organization_id": words})
    saved = _rejoined(transaction, membership) or rows.put(transaction, membership, command.if_version)
    if not saved.is_unchanged:
        quota.spend(transaction, MAILS_SPENT, 1)
        transaction.publish(saved.row.activated())
        action = "membership.activated" if saved.is_new else "membership.changed"
        audit.record(transaction, action, saved.row.membership_id, after=saved.row.audited())
    return saved


def _rejoined(transaction: Transaction, said: Membership) -> rows.Put[Membership] | None:
    """Return the membership of a person who had left and joins again; None of any other."""
    kept = transaction.get(Membership, said.membership_id, with_for_update=True)
    if kept is None or kept.ended_at is None:
        return None
    kept.capacity, kept.organization_id, kept.ended_at = said.capacity, said.organization_id, None
    kept.version += 1
    return rows.Put(kept, True, {})


def end_membership(transaction: Transaction, command: EndMembership) -> Membership:
    """End the membership; ending it twice is harmless. Whoever never belonged: NotFound."""
    id = Membership.id_of(command.community_id, command.member_id)
    membership = transaction.get(Membership, id, with_for_update=True)
    if membership is None:
        raise NotFound(f"Member {command.member_id} has never belonged to community {command.community_id}.")
    reason = command.reason or EndReason.LEFT
    if ended := membership.end(clock.now(), reason):
        _announce(transaction, ended)
        before = membership.audited() | {"reason": reason.value}
        audit.record(transaction, "membership.ended", membership.membership_id, before=before)
    return membership


def add_person(transaction: Transaction, command: AddPerson) -> SimpleNamespace:
    """Let whoever has the address belong to the community, where a capacity is said, and have the role that is said.

    How they belong already is left as it is. All of it happens, or nothing.

    Raises:
        NotFound: the community is unknown.
        Invalid: nobody has the address, and there is no name to record them by; or as the commands that it is made of.
        PreconditionRequired: the person of this id was recorded before, otherwise.
        Forbidden: the role takes the permission to give it.
    """
    community = queries.access_community(transaction, command.community_id)
    community_id = command.community_id
    member_id = _find_or_record(transaction, command, command.locale or community.locale, community.timezone)
    is_new = True
    if command.capacity is not None:
        represented = command.organization if command.capacity is Capacity.REPRESENTATIVE else ""
        organization_id = _organization(transaction, represented) if represented else None
        belonging = PutMembership(
            community_id=community_id,
            member_id=member_id,
            capacity=command.capacity,
            organization_id=organization_id,
        )
        is_new = False
        with suppress(PreconditionRequired):  # they belong to it already, otherwise
            is_new = put_membership(transaction, belonging).is_new
    if command.role is not None:
        if not ACTOR.get().may(Permission.ROLES_WRITE, [community_id]):
            raise refusal(Permission.ROLES_WRITE)
        put_role(transaction, PutRole(community_id=community_id, member_id=member_id, role=command.role))
    return SimpleNamespace(member_id=member_id, is_new=is_new)


def trust_person(transaction: Transaction, command: TrustPerson) -> RoleAssignment:
    """Trust whoever has the address with a role over the set or over the network. All of it happens, or nothing.

    Raises:
        Invalid, PreconditionRequired: as for ``add_person``.
        Forbidden: the role takes the permission to give it.
    """
    actor, set_id, needed = ACTOR.get(), command.set_id, Permission.ROLES_WRITE
    over = queries.access_set(transaction, set_id).community_ids if set_id else ()
    if not actor.may(needed, over) and not (set_id and actor.may_over_set(needed, set_id)):
        raise refusal(needed)
    member_id = _find_or_record(transaction, command, command.locale, command.timezone)
    said: dict[str, Any] = {
        "member_id": member_id,
        "role": command.role,
        "begins_at": command.begins_at,
        "ends_at": command.ends_at,
    }
    given = PutSetRole(set_id=set_id, **said) if set_id else PutNetworkRole(**said)
    return roles.give(transaction, given).row


def _find_or_record(transaction: Transaction, command: AddPerson | TrustPerson, locale: Locale, timezone: str) -> UUID:
    found = queries.list_members(transaction, ListMembers(email=command.email)).rows
    if found:
        return found[0].member_id
    if not command.name:
        words = "Nobody has this address; write the name of whoever is to be recorded with it."
        raise Invalid(words, {"/name": words})
    recorded = PutMember(
        member_id=command.member_id,
        name=command.name,
        email=command.email,
        locale=locale,
        timezone=timezone,
    )
    put_member(transaction, recorded)
    return command.member_id


def _organization(transaction: Transaction, name: str) -> UUID:
    """Return the id of the organization of this name, whatever its accents; recorded now if there is none."""
    for known in transaction.scalars(select(Organization)):
        if fold(known.name) == fold(name):
            return known.organization_id
    organization_id = uuid4()
    put_organization(transaction, PutOrganization(organization_id=organization_id, name=name))
    return organization_id


def put_community_set(transaction: Transaction, command: PutCommunitySet) -> Saved[CommunitySet]:
    """Record the set, or change it. Roles over it are told for what it gains, and end for what it loses.

    Raises:
        Invalid: there is no such community.
        Forbidden: a role over it gives more than whoever asks has over a community that it gains.
    """
    community_ids = sorted(set(command.community_ids))
    said = CommunitySet(set_id=command.set_id, name=command.name, community_ids=community_ids)
    is_known = transaction.is_one_of(Community.community_id, community_ids)
    known = set(transaction.scalars(select(Community.community_id).where(is_known)))
    with ValidationErrors() as errors:
        said.check(errors)
        for index, each in enumerate(command.community_ids):
            if each not in known:
                errors.add(f"/community_ids/{index}", f"There is no community {each}; record it first.")
    saved = rows.put(transaction, said, command.if_version)
    if "community_ids" in saved.changed:
        before, after = set(saved.former["community_ids"]), set(community_ids)
        roles.refuse_gain(transaction, command.set_id, after - before)
        roles.tell_set_changed(transaction, command.set_id, after - before, before - after)
    if not saved.is_unchanged:
        audit.record(transaction, "community_set.put", command.set_id, after=saved.row.audited())
    return saved


def found_in_set(transaction: Transaction, command: FoundInSet) -> Saved[Community]:
    """Found a community within a set, as ``put_community``, and let the set have it. Roles over the set are over it.

    Nobody has anything there yet, so that whoever founds it need not have what those roles give.

    Raises:
        NotFound: there is no such set.
        Conflict: it was founded already, and is not in this set.
    """
    held = transaction.get(CommunitySet, command.set_id, with_for_update=True)  # before the community, as all do
    if held is None:
        raise roles.no_set(command.set_id)
    is_in_set = command.community_id in held.community_ids
    if not is_in_set and transaction.get(Community, command.community_id) is not None:
        raise Conflict("It was founded already, and is not in this set; let the set have it by changing the set.")
    said = {name: getattr(command, name) for name in (*CommunityBody.schema.fields, "community_id", "if_version")}
    saved = put_community(transaction, PutCommunity(**said))
    if not is_in_set:
        held.community_ids = sorted([*held.community_ids, command.community_id])
        held.version += 1
        roles.tell_set_changed(transaction, command.set_id, [command.community_id])
        audit.record(transaction, "community_set.put", command.set_id, after=held.audited())
    return saved


def put_role(transaction: Transaction, command: PutRole) -> Saved[RoleAssignment]:
    """Give the person the role in the community; they need not belong to it. As ``roles.give``.

    Raises:
        NotFound: the community or the person is unknown; the message names which.
    """
    queries.access_community(transaction, command.community_id)
    queries.access_member(transaction, command.member_id)
    return roles.give(transaction, command)


def put_set_role(transaction: Transaction, command: PutSetRole) -> Saved[RoleAssignment]:
    """Give the person the role over the set, as ``roles.give``. NotFound if either is unknown."""
    queries.access_member(transaction, command.member_id)
    return roles.give(transaction, command)


def put_network_role(transaction: Transaction, command: PutNetworkRole) -> Saved[RoleAssignment]:
    """Give the person the role over the network, as ``roles.give``. NotFound if they are unknown."""
    queries.access_member(transaction, command.member_id)
    return roles.give(transaction, command)


def end_role(transaction: Transaction, command: EndRole) -> RoleAssignment:
    """End the person's role in the community, as ``roles.take_back``."""
    return roles.take_back(transaction, command)


def end_set_role(transaction: Transaction, command: EndSetRole) -> RoleAssignment:
    """End the person's role over the set, as ``roles.take_back``."""
    return roles.take_back(transaction, command)


def end_network_role(transaction: Transaction, command: EndNetworkRole) -> RoleAssignment:
    """End the person's role over the network, as ``roles.take_back``."""
    return roles.take_back(transaction, command)


def _announce(transaction: Transaction, events: Sequence[Event]) -> None:
    for event in events:
        transaction.publish(event)


#: Which function carries out which command.
COMMANDS: Handlers = {
    PutOrganization: put_organization,
    PutCommunity: put_community,
    PutMember: put_member,
    PutMembership: put_membership,
    AddPerson: add_person,
    EndMembership: end_membership,
    PutCommunitySet: put_community_set,
    FoundInSet: found_in_set,
    TrustPerson: trust_person,
    PutRole: put_role,
    EndRole: end_role,
    PutSetRole: put_set_role,
    EndSetRole: end_set_role,
    PutNetworkRole: put_network_role,
    EndNetworkRole: end_network_role,
}
