"""What nobody can read or act on harms nothing else, and waits for a person who can see and mend it."""

import contextlib
import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from chassis.messaging import dead_letters, inbox
from chassis.messaging.transport import transport_of
from operations import cli
from pratique import testing
from pratique.event import CONTENT_TYPE
from pratique.events.meetings import MeetingClosed, MeetingWrapUpStarted
from tests.harness.mails import asks
from tests.harness.network import Network
from tests.harness.people import Community
from tests.harness.waiting import until

pytestmark = [
    pytest.mark.real,
    pytest.mark.usefixtures("logging_as_before"),
    pytest.mark.parametrize("network", ["real"], indirect=True),
]


@pytest.fixture
def community(network: Network) -> Community:
    return network.create_community(members=5)


def pratique(network: Network, *arguments: str) -> str:
    """What ``pratique ARGUMENTS`` prints, with the settings that an operator has in the environment."""
    urls = {f"PRATIQUE_STORE_{name.upper()}": url for name, url in network.settings.store_urls.items()}
    env = {"PRATIQUE_BROKER_URL": network.settings.broker_url, "COLUMNS": "300", **urls}
    done = CliRunner().invoke(cli, list(arguments), env=env)
    assert done.exit_code == 0, done.output
    return done.output


def send(network: Network, body: bytes, routing_key: str = "MeetingClosed") -> None:
    """Put this where meetings publishes, as a faulty or newer program would."""
    with transport_of(network.settings.broker_url).connection() as connection:
        producer = connection.Producer()
        producer.publish(
            body,
            exchange="meetings.events",
            routing_key=routing_key,
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
        )


def letters(network: Network, service: str = "evaluation") -> list[dead_letters.Letter]:
    with network.stores[service].begin() as session:
        return dead_letters.list_letters(session, service)


def the_main_job_still_runs(network: Network, community: Community) -> None:
    meeting_id = network.schedule(community.id)
    before = sum(map(asks, network.mails()))
    network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    network.close(meeting_id)
    network.settle()
    assert sum(map(asks, network.mails())) == before + 5


def test_what_cannot_be_decoded_is_a_dead_letter_to_show_and_to_drop(network: Network, community: Community) -> None:
    send(network, b'{"specversion": "1.0", half of an event')
    (letter,) = until(lambda: letters(network))
    listed = pratique(network, "dead", "list", "--service", "evaluation")
    assert str(letter.id) in listed
    assert "(cannot be read)" in listed
    shown = pratique(network, "dead", "show", str(letter.id))
    assert "half of an event" in shown
    the_main_job_still_runs(network, community)
    assert "dropped" in pratique(network, "dead", "drop", "--all", "--yes")
    assert "There is no dead letter." in pratique(network, "dead", "list")


def test_an_event_of_an_unknown_version_is_kept_as_it_came(network: Network, community: Community) -> None:
    newer = json.loads(testing.envelope(testing.sample(MeetingClosed)).to_bytes())
    newer |= {"id": str(uuid4()), "type": newer["type"].replace(".v1", ".v9")}
    body = json.dumps(newer).encode()
    send(network, body)
    send(network, body)
    (letter,) = until(lambda: letters(network))
    shown = pratique(network, "dead", "show", str(letter.id), "--service", "evaluation")
    assert ".v9" in shown
    assert json.loads(letter.content) == newer
    pratique(network, "dead", "replay", str(letter.id), "--service", "evaluation")
    the_main_job_still_runs(network, community)
    assert until(lambda: letters(network))[0].id == letter.id  # a dead letter again, that the list shows
    assert any(json.loads(row) == newer for row in parked(network))  # replaying what cannot be read loses it neither


def parked(network: Network) -> list[bytes]:
    with network.stores["evaluation"].begin() as session:
        return [bytes(row.body) for row in session.execute(inbox.PARKED.select())]


def test_a_reaction_that_always_fails_is_a_dead_letter_until_its_cause_is_mended(
    network: Network, community: Community
) -> None:
    with evaluation_cannot_open_surveys(network):
        meeting_id = network.schedule(community.id)
        network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
        network.wrap_up(meeting_id)
        network.settle()
        for _ in range(6):
            network.advance(hours=3)
        (letter,) = letters(network)
        assert (letter.what, letter.state) == (MeetingWrapUpStarted.type, "dead")
        assert "no room today" in pratique(network, "dead", "show", str(letter.id))
        assert network.request("GET", f"/v1/meetings/{meeting_id}/survey").status == 404
        assert network.ok("GET", f"/v1/meetings/{meeting_id}")["state"] == "wrap_up"
    network.settle()
    assert "1 replayed" in pratique(network, "dead", "replay", "--all")
    network.settle()
    assert network.survey(meeting_id)["room_code"]
    assert "There is no dead letter." in pratique(network, "dead", "list", "--waiting")


@contextlib.contextmanager
def evaluation_cannot_open_surveys(network: Network) -> Iterator[None]:
    """A fault in its database: every new survey with a room is refused, as a broken migration or trigger would."""
    words = "begin raise exception 'no room today'; end"
    made = f"create function refuse() returns trigger language plpgsql as $$ {words} $$"
    trigger = "create trigger refuse before insert on survey for each row when (new.room_code is not null)"
    _run(network, made, f"{trigger} execute function refuse()")
    yield
    _run(network, "drop trigger refuse on survey", "drop function refuse()")


def _run(network: Network, *statements: str) -> None:
    with network.stores["evaluation"].begin() as session:
        for statement in statements:
            session.execute(text(statement))
