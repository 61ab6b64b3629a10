"""Validation errors are reported together, each at its field."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.validation import MAX_REPORTED, ValidationErrors
from pratique.errors import Invalid


def check_three_fields() -> None:
    with ValidationErrors() as errors:
        errors.check_line("/name", " ")
        errors.check_line("/region", "a\x00", required=False)
        errors.check_line("/sector", "", required=False)


def fail_while_checking() -> None:
    with ValidationErrors() as errors:
        errors.add("/name", "No.")
        raise KeyError


def find_thousands() -> None:
    with ValidationErrors() as errors:
        for each in range(5000):
            errors.add(f"/entries/{each}", f"{each} is a stranger.")


def test_all_errors_are_reported_at_once_each_at_its_field() -> None:
    with pytest.raises(Invalid) as caught:
        check_three_fields()

    assert set(caught.value.fields) == {"/name", "/region"}
    assert "name is empty" in caught.value.message


@pytest.mark.parametrize("bad", ["a\nb", "a\x00", "a\r", "a\u2028b", "a\ud800", "a\x85b"])
def test_one_line_is_one_line(bad: str) -> None:
    with pytest.raises(Invalid), ValidationErrors() as errors:
        errors.check_line("/name", bad)


def test_text_may_have_lines_but_no_other_controls() -> None:
    with ValidationErrors() as errors:
        errors.check_text("/purpose", "Apprendre\r\n\tensemble — déjà")
    with pytest.raises(Invalid), ValidationErrors() as errors:
        errors.check_text("/purpose", "a\x00")


def test_an_error_inside_the_block_is_not_hidden_by_them() -> None:
    with pytest.raises(KeyError):
        fail_while_checking()


def test_thousands_of_errors_make_a_short_answer() -> None:
    with pytest.raises(Invalid) as caught:
        find_thousands()

    assert len(caught.value.fields) == MAX_REPORTED
    assert caught.value.message == "0 is a stranger. 1 is a stranger. 2 is a stranger."


ADDRESSES = [
    "http://exemple.test",
    "Voir HTTPS://EXEMPLE.TEST/x",
    "ftp://x",
    "www.exemple.test",
    "Inscription : www2.exemple",
    "exemple.test/inscription",
    "Venez (exemple.test:8443/x) !",
    "bit.ly/3xYz",
    "gagnez sur exemple.com",
    "exemple.com.",
    "exemple.qc.ca",
    "exemple.com.test",
    "gagnez-tout.xyz, vite",
    "xn--bcher-kva.xn--p1ai",
    "amina@exemple.test",
    "Écrire à amina.kone+rencontre@sous.exemple.org",
    "mailto:amina",
    "ｈｔｔｐ：／／exemple．test",
    "exemple。com",
    "amina＠exemple.test",
    "élodie@exemple.québec",
    "http://192.0.2.1",
]
WORDS = [
    "Salle 3.14",
    "M. Tremblay",
    "St. John's",
    "Node.js",
    "Node.js et Vue.js",
    "Mme Roy/M. Côté",
    "24/7",
    "et/ou",
    "1.5/2",
    "B.Sc./M.Sc.",
    "Rencontre @ midi",
    "Café@Home",
    "@amina",
    "3 @ 5.50 $",
    "3@5.50",
    "J.-P. Roy",
    "A.B.C.",
    "U.S. and U.K.",
    "Salle B.204",
    "455, rue St-Paul, bur. 3.2, Montréal",
    "v1.2.3",
    "10.30 a.m.",
    "p. ex. le répit",
    "etc.)",
    "Fin.Rentrée",
    "Le répit : mode d'emploi",
    "Objectif 1: écouter",
    "note:lire",
    "c.-à-d. ensemble",
    "Zoë Ødegård-O'Brien",
    "李小龍",
    "Amina 👩🏽‍🏫",
    "می‌خواهم",
    "क्‍ष",
    "Awww. Merci",
    "La communauté... et après?",
    "Compagnie com",
    "exemple.commune",
    "M.De Koninck",
]


@pytest.mark.parametrize("words", ADDRESSES)
def test_what_mails_would_make_clickable_is_refused_and_told_where_it_belongs(words: str) -> None:
    for expect in (ValidationErrors.check_line, ValidationErrors.check_text):
        with pytest.raises(Invalid, match="belongs in its link") as caught, ValidationErrors() as errors:
            expect(errors, "/place", words, mailed=True)
        assert set(caught.value.fields) == {"/place"}


@pytest.mark.parametrize("words", WORDS)
def test_what_people_write_in_names_and_places_is_accepted(words: str) -> None:
    with ValidationErrors() as errors:
        errors.check_line("/place", words, mailed=True)
        errors.check_text("/reason", words, mailed=True)


HIDDEN = [*"\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]  # turn the direction
HIDDEN += [*"\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e\u3164\u115f\U000e0041"]  # have no width


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
@pytest.mark.parametrize("around", ["{}Amina", "Ami{}na", "Amina{}", "م{}", "👩{}🏫a{}"])
def test_what_nobody_sees_is_refused_wherever_it_stands(hidden: str, around: str) -> None:
    for expect in (ValidationErrors.check_line, ValidationErrors.check_text):
        with pytest.raises(Invalid, match="type it anew"), ValidationErrors() as errors:
            expect(errors, "/name", around.replace("{}", hidden))


def is_accepted(text: str) -> bool:
    try:
        with ValidationErrors() as errors:
            errors.check_line("/name", text, mailed=True)
    except Invalid:
        return False
    return True


LETTERS = st.sampled_from([*"aé. @:/-'", "www.", "://", ".ca", *HIDDEN]) | st.characters()


@given(st.lists(LETTERS, max_size=12).map("".join))
@example("exemple\u200b.com")
@example("\u202emoc.elpmexe")
@example("://")
@example("-www.")
@example("\u2100www.")
@example("_www.")
@example("\u00b9www.")
def test_nothing_that_is_accepted_turns_hides_or_leads_elsewhere(text: str) -> None:
    if not is_accepted(text):
        return
    assert {unicodedata.bidirectional(each) for each in text}.isdisjoint(
        {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    )
    assert set(text).isdisjoint(set(HIDDEN) - {"\u200c", "\u200d"})
    assert not re.search(r"://|(?<![a-z0-9])www\.|[a-z0-9]@[a-z]+\.[a-z]|[a-z]\.ca$", text.lower())


@given(st.text(st.sampled_from("aàbcdéœ ’'-,()ÉÏ0123456789"), min_size=1, max_size=100).filter(str.strip))
def test_words_without_a_dot_an_at_and_a_colon_are_always_accepted(text: str) -> None:
    assert is_accepted(text)
