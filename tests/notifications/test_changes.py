"""Who is invited, who hears of a change, and who of a meeting that nobody closed."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from pratique.events.notifications import DropReason, Template
from services.notifications.models import State
from tests.harness.mails import calendar_of, html_of
from tests.notifications.conftest import ENDS_AT

CHANGED, INVITED = Template.MEETING_CHANGED, Template.MEETING_INVITATION


@pytest.fixture
def held(network: Any) -> Any:
    """Ada and Bo are invited; Fay and Noe, who belong to no community, are known to the network."""
    network.invited("Ada", "Bo")
    network.deliver(network.events.contact("Fay"), network.events.contact("Noe"))
    return network


def move(
    network: Any, version: int = 2, *, place: str = "Salle 9", link: str = "https://visio.example/42"
) -> list[Any]:
    """That the meeting is elsewhere."""
    events = network.events
    return [
        events.changed("rencontre", "Relève", "Compost", version=version, changed=("place",)),
        events.described("rencontre", version=version, place=place, link=link),
    ]


def test_whoever_facilitates_and_whoever_takes_notes_are_invited_once_members_or_not(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(*(events.contact(name) for name in ("Ada", "Fay", "Noe")), events.community("Relève"))
    tell(events.joins("Ada", "Relève"), events.scheduled("a", "Relève", facilitator="Fay", note_taker="Noe"))
    tell(events.scheduled("b", "Relève", facilitator="Ada"), events.described("a"), events.described("b"))
    tell(events.joins("Fay", "Relève"))
    network.send()
    assert network.told(INVITED) == ["ada", "ada", "fay", "fay", "noe"]
    assert "C’est vous qui y prenez les notes." in network.reads(INVITED, "noe")


def test_a_cancellation_is_told_to_outside_facilitators_and_note_takers_too(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Fay"), events.contact("Noe"), events.community("Relève"))
    tell(events.scheduled("a", "Relève", facilitator="Fay", note_taker="Noe"), events.described("a"))
    network.send()
    tell(events.cancelled("a", "Relève"), events.described("a", version=2, cancel_reason="Grève"))
    network.send()
    assert network.told(Template.MEETING_CANCELLED) == ["fay", "noe"]


def test_a_new_facilitator_is_invited_and_nobody_else_hears_of_it(held: Any) -> None:
    held.deliver(held.events.changed("rencontre", "Relève", facilitator="Fay", changed=("facilitator_id", "capacity")))
    held.send()
    assert held.told(INVITED) == ["ada", "bo", "fay"]
    assert held.told(CHANGED) == []


def test_a_closing_that_comes_first_hides_no_facilitator(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Fay"), events.community("Relève"), events.closed("rencontre", "Relève"))
    tell(events.scheduled("rencontre", "Relève", facilitator="Fay"), events.withheld("rencontre", "Relève"))
    network.send()
    assert network.letters() == [("results_withheld", "fay")]


def test_the_invited_are_told_of_another_place_with_their_calendar_entry_made_anew(held: Any) -> None:
    [before, *_] = [calendar_of(mail)[1] for mail in held.mails()]
    held.deliver(*move(held))
    held.send()
    assert held.told(CHANGED) == ["ada", "bo"]
    assert "Salle 9" in held.reads(CHANGED, "ada")
    [mail, *_] = [mail for mail in held.mails() if mail["Subject"].startswith("Changement")]
    method, event = calendar_of(mail)
    assert (method, event["LOCATION"], event["UID"]) == ("REQUEST", "Salle 9", before["UID"])
    assert event["SEQUENCE"] > before["SEQUENCE"]


@pytest.mark.parametrize("field", ["place", "link", "mode"])
def test_a_change_of_place_link_or_mode_is_told(held: Any, field: str) -> None:
    held.deliver(
        held.events.changed("rencontre", "Relève", changed=(field,)), held.events.described("rencontre", version=2)
    )
    held.send()
    assert held.told(CHANGED) == ["ada", "bo"]


@pytest.mark.parametrize("field", ["capacity", "themes", "kind", "facilitator_id", "note_taker_id"])
def test_other_changes_are_told_to_nobody(held: Any, field: str) -> None:
    held.deliver(held.events.changed("rencontre", "Relève", changed=(field,)))
    held.send()
    assert held.told(CHANGED) == []


def test_whose_invitation_has_not_left_gets_one_that_says_how_it_is_now(network: Any) -> None:
    network.deliver(network.events.contact("Ada"), network.events.joins("Ada", "Relève"))
    network.deliver(network.events.community("Relève"), network.events.community("Compost"))
    network.deliver(network.events.scheduled("rencontre", "Relève"), network.events.described("rencontre"))
    network.deliver(*move(network))
    network.send()
    assert network.letters() == [("meeting_invitation", "ada")]
    assert "Salle 9" in network.reads(INVITED, "ada")


def test_a_change_waits_for_its_words(held: Any) -> None:
    change, words = move(held)
    held.deliver(change)
    held.send()
    assert held.told(CHANGED) == []
    held.deliver(words)
    clock.move(timedelta(seconds=10))
    held.send()
    assert "Salle 9" in held.reads(CHANGED, "ada")


def test_words_that_never_come_hold_a_change_up_for_minutes_only(held: Any) -> None:
    held.deliver(move(held)[0])
    for _ in range(8):
        clock.move(timedelta(minutes=5))
        held.send()
    assert held.told(CHANGED) == ["ada", "bo"]


def test_a_later_change_replaces_one_that_has_not_left_and_follows_one_that_has(held: Any) -> None:
    held.deliver(*move(held, 2, place="Salle 8"))
    held.deliver(*move(held, 3, place="Salle 9"))
    held.send()
    assert held.told(CHANGED) == ["ada", "bo"]
    assert {each.drop_reason for each in held.messages(CHANGED)} == {DropReason.SUPERSEDED, None}
    held.deliver(*move(held, 4, place="Salle 10"))
    held.send()
    assert held.told(CHANGED) == ["ada", "ada", "bo", "bo"]
    assert "Salle 10" in held.reads(CHANGED, "ada")


def test_changes_that_come_in_the_wrong_order_or_twice_are_told_once(held: Any) -> None:
    first, later = move(held, 2, place="Salle 8"), move(held, 3)
    for _ in range(2):
        held.deliver(*later)
        held.send()
        held.deliver(*first)
        held.send()
    assert held.told(CHANGED) == ["ada", "bo"]
    assert "Salle 9" in held.reads(CHANGED, "bo")


def test_another_place_is_told_though_a_later_change_of_mode_was_told_before_it_came(held: Any) -> None:
    held.deliver(held.events.changed("rencontre", "Relève", version=3, changed=("mode",)))
    held.send()
    held.deliver(*move(held, 2))
    held.send()
    assert held.told(CHANGED) == ["ada", "ada", "bo", "bo"]
    assert "Salle 9" in held.reads(CHANGED, "ada")


@pytest.mark.parametrize("end", ["closed", "cancelled"])
def test_a_change_of_a_meeting_that_is_over_is_no_news(held: Any, end: str) -> None:
    held.deliver(move(held)[0])
    held.deliver(getattr(held.events, end)("rencontre", "Relève"))
    held.deliver(*move(held, 3))
    held.send()
    assert held.told(CHANGED) == []


def test_a_change_comes_before_the_schedule_and_everybody_is_invited_once(network: Any) -> None:
    network.deliver(network.events.contact("Ada"), network.events.joins("Ada", "Relève"))
    network.deliver(network.events.community("Relève"), network.events.community("Compost"))
    network.deliver(*move(network))
    network.send()
    network.deliver(network.events.scheduled("rencontre", "Relève", "Compost"), network.events.described("rencontre"))
    network.send()
    assert network.letters() == [("meeting_invitation", "ada")]


def test_whoever_facilitates_hears_once_of_a_meeting_that_nobody_closed(held: Any) -> None:
    events = held.events
    held.deliver(events.changed("rencontre", "Relève", facilitator="Fay", changed=("facilitator_id",)))
    held.deliver(events.role("Ada", "Relève"), events.role("Bo", "Relève", "coordinator"))
    clock.move(ENDS_AT + timedelta(days=1) - clock.now())
    held.deliver(*[events.left_open("rencontre", "Relève", "Compost")] * 2)
    held.deliver(events.contact("Di"), events.role("Di", "Compost"))
    held.send()
    assert held.told(Template.MEETING_LEFT_OPEN) == ["ada", "di", "fay"]
    text = held.reads(Template.MEETING_LEFT_OPEN, "fay")
    assert "puis clore la rencontre" in text
    assert "jusqu’au jeudi 26 mars 2026" in text


def test_a_meeting_closed_meanwhile_needs_no_word(held: Any) -> None:
    events = held.events
    held.deliver(events.role("Ada", "Relève"), events.left_open("rencontre", "Relève"))
    held.deliver(events.closed("rencontre", "Relève"))
    held.deliver(events.role("Bo", "Relève"))
    held.send()
    states = {(each.state, each.drop_reason) for each in held.messages(Template.MEETING_LEFT_OPEN)}
    assert states == {(State.DROPPED, DropReason.EXPIRED)}


def test_the_only_link_in_a_change_is_the_meeting_s_own(held: Any) -> None:
    held.deliver(*move(held, place="https://evil.example", link="https://visio.example/7"))
    held.send()
    [mail, *_] = [mail for mail in held.mails() if mail["Subject"].startswith("Changement")]
    assert 'href="https://visio.example/7"' in html_of(mail)
    assert "://evil" not in html_of(mail)


def test_whatever_is_heard_again_weeks_later_changes_no_row_and_mails_nobody(held: Any) -> None:
    events = held.events
    of = ("rencontre", "Relève")
    heard = [
        *move(held),
        events.contact("Bo", version=2, email="bea@membres.example", former_email="bo@membres.example"),
        events.recorded(*of, Ada="attended"),
        events.left_open(*of),
        events.role("Ada", "Relève"),
        events.closed(*of, there="Ada Bo"),
        events.asked("rencontre", "Ada", "Bo"),
        events.revoked("rencontre", "Bo"),
        events.corrected(*of, who="Bo", to="excused"),
        events.reminded("rencontre", "Ada"),
        events.survey_closed(*of),
        events.released(*of),
        events.withheld(*of),
    ]
    for event in heard:
        held.deliver(event)
        held.send()
        clock.move(timedelta(hours=30))
    clock.move(timedelta(days=14))
    held.send()
    rows, mails = held.rows(), held.letters()
    for event in (*heard, *reversed(heard)):
        held.deliver(event)
        held.send()
    assert held.rows() == rows
    assert held.letters() == mails
