"""Requests of a sample community: what coordinators, facilitators and members ask of the HTTP API."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

ZONE = "America/Toronto"


@dataclass
class Community:
    """Ids of a community and of its members."""

    id: str
    member_ids: list[str]


class People(ABC):
    """Everything that people ask of the API, over any client that can send a request and insist on success."""

    @abstractmethod
    def ok(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send a request that must succeed, and return the body of its answer."""

    def put_community(self, community_id: object, **fields: Any) -> None:
        """Record a community, or change it; ``headers`` may say which version is changed."""
        words = {"name": "Cercle d’essai", "purpose": "Apprendre.", "kind": "individuals"}
        headers = fields.pop("headers", None)
        self.ok("PUT", f"/v1/communities/{community_id}", words | {"locale": "fr", "timezone": ZONE} | fields, headers)

    def put_member(self, member_id: object, name: str = "Personne N0", **fields: Any) -> None:
        """Record a person, or change what is known of them; ``headers`` may say which version is changed."""
        card = {"name": name, "email": self.address_of(str(member_id)), "locale": "fr", "timezone": ZONE}
        headers = fields.pop("headers", None)
        self.ok("PUT", f"/v1/members/{member_id}", card | fields, headers)

    def add_to_community(self, community_id: object, member_id: object) -> None:
        """Let a person who is recorded belong to a community, in their own name."""
        self.ok("PUT", f"/v1/communities/{community_id}/memberships/{member_id}", {"capacity": "individual"})

    def put_role(self, community_id: object, member_id: object, role: str = "facilitator") -> None:
        """Give a member a role in a community."""
        self.ok("PUT", f"/v1/communities/{community_id}/roles/{member_id}/{role}")

    def put_members(self, community_id: object, member_ids: Iterable[object], **fields: Any) -> None:
        """Record people, numbered in their order, who belong to a community."""
        for number, member_id in enumerate(member_ids):
            self.put_member(member_id, f"Personne N{number}", **fields)
            self.add_to_community(community_id, member_id)

    def put_meeting(self, meeting_id: object, *community_ids: object, starts_at: datetime | str, **fields: Any) -> None:
        """Schedule a meeting of these communities, or change it; ``headers`` may say which version is changed."""
        headers = fields.pop("headers", None)
        body = meeting_body(*community_ids, starts_at=starts_at, **fields)
        self.ok("PUT", f"/v1/meetings/{meeting_id}", body, headers)

    def start(self, meeting_id: object) -> None:
        """Start a meeting."""
        self.ok("POST", f"/v1/meetings/{meeting_id}/start")

    def record_attendance(self, meeting_id: object, states: Mapping[str, str]) -> None:
        """Take attendance, or correct it: in which state each member is."""
        self.ok("PUT", f"/v1/meetings/{meeting_id}/attendance", attendance_body(states))

    def wrap_up(self, meeting_id: object) -> None:
        """Begin the wrap-up of a meeting, in which the room answers."""
        self.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")

    def close(self, meeting_id: object) -> None:
        """Close a meeting."""
        self.ok("POST", f"/v1/meetings/{meeting_id}/close")

    def survey(self, meeting_id: object) -> Any:
        """Return the meeting's survey."""
        return self.ok("GET", f"/v1/meetings/{meeting_id}/survey")

    def ballot(self, **who: str) -> Any:
        """Return a ballot for a token, or for the code of a room and a member."""
        return self.ok("POST", "/v1/ballots", {"locale": "fr"} | who)

    def answer(self, value: int = 4, **who: str) -> None:
        """Ask for a ballot and send its answers."""
        self.ok("POST", "/v1/answers", filled(self.ballot(**who), value))

    def address_of(self, member_id: str) -> str:
        """Return where a member's mail goes, unless it was changed."""
        return f"{member_id[:8]}@example.org"


def meeting_body(*community_ids: object, starts_at: datetime | str, **fields: Any) -> dict[str, Any]:
    """Return what is said of a meeting that is scheduled; it lasts an hour unless ``ends_at`` says otherwise."""
    starts_at = datetime.fromisoformat(starts_at) if isinstance(starts_at, str) else starts_at
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat()}
    of = {"community_ids": [str(each) for each in community_ids], "kind": "meeting", "mode": "online"}
    return of | times | {"timezone": ZONE} | fields


def attendance_body(states: Mapping[str, str]) -> dict[str, Any]:
    """Return what is said of attendance: in which state each member is."""
    return {"entries": [{"member_id": member_id, "state": state} for member_id, state in states.items()]}


def answers_to(questions: Sequence[Mapping[str, Any]], value: int) -> list[dict[str, Any]]:
    """Return an answer to every scale and yes-or-no question."""
    by_type = {"scale1_5": value, "yes_no": True}
    return [{"question": q["key"], "value": by_type[q["type"]]} for q in questions if q["type"] in by_type]


def filled(ballot: Mapping[str, Any], value: int) -> dict[str, Any]:
    """Return what is sent of this ballot: itself, and an answer to every scale and yes-or-no question."""
    return {"ballot_id": ballot["ballot_id"], "answers": answers_to(ballot["questions"], value)}
