"""The page that shows the embedded mode's mails: what was sent, safely, and in no other mode."""

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from html import unescape
from uuid import UUID, uuid4

import pytest

from gateway.pages.mails import PAGE
from services.notifications.post import FilePost, Mail
from tests.gateway.conftest import make_gate

AT = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)
ENTRY = """\
BEGIN:VCALENDAR
VERSION:2.0
METHOD:{method}
BEGIN:VEVENT
UID:1
DTSTART;TZID=America/Toronto:20260312T090000
DTEND;TZID=America/Toronto:20260312T100000
SUMMARY:Familles, rencontre
LOCATION:Salle 1
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def gate(store, tmp_path):
    return make_gate(store, mail_dir=tmp_path / "mail")


def send(gate, number=0, text="Bonjour.\n", method="", subject="", id: UUID | None = None, html="", meeting=""):
    """Send a mail as notifications does in the embedded mode; returns its file's name."""
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"] = "Pratique <pratique@example.org>", "Élise Gagné <elise@example.org>"
    mail["Subject"] = subject or f"Invitation n° {number}"
    mail["Date"] = AT + timedelta(minutes=number)
    id = id or uuid4()
    mail["Message-ID"] = f"<{id}@example.org>"
    mail["Content-Language"] = "fr"
    mail.set_content(text)
    if meeting:
        mail["References"] = f"<{meeting}@example.org>"
    if html:
        mail.add_alternative(html, subtype="html")
    if method:
        mail.add_alternative(ENTRY.format(method=method), subtype="calendar", params={"method": method})
    before = set(gate.app.settings.mail_dir.glob("*"))
    at = AT + timedelta(minutes=number)
    FilePost(gate.app.settings.mail_dir).send(Mail(str(id), "elise@example.org", at, mail.as_bytes()))
    (new,) = set(gate.app.settings.mail_dir.glob("*")) - before
    return new.name


def look(gate, path, status=200):
    response = gate.ask("GET", path, headers={"Authorization": None})
    assert (response.status_code, response.mimetype) == (status, "text/html")
    return unescape(response.text)


def test_the_newest_is_listed_first_with_its_reader_and_its_subject(gate):
    names = [send(gate, number) for number in (2, 1, 3)]
    shown = look(gate, "/mails?lang=en")
    assert re.findall(r"/mails/(\S+eml)", shown) == [names[2], names[0], names[1]]
    assert "Invitation n° 3" in shown
    assert "Élise Gagné <elise@example.org>" in shown


def test_pages_lead_to_every_mail_once(gate):
    names = {send(gate, number) for number in range(2 * PAGE + 1)}
    path, seen = "/mails?lang=en", []
    while path:
        shown = look(gate, path)
        seen += re.findall(r"/mails/(\S+eml)", shown)
        older = re.search(r'href="(\?[^"]+)" rel="next"', shown)
        path = "/mails" + older[1] if older else ""
    assert (len(seen), set(seen)) == (2 * PAGE + 1, names)
    assert seen == sorted(seen, reverse=True)


def test_a_mail_is_shown_with_its_links(gate):
    link = "http://127.0.0.1:8000/s/abc_-123?lang=fr&x=1"
    shown = look(gate, "/mails/" + send(gate, text=f"Répondez ici : {link}.\nMerci !\n"))
    assert f'<a href="{link}">{link}</a>.\nMerci !' in shown
    assert "Pratique <pratique@example.org>" in shown


@pytest.mark.parametrize(
    ("method", "locale", "words"),
    [
        ("REQUEST", "en", "For the calendar"),
        ("REQUEST", "fr", "À inscrire dans l’agenda"),
        ("CANCEL", "en", "To be taken off the calendar"),
        ("CANCEL", "fr", "À retirer de l’agenda"),
    ],
)
def test_the_calendar_entry_is_told_in_words(gate, method, locale, words):
    shown = look(gate, f"/mails/{send(gate, method=method)}?lang={locale}")
    assert words in shown
    assert "2026-03-12 09:00 – 2026-03-12 10:00 (America/Toronto)" in shown
    assert "Salle 1" in shown
    assert "BEGIN:VCALENDAR" not in shown.split("<details>")[0]
    assert "SUMMARY:Familles, rencontre" in shown


HTML = (
    '<!DOCTYPE html><html lang="fr"><head><title>x</title><style>p { color: red }</style></head>'
    '<body><p style="margin:0"><a href="http://127.0.0.1:8000/i/abc">Je viens</a></p>'
    "<script>alert(1)</script></body></html>"
)


def test_the_html_is_shown_as_it_was_sent_within_its_page(gate):
    name = send(gate, html=HTML)
    page = gate.ask("GET", f"/mails/{name}?lang=en")
    assert f'<iframe class="sent" src="/mails/{name}/html"' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    shown = gate.ask("GET", f"/mails/{name}/html")
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    assert shown.text.replace('<base target="_blank">', "").strip() == HTML


def test_nothing_in_a_mail_runs_fetches_or_sends(gate):
    policy = gate.ask("GET", f"/mails/{send(gate, html=HTML)}/html").headers["Content-Security-Policy"]
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert rules["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert (rules["default-src"], rules["form-action"], rules["base-uri"]) == ("'none'",) * 3
    assert (rules["style-src"], rules["frame-ancestors"]) == ("'unsafe-inline'", "'self'")
    assert not {"script-src", "img-src", "connect-src"} & rules.keys()


def test_a_mail_without_html_has_no_frame(gate):
    name = send(gate)
    assert "<iframe" not in look(gate, f"/mails/{name}")
    assert look(gate, f"/mails/{name}/html", 404)


def test_headers_are_shown_and_never_read_as_markup(gate):
    shown = gate.ask("GET", f"/mails/{send(gate, subject='<i>x</i>', meeting='m')}?lang=en").text
    assert "References: &lt;m@example.org&gt;" in shown
    assert "Subject: &lt;i&gt;x&lt;/i&gt;" in shown


def test_mails_about_one_meeting_stand_together_under_its_first(gate):
    one, other = uuid4(), uuid4()
    names = [send(gate, number, meeting=meeting) for number, meeting in enumerate([one, other, one, ""])]
    shown = look(gate, "/mails?lang=en")
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", shown) == ["Invitation n° 0", "Invitation n° 1", "Other emails"]
    assert re.findall(r"/mails/(\S+eml)", shown) == [names[2], names[0], names[1], names[3]]


def test_a_mail_without_an_entry_speaks_of_no_calendar(gate):
    assert "alendar" not in look(gate, f"/mails/{send(gate)}?lang=en")


def test_what_a_mail_says_is_text_and_never_markup(gate):
    name = send(gate, text="<script>alert(1)</script> javascript:alert(2)\n", subject="<b>x</b>")
    for path in ("/mails", f"/mails/{name}"):
        response = gate.ask("GET", path)
        assert "<script" not in response.text
        assert "<b>" not in response.text
        assert 'href="javascript' not in response.text
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_no_mails_yet_is_said(gate):
    assert "There are none yet" in look(gate, "/mails?lang=en")
    assert "pas encore" in look(gate, "/mails?lang=fr")


@pytest.mark.parametrize(
    "name",
    [
        "x.eml",
        "..%2Fsecret.eml",
        "%2e%2e%2fsecret.eml",
        "..%5csecret.eml",
        f"20260312T140000Z-{uuid4()}.eml",
        "%00.eml",
    ],
)
def test_only_mails_of_the_folder_are_shown(gate, name):
    send(gate)
    (gate.app.settings.mail_dir.parent / "secret.eml").write_text("Subject: secret\n\nsecret\n")
    response = gate.ask("GET", f"/mails/{name}")
    assert response.status_code == 404
    assert "secret" not in response.text.replace(name, "")


def test_a_link_that_leads_out_of_the_folder_is_not_followed(gate):
    name, folder = send(gate), gate.app.settings.mail_dir
    (folder / name).rename(folder.parent / "secret.eml")
    (folder / name).symlink_to(folder.parent / "secret.eml")
    assert "no such email" in look(gate, f"/mails/{name}?lang=en", 404)
    assert name not in look(gate, "/mails")


def test_other_files_and_unfinished_ones_are_not_listed(gate):
    name = send(gate)
    for other in ("notes.txt", name.replace(".eml", ".part"), "notes.eml"):
        (gate.app.settings.mail_dir / other).write_text("Subject: other\n\n")
    assert re.findall(r'/mails/([^?"]+)', look(gate, "/mails")) == [name]


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_first_page_leads_there_in_its_language(gate, locale):
    assert re.findall(r'href="(/mails[^"]*)"', look(gate, f"/?lang={locale}")) == [f"/mails?lang={locale}"]


def test_in_earnest_there_is_no_such_page(store, tmp_path):
    gate = make_gate(store, broker_url="amqp://rabbitmq", mail_dir=tmp_path / "mail")
    name = send(gate)
    for path in ("/mails", f"/mails/{name}"):
        assert gate.ask("GET", path).status_code == 404
    assert "/mails" not in gate.ask("GET", "/").text
    assert "/mails" not in gate.ask("GET", "/openapi.json").json["paths"]
