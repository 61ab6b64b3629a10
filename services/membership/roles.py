"""Roles over one community, a set of communities or the network: given, begun, ended, and told community by community.

Subscribers hear of a role in each community that it is over, as of a role that was given there: an assignment over more
than one has for each an id of its own. So they need to know nothing of sets, nor what the network holds. Whoever gives
a role has what it gives, where it is given.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.actor import ACTOR
from chassis.scheduling import due
from chassis.storage import audit, rows
from chassis.storage.rows import Saved
from chassis.storage.transaction import Transaction
from chassis.validation import ValidationErrors
from pratique.errors import Conflict, Forbidden, NotFound
from pratique.events.membership import Role, RoleAssigned, RoleEnded
from pratique.permissions import ROLE_PERMISSIONS
from pratique.requests.membership import (
    EndNetworkRole,
    EndRole,
    EndSetRole,
    PutNetworkRole,
    PutRole,
    PutSetRole,
)
from services.membership.models import Community, CommunitySet, RoleAssignment

BEGINS, ENDS = "role_begins", "role_ends"  #: kinds of due work, for an assignment each
_NETWORK_LOCK = "membership.network"

Put = PutRole | PutSetRole | PutNetworkRole
End = EndRole | EndSetRole | EndNetworkRole


def in_force(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a role is in force at this instant, whether or not its due work is late."""
    has_begun = or_(RoleAssignment.begins_at.is_(None), RoleAssignment.begins_at <= at)
    has_time = or_(RoleAssignment.ends_at.is_(None), RoleAssignment.ends_at > at)
    return and_(RoleAssignment.ended_at.is_(None), has_begun, has_time)


def over_network() -> ColumnElement[bool]:
    """Return the condition that a role is over the whole network."""
    return and_(RoleAssignment.community_id.is_(None), RoleAssignment.set_id.is_(None))


def communities_of(session: Session, assignment: RoleAssignment) -> Sequence[UUID] | None:
    """Return over which communities a role is; None: over the network."""
    if assignment.community_id is not None:
        return [assignment.community_id]
    if assignment.set_id is not None:
        return session.get_one(CommunitySet, assignment.set_id).community_ids
    return None


def give(transaction: Transaction, command: Put) -> Saved[RoleAssignment]:
    """Give the role, or another beginning or end. ``is_new`` also when it had ended and is given again.

    Raises:
        Forbidden: it gives more than whoever gives it has there.
        Invalid: it would end before it begins, or has ended already; or it is the network's own, for a part of it.
    """
    now = clock.now()
    _lock_scope(transaction, command)
    said = rows.row_of(
        RoleAssignment,
        command,
        assignment_id=_id_of(command),
        assigned_at=now,
        has_begun=command.begins_at is None or command.begins_at <= now,
        version=1,
    )
    with ValidationErrors() as errors:
        said.check(errors, now)
    refuse_more_than_own(command.role, communities_of(transaction, said), said.set_id)
    saved = rows.insert_or_lock(transaction, said)
    assignment = saved.row
    was_told = not saved.is_new and assignment.is_told
    is_new = saved.is_new or assignment.ended_at is not None
    is_changed = not saved.is_new and assignment.take_over(said)
    if assignment.is_told and not was_told:
        _tell(transaction, assignment, RoleAssigned)
    elif was_told and not assignment.is_told:
        _tell(transaction, assignment, RoleEnded)
    if is_new or is_changed:
        _plan(transaction, assignment)
        action = "role.assigned" if is_new else "role.changed"
        audit.record(transaction, action, assignment.assignment_id, after=assignment.audited())
    return Saved(assignment, is_new)


def take_back(transaction: Transaction, command: End) -> RoleAssignment:
    """End the role; ending it twice is harmless.

    Raises:
        NotFound: they never had it.
        Forbidden: it gives more than whoever ends it has there.
        Conflict: nobody else is network_admin.
    """
    _lock_scope(transaction, command)
    assignment = transaction.get(RoleAssignment, _id_of(command), with_for_update=True)
    if assignment is None:
        raise NotFound(f"Member {command.member_id} has never been {command.role.value} there.")
    refuse_more_than_own(assignment.role, communities_of(transaction, assignment), assignment.set_id)
    if assignment.ended_at is None:
        _refuse_last_admin(transaction, assignment)
        _end(transaction, assignment)
    return assignment


def begin_due(transaction: Transaction, assignment_id: UUID) -> None:
    """Let a role begin, if it still is to."""
    assignment = _locked(transaction, assignment_id)
    begins_at = assignment.begins_at
    if assignment.ended_at is None and not assignment.has_begun and begins_at and begins_at <= clock.now():
        assignment.has_begun = True
        assignment.version += 1
        _tell(transaction, assignment, RoleAssigned)


def end_due(transaction: Transaction, assignment_id: UUID) -> None:
    """Let a role end, if it still is to."""
    assignment = _locked(transaction, assignment_id)
    if assignment.ended_at is None and assignment.ends_at and assignment.ends_at <= clock.now():
        _end(transaction, assignment)


def tell_founded(transaction: Transaction, community_id: UUID) -> None:
    """Tell which roles over the network are over this new community too."""
    transaction.lock(_NETWORK_LOCK)
    for assignment in _told(transaction, over_network()):
        assignment.version += 1
        _tell(transaction, assignment, RoleAssigned, [community_id])


def refuse_gain(transaction: Transaction, set_id: UUID, gained: Collection[UUID]) -> None:
    """Let pass whoever has, over what a set is to gain, all that the roles over it give.

    Raises:
        Forbidden: they lack some of it.
    """
    waiting = select(RoleAssignment.role).where(RoleAssignment.set_id == set_id, RoleAssignment.ended_at.is_(None))
    for role in transaction.scalars(waiting.distinct()) if gained else ():
        refuse_more_than_own(role, gained)


def tell_set_changed(
    transaction: Transaction, set_id: UUID, gained: Collection[UUID], lost: Collection[UUID] = ()
) -> None:
    """Tell which roles over a set are over the communities that it gained, and no longer over those that it lost."""
    for assignment in _told(transaction, RoleAssignment.set_id == set_id):
        assignment.version += 1
        _tell(transaction, assignment, RoleAssigned, sorted(gained))
        _tell(transaction, assignment, RoleEnded, sorted(lost))


def refuse_more_than_own(role: Role, community_ids: Collection[UUID] | None, set_id: UUID | None = None) -> None:
    """Let pass whoever has all that a role gives, over these communities, over this set, or over the network.

    Raises:
        Forbidden: they lack some of it.
    """
    actor = ACTOR.get()
    for permission in sorted(ROLE_PERMISSIONS[role]):
        has_set = set_id is not None and actor.may_over_set(permission, set_id)
        if not has_set and not actor.may(permission, community_ids or ()):
            raise Forbidden(
                f"Whoever is {role.value} has {permission.value}, and you do not have it there yourself; "
                "ask somebody who has."
            )


def refuse_address_of_others(session: Session, member_id: UUID) -> None:
    """Let pass whoever has all that this person's roles give: whoever reads their mail signs in as they.

    Raises:
        Forbidden: they lack some of it.
    """
    theirs = select(RoleAssignment).where(RoleAssignment.member_id == member_id, RoleAssignment.ended_at.is_(None))
    for assignment in session.scalars(theirs):
        refuse_more_than_own(assignment.role, communities_of(session, assignment), assignment.set_id)


def _id_of(command: Put | End) -> UUID:
    if isinstance(command, PutRole | EndRole):
        return RoleAssignment.id_of(command.community_id, command.member_id, command.role)
    set_id = command.set_id if isinstance(command, PutSetRole | EndSetRole) else None
    return RoleAssignment.id_over(set_id, command.member_id, command.role)


def _lock_scope(transaction: Transaction, named: Put | End | RoleAssignment) -> None:
    """Let neither the set of a role change meanwhile, nor the network gain a community.

    Raises:
        NotFound: there is no such set.
    """
    if getattr(named, "community_id", None) is not None:
        return
    set_id = getattr(named, "set_id", None)
    if set_id is None:
        transaction.lock(_NETWORK_LOCK)
    elif transaction.get(CommunitySet, set_id, with_for_update={"read": True}) is None:
        raise no_set(set_id)


def no_set(set_id: UUID) -> NotFound:
    """Return the error for an unknown set of communities."""
    return NotFound(f"There is no set of communities {set_id}; record it first.")


def _locked(transaction: Transaction, assignment_id: UUID) -> RoleAssignment:
    _lock_scope(transaction, transaction.get_one(RoleAssignment, assignment_id))
    return transaction.get_one(RoleAssignment, assignment_id, with_for_update=True, populate_existing=True)


def _told(transaction: Transaction, over: ColumnElement[bool]) -> Iterator[RoleAssignment]:
    """Return the roles that subscribers know to be in force, locked in one order, page by page."""
    is_told = and_(RoleAssignment.ended_at.is_(None), RoleAssignment.has_begun)
    locked, after = select(RoleAssignment).where(over, is_told).with_for_update(), None
    while True:
        key = RoleAssignment.assignment_id
        page = rows.page_by_id(transaction, locked, key, after, rows.MAX_PAGE)
        yield from page.rows
        if (after := page.after) is None:
            return


def _tell(
    transaction: Transaction,
    assignment: RoleAssignment,
    event_class: type[RoleAssigned] | type[RoleEnded],
    community_ids: Sequence[UUID] | None = None,
) -> None:
    """Publish it for each of these communities; by default for all that the role is over."""
    if community_ids is None:
        community_ids = communities_of(transaction, assignment)
    for community_id in _every(transaction) if community_ids is None else community_ids:
        transaction.publish(assignment.as_event(event_class, community_id))


def _every(transaction: Transaction) -> Iterator[UUID]:
    """Return every community there is, page by page."""
    after: str | None = None
    while True:
        page = rows.page_by_id(transaction, select(Community), Community.community_id, after, rows.MAX_PAGE)
        yield from [each.community_id for each in page.rows]
        if (after := page.after) is None:
            return


def _end(transaction: Transaction, assignment: RoleAssignment) -> None:
    was_told = assignment.is_told
    assignment.ended_at = clock.now()
    assignment.version += 1
    if was_told:
        _tell(transaction, assignment, RoleEnded)
    audit.record(transaction, "role.ended", assignment.assignment_id, before=assignment.audited())


def _refuse_last_admin(transaction: Transaction, assignment: RoleAssignment) -> None:
    if assignment.role is not Role.NETWORK_ADMIN:
        return
    others = select(func.count()).where(
        RoleAssignment.role == Role.NETWORK_ADMIN,
        RoleAssignment.assignment_id != assignment.assignment_id,
        over_network(),
        in_force(clock.now()),
    )
    if not transaction.scalar(others):
        raise Conflict("Nobody else is network_admin, and somebody has to be; give the role to another first.")


def _plan(transaction: Transaction, assignment: RoleAssignment) -> None:
    """Plan the beginning and the end of a role, where there are any to come."""
    if not assignment.has_begun and assignment.begins_at:
        due.plan_again(transaction, BEGINS, assignment.assignment_id, assignment.begins_at)
    if assignment.ends_at:
        due.plan_again(transaction, ENDS, assignment.assignment_id, assignment.ends_at)
