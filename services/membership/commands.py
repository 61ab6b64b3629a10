"""Commands of membership. Ids are the caller's, so that asking twice is harmless."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from chassis import clock
from chassis.rpc.requests import Handlers
from chassis.storage import audit, quota, rows
from chassis.storage.rows import Saved
from chassis.storage.transaction import Transaction
from chassis.validation import ValidationErrors
from pratique.errors import Conflict, NotFound
from pratique.event import Event
from pratique.events.membership import Capacity, CommunityKind
from pratique.requests.membership import (
    EndRole,
    PutCommunity,
    PutMember,
    PutMembership,
    PutOrganization,
    PutRole,
)
from services.membership import queries
from services.membership.models import (
    MAILS_SPENT,
    Community,
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
    return saved


def _check_no_representatives(transaction: Transaction, community_id: UUID) -> None:
    representatives = transaction.scalar(
        select(func.count()).where(
            Membership.community_id == community_id, Membership.capacity == Capacity.REPRESENTATIVE
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
    saved = rows.put(transaction, membership, command.if_version)
    if not saved.is_unchanged:
        quota.spend(transaction, MAILS_SPENT, 1)
        transaction.publish(saved.row.activated())
        action = "membership.activated" if saved.is_new else "membership.changed"
        audit.record(transaction, action, saved.row.membership_id, after=saved.row.facts())
    return saved


def put_role(transaction: Transaction, command: PutRole) -> Saved[RoleAssignment]:
    """Give the member the role in the community. ``is_new`` also when it had ended and is given again.

    Raises:
        NotFound: the community or the member is unknown; the message names which.
        Conflict: the member does not belong to the community.
    """
    community_id, member_id = command.community_id, command.member_id
    queries.access_community(transaction, community_id)
    queries.access_member(transaction, member_id)
    if transaction.get(Membership, Membership.id_of(community_id, member_id)) is None:
        raise Conflict(
            f"Member {member_id} does not belong to community {community_id}; "
            "record the membership first, then give the role."
        )
    id = RoleAssignment.id_of(community_id, member_id, command.role)
    assignment = rows.row_of(RoleAssignment, command, assignment_id=id, assigned_at=clock.now(), version=1)
    saved = rows.insert_or_lock(transaction, assignment)
    is_new = saved.is_new or saved.row.assign_again(clock.now())
    if is_new:
        transaction.publish(saved.row.assigned())
        audit.record(transaction, "role.assigned", saved.row.assignment_id, after=saved.row.facts())
    return Saved(saved.row, is_new)


def end_role(transaction: Transaction, command: EndRole) -> RoleAssignment:
    """End the member's role; ending it twice is harmless. Whoever never had it: NotFound."""
    assignment_id = RoleAssignment.id_of(command.community_id, command.member_id, command.role)
    assignment = transaction.get(RoleAssignment, assignment_id, with_for_update=True)
    if assignment is None:
        words = f"Member {command.member_id} has never been {command.role.value} of community {command.community_id}."
        raise NotFound(words)
    if ended := assignment.end(clock.now()):
        _announce(transaction, ended)
        audit.record(transaction, "role.ended", assignment_id, before=assignment.facts())
    return assignment


def _announce(transaction: Transaction, events: Sequence[Event]) -> None:
    for event in events:
        transaction.publish(event)


#: Which function carries out which command.
COMMANDS: Handlers = {
    PutOrganization: put_organization,
    PutCommunity: put_community,
    PutMember: put_member,
    PutMembership: put_membership,
    PutRole: put_role,
    EndRole: end_role,
}
