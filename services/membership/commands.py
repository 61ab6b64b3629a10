"""What people ask of membership. Ids are the caller's, so that asking twice is harmless."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from chassis import clock
from chassis.faults import Faults
from chassis.storage import audit, quota, rows
from chassis.storage.rows import Saved
from chassis.storage.transaction import Transaction
from pratique.errors import Conflict, NotFound
from pratique.event import Event
from pratique.events.membership import Capacity, CommunityKind, Locale, Role
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


def put_organization(
    transaction: Transaction,
    *,
    organization_id: UUID,
    name: str,
    region: str = "",
    sector: str = "",
    size_band: str = "",
    if_version: int | None = None,
) -> Saved[Organization]:
    """An organisation is known, as said. Nothing is announced."""
    organization = Organization(
        organization_id=organization_id, name=name, region=region, sector=sector, size_band=size_band
    )
    with Faults() as faults:
        organization.check(faults)
    return rows.put(transaction, organization, if_version)


def put_community(
    transaction: Transaction,
    *,
    community_id: UUID,
    name: str,
    purpose: str,
    kind: CommunityKind,
    locale: Locale,
    timezone: str,
    if_version: int | None = None,
) -> Saved[Community]:
    """A community is known, as said: its traits are announced to all, its words privately.

    Raises:
        Conflict: it would become one of individuals while representatives belong to it.
    """
    community = Community(
        community_id=community_id, name=name, purpose=purpose, kind=kind, locale=locale, timezone=timezone
    )
    with Faults() as faults:
        community.check(faults)
    saved = rows.put(transaction, community, if_version)
    if "kind" in saved.changed and kind is CommunityKind.INDIVIDUALS:
        _check_no_representatives(transaction, community_id)
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


def put_member(
    transaction: Transaction,
    *,
    member_id: UUID,
    name: str,
    email: str,
    locale: Locale,
    timezone: str,
    if_version: int | None = None,
) -> Saved[Member]:
    """A person is known, as said; only notifications is told their name and address.

    Raises:
        Conflict: another person has this address.
    """
    member = Member(
        member_id=member_id, name=name, email=email, email_key=key_of(email), locale=locale, timezone=timezone
    )
    with Faults() as faults:
        member.check(faults)
    _refuse_shared_address(transaction, member)
    try:
        saved = rows.put(transaction, member, if_version)
        transaction.flush()
    except IntegrityError as error:  # another took the address in this instant
        raise _address_taken() from error
    if former := saved.former.get("email"):
        audit.record(
            transaction,
            "member.address_changed",
            member_id,
            before={"email": masked(former)},
            after={"email": masked(email)},
        )
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


def put_membership(
    transaction: Transaction,
    *,
    community_id: UUID,
    member_id: UUID,
    capacity: Capacity,
    organization_id: UUID | None = None,
    if_version: int | None = None,
) -> Saved[Membership]:
    """A person belongs to a community, in this capacity.

    Raises:
        NotFound: the community, the member or the organisation is unknown; the message names which.
        QuotaSpent: it would bring about one more mail than this token may in a day.
    """
    # Held until the end, so that the community does not become one of individuals meanwhile.
    community = transaction.get(Community, community_id, with_for_update={"read": True})
    if community is None:
        raise queries.no_community(community_id)
    queries.get_member(transaction, member_id=member_id)
    membership = Membership(
        membership_id=Membership.id_of(community_id, member_id),
        community_id=community_id,
        member_id=member_id,
        capacity=capacity,
        organization_id=organization_id,
    )
    with Faults() as faults:
        membership.check(faults, community)
    if organization_id is not None and transaction.get(Organization, organization_id) is None:
        words = f"There is no organisation {organization_id}; record it first."
        raise NotFound(words, {"/organization_id": words})
    saved = rows.put(transaction, membership, if_version)
    if not saved.is_unchanged:
        quota.spend(transaction, MAILS_SPENT, 1)
        transaction.publish(saved.row.activated())
        action = "membership.activated" if saved.is_new else "membership.changed"
        audit.record(transaction, action, saved.row.membership_id, after=saved.row.facts())
    return saved


def put_role(transaction: Transaction, *, community_id: UUID, member_id: UUID, role: Role) -> Saved[RoleAssignment]:
    """A member has the role in the community. ``is_new`` also when it had ended and is given again.

    Raises:
        NotFound: the community or the member is unknown; the message names which.
        Conflict: the member does not belong to the community.
    """
    queries.get_community(transaction, community_id=community_id)
    queries.get_member(transaction, member_id=member_id)
    if transaction.get(Membership, Membership.id_of(community_id, member_id)) is None:
        raise Conflict(
            f"Member {member_id} does not belong to community {community_id}; "
            "record the membership first, then give the role."
        )
    saved = rows.insert_or_lock(
        transaction,
        RoleAssignment(
            assignment_id=RoleAssignment.id_of(community_id, member_id, role),
            community_id=community_id,
            member_id=member_id,
            role=role,
            assigned_at=clock.now(),
            version=1,
        ),
    )
    is_new = saved.is_new or saved.row.assign_again(clock.now())
    if is_new:
        transaction.publish(saved.row.assigned())
        audit.record(transaction, "role.assigned", saved.row.assignment_id, after=saved.row.facts())
    return Saved(saved.row, is_new)


def end_role(transaction: Transaction, *, community_id: UUID, member_id: UUID, role: Role) -> RoleAssignment:
    """A member no longer has the role; ending it twice is harmless. Whoever never had it: NotFound."""
    assignment_id = RoleAssignment.id_of(community_id, member_id, role)
    assignment = transaction.get(RoleAssignment, assignment_id, with_for_update=True)
    if assignment is None:
        raise NotFound(f"Member {member_id} has never been {role.value} of community {community_id}.")
    if ended := assignment.end(clock.now()):
        _announce(transaction, ended)
        audit.record(transaction, "role.ended", assignment_id, before=assignment.facts())
    return assignment


def _announce(transaction: Transaction, events: Sequence[Event]) -> None:
    for event in events:
        transaction.publish(event)
