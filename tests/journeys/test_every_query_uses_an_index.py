"""However long a network has lived, no command, reaction, page or mail reads a whole table that grows."""

import sys
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from inspect import unwrap
from types import CodeType, FrameType
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from prometheus_client import generate_latest
from sqlalchemy import Engine, event

from chassis import clock
from chassis.messaging import inbox
from chassis.settings import SERVICES
from chassis.storage.store import Store
from chassis.testing import open_at
from operations import composition
from pratique.event import Envelope
from pratique.events.meetings import MeetingClosed
from pratique.testing import sample
from tests.journeys.letters import asks, text_of
from tests.journeys.life import AT, Community, Life, on_real_servers
from tests.journeys.multiply import multiply
from tests.servers import HOME, Fresh, Servers

pytestmark = pytest.mark.real

ROWS = 5000  #: in each table; enough that reading all of them is dearer than any index
MANY = 500  #: more than one community, meeting or person has, and no page is longer
PLANNED = ("select", "insert", "update", "delete", "with")
WHOLE = ("Sort", "Aggregate", "Hash", "Materialize", "Merge Join")
AUDITED = ("membership", "meetings")  #: services in which people do what is kept on record
#: These stay small however long a network lives, and why.
SMALL = {
    "receipt": "holds what the mail server took and what is being recorded just now",
    "outbox": "holds what the broker has not confirmed yet",
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
def lived(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fresh, Statements]]:
    """A small network in which everything has happened that can happen, and all that was asked of its stores."""
    fresh = servers.fresh()
    with (
        clock.fixed(AT),
        heard() as (statements, asking),
        on_real_servers(fresh, tmp_path_factory.mktemp("life")) as life,
    ):
        live(life)
        generate_latest()
        _check_that_all_was_lived(asking)
    for name in SERVICES:
        opened = open_at(name, fresh.store_urls[name])
        with clock.fixed(AT):
            fail(opened)
        opened.close()
    yield fresh, statements
    fresh.discard()


def live(life: Life) -> None:
    """Every command, query, reaction and due thing that there is, at least once."""
    community = life.found_community(members=10)
    grow(life, community)
    forget(life, community)
    held = life.schedule(community.id, facilitator_id=community.member_ids[0], themes=["Le premier pas"])
    life.ok("PUT", f"/v1/meetings/{held}/registrations/{community.member_ids[1]}", {"partstat": "accepted"})
    cancelled, unclosed, deserted = (life.schedule(community.id) for _ in range(3))
    life.ok("POST", f"/v1/meetings/{cancelled}/cancel", {"reason": "Grève"})
    there = dict.fromkeys(community.member_ids, "attended")
    life.hold(held, there)
    for meeting_id in (unclosed, deserted):
        life.ok("POST", f"/v1/meetings/{meeting_id}/start")
        few = [{"member_id": member_id, "state": "attended"} for member_id in community.member_ids[:2]]
        life.ok("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": few})
    for meeting_id in (held, unclosed):
        life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
    life.settle()
    life.ok("POST", f"/v1/meetings/{unclosed}/survey/room-code")
    life.answer(room_code=life.survey(unclosed)["room_code"], member_id=community.member_ids[1])
    answer_and_close(life, community, held)
    life.ok("POST", f"/v1/meetings/{deserted}/close")
    life.later(hours=49)
    life.later(days=6)
    read(life, community, held)
    begun = life.schedule(community.id)
    life.hold(begun, there)
    life.ok("POST", f"/v1/meetings/{begun}/wrap-up")
    life.settle()
    life.answer(room_code=life.survey(begun)["room_code"], member_id=community.member_ids[2])
    life.ok("POST", f"/v1/meetings/{begun}/close")
    life.settle()
    correct(life, begun, {community.member_ids[3]: "no_show"})
    life.later(hours=49)


def forget(life: Life, community: Community) -> None:
    """What is left of a survey that two answered, after the first was taken back, goes ninety days later."""
    meeting_id = life.schedule(community.id)
    life.ok("PUT", f"/v1/meetings/{meeting_id}", plan(life, meeting_id, place="Salle 2"), etag(life, meeting_id))
    life.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")
    life.settle()
    life.answer(room_code=life.survey(meeting_id)["room_code"], member_id=community.member_ids[2])
    life.ok("POST", f"/v1/meetings/{meeting_id}/survey/void-room")
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    for member_id in community.member_ids[2:4]:
        life.answer(token=newest_link(life, member_id))
    life.later(days=8)
    life.later(days=91)


def newest_link(life: Life, member_id: str) -> str:
    """The end of the survey link that this person was sent last."""
    return life.link_in([mail for mail in life.mails(to=life.address_of(member_id)) if asks(mail)][-1])


def plan(life: Life, meeting_id: str, **changes: Any) -> dict[str, Any]:
    """A meeting as it was scheduled, but for these changes."""
    known = life.ok("GET", f"/v1/meetings/{meeting_id}")
    kept = ("community_ids", "kind", "mode", "starts_at", "ends_at", "timezone")
    return {name: known[name] for name in kept} | changes


def etag(life: Life, meeting_id: str) -> dict[str, str]:
    """The header by which a change says what it changes."""
    return {"If-Match": life.ask("GET", f"/v1/meetings/{meeting_id}").headers["Etag"]}


def correct(life: Life, meeting_id: str, states: dict[str, str]) -> None:
    """Attendance is corrected, person by person."""
    for member_id, state in states.items():
        entries = [{"member_id": member_id, "state": state}]
        life.ok("PUT", f"/v1/meetings/{meeting_id}/attendance", {"entries": entries})
        life.settle()


def grow(life: Life, community: Community) -> None:
    """People, organisations and roles come and change."""
    organization_id, member_id = uuid4(), community.member_ids[0]
    life.ok("PUT", f"/v1/organizations/{organization_id}", {"name": "Centre des aînés"})
    words = {"name": "Cercle", "purpose": "Apprendre.", "kind": "open", "locale": "fr", "timezone": "Europe/Paris"}
    version = life.ask("GET", f"/v1/communities/{community.id}").headers["Etag"]
    life.ok("PUT", f"/v1/communities/{community.id}", words, {"If-Match": version})
    for role, member_id in (("facilitator", community.member_ids[0]), ("coordinator", community.member_ids[1])):
        life.ok("PUT", f"/v1/communities/{community.id}/roles/{member_id}/{role}")
    life.ok("DELETE", f"/v1/communities/{community.id}/roles/{member_id}/coordinator")
    life.settle()


def answer_and_close(life: Life, community: Community, meeting_id: str) -> None:
    """Some answer in the room and some by mail; attendance is corrected in both directions."""
    code = life.survey(meeting_id)["room_code"]
    life.ok("GET", f"/v1/rooms/{code}")
    for member_id in community.member_ids[1:5]:
        life.answer(room_code=code, member_id=member_id)
    life.ok("POST", f"/v1/meetings/{meeting_id}/close")
    life.settle()
    token = newest_link(life, community.member_ids[5])
    ballot = life.ok("POST", "/v1/ballots", {"token": token, "locale": "fr"})["ballot_id"]
    form = f"step=answer&ballot={ballot}&q.satisfaction=4"
    for method, body in (("GET", None), ("POST", form)):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert life.ask(method, f"/s/{token}", body, headers).status == 200
    late = life.join(community.id, "Personne tardive")
    life.settle()
    correct(life, meeting_id, {community.member_ids[-1]: "no_show", late: "attended"})


def read(life: Life, community: Community, meeting_id: str) -> None:
    """Whatever can be read, the second page too."""
    life.ok("GET", f"/v1/meetings/{meeting_id}")
    life.ok("GET", f"/v1/surveys/{life.survey(meeting_id)['id']}/results")
    life.ok("GET", f"/v1/members/{community.member_ids[0]}")
    about = next(mail for mail in life.mails() if "/results/" in text_of(mail))
    page = next(word for word in text_of(about).split() if "/results/" in word)
    assert life.ask("GET", page[page.index("/results/") :]).status == 200
    for email in (life.address_of(community.member_ids[0]), "nobody@example.org"):
        life.ok("GET", f"/v1/members?email={email}")
    organizations = [uuid4(), uuid4()]
    for organization_id in organizations:
        life.ok("PUT", f"/v1/organizations/{organization_id}", {"name": "Maison de la culture"})
    life.ok("GET", f"/v1/organizations/{organizations[0]}")
    of_community = (f"/v1/communities/{community.id}/{each}" for each in ("meetings", "memberships", "roles"))
    lists = "/v1/organizations", *of_community, f"/v1/members/{community.member_ids[0]}/messages"
    life.ok("GET", f"/v1/meetings/{meeting_id}/registrations?limit=1")
    life.found_community(members=0)
    for path in ("/v1/communities", *lists):
        answer = life.ask("GET", f"{path}?limit=1")
        following = answer.headers["Link"].partition("<")[2].partition(">")[0]
        life.ok("GET", following[following.index("/v1/") :])
    newcomer = life.join(community.id, "Nouvelle venue")
    life.settle()
    life.ok("PUT", f"/v1/communities/{community.id}/roles/{newcomer}/facilitator")
    life.settle()


def fail(opened: Store) -> None:
    """An event waits to be tried again, and another is dead."""
    for state in ("waiting", "dead"):
        envelope = Envelope.seal(sample(MeetingClosed), clock.now())
        inbox.park(opened, envelope, envelope.to_bytes(), "a fault")
        with opened.begin() as session:
            session.execute(inbox.PARKED.update().where(inbox.PARKED.c.id == envelope.id).values(state=state))


def _check_that_all_was_lived(asking: Asking) -> None:
    """Whatever is new must come into the story, or its statements would not be looked at."""
    for name in SERVICES:
        methods = [handler for _, handler in composition.service_class(name).handlers.values()]
        for acting in (methods, composition.reactions_of(name).values(), composition.handlers_of(name).values()):
            unlived = [each.__qualname__ for each in acting if unwrap(each).__code__ not in asking]
            assert unlived == [], f"let the story of {name} come to these"


def test_no_statement_reads_a_whole_table_that_grows(servers: Servers, lived: tuple[Fresh, Statements]) -> None:
    fresh, statements = lived
    faults: list[str] = []
    for name in SERVICES:
        url = fresh.store_urls[name]
        counts = multiply(servers, url, ROWS, SMALL)
        _lag(url)
        unused = unused_by(name)
        unlived = {table for table, count in counts.items() if not count} - unused - SMALL.keys()
        assert unlived == set(), f"let the story leave rows in these tables of {name}"
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


def test_a_query_without_an_index_is_found(servers: Servers, lived: tuple[Fresh, Statements]) -> None:
    """So that the test above cannot pass by looking at nothing."""
    url = lived[0].store_urls["meetings"]
    database = url.rpartition("/")[2]
    unindexed = "select * from meeting where facilitator_id = %(id)s order by starts_at limit 1"
    unbounded = "select * from meeting_community order by meeting_id, community_id"
    multiply(servers, url, ROWS, SMALL)

    for statement in (unindexed, unbounded):
        [(plan, _)] = plans(url, {(database, statement): {"id": str(uuid4())}})
        assert list(faults_of(plan, SMALL))
