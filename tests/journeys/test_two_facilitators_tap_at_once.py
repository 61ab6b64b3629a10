"""Thirty taps by two facilitators at once, on a bus and over sockets: nothing is lost, and nothing taken back."""

import re
import urllib.parse
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from chassis import clock, green
from gateway.sessions import SessionStore
from tests.harness.network import AT, Network
from tests.harness.runtimes import embedded_network
from tests.harness.waiting import PATIENCE_S


class Phone:
    """A phone on which one facilitator is signed in and has the cockpit open."""

    def __init__(self, network: Network, member_id: str, meeting_id: str) -> None:
        self.port, self.path = network.settings.http_port, f"/meetings/{meeting_id}"
        self._cookie = f"pratique_session={SessionStore(network.stores['gateway']).begin(UUID(member_id), 'phone')}"
        _, page = self._ask("GET", f"{self.path}?lang=en")
        self._token = re.findall(r'name="form_token" value="([^"]+)"', page)[0]

    def tap(self, taps: Sequence[tuple[str, str]]) -> list[int]:
        """Tap one name after the other, each saved by itself, as the script of the page does; return the statuses."""
        return [self._ask("POST", f"{self.path}/attendance", form)[0] for form in map(self._form, taps)]

    def _form(self, tap: tuple[str, str]) -> str:
        how, member_id = tap
        return urllib.parse.urlencode({"form_token": self._token, "part": "saved", how: member_id})

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {
            "Cookie": self._cookie,
            "Accept": "text/html",
            "Connection": "close",
            "Sec-Fetch-Site": "same-origin",
        }
        headers |= {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, path, form, headers)
        response = connection.getresponse()
        status, text = response.status, response.read().decode()
        connection.close()
        return status, text


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
    one, other = (Phone(network, member_id, meeting_id) for member_id in leading)
    mine, theirs, undone = community.member_ids[:10], community.member_ids[10:20], community.member_ids[:5]
    taps = [("there", each) for each in mine] + [("gone", each) for each in undone]
    with green.Timeout(PATIENCE_S):
        tapping = [green.spawn(one.tap, taps), green.spawn(other.tap, [("there", each) for each in theirs * 2][:15])]
        statuses = [status for each in tapping for status in each.wait()]
    assert statuses == [200] * 30
    network.settle()
    rows = network.ok("GET", f"/v1/meetings/{meeting_id}")["attendance"]
    there = {each["member_id"] for each in rows if each["state"] == "attended"}
    assert there == {*mine, *theirs} - {*undone}
