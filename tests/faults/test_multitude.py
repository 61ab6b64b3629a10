"""One meeting with thousands of people: it closes, and each is asked once, in messages that no broker refuses."""

import resource
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.storage.store import Store
from chassis.testing import wire
from operations import composition
from pratique.event import Event
from pratique.events import membership
from pratique.testing import sample
from services.notifications.models import Message, State
from tests.journeys.life import AT, ZONE, Life, on_real_servers, on_the_embedded_bus
from tests.running import until

BATCH = 500
LARGEST = 1_200_000  #: bytes of one sealed event with 5,000 people in it; RabbitMQ 4 takes 16 MiB as it comes

GROWTH_MB = 200  #: so much more memory for the whole network, its servers apart


@contextmanager
def _lived(way: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Life]:
    with clock.fixed(AT):
        if way == "real":
            with on_real_servers(request.getfixturevalue("fresh"), tmp_path) as life:
                yield life
        else:
            with on_the_embedded_bus(tmp_path) as life:
                yield life


def gather(life: Life, number: int) -> tuple[str, list[str]]:
    """A community of so many, as meetings and notifications would have heard of it; returns its id and theirs."""
    community_id, people = uuid4(), [uuid4() for _ in range(number)]
    _tell(life, "meetings", [sample(membership.CommunityFounded, community_id=community_id, timezone=ZONE)])
    _tell(life, "notifications", [sample(membership.CommunityDescribed, community_id=community_id, name="Toutes")])
    for begin in range(0, number, BATCH):
        these = people[begin : begin + BATCH]
        by = {"community_id": community_id, "organization_id": None}
        _tell(
            life,
            "meetings",
            [sample(membership.MembershipActivated, membership_id=id, member_id=id, **by) for id in these],
        )
        cards = [
            sample(membership.MemberContactChanged, member_id=id, email=f"{id.hex}@example.org", former_email=None)
            for id in these
        ]
        _tell(life, "notifications", cards)
    return str(community_id), [str(id) for id in people]


def insist(life: Life, method: str, path: str, body: Any = None) -> Any:
    """Ask until it is answered: on a machine that is busy with other things, five seconds may be too few."""
    for _ in range(6):
        with suppress(TimeoutError):
            answer = life.ask(method, path, body)
            if answer.status != 503:
                assert answer.status == 200, answer.text
                return answer.json
    raise AssertionError(f"{method} {path} is never answered")


def _tell(life: Life, service: str, events: Sequence[Event]) -> None:
    bodies = [wire(event) for event in events]
    inbox.receive(life.stores[service], composition.reactions_of(service), bodies)


@pytest.mark.parametrize(("way", "number"), [("embedded", 5000), pytest.param("real", 1500, marks=pytest.mark.real)])
def test_a_meeting_of_thousands_closes_and_each_is_asked_once(
    way: str, number: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with _lived(way, request, tmp_path) as life:
        community_id, people = gather(life, number)
        meeting_id, before_mb = life.schedule(community_id), _peak_mb()
        insist(life, "POST", f"/v1/meetings/{meeting_id}/start")
        entries = [{"member_id": id, "state": "attended"} for id in people]
        insist(life, "PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
        closed = insist(life, "POST", f"/v1/meetings/{meeting_id}/close")
        assert closed["head_count"] == number
        until(lambda: sum(_states(life).values()) == number, 600, every_s=0.2)
        is_mailed = number < 5000  # writing five thousand mails takes longer than a test may
        until(lambda: not is_mailed or _states(life) == {State.SENT: number}, 900, every_s=0.5)
        asked = Counter(_addresses(life))
        assert set(asked.values()) <= {1}
        assert len(asked) == number or not is_mailed
        assert max(_largest(opened) for opened in life.services.values()) < LARGEST
        assert _peak_mb() - before_mb < GROWTH_MB
        assert len(insist(life, "GET", f"/v1/meetings/{meeting_id}")["attendance"]) == number


def _addresses(life: Life) -> Iterator[str]:
    """To whom each mail went that has left so far."""
    for path in life._maildir.rglob("*"):
        if path.is_file() and path.suffix != ".part" and path.parent.name != "tmp":
            yield str(BytesHeaderParser().parsebytes(path.read_bytes())["To"])


def _states(life: Life) -> dict[State, int]:
    with life.stores["notifications"].begin() as session:
        counted = session.execute(select(Message.state, func.count()).group_by(Message.state))
        return {state: count for state, count in counted}  # noqa: C416  (rows are no pairs to mypy)


def _largest(opened: Store) -> int:
    """The size in bytes of the largest event that this store ever published."""
    with opened.begin() as session:
        return session.scalar(select(func.max(func.length(outbox.EVENT_LOG.c.body)))) or 0


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
