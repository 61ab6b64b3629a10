"""A mail server that misbehaves, and what people, operators and the other services see of it.

The notifications service is real, with its loops, on a real RabbitMQ and PostgreSQL; retries wait on the clock alone.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from chassis import clock
from chassis.messaging.publisher import Outgoing, Publisher
from chassis.messaging.transport import transport_of
from chassis.runtime import topology
from chassis.testing import published, wire
from operations import composition
from operations import health_checks as doctor
from pratique.event import Event, attributes_of
from pratique.events.notifications import MessageDelivered, MessageFailed
from pratique.testing import AT
from services.notifications import delivery
from services.notifications.commands import MAIL_LOOP
from services.notifications.delivery import GAVE_UP
from services.notifications.models import LEASE, Message, State
from services.notifications.post import SmtpPost
from services.notifications.service import SENDERS, Notifications
from tests.faults.mailserver import STAGES, Mailserver
from tests.harness.containers import Running, running
from tests.harness.waiting import until
from tests.notifications.conftest import Events, named
from tests.servers import Servers

pytestmark = pytest.mark.real
CONNECT_S, ACCEPT_S = 60.0, 60.0  #: more than a busy machine takes to answer
LOST = "the connection was lost before the server's last word"  #: what is kept of a mail of unknown fate
HASTY_S = 10.0  #: where the server is to answer too late: no less, for its other answers are to come in time


class Office:
    """Notifications at work, the server to which it hands its mails, and the bus on which it hears whom to ask."""

    def __init__(self, settings: Any, network: Running, server: Mailserver) -> None:
        self.settings, self.network, self.server = settings, network, server
        self.store = network.store("notifications")
        self._events = Events()

    def ask(self, *members: str) -> UUID:
        """Evaluation asks these people about a meeting of theirs; returns the survey."""
        meeting = str(uuid4())
        self.tell(
            self._events.community("Relève"),
            self._events.closed(meeting, "Relève"),
            *(self._events.contact(name) for name in members),
            self._events.asked(meeting, *members),
        )
        return named(f"survey of {meeting}")

    def tell(self, *events: Event) -> None:
        """Publish these as their services do."""
        publisher = Publisher(transport_of(self.settings.broker_url), "evaluation")
        bodies = [(event, wire(event)) for event in events]
        publisher.publish(
            [
                Outgoing(event.exchange(), event.routing_key, body, {}, str(attributes_of(body)["id"]))
                for event, body in bodies
            ]
        )
        publisher.close()

    def messages(self, survey_id: UUID) -> list[Message]:
        """The invitations to a survey, as they stand."""
        with self.store.begin() as session:
            return list(session.scalars(select(Message).where(Message.survey_id == survey_id)))

    def states(self, survey_id: UUID) -> Counter[State]:
        """How many invitations stand where."""
        return Counter(message.state for message in self.messages(survey_id))

    def until(self, survey_id: UUID, **states: int) -> None:
        """Wait until the invitations stand so; waking the senders, for the clock may have moved."""
        expected = Counter({State(name): count for name, count in states.items()})

        def is_so() -> bool:
            with self.store.begin() as session:
                session.wake(MAIL_LOOP)
            return self.states(survey_id) == expected

        until(is_so, every_s=0.05)

    def until_sent(self, survey_id: UUID, number: int) -> None:
        """Let time pass until all are sent; one whose connection was lost on the way is tried once more than others."""

        def is_so() -> bool:
            later(seconds=2)
            with self.store.begin() as session:
                session.wake(MAIL_LOOP)
            return self.states(survey_id) == {State.SENT: number}

        until(is_so, every_s=0.1, what="all mails sent")

    def until_tried(self, survey_id: UUID, number: int) -> None:
        """Wait until each invitation was tried, in vain, and is put back, or held because its fate is unknown."""

        def is_so() -> bool:
            messages = self.messages(survey_id)
            return len(messages) == number and all(
                message.last_error and (message.state is State.SENDING or message.due_at > clock.now())
                for message in messages
            )

        until(is_so, every_s=0.05)

    def until_in_the_dark(self, survey_id: UUID, number: int) -> None:
        """Wait until of each invitation nobody knows whether it was taken.

        One that never got so far, since the machine was slow, is tried again in its time, a second or two later;
        while it is, its row still says how it fared before.
        """

        def is_so() -> bool:
            messages = self.messages(survey_id)
            if any(message.state is State.QUEUED and message.due_at > clock.now() for message in messages):
                later(seconds=2)
            with self.store.begin() as session:
                session.wake(MAIL_LOOP)
            return len(messages) == number and all(
                message.state is State.SENDING and (message.last_error or "").startswith(LOST) for message in messages
            )

        until(is_so, every_s=0.2)

    def taken(self, survey_id: UUID) -> Counter[str]:
        """How often the server took each of these invitations, by id."""
        mine = {str(message.id) for message in self.messages(survey_id)}
        taken: Counter[str] = Counter()
        for (header, _), count in self.server.taken().items():
            if header[1:37] in mine:
                taken[header[1:37]] += count
        return taken

    def told(self) -> list[Any]:
        """What notifications told the others of mails: nothing of these, which are about surveys."""
        with self.store.begin() as session:
            return [*published(session, MessageDelivered), *published(session, MessageFailed)]

    def check_each_once(self, survey_id: UUID, number: int) -> None:
        """Each was taken once and is known to be sent, and nobody is told."""
        assert sorted(self.taken(survey_id).values()) == [1] * number
        assert self.states(survey_id) == {State.SENT: number}
        assert self.told() == []


@pytest.fixture(scope="module")
def opened(servers: Servers) -> Iterator[Office]:
    """One service and one mail server for all these tests; each has people of its own."""
    with at_work(servers, ACCEPT_S) as office:
        yield office


@contextmanager
def at_work(servers: Servers, accept_s: float) -> Iterator[Office]:
    """A service that waits so long for the server's last word about a mail, and a mail server."""
    fresh, server = servers.fresh(), Mailserver()
    settings = fresh.settings(smtp_url=server.url, http_port=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "SmtpPost", partial(SmtpPost, connect_s=CONNECT_S, accept_s=accept_s))
        topology.declare(
            settings, composition.service_classes(["membership", "meetings", "evaluation", "notifications"])
        )
        with running(settings, [Notifications]) as network:
            yield Office(settings, network, server)
    server.stop()
    fresh.discard()


@pytest.fixture
def office(opened: Office) -> Iterator[Office]:
    """The service at a fixed instant, and a server that takes everything."""
    opened.server.behave()
    with clock.fixed(AT):
        yield opened
    opened.server.behave()


def later(**span: float) -> None:
    """Let time pass."""
    clock.move(timedelta(**span))


@pytest.mark.parametrize("stage", STAGES)
def test_a_no_for_now_at_any_stage_is_tried_again_and_each_mail_comes_once(office: Office, stage: str) -> None:
    office.server.behave(refuses_at=stage)
    survey_id = office.ask("Ada", "Bo", "Cy")
    office.until_tried(survey_id, 3)
    assert office.taken(survey_id) == {}
    office.server.behave()
    office.until_sent(survey_id, 3)
    office.check_each_once(survey_id, 3)


@pytest.mark.parametrize("stage", ["connect", "ehlo", "mail"])
def test_a_no_for_good_that_is_about_us_fails_nobody(office: Office, stage: str) -> None:
    office.server.behave(refuses_at=stage, reply="554 5.7.1 not from you")
    survey_id = office.ask("Ada", "Bo")
    office.until_tried(survey_id, 2)
    office.server.behave()
    office.until_sent(survey_id, 2)
    office.check_each_once(survey_id, 2)


@pytest.mark.parametrize("stage", ["rcpt", "data", "text"])
def test_a_no_for_good_fails_those_it_concerns_and_no_other(office: Office, stage: str) -> None:
    office.server.behave(refuses_at=stage, reply="550 5.1.1 unknown", only="ada@membres.example")
    survey_id = office.ask("Ada", "Bo", "Cy")
    office.until(survey_id, sent=2, failed=1)
    assert sorted(office.taken(survey_id).values()) == [1, 1]
    office.server.behave(refuses_at=stage, reply="550 5.1.1 unknown")
    survey_id = office.ask("Ada", "Bo")
    office.until(survey_id, failed=2)
    assert (office.taken(survey_id), office.told()) == ({}, [])


@pytest.mark.parametrize(
    ("how", "copies"),
    [
        ({"hangs_up": "amid"}, 0),
        ({"hangs_up": "after"}, 0),
        ({"hangs_up": "taken"}, 1),
    ],
    ids=["amid the text", "after the text", "after it took it"],
)
def test_where_the_server_leaves_us_in_the_dark_a_person_gets_one_copy_more_at_most(
    office: Office, how: dict[str, Any], copies: int
) -> None:
    leave_in_the_dark(office, how, copies)


def test_where_the_server_says_yes_too_late_a_person_gets_one_copy_more_at_most(servers: Servers) -> None:
    with at_work(servers, HASTY_S) as office, clock.fixed(AT):
        leave_in_the_dark(office, {"answers_after_s": HASTY_S + 1}, copies=1)


def leave_in_the_dark(office: Office, how: dict[str, Any], copies: int) -> None:
    """Send two mails to a server that behaves so, and see that each comes ``copies`` times more than once."""
    office.server.behave(**how)
    survey_id = office.ask("Ada", "Bo")
    office.until_in_the_dark(survey_id, 2)
    office.server.behave()
    later(minutes=14)
    office.until(office.ask("Cy"), sent=1)  # senders look at all that is due, and at what waits longest first
    assert office.states(survey_id) == {State.SENDING: 2}  # its sender may still be at it, for all that others know
    later(minutes=2)
    office.until(survey_id, sent=2)
    assert sorted(office.taken(survey_id).values()) == [1 + copies] * 2
    assert office.told() == []


def test_a_server_that_never_says_whether_it_took_a_mail_gets_it_twice_and_never_again(office: Office) -> None:
    office.server.behave(hangs_up="taken")
    survey_id = office.ask("Ada")
    office.until_in_the_dark(survey_id, 1)
    for _ in range(3):
        later(seconds=LEASE.total_seconds() + 1)
        until(lambda: office.states(survey_id)[State.FAILED] or _is_held(office, survey_id))
    office.until(survey_id, failed=1)
    assert list(office.taken(survey_id).values()) == [2]
    assert [message.last_error for message in office.messages(survey_id)] == [GAVE_UP]
    assert office.told() == []


def _is_held(office: Office, survey_id: UUID) -> bool:
    with office.store.begin() as session:
        session.wake(MAIL_LOOP)
    return all(message.lease_until and message.lease_until > clock.now() for message in office.messages(survey_id))


def test_greylisting_costs_a_few_seconds(office: Office) -> None:
    office.server.behave(is_greylisting=True)
    people = [uuid4().hex[:12] for _ in range(4)]
    survey_id = office.ask(*people)
    office.until_tried(survey_id, 4)
    office.until_sent(survey_id, 4)
    office.check_each_once(survey_id, 4)


def test_a_server_that_takes_one_connection_gets_every_mail_over_it(office: Office) -> None:
    assert SENDERS > 1
    office.server.behave(connections=1)
    survey_id = office.ask(*(f"P{number}" for number in range(20)))
    office.until_sent(survey_id, 20)  # whoever is turned away waits minutes in the end
    office.check_each_once(survey_id, 20)


def test_a_server_that_is_away_is_told_to_the_operator_and_nothing_is_lost(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.server.behave(is_away=True)
    survey_id = office.ask("Ada", "Bo")
    office.until_tried(survey_id, 2)
    until(lambda: is_told(office, caplog), every_s=0.5, what="a line in the log")
    assert _mail(office) == (False, f"127.0.0.1:{office.server.port} does not answer (ConnectionRefusedError)")
    office.server.behave()
    assert _mail(office)[0]
    office.until_sent(survey_id, 2)
    office.check_each_once(survey_id, 2)


def is_told(office: Office, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether the log says that the server is away; a connection that was open is lost first, and all tried again."""
    if "the mail server is away; " in caplog.text:
        return True
    later(seconds=10)
    with office.store.begin() as session:
        session.wake(MAIL_LOOP)
    return False


def _mail(office: Office) -> tuple[bool, str]:
    (found,) = (each for each in doctor.check_health(office.settings) if each.subject == "mail")
    return found.is_well, found.words


def test_a_slow_server_delays_mails_and_nothing_else(office: Office) -> None:
    office.server.behave(delay_s=3.0)
    survey_id = office.ask(*(f"P{number}" for number in range(8)))
    until(lambda: office.states(survey_id)[State.SENDING])
    another = office.ask("Ada")
    until(lambda: office.messages(another))
    page = office.network.call("notifications", "list_messages", member_id=str(named("Ada")))
    assert page["rows"] == []  # an answer: who is asked by a survey is in no list
    assert office.states(survey_id)[State.SENT] < 8  # the server is still at the first of them
    office.server.behave(cuts_off=False)
    office.until(survey_id, sent=8)
    office.until(another, sent=1)
    office.check_each_once(survey_id, 8)
