"""One meeting with thousands of people: it closes, and each is asked once, in messages that no broker refuses."""

import resource
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from chassis.messaging import inbox, outbox
from chassis.storage.store import Store
from chassis.testing import wire
from operations import composition
from pratique.event import Event
from pratique.events import membership
from pratique.testing import sample
from services.notifications.models import Message, State
from tests.harness.network import Network
from tests.harness.people import ZONE, attendance_body
from tests.harness.runtimes import network_on
from tests.harness.waiting import until

BATCH = 500
LARGEST = 1_200_000  #: bytes of one sealed event with 5,000 people in it; RabbitMQ 4 takes 16 MiB as it comes

GROWTH_MB = 200  #: so much more memory for the whole network, its servers apart


def gather(network: Network, number: int) -> tuple[str, list[str]]:
    """A community of so many, as meetings and notifications would have heard of it; returns its id and theirs."""
    community_id, people = uuid4(), [uuid4() for _ in range(number)]
    _tell(network, "meetings", [sample(membership.CommunityFounded, community_id=community_id, timezone=ZONE)])
    _tell(network, "notifications", [sample(membership.CommunityDescribed, community_id=community_id, name="Toutes")])
    for begin in range(0, number, BATCH):
        these = people[begin : begin + BATCH]
        by = {"community_id": community_id, "organization_id": None}
        _tell(
            network,
            "meetings",
            [sample(membership.MembershipActivated, membership_id=id, member_id=id, **by) for id in these],
        )
        cards = [
            sample(membership.MemberContactChanged, member_id=id, email=f"{id.hex}@example.org", former_email=None)
            for id in these
        ]
        _tell(network, "notifications", cards)
    return str(community_id), [str(id) for id in people]


def insist(network: Network, method: str, path: str, body: Any = None) -> Any:
    """Ask until it is answered: on a machine that is busy with other things, five seconds may be too few."""
    for _ in range(6):
        with suppress(TimeoutError):
            answer = network.request(method, path, body)
            if answer.status != 503:
                assert answer.status == 200, answer.text
                return answer.json
    raise AssertionError(f"{method} {path} is never answered")


def _tell(network: Network, service: str, events: Sequence[Event]) -> None:
    bodies = [wire(event) for event in events]
    inbox.receive(network.stores[service], composition.reactions_of(service), bodies)


@pytest.mark.parametrize(("way", "number"), [("embedded", 5000), pytest.param("real", 1500, marks=pytest.mark.real)])
def test_a_meeting_of_thousands_closes_and_each_is_asked_once(
    way: str, number: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with network_on(way, tmp_path, lambda: request.getfixturevalue("servers").fresh()) as network:
        community_id, people = gather(network, number)
        meeting_id, before_mb = network.schedule(community_id), _peak_mb()
        insist(network, "POST", f"/v1/meetings/{meeting_id}/start")
        everyone = attendance_body(dict.fromkeys(people, "attended"))
        insist(network, "PUT", f"/v1/meetings/{meeting_id}/attendance", everyone)
        closed = insist(network, "POST", f"/v1/meetings/{meeting_id}/close")
        assert closed["head_count"] == number
        until(lambda: sum(_states(network).values()) == number, 600, every_s=0.2)
        is_mailed = number < 5000  # writing five thousand mails takes longer than a test may
        until(lambda: not is_mailed or _states(network) == {State.SENT: number}, 900, every_s=0.5)
        asked = Counter(_addresses(network))
        assert set(asked.values()) <= {1}
        assert len(asked) == number or not is_mailed
        assert max(_largest(opened) for opened in network.services.values()) < LARGEST
        assert _peak_mb() - before_mb < GROWTH_MB
        assert len(insist(network, "GET", f"/v1/meetings/{meeting_id}")["attendance"]) == number


def _addresses(network: Network) -> Iterator[str]:
    """To whom each mail went that has left so far."""
    for path in network.mailbox.paths():
        yield str(BytesHeaderParser().parsebytes(path.read_bytes())["To"])


def _states(network: Network) -> dict[State, int]:
    with network.stores["notifications"].begin() as session:
        counted = session.execute(select(Message.state, func.count()).group_by(Message.state))
        return {state: count for state, count in counted}  # noqa: C416  (rows are no pairs to mypy)


def _largest(opened: Store) -> int:
    """The size in bytes of the largest event that this store ever published."""
    with opened.begin() as session:
        return session.scalar(select(func.max(func.length(outbox.EVENT_LOG.c.body)))) or 0


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
