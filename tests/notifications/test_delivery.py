"""Every message leaves once, whatever the mail server does."""

import dataclasses
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from chassis import clock
from chassis.messaging import outbox
from chassis.messaging.inbox import receive
from chassis.settings import embedded
from chassis.testing import heard, wire
from pratique.events.notifications import DropReason, MessageDelivered, MessageFailed, Template
from pratique.testing import envelope
from services.notifications import delivery, reactions
from services.notifications.delivery import GAVE_UP, deliver
from services.notifications.mails import Letterhead, write_mail
from services.notifications.models import LEASE, State
from services.notifications.post import SmtpPost, Unknown
from tests.notifications.conftest import Fixture, named

LETTERHEAD = Letterhead("Pratique <bonjour@pratique.example>", "https://pratique.example")
WRITE = partial(write_mail, letterhead=LETTERHEAD)


class Killed(BaseException):
    """The process ends here."""


class CrashingPost:
    """Hands the mail over and then ends the process, before anyone could write that down."""

    def __init__(self, post: SmtpPost) -> None:
        self.post = post

    def send(self, mail: Any) -> None:
        self.post.send(mail)
        raise Killed

    def rest(self) -> None:
        self.post.rest()


@pytest.fixture
def asked(network: Any) -> Any:
    """Two members to be asked about a meeting."""
    network.invited("Ada", "Bo")
    network.deliver(network.events.asked("rencontre", "Ada", "Bo"))
    return network


def surveys(network: Any) -> Any:
    return network.messages(Template.SURVEY_INVITATION)


def recipients(sink: Any) -> list[str]:
    return sorted(mail["To"].addresses[0].username for mail in sink.mails)


def test_what_the_server_took_is_sent_and_told(asked: Any, post: Any, sink: Any) -> None:
    asked.send(post)
    assert recipients(sink) == ["ada", "bo"]
    assert {message.state for message in surveys(asked)} == {State.SENT}


def test_one_connection_serves_many_mails(asked: Any, post: Any, sink: Any) -> None:
    asked.send(post)
    assert (len(sink.mails), sink.greetings) == (2, 1)


def test_the_secret_is_forgotten_once_it_is_sent(asked: Any, post: Any) -> None:
    assert {asked.sealed(message).token for message in surveys(asked)} == {"token-Ada", "token-Bo"}
    asked.send(post)
    assert {message.box for message in surveys(asked)} == {None}


def test_an_address_refused_for_good_fails_alone(asked: Any, post: Any, sink: Any) -> None:
    sink.at_recipient = ["550 5.1.1 <ada@membres.example> is unknown"]
    asked.send(post)
    assert len(sink.mails) == 1
    assert sorted(message.state for message in surveys(asked)) == [State.FAILED, State.SENT]


def test_what_the_server_said_of_an_address_is_kept_without_it(network: Any, post: Any, sink: Any) -> None:
    sink.at_recipient = ["550 5.1.1 <ada@membres.example> is unknown"]
    network.invited("Ada", post=post)
    [failed] = network.messages()
    assert failed.last_error.startswith("550 5.1.1")
    assert "@membres" not in failed.last_error
    assert [each.is_permanent for each in network.published(MessageFailed)] == [True]


@pytest.mark.parametrize("answer", ["550 5.1.1 Ada Dumas has left", "451 4.2.2 ada's mailbox is full", "421 go, Ada"])
def test_what_the_server_said_of_a_survey_s_mail_is_kept_and_logged_without_its_words(
    asked: Any, post: Any, sink: Any, caplog: Any, answer: str
) -> None:
    sink.at_recipient = [answer] * 2
    asked.send(post)
    assert {message.last_error for message in surveys(asked)} <= {answer[:9], answer[:3], None}
    told = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("services.", "chassis."))
    )
    assert "ada" not in told.lower()
    assert not [message for message in surveys(asked) if str(message.id) in told]


def test_what_became_of_other_mails_is_told_with_their_communities_and_what_they_follow_from(network: Any) -> None:
    scheduled = envelope(network.events.scheduled("rencontre", "Relève", "Compost"))
    network.deliver(network.events.contact("Ada"), network.events.joins("Ada", "Relève"))
    network.deliver(*(network.events.community(name) for name in ("Relève", "Compost")))
    receive(network.store, reactions.REACTIONS, [wire(scheduled), wire(network.events.described("rencontre"))])
    network.send()
    with network.store.begin() as session:
        [told] = [
            heard(body)
            for body in session.scalars(select(outbox.EVENT_LOG.c.body))
            if isinstance(heard(body).event, MessageDelivered)
        ]
    assert set(told.event.community_ids) == {named("Relève"), named("Compost")}
    assert (told.correlation_id, told.causation_id) == (scheduled.correlation_id, scheduled.id)


def test_four_hours_without_a_mail_server_lose_nothing(asked: Any, sink: Any, server: Any) -> None:
    server.stop()
    post = SmtpPost(server.url, LETTERHEAD.mail_from, connect_s=1)
    for _ in range(16):
        asked.send(post)
        clock.move(timedelta(minutes=15))
    assert {message.state for message in surveys(asked)} == {State.QUEUED}
    server.start()
    clock.move(timedelta(hours=2))
    asked.send(post)
    post.close()
    assert recipients(sink) == ["ada", "bo"]


def test_a_mail_server_that_stays_away_is_given_up_in_the_end(asked: Any, server: Any) -> None:
    server.stop()
    post = SmtpPost(server.url, LETTERHEAD.mail_from, connect_s=1)
    for _ in range(10):
        asked.send(post)
        clock.move(timedelta(hours=2))
    assert {message.state for message in surveys(asked)} == {State.FAILED}


def test_a_restarted_mail_server_is_found_again(asked: Any, post: Any, sink: Any, server: Any) -> None:
    asked.send(post)
    server.stop()
    server.start()
    asked.deliver(asked.events.asked("rencontre", "Cy"), asked.events.contact("Cy"))
    asked.send(post)
    assert recipients(sink) == ["ada", "bo", "cy"]


def test_a_sender_killed_after_handing_over_repeats_one_mail_with_the_same_id(asked: Any, post: Any, sink: Any) -> None:
    with pytest.raises(Killed):
        deliver(asked.store, CrashingPost(post), WRITE)
    asked.send(post)
    assert len(sink.mails) == 1  # both are held by the one that was killed
    clock.move(LEASE + timedelta(seconds=1))
    asked.send(post)
    assert len(sink.mails) == 3
    assert len({mail["Message-ID"] for mail in sink.mails}) == 2
    assert {message.state for message in surveys(asked)} == {State.SENT}


def test_what_was_noted_before_the_sender_was_killed_is_recorded_and_never_sent_again(
    asked: Any, post: Any, sink: Any
) -> None:
    class KilledLater:
        """Ends before it hands the second mail over."""

        def send(self, mail: Any) -> None:
            if sink.mails:
                raise Killed
            post.send(mail)

        def rest(self) -> None: ...

    with pytest.raises(Killed):
        deliver(asked.store, KilledLater(), WRITE)
    taken_at, [first] = clock.now(), sink.mails
    assert {message.state for message in surveys(asked)} == {State.SENDING}

    for _ in range(2):
        clock.move(LEASE + timedelta(seconds=1))
        asked.send(post)

    assert recipients(sink) == ["ada", "bo"]
    assert {message.state for message in surveys(asked)} == {State.SENT}
    at = {f"<{message.id}@pratique.example>": message.settled_at for message in surveys(asked)}
    assert (at[first["Message-ID"]], len(at)) == (taken_at, 2)


def test_a_sender_that_learns_nothing_until_another_gave_up_leaves_that_other_s_word(asked: Fixture) -> None:
    class Lost:
        def send(self, mail: Any) -> None:
            raise Unknown("the connection was lost")

        def rest(self) -> None: ...

    class Late(Lost):
        def send(self, mail: Any) -> None:
            clock.move(LEASE + timedelta(seconds=1))
            asked.send(Lost())
            super().send(mail)

    asked.send(Lost())
    clock.move(LEASE + timedelta(seconds=1))
    deliver(asked.store, Late(), WRITE)
    clock.move(LEASE + timedelta(seconds=1))
    asked.send(Lost())

    assert {message.state for message in surveys(asked)} == {State.FAILED}
    assert {message.last_error for message in surveys(asked)} == {GAVE_UP}


def test_who_is_taken_off_and_put_back_while_a_dead_sender_holds_their_mail_is_asked(asked: Any, post: Any) -> None:
    class Dead:
        """Ends before it says a word to the server."""

        def send(self, mail: Any) -> None:
            raise Killed

        def rest(self) -> None: ...

    with pytest.raises(Killed):
        deliver(asked.store, Dead(), WRITE)
    asked.deliver(asked.events.revoked("rencontre", "Ada"))
    asked.deliver(asked.events.asked("rencontre", "Ada", version=4, token="anew"))
    asked.deliver(asked.events.revoked("rencontre", "Bo"))

    for _ in range(2):
        clock.move(LEASE + timedelta(seconds=1))
        asked.send(post)

    assert [message.state for message in asked.about_survey("Ada")] == [State.SENT]
    assert [message.drop_reason for message in asked.about_survey("Bo")] == ["revoked"]


def test_what_waited_for_its_address_is_sent_when_that_comes(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.asked("rencontre", "Zoé"))
    network.send()
    assert [message.state for message in surveys(network)] == [State.QUEUED]
    network.deliver(network.events.contact("Zoé", email="zoe@membres.example"))
    clock.move(timedelta(seconds=2))
    network.send()
    assert ("survey_invitation", "zoe") in network.letters()


def test_an_address_that_never_comes_is_recorded_as_failed(network: Any) -> None:
    network.deliver(network.events.asked("rencontre", "Zoé"))
    for _ in range(10):
        network.send()
        clock.move(timedelta(hours=2))
    assert [message.last_error for message in surveys(network)] == ["the member's contact card has not arrived"]
    assert [message.state for message in surveys(network)] == [State.FAILED]


@pytest.mark.parametrize(
    "address", ["no-at-sign", "two@at@signs.example", "a b@x.example", "é@x.example", "a@x\r\nBcc: b@y"]
)
def test_an_address_that_cannot_be_written_fails_for_good(network: Any, address: str) -> None:
    network.invited("Bo")
    network.deliver(network.events.contact("Ada", email=address), network.events.asked("rencontre", "Ada", "Bo"))
    network.send()
    assert sorted(message.state for message in surveys(network)) == [State.FAILED, State.SENT]


def test_what_expired_while_it_waited_is_dropped(network: Any) -> None:
    network.invited("Bo")
    network.deliver(network.events.asked("rencontre", "Zoé"))
    network.send()
    clock.move(timedelta(days=15))
    network.deliver(network.events.contact("Zoé", email="zoe@membres.example"))
    network.send()
    assert [message.drop_reason for message in surveys(network)] == [DropReason.EXPIRED]


def test_the_reminder_goes_to_those_named_and_only_after_a_day(asked: Any) -> None:
    asked.send()
    clock.move(timedelta(hours=48))
    asked.deliver(asked.events.reminded("rencontre", "Bo"), asked.events.reminded("rencontre", "Bo"))
    asked.send()
    assert [each for each in asked.letters() if each[0] == "survey_reminder"] == [("survey_reminder", "bo")]


def test_a_reminder_on_the_heels_of_its_invitation_is_dropped(asked: Any) -> None:
    asked.deliver(asked.events.reminded("rencontre", "Ada"))
    asked.send()
    assert [message.drop_reason for message in asked.messages(Template.SURVEY_REMINDER)] == [DropReason.SUPERSEDED]


def test_a_reminder_is_sent_although_the_invitation_was_refused(asked: Any, post: Any, sink: Any) -> None:
    sink.at_recipient = ["550 unknown"] * 2
    asked.send(post)
    clock.move(timedelta(hours=48))
    asked.deliver(asked.events.reminded("rencontre", "Ada"))
    asked.send(post)
    assert recipients(sink) == ["ada"]


def test_a_cancellation_waits_for_an_invitation_whose_fate_is_unknown(network: Any, post: Any, sink: Any) -> None:
    tell, events = network.deliver, network.events
    tell(events.community("Relève"), events.contact("Ada"), events.joins("Ada", "Relève"))
    tell(events.scheduled("rencontre", "Relève"), events.described("rencontre"))
    sink.hangs_up_on = 1
    network.send(post)
    tell(events.cancelled("rencontre", "Relève"), events.described("rencontre", version=2))
    for _ in range(8):
        network.send(post)
        clock.move(timedelta(minutes=5))
    assert [mail["Subject"][:7] for mail in sink.mails] == ["Annulée"]


def test_what_a_slow_server_kept_waiting_is_decided_again(asked: Any, post: Any, sink: Any) -> None:
    class Slow:
        def send(self, mail: Any) -> None:
            post.send(mail)
            clock.move(timedelta(seconds=3))
            asked.deliver(asked.events.revoked("rencontre", "Ada", "Bo"))

        def rest(self) -> None:
            post.rest()

    asked.send(Slow())
    assert len(sink.mails) == 1
    assert sorted(message.state for message in surveys(asked)) == [State.DROPPED, State.SENT]


def test_two_senders_share_the_work_and_send_each_once(asked: Any, server: Any, sink: Any) -> None:
    posts = [SmtpPost(server.url, LETTERHEAD.mail_from) for _ in range(2)]
    for post in posts * 2:
        deliver(asked.store, post, WRITE)
        post.close()
    assert recipients(sink) == ["ada", "bo"]


def test_without_a_mail_server_the_loop_writes_files(network: Any, tmp_path: Path) -> None:
    settings = dataclasses.replace(embedded(tmp_path, tmp_path / "var"), public_url="https://pratique.example")
    work = delivery.loop(settings, network.store)
    assert work() is False
    tell, events = network.deliver, network.events
    tell(events.contact("Ada"), events.community("Relève"), events.joins("Ada", "Relève"))
    tell(events.scheduled("rencontre", "Relève"), events.described("rencontre"))
    assert work() is True
    assert len(list((tmp_path / "var" / "mail").glob("*.eml"))) == 1
