"""What a mail says, how it is written, and what nobody can make it say."""

import dataclasses
import os
import re
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import html5lib
import icalendar
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis import clock
from pratique.events.evaluation import WithheldReason
from pratique.events.meetings import MeetingKind, Mode
from pratique.events.membership import Locale
from pratique.events.notifications import Template
from services.notifications import wording
from services.notifications.delivery import deliver
from services.notifications.mails import Said, addressed_to, fill_in, render, write_mail
from services.notifications.post import FilePost
from tests.harness.mails import calendar_of, html_of, parsed, text_of
from tests.notifications.conftest import LETTERHEAD

NBSP = "\N{NO-BREAK SPACE}"
GOLDEN = Path(__file__).parent / "golden"
RANDOM = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/s/)[\w.-]+|(?<=/i/)[\w-]+|(?<=/results/)[\w.-]+"
    r"|(?<=/sign-in/)[\w.-]+|(?<=DTSTAMP:)\S+"
)


def pinned(mail: EmailMessage) -> str:
    """A mail as its golden file keeps it: headers and parts; ids and secrets, which differ each time, as ``***``."""
    parts = [part for part in mail.walk() if not part.is_multipart()]
    heads = [f"{name}: {value}" for name, value in mail.items() if name not in ("Date", "Content-Type")]
    bodies = [f"--- {part.get_content_type()}\n{decoded(part)}" for part in parts]
    text = "\n".join([*heads, *bodies]).replace("\r\n", "\n").replace("\n ", "")  # calendar lines are folded anywhere
    return RANDOM.sub("***", text) + "\n"


def keep_as_before(path: Path, text: str) -> None:
    """The text is that of the golden file, which is written where that is asked for."""
    if os.environ.get("PRATIQUE_WRITE_GOLDENS"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"write it: PRATIQUE_WRITE_GOLDENS=1 python -m pytest {__file__}"
    assert text == path.read_text(encoding="utf-8")


def decoded(part: Any) -> str:
    content = part.get_content()
    return str(content if isinstance(content, str) else content.decode())


@pytest.fixture
def every_mail(network: Any) -> Any:
    """Each template once, to a member with this locale."""

    def write(locale: str) -> dict[Template, EmailMessage]:
        tell, events = network.deliver, network.events
        tell(events.contact("Ada", locale, name="Ada Dumas"), events.joins("Ada", "Relève"))
        tell(*(events.community(name) for name in ("Relève", "Compost")), events.role("Ada", "Relève"))
        for name in ("rencontre", "autre"):
            tell(events.scheduled(name, "Relève", "Compost"), events.described(name))
        tell(events.asked("rencontre", "Ada"), events.recorded("rencontre", Ada="attended"))
        tell(events.released("rencontre", "Relève"), events.left_open("rencontre", "Relève"))
        tell(events.withheld("rencontre", "Relève"))
        network.send()
        clock.move(timedelta(days=3))
        tell(
            events.changed("autre", "Relève", changed=("place",)), events.described("autre", version=2, place="Salle 9")
        )
        network.send()
        tell(events.cancelled("autre", "Relève", version=3))
        tell(events.described("autre", version=3, cancel_reason="Grève"), events.reminded("rencontre", "Ada"))
        network.send()
        network.ask_to_sign_in("Ada")
        tell(events.contact("Ada", locale, version=2, name="Ada Dumas", former_email="ada@avant.example"))
        network.send()
        ids = {str(message.id): message.template for message in network.messages()}
        return {ids[mail["Message-ID"][1:37]]: mail for mail in network.mails()}

    return write


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_each_template_is_written_in_both_languages(every_mail: Any, locale: str) -> None:
    written = every_mail(locale)
    assert set(written) == set(Template)
    for mail in written.values():
        assert mail["Content-Language"] == locale
        assert "Ada Dumas" in text_of(mail)
        assert "{" not in text_of(mail) + html_of(mail).split("<main", 1)[1]
        assert "None" not in text_of(mail) + html_of(mail)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_each_mail_reads_as_it_did_before(every_mail: Any, locale: str) -> None:
    """``PRATIQUE_WRITE_GOLDENS=1`` writes the golden files anew, for a change of words that is meant."""
    for template, mail in every_mail(locale).items():
        keep_as_before(GOLDEN / f"{template.value}.{locale}.txt", pinned(mail))


@pytest.fixture
def each_person(network: Any) -> Any:
    """The texts of one training of a single community, as they reach people of different parts and places."""

    def write(locale: str) -> str:
        tell, events = network.deliver, network.events
        tell(events.community("Relève"), events.contact("Ada", locale), events.joins("Ada", "Relève"))
        tell(events.contact("Bo", locale, name="Bo Leduc"), events.contact("Cy", locale))
        tell(events.contact("Di", locale, timezone="Europe/Paris"), events.joins("Di", "Relève"))
        tell(events.contact("Ed", locale), events.joins("Ed", "Relève"), events.role("Bo", "Relève"))
        tell(events.contact("Ed", locale, version=2, former_email="ed@avant.example"))
        about = {"kind": MeetingKind.TRAINING, "mode": Mode.ONLINE, "facilitator": "Bo", "note_taker": "Cy"}
        tell(events.scheduled("rencontre", "Relève", **about))
        tell(events.described("rencontre", place="", themes=("Le compost",)))
        network.send()
        tell(events.withheld("rencontre", "Relève", reason=WithheldReason.NO_ATTENDANCE))
        network.send()
        mails = network.mails()
        entry = next(str(calendar_of(mail)[1]["DESCRIPTION"]) for mail in mails if mail["To"].startswith("Ada"))
        texts = sorted(f"To: {mail['To']}\nSubject: {mail['Subject']}\n\n{text_of(mail)}" for mail in mails)
        return RANDOM.sub("***", "\n".join([*texts, entry]).replace("\r\n", "\n")) + "\n"

    return write


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_each_person_reads_what_concerns_them_as_before(each_person: Any, locale: str) -> None:
    keep_as_before(GOLDEN / f"each_person.{locale}.txt", each_person(locale))


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_html_is_well_formed_says_its_language_and_fetches_nothing(every_mail: Any, locale: str) -> None:
    for mail in every_mail(locale).values():
        html = html_of(mail)
        html5lib.HTMLParser(strict=True).parse(html)
        assert f'<html lang="{locale}">' in html
        assert not re.search(r"<(img|script|link|iframe|object)|url\(|@import|\bsrc=", html)


def test_french_is_set_with_unbreakable_spaces_and_guillemets(every_mail: Any) -> None:
    for mail in every_mail("fr").values():
        for written in (text_of(mail), html_of(mail).split("<main", 1)[1], mail["Subject"]):
            words = re.sub(r'https?://[^\s<"]+|style="[^"]*"|"', "", written)
            assert not re.search(r"(?<!" + NBSP + r")[:»](?=\s|$)", words), words
            assert not re.search(r"\s[;?!]", words), words
            assert not re.search(r"«(?!" + NBSP + ")", words)
            assert "'" not in words


WANTS_TO_KNOW = {
    "fr": (
        "jusqu’au jeudi 26 mars 2026",
        "environ deux minutes",
        "au plus un rappel",
        "vous étiez à cette rencontre. Si vous n’y étiez pas",
        "au moins cinq personnes qui étaient là ont répondu",
        "Personne ne peut voir quelles réponses sont les vôtres",
        "le système doit savoir que vous avez répondu",
        "est détruit à la fermeture du sondage",
    ),
    "en": (
        "until Thursday, March 26, 2026",
        "about two minutes",
        "at most one reminder",
        "You are recorded as present at this meeting. If you were not there",
        "at least five people who were there have answered",
        "Nobody can see which answers are yours",
        "the system must know that you have answered",
        "destroyed when the survey closes",
    ),
}


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_survey_invitation_says_what_one_wants_to_know(every_mail: Any, locale: str) -> None:
    text = " ".join(text_of(every_mail(locale)[Template.SURVEY_INVITATION]).split())
    assert "https://pratique.example/s/token-Ada" in text
    assert [words for words in WANTS_TO_KNOW[locale] if words not in text] == []


def test_the_threshold_in_mails_is_the_network_s(network: Any) -> None:
    network.invited("Ada")
    network.deliver(network.events.asked("rencontre", "Ada"))
    letterhead = dataclasses.replace(LETTERHEAD, threshold=8)
    deliver(network.store, FilePost(network.folder), partial(write_mail, letterhead=letterhead))
    assert "au moins huit personnes" in network.reads(Template.SURVEY_INVITATION, "ada")


def test_withheld_results_are_told_without_a_number(every_mail: Any) -> None:
    text = text_of(every_mail("en")[Template.RESULTS_WITHHELD])
    assert re.findall(r"\d+", text) == ["19", "2026"]


def test_headers_say_that_a_machine_wrote(every_mail: Any) -> None:
    for mail in every_mail("fr").values():
        assert mail["From"].addresses[0].addr_spec == "bonjour@pratique.example"
        assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
        assert mail["Message-ID"].endswith("@pratique.example>")
        assert mail["Date"].datetime.tzinfo is not None


@pytest.mark.parametrize(
    "unseen", ["\u200e", "\u202e", "\u2066", "\u2069", "\u200b", "\u200d", "\ufeff", "\u2060", "\xad"]
)
def test_what_a_person_wrote_cannot_turn_text_around_or_hide_in_it(network: Any, unseen: str) -> None:
    tell, events = network.deliver, network.events
    hostile = f"A{unseen}b"
    tell(events.contact("Ada", name=hostile), events.joins("Ada", hostile), events.community(hostile))
    tell(events.role("Ada", hostile), events.scheduled("rencontre", hostile))
    tell(events.described("rencontre", place=hostile, themes=(hostile,), link=f"https://visio.example/{hostile}"))
    network.send()
    tell(events.cancelled("rencontre", hostile), events.described("rencontre", version=2, cancel_reason=hostile))
    network.send()
    mails = network.mails()
    assert len(mails) == 2
    for mail in mails:
        assert unseen not in str(mail["Subject"]) + str(mail["To"]) + text_of(mail) + html_of(mail)
        assert "Ab" in mail["Subject"]


@pytest.mark.parametrize(
    "hostile", ["https://evil.example/a", "www.evil.example", "evil.example", "x@evil.example", "mailto:x@evil.example"]
)
def test_what_a_person_wrote_is_no_link_in_html(network: Any, hostile: str) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Ada", name=hostile), events.joins("Ada", hostile), events.community(hostile))
    tell(events.scheduled("rencontre", hostile))
    tell(events.described("rencontre", place=hostile, themes=(f"voir {hostile}",), link="https://visio.example/42"))
    network.send()
    tell(events.cancelled("rencontre", hostile), events.described("rencontre", version=2, cancel_reason=hostile))
    network.send()
    invitation, cancellation = (html_of(mail).split("<main", 1)[1] for mail in network.mails())
    for html in (invitation, cancellation):
        words = re.sub(r"https://visio\.example/42|https://pratique\.example/i/[\w-]+", "", html)
        assert not re.search(r"\w\.example|\w@|://evil|evil\.|mailto:\w", words)
    theirs = [href for href in re.findall(r'href="([^"]*)"', invitation + cancellation) if "/i/" not in href]
    assert theirs == ["https://visio.example/42"]


def test_words_with_a_dot_read_as_they_were_written(network: Any) -> None:
    network.deliver(network.events.contact("Ada", name="J.-P. Roy"), network.events.joins("Ada", "Relève"))
    network.deliver(network.events.community("Relève"), network.events.scheduled("rencontre", "Relève"))
    network.deliver(network.events.described("rencontre"))
    network.send()
    [mail] = network.mails()
    assert "J.-P. Roy" in text_of(mail)
    assert "J.-P. Roy" in html_of(mail).replace("<wbr>", "")


@pytest.mark.parametrize(
    "hostile", ["Ada\r\nBcc: all@victim.example", "Ada\n\n<h1>", 'A"da\u2028Bcc: x@y', "Ada\x00\x0bB"]
)
def test_a_name_can_add_no_header_and_no_tag(network: Any, hostile: str) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Ada", name=hostile), events.joins("Ada", "Relève"), events.community("Relève"))
    tell(events.scheduled("rencontre", "Relève"), events.described("rencontre", place=hostile, themes=(hostile,)))
    network.send()
    [mail] = network.mails()
    assert mail["Bcc"] is None
    assert [each.addr_spec for each in mail["To"].addresses] == ["ada@membres.example"]
    assert "<h1>" not in html_of(mail)
    assert calendar_of(mail)[1]["ATTENDEE"] == "mailto:ada@membres.example"


def test_every_mail_is_well_formed_in_lines_that_every_server_takes(every_mail: Any, network: Any) -> None:
    for mail in every_mail("fr").values():
        assert [part.defects for part in mail.walk() if part.defects] == []
    for path in network.folder.glob("*.eml"):
        lines = path.read_bytes().split(b"\r\n")
        assert max(map(len, lines)) <= 78  # RFC 5322 2.1.1
        assert not [line for line in lines if b"\n" in line or b"\r" in line or not line.isascii()]


@given(name=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=90))
@example(name="Ada, la vraie <ada@autre.example>")
@example(name='"Ada"; \\ (dite Bo)')
@example(name="=?utf-8?q?Ada?=")
@example(name="A" * 90)
def test_any_name_reaches_its_one_address_in_a_header_of_its_own(name: str) -> None:
    header = addressed_to(Address(name, "ada", "membres.example"))
    [(_, read)] = parsed(header + b"\r\n").items()

    assert [each.addr_spec for each in read.addresses] == ["ada@membres.example"]
    assert max(map(len, header.split(b"\r\n"))) <= 998


LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=90).map(str.strip)


ABOUT_MEETING = ("kind", "mode", "meeting_day", "when", "when_for_you", "place", "link", "themes", "cancel_reason")


@given(
    names=st.lists(LINES, min_size=2, max_size=4),
    community=LINES,
    template=st.sampled_from(Template),
    locale=st.sampled_from(Locale),
    closes=LINES,
)
@example(
    names=["A" * 50, "É" * 51, "<b>&amp;", "closes"],
    community="name <survey_url>",
    template=Template.SURVEY_INVITATION,
    locale=Locale.FR,
    closes="",
)
def test_a_mail_that_shares_its_words_with_others_says_what_it_would_say_alone(
    names: list[str], community: str, template: Template, locale: Locale, closes: str
) -> None:
    shared = {
        **{"locale": locale.value, "of_communities": f"of {community}", "communities": community, "closes": closes},
        **dict.fromkeys(ABOUT_MEETING, Said(community)),
        **{
            "responses_count": 7,
            "withheld_reason": WithheldReason.BELOW_K,
            "threshold": "cinq",
            "part": "",
            "lead": "",
        },
        "replaced_by": Said(community),
    }
    for name in names:
        kinds = ("survey_url", "results_url", "sign_in_url", "invitation_url")
        urls = {kind: f"https://pratique.example/{kind}/{len(name)}?a&b" for kind in kinds}
        words = {**shared, **urls, "name": Said(name)}
        assert fill_in(template, words) == render(template, words)


def test_a_link_that_is_no_web_address_is_not_made_one(network: Any) -> None:
    network.deliver(
        network.events.contact("Ada"), network.events.joins("Ada", "Relève"), network.events.community("Relève")
    )
    network.deliver(network.events.scheduled("rencontre", "Relève"))
    network.deliver(network.events.described("rencontre", link="javascript:alert(1)"))
    network.send()
    assert [href for href in re.findall(r'href="([^"]*)"', html_of(network.mails()[0])) if "/i/" not in href] == []


@pytest.mark.parametrize(("day", "hour_utc"), [("2026-03-07", 14), ("2026-03-09", 13), ("2026-11-02", 14)])
def test_the_calendar_entry_shows_nine_o_clock_on_both_sides_of_a_clock_change(
    network: Any, day: str, hour_utc: int
) -> None:
    starts_at = datetime.fromisoformat(f"{day}T{hour_utc}:00:00+00:00")
    with clock.fixed(starts_at - timedelta(days=3)):
        tell, events = network.deliver, network.events
        tell(events.contact("Ada"), events.joins("Ada", "Relève"), events.community("Relève"))
        tell(events.scheduled("rencontre", "Relève", starts_at=starts_at, ends_at=starts_at + timedelta(hours=1)))
        tell(events.described("rencontre"))
        network.send()
    [mail] = network.mails()
    method, event = calendar_of(mail)
    assert method == "REQUEST"
    assert event["DTSTART"].params["TZID"] == "America/Toronto"
    assert event["DTSTART"].dt.replace(tzinfo=None) == datetime.fromisoformat(f"{day}T09:00:00")
    assert event["DTSTART"].dt.astimezone(UTC) == starts_at
    assert f"de{NBSP}9{NBSP}h" in text_of(mail).replace("\n", " ")


def test_invitation_and_cancellation_are_one_entry_in_a_calendar(every_mail: Any, network: Any) -> None:
    written = every_mail("fr")
    cancelled, event = calendar_of(written[Template.MEETING_CANCELLED])
    [invited] = [
        calendar_of(mail)[1]
        for mail in network.mails()
        if mail["Subject"].startswith("Invitation") and calendar_of(mail)[1]["UID"] == event["UID"]
    ]
    assert (cancelled, event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert event["SEQUENCE"] > invited["SEQUENCE"]
    assert invited["ATTENDEE"].params["RSVP"] == "FALSE"
    assert (invited["LOCATION"], invited["URL"]) == ("Salle 3", "https://visio.example/42")


def test_the_entry_comes_as_an_attachment_too(every_mail: Any) -> None:
    [attached] = every_mail("fr")[Template.MEETING_INVITATION].iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("request.ics", "application/ics")
    icalendar.Calendar.from_ical(attached.get_content())


def test_who_is_elsewhere_reads_their_own_time_too(network: Any) -> None:
    tell, events = network.deliver, network.events
    tell(events.contact("Ada", timezone="Europe/Paris"), events.joins("Ada", "Relève"), events.community("Relève"))
    tell(events.scheduled("rencontre", "Relève"), events.described("rencontre"))
    network.send()
    text = " ".join(text_of(network.mails()[0]).split())
    assert "de 10 h à 11 h 30 (heure de l’Est)" in text
    assert "de 15 h à 16 h 30 (heure de l’Europe centrale)" in text


def test_names_are_listed_as_people_list_them() -> None:
    assert wording.of_communities(["A"], Locale.FR).replace(NBSP, " ") == "de la communauté « A »"
    assert wording.of_communities(["A", "B"], Locale.EN) == "of A and B"
