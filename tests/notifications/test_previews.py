"""An invitation in words, for the page of one person, and for whoever is about to send it."""

import re
from typing import Any

import pytest

from chassis.actor import ANYONE, Actor, acting
from chassis.rpc.access import guarded
from chassis.testing import crossed
from pratique.errors import Forbidden, Invalid, NotFound
from pratique.events.meetings import Mode
from pratique.events.membership import Locale
from pratique.permissions import Grant, Permission
from pratique.requests.meetings import MeetingBody
from pratique.requests.notifications import (
    InvitationPreview,
    InvitationWords,
    MeetingHeading,
    PreviewInvitation,
    ReadInvitation,
    ReadMeetingHeading,
)
from pratique.testing import sample_request
from services.notifications.access import ACCESS
from services.notifications.queries import QUERIES
from tests.harness.mails import text_of
from tests.notifications.conftest import ENDS_AT, STARTS_AT, Fixture, named


def ask(network: Fixture, query: ReadInvitation | PreviewInvitation) -> dict[str, Any]:
    """What a page gets."""
    with network.store.begin() as transaction:
        answer = QUERIES[type(query)](transaction, crossed(query))
        shape = InvitationWords if isinstance(query, ReadInvitation) else InvitationPreview
        return dict(shape.dump_of(answer))


def plan(**fields: Any) -> MeetingBody:
    """A meeting of the community, as a form has it."""
    said: dict[str, Any] = {
        "community_ids": (named("Relève"),),
        "kind": "meeting",
        "mode": Mode.HYBRID,
        "starts_at": STARTS_AT,
        "ends_at": ENDS_AT,
        "timezone": "America/Toronto",
        "place": "Salle 3",
        "link": "https://visio.example/42",
        "themes": ("La relève", "Le compost"),
    }
    return MeetingBody(**said | fields)


def test_a_person_reads_the_meeting_as_their_mail_told_it(network: Fixture) -> None:
    network.deliver(network.events.contact("Zoé", name="Zoé Roy"), network.events.role("Zoé", "Relève"))
    network.invited("Ada")
    [mail] = [mail for mail in network.mails() if "Bonjour Ada" in text_of(mail)]
    words = ask(network, ReadInvitation(meeting_id=named("rencontre"), member_id=named("Ada")))
    assert (words["locale"], words["name"], words["kind"], words["lead"]) == ("fr", "Ada", "rencontre", "Zoé Roy")
    text = " ".join(text_of(mail).split(" ")).replace("\r\n", " ").replace("\n", " ")
    for name in ("of_communities", "when", "mode", "place", "link", "themes", "lead"):
        assert words[name] in text


def test_they_read_it_in_the_other_language_if_they_ask_for_it(network: Fixture) -> None:
    network.invited("Ada")
    words = ask(network, ReadInvitation(meeting_id=named("rencontre"), member_id=named("Ada"), locale=Locale.EN))
    assert (words["locale"], words["kind"], words["of_communities"]) == ("en", "meeting", "of Compost and Relève")


def test_what_has_not_arrived_cannot_be_read_yet(network: Fixture) -> None:
    network.invited("Ada")
    for meeting, member in (("rencontre", "Bo"), ("autre", "Ada")):
        with pytest.raises(NotFound):
            ask(network, ReadInvitation(meeting_id=named(meeting), member_id=named(member)))


def heading(network: Fixture, meeting: str = "rencontre") -> dict[str, Any]:
    """What a page of a survey gets, whoever reads it."""
    handler = guarded(ReadMeetingHeading, QUERIES[ReadMeetingHeading], ACCESS)
    with network.store.begin() as transaction, acting(ANYONE):
        return dict(MeetingHeading.dump_of(handler(transaction, ReadMeetingHeading(meeting_id=named(meeting)))))


def test_whoever_reads_a_survey_recognises_its_meeting_by_what_mails_say_of_it(network: Fixture) -> None:
    network.deliver(network.events.contact("Zoé", name="Zoé Roy"), network.events.role("Zoé", "Relève"))
    network.invited("Ada")
    words = ask(network, ReadInvitation(meeting_id=named("rencontre"), member_id=named("Ada")))
    told = heading(network)
    assert told["communities"] == ["Compost", "Relève"]
    assert (told["kind"], told["lead"]) == ("meeting", words["lead"])
    assert words["themes"].startswith(told["theme"])
    assert told["starts_at"] == STARTS_AT.isoformat()


def test_a_meeting_without_theme_or_lead_has_an_empty_one_and_one_that_nobody_knows_has_no_heading(
    network: Fixture,
) -> None:
    network.deliver(network.events.community("Relève"), network.events.scheduled("rencontre", "Relève"))
    told = heading(network)
    assert (told["communities"], told["theme"], told["lead"]) == (["Relève"], "", "")
    with pytest.raises(NotFound):
        heading(network, "autre")


@pytest.mark.parametrize("locale", Locale)
def test_a_preview_reads_as_the_mail_that_is_sent_but_for_name_and_link(network: Fixture, locale: Locale) -> None:
    network.deliver(network.events.contact("Ada", locale), network.events.joins("Ada", "Relève"))
    network.deliver(network.events.community("Relève"), network.events.scheduled("rencontre", "Relève"))
    network.deliver(network.events.described("rencontre"))
    network.send()
    [mail] = network.mails()
    preview = ask(network, PreviewInvitation(meeting_id=named("rencontre"), locale=locale))
    own = re.sub(r"https://pratique\.example/i/[\w-]+", "http://127.0.0.1:8000/i/…", text_of(mail))
    assert own.split() == re.sub("Prénom Nom|First Last", "Ada", preview["text"]).split()
    assert preview["subject"] == mail["Subject"]
    assert preview["recipients_count"] == 1


def test_a_plan_reads_as_it_would_once_it_is_scheduled(network: Fixture) -> None:
    network.deliver(network.events.contact("Zoé"), network.events.contact("Ada"), network.events.community("Relève"))
    network.deliver(network.events.joins("Ada", "Relève"))
    planned = ask(network, PreviewInvitation(planned=plan(facilitator_id=named("Zoé")), locale=Locale.FR))
    network.deliver(network.events.scheduled("rencontre", "Relève", facilitator="Zoé"))
    network.deliver(network.events.described("rencontre"))
    assert planned == ask(network, PreviewInvitation(meeting_id=named("rencontre"), locale=Locale.FR))
    assert planned["recipients_count"] == 2
    assert "Zoé" in planned["text"]


def test_people_of_two_communities_and_those_without_an_address_are_not_counted_twice_or_at_all(
    network: Fixture,
) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Ada"), events.community("Relève"), events.community("Compost"))
    tell(*(events.joins("Ada", name) for name in ("Relève", "Compost")), events.joins("Bo", "Relève"))
    planned = plan(community_ids=(named("Relève"), named("Compost")), note_taker_id=named("Ada"))
    assert ask(network, PreviewInvitation(planned=planned, locale=Locale.FR))["recipients_count"] == 1


def test_who_has_left_a_community_is_not_counted_unless_they_lead_the_meeting(network: Fixture) -> None:
    tell, events = network.deliver, network.events
    tell(events.community("Relève"), *(events.contact(name) for name in ("Ada", "Bo", "Zoé")))
    tell(*(events.joins(name, "Relève") for name in ("Ada", "Bo", "Zoé")))
    tell(*(events.leaves(name, "Relève") for name in ("Bo", "Zoé")))
    counts = [
        ask(network, PreviewInvitation(planned=plan(facilitator_id=lead), locale=Locale.FR))["recipients_count"]
        for lead in (None, named("Zoé"))
    ]
    assert counts == [1, 2]


def test_a_preview_sends_nothing_and_leaves_nothing(network: Fixture) -> None:
    network.invited("Ada")
    before = network.rows()
    ask(network, PreviewInvitation(meeting_id=named("rencontre"), locale=Locale.FR))
    ask(network, PreviewInvitation(planned=plan(), locale=Locale.EN))
    ask(network, ReadInvitation(meeting_id=named("rencontre"), member_id=named("Ada"), locale=Locale.EN))
    network.send()
    assert network.rows() == before


def test_a_preview_of_nothing_or_of_two_things_is_refused(network: Fixture) -> None:
    network.invited("Ada")
    refused: list[tuple[type[Exception], dict[str, Any]]] = [
        (Invalid, {}),
        (Invalid, {"meeting_id": named("rencontre"), "planned": plan()}),
        (NotFound, {"meeting_id": named("autre")}),
        (NotFound, {"planned": plan(community_ids=(named("Inconnue"),))}),
    ]
    for error, said in refused:
        with pytest.raises(error):
            ask(network, PreviewInvitation(locale=Locale.FR, **said))


def test_a_plan_crosses_rpc_as_it_was_sent() -> None:
    asked = PreviewInvitation(planned=plan(), locale=Locale.FR)
    assert crossed(asked) == asked
    assert crossed(sample_request(PreviewInvitation)) == sample_request(PreviewInvitation)


def test_nobody_reads_another_s_invitation_and_whoever_leads_previews_it(network: Fixture) -> None:
    network.deliver(network.events.contact("Zoé"), network.events.contact("Ada"), network.events.community("Relève"))
    network.deliver(network.events.joins("Ada", "Relève"))
    network.deliver(network.events.scheduled("rencontre", "Relève", facilitator="Zoé"))
    network.deliver(network.events.described("rencontre"))
    own = ReadInvitation(meeting_id=named("rencontre"), member_id=named("Ada"))
    preview = PreviewInvitation(meeting_id=named("rencontre"), locale=Locale.FR)
    plans = Grant(frozenset({Permission.MEETINGS_WRITE}), frozenset({named("Relève")}))
    elsewhere = Grant(frozenset({Permission.MEETINGS_WRITE}), frozenset({named("Compost")}))
    ada, zoe = Actor("member", member_id=named("Ada")), Actor("member", member_id=named("Zoé"))
    coordinator, other = Actor("member", (plans,)), Actor("member", (elsewhere,))
    for query, may, may_not in (
        (own, [ada], [zoe, coordinator]),
        (preview, [zoe, coordinator], [ada, other]),
        (PreviewInvitation(planned=plan(), locale=Locale.FR), [coordinator], [ada, zoe, other]),
    ):
        handler = guarded(type(query), QUERIES[type(query)], ACCESS)
        with network.store.begin() as transaction:
            for each in may:
                with acting(each):
                    handler(transaction, crossed(query))
            for each in may_not:
                with acting(each), pytest.raises(Forbidden):
                    handler(transaction, crossed(query))
