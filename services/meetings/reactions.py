"""What other services' events make meetings do: keep its copy of who belongs where up to date.

Each takes what is newer by ``version``, so that any order and any number of deliveries leave the same rows.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from pratique import rows
from pratique.due import Handlers
from pratique.events.membership import CommunityChanged, CommunityFounded, MembershipActivated
from pratique.inbox import Reactions, set_based
from services.meetings.models import Community, Membership


def know_communities(session: Session, events: Sequence[CommunityFounded | CommunityChanged]) -> None:
    """Communities can meet, as they are by now."""
    known = [
        {"community_id": e.community_id, "kind": e.kind, "timezone": e.timezone, "version": e.version} for e in events
    ]
    rows.keep_newest(session, Community, known)


def know_memberships(session: Session, events: Sequence[MembershipActivated]) -> None:
    """Members can register and be marked as attending, for whom they stand for by now."""
    known = [
        {
            "membership_id": event.membership_id,
            "community_id": event.community_id,
            "member_id": event.member_id,
            "organization_id": event.organization_id,
            "version": event.version,
        }
        for event in events
    ]
    rows.keep_newest(session, Membership, known)


REACTIONS: Reactions = {
    CommunityFounded: set_based(know_communities),
    CommunityChanged: set_based(know_communities),
    MembershipActivated: set_based(know_memberships),
}
DUE: Handlers = {}
