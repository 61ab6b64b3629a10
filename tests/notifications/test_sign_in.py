"""The mail by which a person signs in: at once, before all others, and told to nobody else."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.messaging import outbox
from pratique.events.notifications import MessageDelivered, MessageDropped, MessageFailed, Template
from services.notifications.delivery import deliver
from services.notifications.kinds import KINDS
from services.notifications.models import State
from services.notifications.post import ACCEPT_S, CONNECT_S, Refused, Unknown
from tests.notifications.conftest import WRITE, named

SIGN_IN = Template.SIGN_IN
LASTS = timedelta(minutes=15)


@pytest.fixture
def known(network: Any) -> Any:
    """Ada, whom notifications knows, and her community."""
    network.deliver(network.events.contact("Ada"), network.events.community("Relève"))
    return network


def test_the_link_is_mailed_to_the_address_that_is_kept(known: Any) -> None:
    known.ask_to_sign_in("Ada")
    known.send()
    assert known.told(SIGN_IN) == ["ada"]
    assert "https://pratique.example/sign-in/token-link" in known.reads(SIGN_IN, "ada")


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_person_reads_it_in_their_language(network: Any, locale: str) -> None:
    network.deliver(network.events.contact("Ada", locale))
    network.ask_to_sign_in("Ada")
    network.send()
    words = {"fr": "Il sert une seule fois", "en": "It works once"}[locale]
    assert words in network.reads(SIGN_IN, "ada")


def test_asking_twice_for_one_link_mails_it_once_and_another_link_is_another_mail(known: Any) -> None:
    for link in ("link", "link", "other"):
        known.ask_to_sign_in("Ada", link)
    known.send()
    assert known.told(SIGN_IN) == ["ada", "ada"]


def test_it_goes_before_everything_else_that_waits(known: Any) -> None:
    known.deliver(known.events.joins("Ada", "Relève"), known.events.scheduled("rencontre", "Relève"))
    known.deliver(known.events.described("rencontre"))
    clock.move(timedelta(seconds=1))
    known.ask_to_sign_in("Ada")
    order = []

    class Listening:
        def send(self, mail: Any) -> None:
            order.append(b"/sign-in/" in mail.content.replace(b"=\r\n", b""))

        def rest(self) -> None:
            pass

    known.send(Listening())
    assert order == [True, False]


def test_it_goes_to_a_changed_address_at_once(known: Any) -> None:
    known.deliver(known.events.contact("Ada", version=2, email="zoe@membres.example", former_email="ada@x.example"))
    known.ask_to_sign_in("Ada")
    known.send()
    assert known.told(SIGN_IN) == ["zoe"]


def test_a_link_that_has_expired_is_not_sent(network: Any) -> None:
    network.ask_to_sign_in("Ada")
    network.send()  # nobody knows her address yet
    clock.move(LASTS)
    network.deliver(network.events.contact("Ada"))
    network.send()
    assert network.told(SIGN_IN) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Unknown("the connection was lost")], ids=["killed", "unknown"])
def test_a_link_still_arrives_in_time_when_whoever_held_its_mail_has_ended(known: Any, error: BaseException) -> None:
    class Ending:
        def send(self, mail: Any) -> None:
            raise error

        def rest(self) -> None:
            pass

    known.ask_to_sign_in("Ada")
    with suppress(KeyboardInterrupt):
        deliver(known.store, Ending(), WRITE)
    clock.move(LASTS / 3)
    known.send()
    assert known.told(SIGN_IN) == ["ada"]


def test_nobody_else_takes_a_link_s_mail_while_a_slow_server_still_may() -> None:
    answers = 10  #: greeting, EHLO, STARTTLS, EHLO, three of a login, sender, recipient, DATA
    assert KINDS[SIGN_IN].lease.total_seconds() > answers * CONNECT_S + ACCEPT_S


@pytest.mark.parametrize("fate", ["sent", "refused", "expired"])
def test_nothing_is_published_of_it_whatever_becomes_of_it(known: Any, fate: str) -> None:
    class Refusing:
        def send(self, mail: Any) -> None:
            raise Refused("550 5.1.1 ada@membres.example is unknown")

        def rest(self) -> None:
            pass

    known.ask_to_sign_in("Ada")
    if fate == "expired":
        clock.move(LASTS)
    known.send(Refusing() if fate == "refused" else None)
    [message] = known.messages(SIGN_IN)
    assert message.state is {"sent": State.SENT, "refused": State.FAILED, "expired": State.DROPPED}[fate]
    assert "ada" not in (message.last_error or "")
    assert [known.published(kind) for kind in (MessageDelivered, MessageFailed, MessageDropped)] == [[], [], []]
    assert known.read(outbox.EVENT_LOG.select()) == []


def test_its_row_tells_neither_who_asked_nor_the_link(network: Any) -> None:
    network.ask_to_sign_in("Ada")
    held = network.everything()
    for told in (named("Ada").bytes, named("Ada").hex.encode(), str(named("Ada")).encode(), b"token-link"):
        assert told not in held


def test_when_the_link_has_expired_nothing_is_left(known: Any) -> None:
    known.ask_to_sign_in("Ada")
    known.send()
    known.run_due()
    assert len(known.messages(SIGN_IN)) == 1
    clock.move(LASTS)
    known.run_due()
    assert known.messages(SIGN_IN) == []
    assert known.rows()["receipt"] == []


def test_the_link_is_in_no_memory_of_mails_that_read_alike(known: Any) -> None:
    """Mails are rendered once for many; each still has its own link."""
    for link in ("one", "two"):
        known.ask_to_sign_in("Ada", link)
    known.send()
    texts = sorted(mail.get_body(("plain",)).get_content() for mail in known.mails())
    assert ["token-one" in texts[0], "token-two" in texts[1]] == [True, True]
    assert "token-two" not in texts[0]
