"""Thirty taps by two facilitators at once, on a bus and over sockets: nothing is lost, and nothing taken back."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from chassis import clock, green
from tests.harness.cockpit import Cockpit
from tests.harness.network import AT, Network
from tests.harness.runtimes import embedded_network
from tests.harness.waiting import PATIENCE_S


def tapped(phone: Cockpit, taps: Sequence[tuple[str, str]]) -> list[int]:
    """Tap one name after the other; return the statuses."""
    return [phone.tap(how, member_id) for how, member_id in taps]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with clock.fixed(AT), embedded_network(tmp_path) as begun:
        yield begun


def test_thirty_taps_by_two_at_once_are_all_kept(network: Network) -> None:
    community = network.create_community(members=20)
    leading = [str(uuid4()), str(uuid4())]
    for member_id in leading:
        network.put_member(member_id)
        network.put_role(community.id, member_id)
    network.settle()
    meeting_id = network.schedule(community.id)
    network.advance(days=7)
    network.start(meeting_id)
    store = network.stores["gateway"]
    one, other = (Cockpit(network.settings, store, member_id, meeting_id) for member_id in leading)
    mine, theirs, undone = community.member_ids[:10], community.member_ids[10:20], community.member_ids[:5]
    taps = [("there", each) for each in mine] + [("gone", each) for each in undone]
    with green.Timeout(PATIENCE_S):
        others = [("there", each) for each in theirs * 2][:15]
        tapping = [green.spawn(tapped, one, taps), green.spawn(tapped, other, others)]
        statuses = [status for each in tapping for status in each.wait()]
    assert statuses == [200] * 30
    network.settle()
    rows = network.ok("GET", f"/v1/meetings/{meeting_id}")["attendance"]
    there = {each["member_id"] for each in rows if each["state"] == "attended"}
    assert there == {*mine, *theirs} - {*undone}
