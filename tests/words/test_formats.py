"""Dates, hours, spans, numbers and lists in both languages, and names in the order of a French phone book."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pratique.events.membership import Locale
from words import formats
from words.order import in_order

FR, EN = Locale.FR, Locale.EN
TORONTO = "America/Toronto"
AT = datetime(2026, 3, 12, 18, 0, tzinfo=UTC)
NBSP = formats.NBSP


def spaced(text: str) -> str:
    return text.replace(NBSP, " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("locale", "day", "hour", "moment"),
    [
        (FR, "jeudi 12 mars 2026", "14 h", "jeudi 12 mars 2026 à 14 h"),
        (EN, "Thursday, March 12, 2026", "2 p.m.", "Thursday, March 12, 2026, at 2 p.m."),
    ],
)
def test_a_day_and_an_hour_are_written_as_in_canada(locale: Locale, day: str, hour: str, moment: str) -> None:
    told = [each(AT, TORONTO, locale) for each in (formats.day, formats.hour, formats.moment)]
    assert [spaced(each) for each in told] == [day, hour, moment]


def test_minutes_are_said_where_there_are_some() -> None:
    later = AT + timedelta(minutes=5)
    assert [spaced(formats.hour(later, TORONTO, each)) for each in (FR, EN)] == ["14 h 05", "2:05 p.m."]


def test_the_first_of_a_month_is_an_ordinal_in_french() -> None:
    assert spaced(formats.day(datetime(2026, 5, 1, 16, tzinfo=UTC), TORONTO, FR)) == "vendredi 1er mai 2026"
    assert spaced(formats.calendar_day(date(2026, 5, 1), FR)) == "1er mai 2026"
    assert spaced(formats.calendar_day(date(2026, 5, 1), EN)) == "May 1, 2026"


def test_a_moment_soon_to_come_has_no_year_and_names_its_zone() -> None:
    first = datetime(2026, 5, 1, 16, 30, tzinfo=UTC)
    assert spaced(formats.near_moment(AT, TORONTO, FR)) == "jeudi 12 mars à 14 h (heure de l’Est)"
    assert spaced(formats.near_moment(first, TORONTO, FR)) == "vendredi 1er mai à 12 h 30 (heure de l’Est)"
    assert spaced(formats.near_moment(AT, TORONTO, EN)) == "Thursday, March 12, at 2 p.m. (Eastern Time)"


def test_the_day_is_that_of_the_zone() -> None:
    assert spaced(formats.short_day(datetime(2026, 3, 13, 2, tzinfo=UTC), TORONTO, FR)) == "12 mars 2026"


@pytest.mark.parametrize(
    ("locale", "same_day", "two_days"),
    [
        (
            FR,
            "jeudi 12 mars 2026, de 14 h à 15 h 30 (heure de l’Est)",
            "du jeudi 12 mars 2026 à 14 h au vendredi 13 mars 2026 à 2 h (heure de l’Est)",
        ),
        (
            EN,
            "Thursday, March 12, 2026, 2 p.m. to 3:30 p.m. (Eastern Time)",
            "Thursday, March 12, 2026, at 2 p.m. to Friday, March 13, 2026, at 2 a.m. (Eastern Time)",
        ),
    ],
)
def test_a_span_says_both_ends_and_the_zone(locale: Locale, same_day: str, two_days: str) -> None:
    ends = (AT + timedelta(minutes=90), AT + timedelta(hours=12))
    assert [spaced(formats.span(AT, end, TORONTO, locale)) for end in ends] == [same_day, two_days]


@pytest.mark.parametrize(
    ("zone", "french", "english"),
    [
        ("America/Halifax", "heure de l’Atlantique", "Atlantic Time"),
        ("Africa/Dakar", "heure de Dakar", "Senegal Time"),
        ("Indian/Reunion", "heure de Reunion", "Réunion Time"),
        ("Africa/Abidjan", "heure d’Abidjan", "Côte d’Ivoire Time"),
        ("Etc/UTC", "UTC", "UTC"),
        ("UTC", "UTC", "UTC"),
    ],
)
def test_a_zone_has_a_name_that_people_know(zone: str, french: str, english: str) -> None:
    assert [spaced(formats.zone_name(zone, each)) for each in (FR, EN)] == [french, english]


def test_numbers_are_written_as_each_language_has_them() -> None:
    assert [spaced(formats.number(1200, each)) for each in (FR, EN)] == ["1 200", "1,200"]
    assert [formats.number(5, each) for each in (FR, EN)] == ["cinq", "five"]
    assert [formats.decimal(4.25, each) for each in (FR, EN)] == ["4,2", "4.2"]
    assert [formats.decimal(4, each, places=2) for each in (FR, EN)] == ["4,00", "4.00"]
    assert [spaced(formats.percent(0.82, each)) for each in (FR, EN)] == ["82 %", "82%"]


def test_a_list_ends_with_and() -> None:
    assert [formats.listing(["A", "B", "C"], each) for each in (FR, EN)] == ["A, B et C", "A, B and C"]
    assert formats.listing(["A"], FR) == "A"
    assert formats.listing([], FR) == ""


def test_what_is_quoted_stays_with_its_signs() -> None:
    assert [formats.quoted("A", each) for each in (FR, EN)] == [f"«{NBSP}A{NBSP}»", "“A”"]


def test_names_are_in_the_order_of_a_french_phone_book() -> None:
    names = ["Zoé", "Éric B.", "Eric A.", "Œuvrard", "Odile", "coté", "côte", "cote", "côté", "Ève", "Eva", "Eric B."]
    expected = [
        "cote",
        "côte",
        "coté",
        "côté",
        "Eric A.",
        "Eric B.",
        "Éric B.",
        "Eva",
        "Ève",
        "Odile",
        "Œuvrard",
        "Zoé",
    ]
    assert in_order(names, str) == expected
