"""Whom a survey asked is told to nobody, and is gone when it closes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from chassis import clock
from chassis.messaging import inbox, outbox
from chassis.sealing import Seal
from chassis.testing import heard, wire
from pratique.events.evaluation import SurveyInvitationsIssued
from pratique.events.notifications import DropReason, Template
from pratique.testing import envelope
from services.notifications import models
from services.notifications.delivery import deliver
from services.notifications.kinds import ABOUT_SURVEY
from services.notifications.models import LEASE, State
from services.notifications.post import Refused, Unknown
from tests.notifications.conftest import WRITE, named

KINDS = list(ABOUT_SURVEY)


@pytest.fixture
def asked(network: Any) -> Any:
    """Ada, Bo and Cy to be asked about a meeting; Bo turns out not to have been there."""
    network.invited("Ada", "Bo", "Cy")
    network.deliver(network.events.asked("rencontre", "Ada", "Bo", "Cy"), network.events.revoked("rencontre", "Bo"))
    return network


def rows(network: Any) -> int:
    """How many rows of any table speak of the survey."""
    survey_id = named("survey of rencontre")
    tables = (models.Message, models.Revocation)
    with network.store.begin() as session:
        counts = [session.scalar(select(func.count()).where(table.survey_id == survey_id)) for table in tables]
        counts.append(session.scalar(select(func.count()).select_from(models.Receipt)))
        return sum(count or 0 for count in counts)


def cleartext(network: Any) -> bytes:
    """All that the store holds of messages, without the contact cards, memberships and invitations to the meeting."""
    with network.store.begin() as session:
        session.execute(delete(models.Message).where(models.Message.template.not_in(KINDS)))
        for table in (models.ContactCard, models.CommunityMember):
            session.execute(delete(table))
        session.execute(outbox.OUTBOX.delete())
        session.execute(outbox.EVENT_LOG.delete())
    with network.store.engine.connect() as connection:
        connection.exec_driver_sql("rollback")
        connection.exec_driver_sql("vacuum")
        return bytes(connection.connection.driver_connection.serialize())


@pytest.mark.parametrize("is_sent", [False, True])
def test_rows_about_a_survey_name_nobody(asked: Any, is_sent: bool) -> None:
    if is_sent:
        asked.send()
    copied = cleartext(asked)
    for name in ("Ada", "Bo", "Cy"):
        for spelt in (named(name).bytes, named(name).hex.encode(), str(named(name)).encode(), f"token-{name}".encode()):
            assert spelt not in copied


def test_nobody_without_the_key_can_tell_which_message_is_whose(asked: Any) -> None:
    ids = {message.id for message in asked.messages()}
    other = Seal(bytes(32))
    guessed = {
        models.message_id(other, template, named(subject), named(name))
        for template in Template
        for subject in ("rencontre", "survey of rencontre")
        for name in ("Ada", "Bo", "Cy")
    }
    assert ids & guessed == set()


def test_boxes_are_as_long_for_any_name_and_link(network: Any) -> None:
    network.deliver(
        network.events.asked("rencontre", "Ada", token="t"), network.events.asked("rencontre", "Bo", token="t" * 90)
    )
    assert len({len(message.box) for message in network.messages()}) == 1


def test_nothing_is_published_of_a_survey_s_mails_whatever_becomes_of_them(asked: Any) -> None:
    answers = [Refused("550 no"), Unknown("gone")]

    class Strange:
        """Takes nothing."""

        def send(self, mail: Any) -> None:
            raise answers.pop()

        def rest(self) -> None: ...

    before = told(asked)
    deliver(asked.store, Strange(), WRITE)
    clock.move(LEASE + timedelta(seconds=1))
    asked.send()
    asked.deliver(asked.events.reminded("rencontre", "Ada", "Cy"))
    asked.send()
    clock.move(timedelta(days=20))
    asked.deliver(asked.events.asked("rencontre", "Di"))
    outcomes = {message.state for kind in KINDS for message in asked.messages(kind)}
    assert outcomes == {State.SENT, State.FAILED, State.DROPPED}
    assert told(asked) == before


def told(network: Any) -> int:
    with network.store.begin() as session:
        return int(session.scalar(select(func.count()).select_from(outbox.EVENT_LOG)))


def test_when_a_survey_closes_no_row_of_whom_it_asked_is_left(asked: Any) -> None:
    asked.send()
    clock.move(timedelta(days=2))
    asked.deliver(asked.events.reminded("rencontre", "Ada"))
    assert rows(asked) > 0
    asked.deliver(asked.events.survey_closed("rencontre", "Relève"))
    assert rows(asked) == 0
    assert [message.template for message in asked.messages()] == [Template.MEETING_INVITATION] * 3


def test_what_comes_late_brings_nothing_back_and_mails_nobody(asked: Any) -> None:
    asked.deliver(asked.events.survey_closed("rencontre", "Relève"))
    for _ in range(2):
        asked.deliver(
            asked.events.asked("rencontre", "Ada", version=7), asked.events.reminded("rencontre", "Bo", version=8)
        )
        asked.deliver(asked.events.revoked("rencontre", "Cy", version=8), asked.events.survey_closed("rencontre"))
    asked.send()
    assert rows(asked) == 0
    assert asked.told(Template.SURVEY_INVITATION) == []


def test_all_of_it_in_one_batch_leaves_nothing(network: Any) -> None:
    events = network.events
    network.deliver(
        events.survey_closed("rencontre"), events.asked("rencontre", "Ada"), events.revoked("rencontre", "Ada")
    )
    network.deliver(events.asked("autre", "Ada"), events.survey_closed("autre"))
    assert rows(network) == 0
    assert network.messages() == []


def test_results_and_their_mails_outlive_the_survey(network: Any) -> None:
    network.invited("Ada")
    events = network.events
    network.deliver(events.closed("rencontre", "Relève", there="Ada"), events.asked("rencontre", "Ada"))
    network.deliver(events.released("rencontre", "Relève"), events.survey_closed("rencontre", "Relève"))
    network.send()
    assert network.told(Template.RESULTS_RELEASED) == ["ada"]


def test_parked_and_dead_events_about_a_closed_survey_go_too(asked: Any) -> None:
    events, opened = asked.events, asked.store
    waiting = envelope(events.asked("rencontre", "Ada", version=6))
    other = envelope(events.asked("autre", "Ada"))
    for each in (waiting, other):
        inbox.park(opened, each, wire(each), "it failed")
    asked.deliver(events.survey_closed("rencontre", "Relève"))
    with opened.begin() as session:
        (kept,) = [heard(body).event for body in session.scalars(select(inbox.PARKED.c.body))]
    assert isinstance(kept, SurveyInvitationsIssued)
    assert kept.survey_id == named("survey of autre")


@pytest.mark.parametrize("ending", ["taken", "refused", "unknown"])
def test_a_sender_that_holds_such_a_mail_when_the_survey_closes_ends_cleanly(asked: Any, ending: str) -> None:
    class Slow:
        """The survey closes while it talks to the server."""

        def send(self, mail: Any) -> None:
            asked.deliver(asked.events.survey_closed("rencontre", "Relève"))
            if ending == "refused":
                raise Refused("550 no")
            if ending == "unknown":
                raise Unknown("the connection was lost")

        def rest(self) -> None: ...

    while deliver(asked.store, Slow(), WRITE):
        pass
    clock.move(LEASE + timedelta(seconds=1))
    asked.send()
    assert rows(asked) == 0
    assert asked.told(Template.SURVEY_INVITATION) == []


def test_a_receipt_noted_by_a_sender_that_died_then_goes_with_the_next_survey(asked: Any) -> None:
    with asked.store.begin() as session:
        session.add(models.Receipt(message_id=UUID(int=7), at=clock.now()))
    asked.deliver(asked.events.survey_closed("rencontre", "Relève"))
    assert rows(asked) == 0


def test_events_that_name_nobody_do_nothing(network: Any) -> None:
    events = network.events
    network.deliver(events.asked("rencontre"), events.reminded("rencontre"), events.revoked("rencontre"))
    network.deliver(events.revoked("rencontre", "Ada"))
    network.send()
    assert network.messages() == []


def test_whoever_joins_the_list_after_the_reminder_gets_one_mail_and_no_second(asked: Any) -> None:
    asked.send()
    clock.move(timedelta(hours=48))
    asked.deliver(asked.events.reminded("rencontre", "Ada", "Cy"))
    asked.send()
    clock.move(timedelta(hours=30))
    asked.deliver(asked.events.contact("Di"), asked.events.asked("rencontre", "Di", version=6))
    asked.deliver(asked.events.reminded("rencontre", "Ada", "Cy"))
    asked.send()
    clock.move(timedelta(days=3))
    asked.send()
    assert [each for each in asked.letters() if each[1] == "di"] == [("survey_invitation", "di")]


def test_a_box_of_another_network_s_key_stops_no_other_mail(asked: Any) -> None:
    [theirs] = asked.about_survey("Ada")
    with asked.store.begin() as session:
        message = session.get_one(models.Message, theirs.id)
        message.box = models.Sealed(member_id=named("Ada")).close(Seal(bytes(32)))
    asked.send()
    assert asked.told(Template.SURVEY_INVITATION) == ["cy"]
    for _ in range(10):
        clock.move(timedelta(hours=2))
        asked.send()
    [theirs] = asked.about_survey("Ada")
    assert (theirs.state, theirs.drop_reason) == (State.FAILED, None)
    assert "seal key" in theirs.last_error


def test_expired_and_revoked_ones_keep_no_box(asked: Any) -> None:
    clock.move(timedelta(days=20))
    asked.send()
    kept = asked.messages(Template.SURVEY_INVITATION)
    assert {(each.drop_reason, each.box, each.member_id) for each in kept} == {
        (DropReason.EXPIRED, None, None),
        (DropReason.REVOKED, None, None),
    }
