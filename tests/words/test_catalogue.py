"""The catalogue: every sentence that is said has its French, none is left over, and the French is set as French is."""

import re
from pathlib import Path

import pytest

from pratique.events.membership import Locale
from words import catalogue, extraction
from words.catalogue import sentences

FRENCH = extraction.read_french()
STRINGS = [
    (message.id if isinstance(message.id, str) else tuple(message.id), str(form or ""))
    for message in FRENCH
    if message.id
    for form in (message.string if isinstance(message.string, tuple) else (message.string,))
]
VALUE = re.compile(r"%\((\w+)\)s")


def test_every_sentence_of_the_code_has_its_place_and_no_other_has_one() -> None:
    """``python -m words`` makes the places and drops what is left over."""
    fresh = extraction.renewed(FRENCH, extraction.said())
    assert catalogue.FRENCH.read_text(encoding="utf-8") == fresh.decode()


def test_every_sentence_is_translated() -> None:
    assert [sentence for sentence, french in STRINGS if not french] == []


def test_french_is_set_as_french_is() -> None:
    """No space before ? ! and ;, one that never breaks before : and within « », and the apostrophe of printers."""
    loose = re.compile(r"\s[?!;]|(?<!\u00a0):(?=\s|$)|«(?!\u00a0)|(?<!\u00a0)»|\w'\w|\.\.\.")
    assert [french for _, french in STRINGS if loose.search(french)] == []


def test_english_is_set_as_english_is() -> None:
    found = [str(sentence) for sentence, _ in STRINGS if re.search(r"\s[?!;:]|\w'\w|\"|\.\.\.|«", str(sentence)[1:-1])]
    assert found == []


def test_a_translation_shows_the_same_values() -> None:
    """One that counts may leave out the number where there is one."""
    odd = []
    for sentence, french in STRINGS:
        forms = sentence if isinstance(sentence, tuple) else (sentence,)
        expected = {name for form in forms for name in VALUE.findall(form)}
        found = set(VALUE.findall(french))
        if found - expected or expected - found - ({"num"} if len(forms) > 1 else set()):
            odd.append(french)
    assert odd == []


def test_a_percent_sign_is_written_twice() -> None:
    lone = [form for pair in STRINGS for form in pair if "%" in VALUE.sub("", str(form)).replace("%%", "")]
    assert lone == []


def test_what_counts_one_and_what_counts_many_differ_in_each_language() -> None:
    french = [message for message in FRENCH if isinstance(message.id, tuple)]
    assert [message.id for message in french if len({*(message.string or ())}) < 2] == []
    assert FRENCH.num_plurals == 2


@pytest.mark.parametrize("locale", list(Locale))
def test_a_sentence_is_said_with_its_values(locale: Locale) -> None:
    _ = sentences(locale)
    said = _("%(day)s, at %(hour)s", day="12", hour="2 p.m.")
    assert said == {Locale.FR: "12 à\u00a02 p.m.", Locale.EN: "12, at 2 p.m."}[locale]


def test_a_new_sentence_gets_an_empty_place_and_one_that_is_gone_none(tmp_path: Path) -> None:
    code = 'def f(_, n):\n    return _("It is “late”") + _.counted("%(num)s day", "%(num)s days", n)\n'
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "code.py").write_text(code, encoding="utf-8")
    (tmp_path / "gateway" / "page.html").write_text("{{ pgettext('of a door', 'Close') }}", encoding="utf-8")

    said = extraction.said(tmp_path)
    written = extraction.renewed(FRENCH, said).decode()

    assert set(said) == {
        (None, "It is “late”"),
        (None, ("%(num)s day", "%(num)s days")),
        ("of a door", "Close"),
    }
    assert 'msgctxt "of a door"\nmsgid "Close"\nmsgstr ""' in written
    assert 'msgid_plural "%(num)s days"\nmsgstr[0] ""' in written
    assert "%(day)s, at %(hour)s" not in written
