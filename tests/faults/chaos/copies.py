"""Whether each service's copy of what others own is what they own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from tests.faults.chaos.system import System

#: What is copied: (owner, how it is read there), (copier, how it is read there). Both give the same rows.
PAIRS: tuple[tuple[str, tuple[str, str], tuple[str, str]], ...] = (
    (
        "communities in meetings",
        ("membership", "select community_id, kind, timezone from community"),
        ("meetings", "select community_id, kind, timezone from community"),
    ),
    (
        "memberships in meetings",
        ("membership", "select community_id, member_id from membership"),
        ("meetings", "select community_id, member_id from membership"),
    ),
    (
        "memberships in notifications",
        ("membership", "select community_id, member_id from membership"),
        ("notifications", "select community_id, member_id from community_member"),
    ),
    (
        "names and addresses in notifications",
        ("membership", "select member_id, name, email from member"),
        ("notifications", "select member_id, name, email from contact_card"),
    ),
    (
        "attendance in evaluation",
        ("meetings", "select meeting_id, member_id, state from attendance"),
        ("evaluation", "select meeting_id, member_id, state from attendance"),
    ),
    (
        "hours of meetings in notifications",
        ("meetings", "select meeting_id, starts_at, ends_at from meeting"),
        ("notifications", "select meeting_id, starts_at, ends_at from meeting_card"),
    ),
    (
        "ends of meetings in notifications",
        ("meetings", "select meeting_id, state from meeting where state in ('closed', 'cancelled')"),
        ("notifications", "select meeting_id, outcome from meeting_end"),
    ),
)


def compare(system: "System") -> Iterator[str]:
    """A sentence for each copy that differs."""
    for what, own, copied in PAIRS:
        (owned, taken) = (_rows(system, *each) for each in (own, copied))
        if owned != taken:
            yield f"{what}: {len(owned - taken)} missing, {len(taken - owned)} that should not be"


def _rows(system: "System", store: str, query: str) -> set[tuple[str, ...]]:
    with system.stores[store].begin() as session:
        return {tuple(map(str, row)) for row in session.execute(text(query))}
