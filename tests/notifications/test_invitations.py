"""An invitation as its recipient gets it: from whom, led by whom, and with a link of their own to answer by."""

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from pratique.events.notifications import Template
from pratique.requests.meetings import INVITATION_LINK
from tests.harness.mails import calendar_of, html_of, text_of
from tests.notifications.conftest import ENDS_AT, Fixture, named, recipient

PERSON = re.compile(r"https://pratique\.example/i/([\w-]+)\?answer=(accepted|declined)")


def invite(network: Fixture, *members: str, community: str = "Relève", facilitator: str = "", **words: Any) -> None:
    """A meeting of one community, to which these members are invited; whoever facilitates it is no member."""
    tell, events = network.deliver, network.events
    tell(events.community(community), *(events.contact(name) for name in members))
    tell(*(events.joins(name, community) for name in members))
    lead = {"facilitator": facilitator} if facilitator else {}
    tell(events.scheduled("rencontre", community, **lead), events.described("rencontre", **words))


def mail_to(network: Fixture, member: str) -> EmailMessage:
    """The newest mail in this mailbox."""
    network.send()
    return [mail for mail in network.mails() if recipient(mail) == member][-1]


def test_each_person_gets_a_link_of_their_own_in_text_html_and_calendar(network: Fixture) -> None:
    invite(network, "Ada", "Bo")
    for name in ("Ada", "Bo"):
        mail = mail_to(network, name.lower())
        for words in (text_of(mail), html_of(mail), str(calendar_of(mail)[1]["DESCRIPTION"])):
            found = PERSON.findall(words)
            assert [choice for _, choice in found] == ["accepted", "declined"]
            for link, _ in found:
                until, ids = network.seal.read_lasting_link(INVITATION_LINK, link)
                assert ids == (named("rencontre"), named(name))
                assert until == ENDS_AT + timedelta(days=8)


def test_a_calendar_is_not_asked_to_send_replies_that_nobody_reads(network: Fixture) -> None:
    invite(network, "Ada")
    assert calendar_of(mail_to(network, "ada"))[1]["ATTENDEE"].params["RSVP"] == "FALSE"


def test_the_calendar_says_what_the_meeting_is_about_in_its_first_line(network: Fixture) -> None:
    invite(network, "Ada", themes=("La relève", "Le compost"))
    assert calendar_of(mail_to(network, "ada"))[1]["SUMMARY"] == "Relève, rencontre\u00a0: La relève, Le compost"


def test_many_themes_leave_the_calendar_s_first_line_readable(network: Fixture) -> None:
    invite(network, "Ada", themes=("x" * 200, "y" * 200))
    summary = calendar_of(mail_to(network, "ada"))[1]["SUMMARY"]
    assert summary.endswith("x…")
    assert len(summary) < 130


def test_a_mail_comes_from_the_community_at_the_network_s_address(network: Fixture) -> None:
    invite(network, "Ada", community="Réseau du répit")
    [sender] = mail_to(network, "ada")["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Réseau du répit", "bonjour@pratique.example")


@pytest.mark.parametrize("name", ["N" * 90, "compta@banque.example", "https://banque.example", "www.banque.example"])
def test_a_community_whose_name_misleads_or_does_not_fit_is_no_sender(network: Fixture, name: str) -> None:
    invite(network, "Ada", community=name)
    assert str(mail_to(network, "ada")["From"]) == "Pratique <bonjour@pratique.example>"


def test_whoever_leads_the_meeting_is_named_and_gets_the_replies(network: Fixture) -> None:
    network.deliver(network.events.contact("Zoé", name="Zoé Roy", email="zoe@ailleurs.example"))
    invite(network, "Ada", facilitator="Zoé")
    mail = mail_to(network, "ada")
    [reply_to] = mail["Reply-To"].addresses
    assert (reply_to.display_name, reply_to.addr_spec) == ("Zoé Roy", "zoe@ailleurs.example")
    for words in (text_of(mail), html_of(mail), str(calendar_of(mail)[1]["DESCRIPTION"])):
        assert "Zoé Roy" in words
    assert "répondez-y si vous avez une question : Zoé Roy vous lira." in " ".join(text_of(mail).split())


def test_where_nobody_is_named_the_community_s_facilitator_gets_the_replies(network: Fixture) -> None:
    network.deliver(network.events.contact("Bo"), network.events.role("Bo", "Relève"))
    invite(network, "Ada")
    assert mail_to(network, "ada")["Reply-To"].addresses[0].addr_spec == "bo@membres.example"


def test_somebody_whose_role_has_ended_gets_no_replies(network: Fixture) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Zoé"), events.role("Zoé", "Relève"), events.role_ended("Zoé", "Relève"))
    invite(network, "Ada")
    mail = mail_to(network, "ada")
    assert mail["Reply-To"] is None
    assert "Zoé" not in text_of(mail)


def test_somebody_without_a_contact_card_gets_no_replies_and_nobody_else_in_their_place(network: Fixture) -> None:
    network.deliver(network.events.contact("Bo"), network.events.role("Bo", "Relève"))
    invite(network, "Ada", facilitator="Zoé")
    assert mail_to(network, "ada")["Reply-To"] is None


def test_an_address_that_cannot_stand_in_a_header_gets_no_replies_and_stops_no_mail(network: Fixture) -> None:
    network.deliver(network.events.contact("Zoé", email="zoé ici@ailleurs.example"))
    invite(network, "Ada", facilitator="Zoé")
    assert mail_to(network, "ada")["Reply-To"] is None


def test_whoever_leads_reads_that_they_do_and_is_not_their_own_correspondent(network: Fixture) -> None:
    network.deliver(network.events.contact("Zoé", email="zoe@ailleurs.example"))
    invite(network, "Ada", facilitator="Zoé")
    mail = mail_to(network, "zoe")
    assert mail["Reply-To"] is None
    assert "C’est vous qui l’animez" in text_of(mail)
    assert "Animation" not in text_of(mail)


def test_a_machine_that_answers_a_survey_s_mail_tells_the_facilitator_nothing(network: Fixture) -> None:
    """Whoever is on holiday has a program that answers: it would say who had been asked."""
    network.deliver(network.events.contact("Zoé", email="zoe@ailleurs.example"))
    invite(network, "Ada", facilitator="Zoé")
    network.deliver(network.events.asked("rencontre", "Ada"), network.events.recorded("rencontre", Ada="attended"))
    network.send()
    [mail] = [mail for mail in network.mails() if "/s/token-Ada" in text_of(mail)]
    assert network.told(Template.SURVEY_INVITATION) == ["ada"]
    assert mail["Reply-To"] is None
    assert "zoe@" not in mail.as_string()


def test_mails_of_one_meeting_are_one_conversation(network: Fixture) -> None:
    invite(network, "Ada")
    first = mail_to(network, "ada")["References"]
    network.deliver(network.events.cancelled("rencontre", "Relève"), network.events.described("rencontre", version=2))
    assert first == mail_to(network, "ada")["References"] == f"<{named('rencontre')}@pratique.example>"


def test_a_mail_can_be_read_in_the_dark(network: Fixture) -> None:
    invite(network, "Ada")
    html = html_of(mail_to(network, "ada"))
    assert '<meta name="color-scheme" content="light dark">' in html
    rules = dict(re.findall(r"\.(\w+) { ([^}]*) }", html.split("@media (prefers-color-scheme: dark)", 1)[1]))
    body = html.split("</style>", 1)[1]
    coloured = {
        name
        for tag in re.findall(r"<[^>]*(?:color|background):[^>]*>", body)
        for name in re.findall(r'class="(\w+)"', tag)
    }
    assert coloured == rules.keys(), "each element that has a colour of its own has one in the dark"
    assert not re.search(r"<(?![^>]*class=)[^>]*(color|background):", body)
