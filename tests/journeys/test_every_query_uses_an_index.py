"""However large a network has grown, no command, reaction, page or mail reads a whole table that grows."""

import re
import sys
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from inspect import unwrap
from types import CodeType, FrameType
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import psycopg2
import pytest
from prometheus_client import generate_latest
from sqlalchemy import Engine, event

from chassis import clock
from chassis.actor import Actor
from chassis.messaging import inbox
from chassis.settings import SERVICES
from chassis.storage.store import Store
from chassis.testing import open_at
from operations import composition
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed
from pratique.testing import sample
from tests.harness.mails import text_of
from tests.harness.network import AT, Network
from tests.harness.people import Community
from tests.harness.runtimes import real_network
from tests.journeys.multiply import multiply
from tests.journeys.trust import ask_as, ask_for_link, coordinator_of, trust
from tests.servers import HOME, Fresh, Servers

pytestmark = pytest.mark.real

ROWS = 5000  #: in each table; enough that reading all of them is dearer than any index
MANY = 500  #: more than one community, meeting or person has, and no page is longer
PLANNED = ("select", "insert", "update", "delete", "with")
WHOLE = ("Sort", "Aggregate", "Hash", "Materialize", "Merge Join")
AUDITED = ("membership", "meetings")  #: services in which people do what is kept on record
#: These stay small however large a network grows, and why.
SMALL = {
    "receipt": "holds what the mail server took and what is being recorded just now",
    "outbox": "holds what the broker has not confirmed yet",
    "community_set": "holds regions and the like, which people name: dozens of them",
    "binding": "a row for each event that a service reacts to",
}
#: What the metrics count in these, by an index, are few in a system that is well, and why.
COUNTED = {"parked": "what failed and waits, or what no person has looked at yet", "due": "what is overdue"}

OURS = ("tests", "pratique", "services", "gateway")
Statements = dict[tuple[str, str], Any]  #: (database, statement) -> the arguments that it last had
Asking = set[CodeType]  #: the code from which statements were asked


@contextmanager
def heard() -> Iterator[tuple[Statements, Asking]]:
    """Every statement that any store of this process executes, and by whom."""
    statements: Statements = {}
    asking: Asking = set()

    def hear(connection: Any, cursor: Any, statement: str, arguments: Any, context: Any, is_many: bool) -> None:
        if connection.dialect.name == "postgresql" and not _is_asked_by_tests(sys._getframe(1)):
            asking.update(_callers(sys._getframe(1)))
            statements[connection.engine.url.database, statement] = (
                arguments[0] if isinstance(arguments, list) else arguments
            )

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield statements, asking
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def _is_asked_by_tests(frame: FrameType | None) -> bool:
    """Whether the nearest code of ours that leads here is a test's, which may read what it likes."""
    while frame and not any(frame.f_code.co_filename.startswith(str(HOME / part)) for part in OURS):
        frame = frame.f_back
    return frame is None or frame.f_code.co_filename.startswith(str(HOME / "tests"))


def _callers(frame: FrameType | None) -> Iterator[CodeType]:
    while frame:
        yield frame.f_code
        frame = frame.f_back


@pytest.fixture(scope="module")
def recorded(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fresh, Statements]]:
    """A small network in which everything has happened that can happen, and all that was asked of its stores."""
    fresh = servers.fresh()
    with (
        clock.fixed(AT),
        heard() as (statements, asking),
        real_network(fresh, tmp_path_factory.mktemp("network")) as network,
    ):
        run_scenario(network)
        generate_latest()
        _check_that_all_was_lived(asking)
    for name in SERVICES:
        opened = open_at(name, fresh.store_urls[name])
        with clock.fixed(AT):
            fail(opened)
        opened.close()
    yield fresh, statements
    fresh.discard()


def run_scenario(network: Network) -> None:
    """Every command, query, reaction and due thing that there is, at least once."""
    community = network.create_community(members=10)
    grow(network, community)
    forget(network, community)
    held = network.schedule(community.id, facilitator_id=community.member_ids[0], themes=["Le premier pas"])
    network.ok("PUT", f"/v1/meetings/{held}/registrations/{community.member_ids[1]}", {"partstat": "accepted"})
    cancelled, unclosed, deserted = (network.schedule(community.id) for _ in range(3))
    network.ok("POST", f"/v1/meetings/{cancelled}/cancel", {"reason": "Grève"})
    there = dict.fromkeys(community.member_ids, "attended")
    network.hold(held, there)
    for meeting_id in (unclosed, deserted):
        network.start(meeting_id)
        network.record_attendance(meeting_id, dict.fromkeys(community.member_ids[:2], "attended"))
    for meeting_id in (held, unclosed):
        network.wrap_up(meeting_id)
    network.settle()
    network.ok("POST", f"/v1/meetings/{unclosed}/survey/room-code")
    network.answer(room_code=network.survey(unclosed)["room_code"], member_id=community.member_ids[1])
    answer_and_close(network, community, held)
    network.close(deserted)
    network.advance(hours=49)
    network.advance(days=6)
    read(network, community, held)
    begun = network.schedule(community.id)
    network.hold(begun, there)
    network.wrap_up(begun)
    network.settle()
    network.answer(room_code=network.survey(begun)["room_code"], member_id=community.member_ids[2])
    network.close(begun)
    network.settle()
    correct(network, begun, {community.member_ids[3]: "no_show"})
    network.advance(hours=49)


def forget(network: Network, community: Community) -> None:
    """What is left of a survey that two answered, after the first was taken back, goes ninety days later."""
    meeting_id = network.schedule(community.id)
    network.ok(
        "PUT", f"/v1/meetings/{meeting_id}", plan(network, meeting_id, place="Salle 2"), etag(network, meeting_id)
    )
    network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    network.wrap_up(meeting_id)
    network.settle()
    network.answer(room_code=network.survey(meeting_id)["room_code"], member_id=community.member_ids[2])
    network.ok("POST", f"/v1/meetings/{meeting_id}/survey/void-room")
    network.close(meeting_id)
    network.settle()
    for member_id in community.member_ids[2:4]:
        network.answer(token=network.survey_links(member_id)[-1])
    network.advance(days=8)
    network.advance(days=91)


def plan(network: Network, meeting_id: str, **changes: Any) -> dict[str, Any]:
    """A meeting as it was scheduled, but for these changes."""
    known = network.ok("GET", f"/v1/meetings/{meeting_id}")
    kept = ("community_ids", "kind", "mode", "starts_at", "ends_at", "timezone")
    return {name: known[name] for name in kept} | changes


def etag(network: Network, meeting_id: str) -> dict[str, str]:
    """The header by which a change says what it changes."""
    return {"If-Match": network.request("GET", f"/v1/meetings/{meeting_id}").headers["Etag"]}


def correct(network: Network, meeting_id: str, states: dict[str, str]) -> None:
    """Attendance is corrected, person by person."""
    for member_id, state in states.items():
        network.record_attendance(meeting_id, {member_id: state})
        network.settle()


def grow(network: Network, community: Community) -> None:
    """People, organisations and roles come and change."""
    organization_id, member_id = uuid4(), community.member_ids[0]
    network.ok("PUT", f"/v1/organizations/{organization_id}", {"name": "Centre des aînés"})
    words = {"name": "Cercle", "purpose": "Apprendre.", "kind": "open", "locale": "fr", "timezone": "Europe/Paris"}
    version = network.request("GET", f"/v1/communities/{community.id}").headers["Etag"]
    network.ok("PUT", f"/v1/communities/{community.id}", words, {"If-Match": version})
    for role, member_id in (("facilitator", community.member_ids[0]), ("coordinator", community.member_ids[1])):
        network.put_role(community.id, member_id, role)
    network.ok("DELETE", f"/v1/communities/{community.id}/roles/{member_id}/coordinator")
    network.settle()


def answer_and_close(network: Network, community: Community, meeting_id: str) -> None:
    """Some answer in the room and some by mail; attendance is corrected in both directions."""
    code = network.survey(meeting_id)["room_code"]
    network.ok("GET", f"/v1/rooms/{code}")
    for member_id in community.member_ids[1:5]:
        network.answer(room_code=code, member_id=member_id)
    ask_for_link(network, code, community.member_ids[6])
    network.close(meeting_id)
    network.settle()
    token = network.survey_links(community.member_ids[5])[-1]
    ballot = network.ballot(token=token)["ballot_id"]
    form = f"step=answer&ballot={ballot}&q.satisfaction=4"
    for method, body in (("GET", None), ("POST", form)):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert network.request(method, f"/s/{token}", body, headers).status == 200
    late = network.join(community.id, "Personne tardive")
    network.settle()
    correct(network, meeting_id, {community.member_ids[-1]: "no_show", late: "attended"})


def read(network: Network, community: Community, meeting_id: str) -> None:
    """Whatever can be read, the second page too."""
    network.ok("GET", f"/v1/meetings/{meeting_id}")
    network.ok("GET", f"/v1/surveys/{network.survey(meeting_id)['id']}/results")
    network.ok("GET", f"/v1/members/{community.member_ids[0]}")
    about = next(mail for mail in network.mails() if "/results/" in text_of(mail))
    page = next(word for word in text_of(about).split() if "/results/" in word)
    assert network.request("GET", page[page.index("/results/") :]).status == 200
    for email in (network.address_of(community.member_ids[0]), "nobody@example.org"):
        network.ok("GET", f"/v1/members?email={email}")
    organizations = [uuid4(), uuid4()]
    for organization_id in organizations:
        network.ok("PUT", f"/v1/organizations/{organization_id}", {"name": "Maison de la culture"})
    network.ok("GET", f"/v1/organizations/{organizations[0]}")
    of_community = (f"/v1/communities/{community.id}/{each}" for each in ("meetings", "memberships", "roles"))
    lists = "/v1/organizations", *of_community, f"/v1/members/{community.member_ids[0]}/messages"
    network.ok("GET", f"/v1/meetings/{meeting_id}/registrations?limit=1")
    has_it = {"If-None-Match": etag(network, meeting_id)["If-Match"]}
    assert network.request("GET", f"/v1/meetings/{meeting_id}", headers=has_it).status == 304
    network.create_community(members=0)
    for path in ("/v1/communities", *lists):
        answer = network.request("GET", f"{path}?limit=1")
        following = answer.headers["Link"].partition("<")[2].partition(">")[0]
        network.ok("GET", following[following.index("/v1/") :])
    newcomer = network.join(community.id, "Nouvelle venue")
    network.settle()
    sign_in(network, newcomer)
    network.put_role(community.id, newcomer)
    network.settle()
    trust(network, community, newcomer)
    for actor in (Actor.network(), coordinator_of(community)):
        ask_as(network, actor, community, meeting_id)
    network.ok("DELETE", f"/v1/communities/{community.id}/memberships/{newcomer}?reason=removed")
    network.settle()


def sign_in(network: Network, member_id: str) -> None:
    """Sign in by the link in the mail, and look at the home page."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = urlencode({"email": network.address_of(member_id)})
    assert network.request("POST", "/sign-in", asked, form).status == 200
    network.settle()
    path = next(found[0] for mail in network.mails() if (found := re.findall(r"/sign-in/\S+", text_of(mail))))
    cookie = network.request("POST", path, "", form).headers["Set-Cookie"].partition(";")[0]
    assert network.request("GET", "/home", headers={"Cookie": cookie}).status == 200
    network.advance(hours=1)


def fail(opened: Store) -> None:
    """An event waits to be tried again, and another is dead."""
    for state in ("waiting", "dead"):
        envelope = Envelope.seal(sample(MeetingClosed), clock.now())
        inbox.park(opened, envelope, envelope.to_bytes(), "a fault")
        with opened.begin() as session:
            session.execute(inbox.PARKED.update().where(inbox.PARKED.c.id == envelope.id).values(state=state))


def _check_that_all_was_lived(asking: Asking) -> None:
    """Whatever is new must come into the scenario, or its statements would not be looked at."""
    missing: dict[str, list[str]] = {}
    for name in SERVICES:
        methods = [handler for _, handler in composition.service_class(name).handlers.values()]
        for table in (methods, composition.reactions_of(name).values(), composition.handlers_of(name).values()):
            missing.setdefault(name, []).extend(
                each.__qualname__ for each in table if unwrap(each).__code__ not in asking
            )
    assert not any(missing.values()), f"let the scenario come to these: {missing}"


def test_no_statement_reads_a_whole_table_that_grows(servers: Servers, recorded: tuple[Fresh, Statements]) -> None:
    fresh, statements = recorded
    faults: list[str] = []
    for name in SERVICES:
        url = fresh.store_urls[name]
        counts = multiply(servers, url, ROWS, SMALL)
        _lag(url)
        unused = unused_by(name)
        missing = {table for table, count in counts.items() if not count} - unused - SMALL.keys()
        assert missing == set(), f"let the scenario leave rows in these tables of {name}"
        for plan, statement in plans(url, statements):
            faults += [f"{name}: {fault}, by {statement}" for fault in faults_of(plan, SMALL.keys() | unused)]
    assert not faults, "\n".join(faults)


def _lag(url: str) -> None:
    """Let the newest events wait for the broker, of more that waited; the planner does not know which, as ever."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("insert into outbox select seq from event_log on conflict do nothing")
        cursor.execute("delete from outbox where seq < (select max(seq) from outbox)")


def unused_by(name: str) -> set[str]:
    """The kernel's tables that this service has no use for."""
    unused = {"due"} if not composition.handlers_of(name) else set()
    unused |= {"inbox", "binding"} if not composition.reactions_of(name) else set()
    return unused | ({"audit"} if name not in AUDITED else set())


def plans(url: str, statements: Statements) -> Iterator[tuple[dict[str, Any], str]]:
    """How PostgreSQL would execute each of the statements that this store was asked."""
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection, connection.cursor() as cursor:
        for (database, statement), arguments in statements.items():
            if database == url.rpartition("/")[2] and statement.split(None, 1)[0].lower() in PLANNED:
                cursor.execute(f"explain (format json) {statement}", arguments)
                [(answer,)] = cursor.fetchall()
                yield answer[0]["Plan"], statement


def faults_of(
    plan: dict[str, Any], small: Collection[str], is_counting: bool = False, is_limited: bool = False
) -> Iterator[str]:
    """What in this plan becomes dearer the more rows there are, unless in a table that stays small."""
    table, rows = plan.get("Relation Name"), plan["Plan Rows"]
    is_counting = is_counting or plan["Node Type"] == "Aggregate"
    if table not in small:
        if plan["Node Type"] == "Seq Scan":
            yield f"all {rows} rows of {table} are read"
        elif table and rows > MANY and not is_limited and not (is_counting and table in COUNTED):
            yield f"{rows} rows of {table} are read"
    # What is sorted or counted is read whole, whatever the limit above it.
    is_limited = plan["Node Type"] == "Limit" or (is_limited and plan["Node Type"] not in WHOLE)
    for part in plan.get("Plans", ()):
        yield from faults_of(part, small, is_counting, is_limited)


def test_a_query_without_an_index_is_found(servers: Servers, recorded: tuple[Fresh, Statements]) -> None:
    """So that the test above cannot pass by looking at nothing."""
    url = recorded[0].store_urls["meetings"]
    database = url.rpartition("/")[2]
    unindexed = "select * from registration where member_id = %(id)s order by registered_at limit 1"
    unbounded = "select * from meeting_community order by meeting_id, community_id"
    multiply(servers, url, ROWS, SMALL)

    for statement in (unindexed, unbounded):
        [(plan, _)] = plans(url, {(database, statement): {"id": str(uuid4())}})
        assert list(faults_of(plan, SMALL))
