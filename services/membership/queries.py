"""What people read from membership."""

import dataclasses
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pratique import rows
from pratique.errors import Invalid, NotFound
from pratique.store import Page
from services.membership.models import Community, Member

MAX_LABELS = 5000


@dataclasses.dataclass(frozen=True)
class Label:
    """How a person is named in a room."""

    member_id: UUID
    label: str


def get_community(session: Session, *, community_id: UUID) -> Community:
    """Return the community. One query; NotFound if there is none."""
    community = session.get(Community, community_id)
    if community is None:
        raise no_community(community_id)
    return community


def no_community(community_id: UUID) -> NotFound:
    """What to raise where a community is unknown."""
    return NotFound(f"There is no community {community_id}; record it first.")


def list_communities(session: Session, *, after: str | None = None, limit: int = 100) -> Page[Community]:
    """Return all communities, by id, one page at a time. One query.

    ``after`` is the last page's ``after``.

    Raises:
        Invalid: the limit is out of its bounds, or ``after`` comes from no page of this list.
    """
    statement = select(Community).order_by(Community.community_id)
    if after is not None:
        try:
            statement = statement.where(Community.community_id > UUID(after))
        except ValueError as error:
            words = "after is no key of this list; take it from the page before, or leave it out."
            raise Invalid(words, {"/after": words}) from error
    return rows.page(session, statement, limit, lambda community: str(community.community_id))


def get_member(session: Session, *, member_id: UUID) -> Member:
    """Return the person. One query; NotFound if there is none."""
    member = session.get(Member, member_id)
    if member is None:
        raise NotFound(f"There is no member {member_id}; record them first.")
    return member


def list_labels(session: Session, *, member_ids: tuple[UUID, ...]) -> Sequence[Label]:
    """Return how each of these people is named in a room, by label; unknown ids are left out.

    One query. At most 5,000 ids: Invalid beyond.
    """
    if len(member_ids) > MAX_LABELS:
        words = f"{len(member_ids)} labels are too many; ask for {MAX_LABELS} at most."
        raise Invalid(words, {"/member_ids": words})
    members = session.scalars(select(Member).where(Member.member_id.in_(member_ids)))
    labels = [Label(member.member_id, member.label) for member in members]
    return sorted(labels, key=lambda each: (each.label.casefold(), each.member_id))
