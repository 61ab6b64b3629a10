"""What follows from one closing is found in the logs of every service by one id; of answers they tell nothing."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from chassis import log
from chassis.rpc import messages
from chassis.storage.store import Store
from pratique.events.membership import MemberContactChanged
from tests.harness.network import Network
from tests.harness.people import Community
from tests.harness.waiting import until

pytestmark = pytest.mark.parametrize("network", ["embedded"], indirect=True)
IN_ROOM = 3


@pytest.fixture
def printed(logging_as_before: None) -> Iterator[io.StringIO]:
    """What every service prints as operators have it: JSON, from the level of information on."""
    stream = io.StringIO()
    log.configure("json", stream)
    yield stream
    structlog.reset_defaults()


def lines(printed: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.getvalue().splitlines()]


def hold(network: Network) -> tuple[Community, str]:
    """A meeting of six in its wrap-up."""
    community = network.create_community(members=6)
    meeting_id = network.schedule(community.id)
    network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    network.wrap_up(meeting_id)
    network.settle()
    return community, meeting_id


def told_of(told: list[dict[str, Any]], words: str, **fields: str) -> list[tuple[str, str]]:
    """Which service published or handled what, of the events that have these fields."""
    return [
        (line["service"], each["type"].split(".")[-2])
        for line in told
        if line["event"].startswith(words)
        for each in line["events"]
        if fields.items() <= each.items()
    ]


def test_what_follows_from_a_closing_is_found_by_one_id_in_every_service(
    network: Network, printed: io.StringIO
) -> None:
    _, meeting_id = hold(network)
    network.close(meeting_id)
    network.settle()
    told = lines(printed)

    assert {line["service"] for line in told} == {"gateway", "membership", "meetings", "evaluation", "notifications"}
    (request,) = [line for line in told if line["event"].startswith(f"POST /v1/meetings/{meeting_id}/close 200")]
    assert request["service"] == "gateway"
    assert request["request_id"]
    (closed,) = [
        each
        for line in told
        if line["event"].startswith("published") and line["service"] == "meetings"
        for each in line["events"]
        if each["type"].endswith(".MeetingClosed.v1") and each["subject"] == meeting_id
    ]
    by_id = {"correlation_id": closed["correlation_id"]}
    published, handled = told_of(told, "published", **by_id), told_of(told, "handled", **by_id)
    assert {("meetings", "MeetingClosed"), ("evaluation", "SurveyInvitationsIssued")} <= set(published)
    assert {("evaluation", "MeetingClosed"), ("notifications", "SurveyInvitationsIssued")} <= set(handled)
    assert len(handled) == len(set(handled)), "each once"


@contextmanager
def broken(opened: Store, table: str) -> Iterator[None]:
    """Within the block the store lacks this table, as after a mistake."""
    for before, after in ((table, "gone"), ("gone", table)):
        with opened.begin() as session:
            session.execute(text(f"alter table {before} rename to {after}"))
        if after == "gone":
            yield


def test_a_reaction_that_fails_is_logged_with_its_event(network: Network, printed: io.StringIO) -> None:
    community = network.create_community(members=1)
    with broken(network.stores["notifications"], "contact_card"):
        network.join(community.id, "Personne")
        (failed,) = until(lambda: [line for line in lines(printed) if "failed; it is tried again" in line["event"]])
    assert failed["service"] == "notifications"
    assert failed["event_type"] == MemberContactChanged.type
    by_id = {"id": failed["event_id"], "correlation_id": failed["correlation_id"]}
    network.settle()
    assert told_of(lines(printed), "published", **by_id) == [("membership", MemberContactChanged.__name__)]
    assert told_of(lines(printed), "handled", **by_id) == [("notifications", MemberContactChanged.__name__)]


def test_what_goes_wrong_in_a_service_carries_the_id_of_its_request(network: Network, printed: io.StringIO) -> None:
    community = network.create_community(members=1)
    before = len(lines(printed))
    with broken(network.stores["membership"], "community"):
        assert network.request("GET", f"/v1/communities/{community.id}").status == 503
    wrong, answered = [line for line in lines(printed)[before:] if "request_id" in line]
    assert (wrong["service"], answered["service"]) == ("membership", "gateway")
    assert wrong["request_id"] == answered["request_id"]


def test_answering_leaves_no_line_and_no_id_by_which_its_requests_belong_together(
    network: Network, printed: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    community, meeting_id = hold(network)
    code = network.survey(meeting_id)["room_code"]
    asked: list[messages.RpcRequest] = []
    open_request = messages.open_request

    def overheard(*arguments: Any) -> messages.RpcRequest:
        asked.append(open_request(*arguments))
        return asked[-1]

    monkeypatch.setattr(messages, "open_request", overheard)
    before = printed.getvalue()
    for member_id in community.member_ids[:IN_ROOM]:
        network.ok("GET", f"/v1/rooms/{code}")
        network.answer(room_code=code, member_id=member_id)
    network.settle()

    assert printed.getvalue() == before
    assert len({request.method for request in asked}) >= 4
    assert {request.request_id for request in asked} == {None}
    assert logging.getLogger("pratique.http").isEnabledFor(logging.INFO), "what is logged would be seen"
