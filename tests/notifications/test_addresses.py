"""A changed address: who hears of it, and what does not go there yet."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from pratique.events.notifications import DropReason, MessageDelivered, Template
from services.notifications.models import State
from tests.harness.mails import everything_in
from tests.notifications.conftest import named

TOLD = Template.ADDRESS_CHANGED


def moves(network: Any, version: int, former: str, to: str, locale: str = "fr") -> Any:
    return network.events.contact(
        "Ada", locale, version=version, email=f"{to}@membres.example", former_email=f"{former}@membres.example"
    )


def invite(network: Any, locale: str, since_change: timedelta) -> None:
    """Ada, whose address was changed so long ago, is invited to a meeting."""
    events = network.events
    network.deliver(events.community("Relève"), events.contact("Ada", locale), moves(network, 2, "ada", "zoe", locale))
    clock.move(since_change)
    network.deliver(events.scheduled("rencontre", "Relève"), events.described("rencontre"))
    network.deliver(events.joins("Ada", "Relève"))
    network.send()


def asked_to(network: Any) -> Any:
    """The mailboxes that a survey's links went to."""
    return network.told(Template.SURVEY_INVITATION) + network.told(Template.SURVEY_REMINDER)


def test_the_former_address_hears_that_another_took_its_place(network: Any) -> None:
    network.invited("Ada")
    network.deliver(moves(network, 2, "ada", "zoe"), moves(network, 2, "ada", "zoe"))
    network.send()
    assert network.told(TOLD) == ["ada"]
    text = network.reads(TOLD, "ada")
    assert "z…@membres.example" in text
    assert "zoe" not in text
    assert "dites-le sans tarder à la personne qui anime votre communauté" in text
    assert "aucun lien de sondage n’est envoyé à la nouvelle adresse pendant 48 heures" in text


def test_each_change_is_told_even_when_several_come_at_once(network: Any) -> None:
    network.deliver(network.events.contact("Ada", email="a@membres.example"))
    network.deliver(moves(network, 2, "a", "b"), moves(network, 3, "b", "a"))
    network.send()
    assert network.told(TOLD) == ["a", "b"]


def test_changes_that_come_in_the_wrong_order_are_told_all_the_same(network: Any) -> None:
    network.deliver(moves(network, 3, "b", "c"))
    network.deliver(moves(network, 2, "a", "b"))
    network.send()
    assert network.told(TOLD) == ["a", "b"]


def test_a_first_address_and_another_name_are_no_change_of_address(network: Any) -> None:
    network.deliver(network.events.contact("Ada"), network.events.contact("Ada", version=2, name="Ada Dumas"))
    network.deliver(network.events.asked("rencontre", "Ada"), network.events.scheduled("rencontre", "Relève"))
    network.deliver(network.events.community("Relève"))
    network.send()
    assert network.letters() == [("survey_invitation", "ada")]


def test_the_former_address_stands_in_no_row_in_the_clear(network: Any) -> None:
    network.deliver(network.events.contact("Ada"), moves(network, 2, "ada", "zoe"))
    assert b"ada@membres.example" not in network.everything()
    network.send()
    assert [message.box for message in network.messages()] == [None]


def test_what_became_of_that_mail_is_told_of_the_person_without_an_address(network: Any) -> None:
    network.deliver(network.events.contact("Ada"), moves(network, 2, "ada", "zoe"))
    network.send()
    [told] = network.published(MessageDelivered)
    assert (told.member_id, told.template, told.community_ids) == (named("Ada"), TOLD, ())


@pytest.mark.parametrize("kind", ["asked", "reminded"])
def test_no_link_of_a_survey_goes_to_a_changed_address_for_two_days(network: Any, kind: str) -> None:
    network.invited("Ada")
    network.deliver(moves(network, 2, "ada", "zoe"), getattr(network.events, kind)("rencontre", "Ada"))
    for _ in range(47):
        network.send()
        clock.move(timedelta(hours=1))
    assert asked_to(network) == []
    clock.move(timedelta(hours=1, seconds=1))
    network.send()
    assert asked_to(network) == ["zoe"]


def test_an_address_changed_and_changed_back_gets_no_link_meanwhile(network: Any) -> None:
    network.invited("Ada", "Bo")
    network.deliver(network.events.asked("rencontre", "Ada", "Bo"))
    network.deliver(moves(network, 2, "ada", "thief"), moves(network, 3, "thief", "ada"))
    network.deliver(network.events.contact("Ada", version=4, name="Ada Dumas"))
    network.send()
    assert asked_to(network) == ["bo"]
    clock.move(timedelta(hours=48, seconds=1))
    network.send()
    assert asked_to(network) == ["ada", "bo"]


@pytest.mark.parametrize(
    ("locale", "words"), [("fr", "Votre adresse a été changée"), ("en", "Your address was changed")]
)
def test_nor_does_one_s_own_link_to_a_meeting_which_gives_the_pass_for_its_room(
    network: Any, locale: str, words: str
) -> None:
    invite(network, locale, since_change=timedelta(hours=47))
    assert network.told(Template.MEETING_INVITATION) == ["zoe"]
    assert words in network.reads(Template.MEETING_INVITATION, "zoe")
    assert not any("/i/" in everything_in(mail) for mail in network.mails())


def test_after_two_days_the_changed_address_gets_the_link_to_a_meeting(network: Any) -> None:
    invite(network, "fr", since_change=timedelta(hours=48, seconds=1))
    assert "/i/" in network.reads(Template.MEETING_INVITATION, "zoe")
    assert "a été changée" not in network.reads(Template.MEETING_INVITATION, "zoe")


def test_an_event_that_comes_again_holds_nothing_up_again(network: Any) -> None:
    network.invited("Ada")
    network.deliver(moves(network, 2, "ada", "zoe"))
    clock.move(timedelta(hours=49))
    network.deliver(moves(network, 2, "ada", "zoe"), network.events.asked("rencontre", "Ada"))
    network.send()
    assert asked_to(network) == ["zoe"]


def test_a_held_mail_expires_with_its_survey_and_counts_no_attempt(network: Any) -> None:
    network.invited("Ada")
    clock.move(timedelta(days=13))
    network.deliver(moves(network, 2, "ada", "zoe"), network.events.asked("rencontre", "Ada"))
    network.send()
    [held] = network.about_survey("Ada")
    assert (held.state, held.attempts) == (State.QUEUED, 0)
    clock.move(timedelta(days=1, hours=2))
    network.send()
    [held] = network.about_survey("Ada")
    assert (held.state, held.drop_reason) == (State.DROPPED, DropReason.EXPIRED)


def test_a_survey_that_closes_takes_the_held_mail_with_it(network: Any) -> None:
    network.invited("Ada")
    network.deliver(moves(network, 2, "ada", "zoe"), network.events.asked("rencontre", "Ada"))
    network.send()
    network.deliver(network.events.survey_closed("rencontre"))
    clock.move(timedelta(days=3))
    network.send()
    assert asked_to(network) == []


def test_other_mails_go_to_the_new_address_at_once(network: Any) -> None:
    network.invited("Ada")
    network.deliver(moves(network, 2, "ada", "zoe"), network.events.scheduled("autre", "Relève"))
    network.deliver(network.events.described("autre"))
    network.send()
    assert network.told(Template.MEETING_INVITATION) == ["ada", "zoe"]


def test_a_former_address_that_cannot_be_written_fails_alone(network: Any) -> None:
    change = network.events.contact("Ada", version=2, former_email="no address")
    network.deliver(change)
    network.send()
    assert [message.state for message in network.messages()] == [State.FAILED]
