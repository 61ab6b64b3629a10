"""What all pages stand on: the sheet, the frame of signed-in pages, forms and charts."""

import hashlib
import re
from typing import Any, NamedTuple

import html5lib
import pytest
from jinja2 import Environment
from werkzeug.datastructures import MultiDict

from gateway.pages import render, style
from gateway.pages.forms import Form
from gateway.pages.render import Link, app_page
from pratique.errors import Invalid
from pratique.events.membership import Locale
from pratique.requests.meetings import MeetingBody
from tests.gateway.conftest import Gate

FR, EN = Locale.FR, Locale.EN
TORONTO = "America/Toronto"
both = pytest.mark.parametrize("locale", [FR, EN])


class Person(NamedTuple):
    """Somebody who is signed in."""

    name: str = "Zoé <Roy>"
    form_token: str = "proof"


def environment(locale: Locale) -> Environment:
    return render._environment(locale)


def of_template(source: str, locale: Locale = FR, **values: Any) -> Any:
    """The elements of what a template makes, which uses the macros of forms or charts."""
    html = environment(locale).from_string(source).render(values)
    parsed = html5lib.HTMLParser(namespaceHTMLElements=False).parse(f"<!doctype html><title>x</title>{html}")
    return parsed.find("body")


def shown(locale: Locale = FR, **values: Any) -> tuple[Any, Any]:
    """A signed-in page of a message, and the response."""
    response = app_page("signed_in_example", locale, Person(), **values)
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(
        response.get_data(as_text=True)
    ), response


@pytest.fixture
def _example(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of one heading on the frame of signed-in pages."""
    from jinja2 import ChoiceLoader, DictLoader

    source = '{% extends "app.html" %}{% block main %}<h1>{{ title }}</h1>{% endblock %}'
    for locale in (FR, EN):
        loader = environment(locale).loader
        assert loader is not None
        both_loaders = ChoiceLoader([loader, DictLoader({"signed_in_example.html": source})])
        monkeypatch.setattr(environment(locale), "loader", both_loaders)


def test_the_whole_sheet_is_kept_for_ever_under_a_name_of_its_content(gate: Gate) -> None:
    response = gate.ask("GET", style.linked(), headers={"Authorization": None})
    assert response.status_code == 200
    assert response.content_type == "text/css; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashlib.sha256(response.data).hexdigest()[:16] in style.linked()
    assert len(response.data) < 12_000


@pytest.mark.parametrize("name", ["style.css", "style.0123456789abcdef.css", "x", "..%2Fstyle.css"])
def test_another_name_is_no_sheet(gate: Gate, name: str) -> None:
    assert gate.ask("GET", f"/static/{name}", headers={"Authorization": None}).status_code == 404


def test_shrinking_a_sheet_changes_nothing_that_it_says() -> None:
    sheet = style.sheet_of("questions")
    assert "/*" not in sheet
    assert "clamp(1.75rem, 1.4rem + 1.6vw, 2.5rem)" in sheet.replace(",", ", ")
    assert "main>*{min-width:0}" in sheet
    assert ".choice:has(:focus-visible){" in sheet
    assert "@media (max-width:34rem){.scale:has(:nth-child(3)){" in sheet
    assert sheet.count("{") == sheet.count("}")


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join([each * 2 for each in colour[1:]])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_edges_stand_out_in_light_and_in_dark(scheme: int) -> None:
    found = re.findall(r"--(\w+):light-dark\((#\w+), ?(#\w+)\)", style.sheet_of("message"))
    token = {name: (light, dark)[scheme] for name, light, dark in found}
    for ground in ("paper", "card", "tint"):
        for ink in ("ink", "soft", "accent", "wrong"):
            assert contrast(token[ink], token[ground]) >= 4.5, (ink, ground)
    assert contrast(token["on"], token["accent"]) >= 4.5
    assert contrast(token["edge"], token["paper"]) >= 3
    assert contrast(token["edge"], token["card"]) >= 3


@pytest.mark.usefixtures("_example")
@both
def test_the_frame_of_a_signed_in_page_leads_everywhere(locale: Locale) -> None:
    nav = (Link("/meetings", "Rencontres", is_here=True), Link("/people", "Membres"))
    page, response = shown(locale, title="Ici", nav=nav)
    links = {each.get("href"): each for each in page.iter("a")}
    other = "en" if locale is FR else "fr"
    assert page.get("lang") == response.headers["Content-Language"] == locale
    assert {"#main", f"?lang={other}", "/meetings", "/people"} <= {*links}
    names = ("home", "account", "help", "privacy", "accessibility")
    assert {f"/{name}?lang={locale}" for name in names} <= {*links}
    assert [href for href, each in links.items() if each.get("aria-current")] == ["/meetings"]
    assert links[f"/account?lang={locale}"].text == "Zoé <Roy>"
    (form,) = page.iter("form")
    assert (form.get("method"), form.get("action")) == ("post", "/account/sign-out")
    assert [(each.get("name"), each.get("value")) for each in form.iter("input")] == [("form_token", "proof")]


@pytest.mark.usefixtures("_example")
def test_a_signed_in_page_links_the_sheet_and_lets_in_nothing_else() -> None:
    page, response = shown(title="x")
    assert [each.get("href") for each in page.iter("link")] == ["data:,", style.linked()]  # no icon is asked for
    assert not list(page.iter("style"))
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert len(response.data) < 3_000


@pytest.mark.usefixtures("_example")
@pytest.mark.parametrize(("locale", "begins"), [(FR, "Erreur\u00a0: "), (EN, "Error: ")])
def test_the_title_of_a_page_with_an_error_says_so_first(locale: Locale, begins: str) -> None:
    page, _ = shown(locale, title="Ici", is_error=True)
    assert page.find("head/title").text == f"{begins}Ici · Pratique"


COMMUNITY = "00000000-0000-4000-8000-000000000001"
TYPED = {
    "community_ids": [COMMUNITY],
    "kind": "meeting",
    "mode": "online",
    "starts_at.day": "2026-03-12",
    "starts_at.hour": "14:00",
    "ends_at.day": "2026-03-12",
    "ends_at.hour": "15:30",
    "timezone": TORONTO,
    "place": "  Salle 3 ",
    "themes": "Le répit\r\n\r\nLes pères",
    "capacity": "",
}
FIELDS = """
{% from "forms.html" import summary, text, number, area, day_and_hour, radios, checkboxes, select, dock with context %}
{{ summary(form, {"place": "Lieu"}) }}<form>{{ text(form, "place", "Lieu", hint="Où venir") }}
{{ area(form, "themes", "Thématiques") }}{{ day_and_hour(form, "starts_at", "Début") }}
{{ number(form, "capacity", "Places") }}
{{ radios(form, "mode", "Mode", [("online", "En ligne"), ("hybrid", "Hybride")]) }}
{{ checkboxes(form, "community_ids", "Communautés", [("a", "A")]) }}
{{ select(form, "kind", "Genre", [("meeting", "Rencontre")], empty="Choisir") }}
{{ dock("Enregistrer", "Personne ne reçoit rien.") }}</form>
"""


def sent(typed: dict[str, Any], locale: Locale = FR) -> Form:
    return Form.sent(MeetingBody, MultiDict(typed), locale, TORONTO)


def test_what_is_typed_becomes_what_the_service_takes() -> None:
    read = sent(TYPED).read()
    assert read is not None
    assert (read["starts_at"], read["ends_at"]) == ("2026-03-12T18:00:00+00:00", "2026-03-12T19:30:00+00:00")
    assert (read["place"], read["themes"], read["capacity"]) == ("Salle 3", ["Le répit", "Les pères"], None)
    assert (read["mode"], read["community_ids"]) == ("online", [COMMUNITY])


def test_what_a_service_knows_is_shown_as_one_would_type_it() -> None:
    read = sent(TYPED).read()
    assert read is not None
    form = Form.of(MeetingBody, {**read, "version": 3}, FR, TORONTO)
    assert (form.value("starts_at.day"), form.value("starts_at.hour")) == ("2026-03-12", "14:00")
    assert form.has("mode", "online")
    assert not form.has("mode", "hybrid")
    again = Form.sent(MeetingBody, MultiDict({name: list(each) for name, each in form.typed.items()}), FR, TORONTO)
    assert again.read() == {name: each for name, each in read.items() if each is not None}


@pytest.mark.parametrize(
    ("typed", "name", "words"),
    [
        ({"mode": ""}, "mode", "Faites un choix."),
        ({"mode": "flying"}, "mode", "Choisissez parmi ce qui est proposé."),
        ({"community_ids": []}, "community_ids", "Faites un choix."),
        ({"starts_at.day": ""}, "starts_at", "Écrivez le jour et l’heure, par exemple 2026-03-12 et 14:00."),
        ({"starts_at.day": "", "starts_at.hour": ""}, "starts_at", "Remplissez ce champ."),
        ({"starts_at.hour": "25:00"}, "starts_at", "Écrivez le jour et l’heure, par exemple 2026-03-12 et 14:00."),
        ({"capacity": "beaucoup"}, "capacity", "Écrivez un nombre entier de 1 à 100000."),
        ({"capacity": "0"}, "capacity", "Écrivez un nombre entier de 1 à 100000."),
        ({"place": "x" * 5000}, "place", "Écrivez au plus 300 caractères."),
    ],
)
def test_what_is_wrong_is_told_at_its_field_in_ones_language(typed: dict[str, Any], name: str, words: str) -> None:
    form = sent(TYPED | typed)
    assert form.read() is None
    assert form.errors == {name: words}
    assert form.value("themes") == "Le répit\n\nLes pères"


def test_what_a_service_refuses_is_told_at_its_field_too() -> None:
    form = sent(TYPED | {"place": "voir www.example.org/x"})
    form.refuse(Invalid("No.", {"/place": "place holds an address of the web", "/": "Ends before it starts."}))
    assert form.errors["place"].startswith("Retirez les adresses du Web ou de courriel\u00a0: ")
    assert form.general == "Ceci ne peut pas être accepté tel quel. Vérifiez-le, puis envoyez-le de nouveau."
    english = sent(TYPED, EN)
    english.refuse(Invalid("Ends before it starts."))
    assert (english.is_wrong, english.general) == (True, "Ends before it starts.")


def test_each_field_has_its_label_its_hint_and_its_error() -> None:
    form = sent(TYPED | {"place": "x" * 5000, "starts_at.day": ""})
    form.read()
    body = of_template(FIELDS, form=form)
    ids = [each.get("id") for each in body.iter() if each.get("id")]
    place = next(each for each in body.iter("input") if each.get("id") == "place")
    labels = {each.get("for") for each in body.iter("label")}
    assert len(ids) == len(set(ids))
    assert set(place.get("aria-describedby").split()) == {"place-hint", "place-wrong"} <= {*ids}
    assert (place.get("aria-invalid"), place.get("maxlength")) == ("true", "300")
    assert {"place", "themes", "starts_at.day", "starts_at.hour", "capacity", "kind"} <= labels
    assert all(group.find("legend") is not None for group in body.iter("fieldset"))
    assert next(body.iter("textarea")).text == "Le répit\n\nLes pères"
    assert [each.get("value") for each in body.iter("option")] == ["", "meeting"]
    assert "Personne ne reçoit rien." in "".join(body.itertext())


def test_the_summary_is_focused_and_leads_to_each_field() -> None:
    form = sent(TYPED | {"place": "x" * 5000, "starts_at.day": ""})
    form.read()
    body = of_template(FIELDS, form=form)
    summary = next(each for each in body.iter("div") if each.get("role") == "alert")
    assert (summary.get("tabindex"), summary.get("autofocus")) == ("-1", "")
    ids = {each.get("id") for each in body.iter()}
    links = {each.get("href"): each.text for each in summary.iter("a")}
    assert {href[1:] for href in links} == {"place", "starts_at"} <= ids
    assert links["#place"] == "Lieu\u00a0: Écrivez au plus 300 caractères."


def test_a_form_without_errors_has_no_summary() -> None:
    body = of_template(FIELDS, form=sent(TYPED))
    assert not [each for each in body.iter() if each.get("role") == "alert"]


SVG = "{http://www.w3.org/2000/svg}"
CHARTS = """{% from "charts.html" import stacked_bar, dot, line, table with context %}
{{ stacked_bar("cinq", [("a", 0), ("b", 1), ("c", 2), ("d", 4), ("e", 3)]) }}{{ dot("quatre", 4.2, 3.7, 4.8) }}
{{ line("monte", [1, none, 3.5, 4]) }}{{ table("Réponses", ["Réponse", "Personnes"], [["Oui", 4], ["Non", 1]]) }}"""


def test_charts_are_pictures_with_words_and_no_style_of_their_own() -> None:
    body = of_template(CHARTS)
    pictures = list(body.iter(f"{SVG}svg"))
    assert [(each.get("role"), each.get("aria-label")) for each in pictures] == [
        ("img", "cinq"),
        ("img", "quatre"),
        ("img", "monte"),
    ]
    assert not [each for each in body.iter() if each.get("style")]
    bars = list(pictures[0].iter(f"{SVG}rect"))
    assert [float(each.get("width")) for each in bars] == [38, 78, 158, 118]
    assert [each.text for each in pictures[0].iter(f"{SVG}text")] == ["1", "2", "4", "3"]
    assert float(next(pictures[1].iter(f"{SVG}circle")).get("cx")) == 186
    assert next(pictures[2].iter(f"{SVG}path")).get("d").count("M") == 2
    assert [each.text for each in pictures[2].iter(f"{SVG}text")] == ["4"]


def test_a_table_names_its_rows_and_columns() -> None:
    (table,) = of_template(CHARTS).iter("table")
    assert table.find("caption").text == "Réponses"
    assert [each.get("scope") for each in table.iter("th")] == ["col", "col", "row", "row"]
