"""Days, hours, spans, numbers and lists, as people write them in French and in English; Babel's, but for a few."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale as Region
from babel.dates import format_date, format_time, get_timezone_name
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from pratique.events.membership import Locale
from words.catalogue import N_, sentences

NBSP = "\N{NO-BREAK SPACE}"  #: joins what a line must not break: 9 h 30, « … », 12 mars

_REGIONS = {Locale.FR: Region("fr", "CA"), Locale.EN: Region("en", "CA")}
_DAYS: Mapping[Locale, tuple[str, ...]] = {
    Locale.FR: (f"EEEE d{NBSP}MMMM y", f"EEEE d'er'{NBSP}MMMM y"),
    Locale.EN: (f"EEEE, MMMM{NBSP}d, y",) * 2,
}
_DATES: Mapping[Locale, tuple[str, ...]] = {
    Locale.FR: (f"d{NBSP}MMMM y", f"d'er'{NBSP}MMMM y"),
    Locale.EN: (f"MMMM{NBSP}d, y",) * 2,
}
_NEAR_DAYS: Mapping[Locale, tuple[str, ...]] = {
    Locale.FR: (f"EEEE d{NBSP}MMMM", f"EEEE d'er'{NBSP}MMMM"),
    Locale.EN: (f"EEEE, MMMM{NBSP}d",) * 2,
}
_HOURS: Mapping[Locale, tuple[str, ...]] = {
    Locale.FR: (f"H{NBSP}'h'", f"H{NBSP}'h'{NBSP}mm"),
    Locale.EN: (f"h{NBSP}a", f"h:mm{NBSP}a"),
}
_IN_WORDS = {5: N_("five"), 6: N_("six"), 7: N_("seven"), 8: N_("eight"), 9: N_("nine"), 10: N_("ten")}


@lru_cache(maxsize=1024)
def day(at: datetime, zone: str, locale: Locale) -> str:
    """« jeudi 12 mars 2026 », "Thursday, March 12, 2026": the day that the calendar on the wall of ``zone`` shows."""
    return _day(_wall(at, zone), _DAYS, locale)


@lru_cache(maxsize=1024)
def short_day(at: datetime, zone: str, locale: Locale) -> str:
    """« 12 mars 2026 », "March 12, 2026"."""
    return _day(_wall(at, zone), _DATES, locale)


def calendar_day(on: date, locale: Locale) -> str:
    """« 12 mars 2026 », "March 12, 2026", of a day that belongs to no zone."""
    return _day(on, _DATES, locale)


@lru_cache(maxsize=1024)
def hour(at: datetime, zone: str, locale: Locale) -> str:
    """« 14 h », « 14 h 30 », "2 p.m.", "2:30 p.m."."""
    wall = _wall(at, zone)
    return format_time(wall, _HOURS[locale][wall.minute != 0], tzinfo=wall.tzinfo, locale=_REGIONS[locale])


@lru_cache(maxsize=1024)
def moment(at: datetime, zone: str, locale: Locale) -> str:
    """« jeudi 12 mars 2026 à 14 h », "Thursday, March 12, 2026, at 2 p.m.": in a sentence."""
    _ = sentences(locale)
    return _("%(day)s, at %(hour)s", day=day(at, zone, locale), hour=hour(at, zone, locale))


@lru_cache(maxsize=1024)
def near_moment(at: datetime, zone: str, locale: Locale) -> str:
    """« jeudi 12 mars à 14 h (heure de l’Est) »: within weeks, so that the year goes without saying."""
    _ = sentences(locale)
    on = _day(_wall(at, zone), _NEAR_DAYS, locale)
    return f"{_('%(day)s, at %(hour)s', day=on, hour=hour(at, zone, locale))} ({zone_name(zone, locale)})"


@lru_cache(maxsize=1024)
def span(starts_at: datetime, ends_at: datetime, zone: str, locale: Locale) -> str:
    """« jeudi 12 mars 2026, de 14 h à 15 h 30 (heure de l’Est) », with both days where it ends on another."""
    _, named = sentences(locale), zone_name(zone, locale)
    if day(starts_at, zone, locale) != day(ends_at, zone, locale):
        ends = {"begin": moment(starts_at, zone, locale), "end": moment(ends_at, zone, locale)}
        return _("%(begin)s to %(end)s (%(zone)s)", zone=named, **ends)
    hours = {"begin": hour(starts_at, zone, locale), "end": hour(ends_at, zone, locale)}
    return _("%(day)s, %(begin)s to %(end)s (%(zone)s)", day=day(starts_at, zone, locale), zone=named, **hours)


@lru_cache(maxsize=256)
def zone_name(zone: str, locale: Locale) -> str:
    """« heure de l’Est », "Eastern Time", the same all year round; that of a city where zones have no such name."""
    city = zone.rpartition("/")[2].replace("_", " ")
    if zone.startswith("Etc/") or city.upper() == city:
        return city
    region = _REGIONS[locale]
    name = str(get_timezone_name(ZoneInfo(zone), width="long", locale=region, zone_variant="generic"))
    if "(" not in name:
        return name
    return f"heure d’{city}" if city[0] in "AEIOUYÉÎ" else f"heure de{NBSP}{city}"  # Babel: "Sénégal (heure avancée)"


def listing(names: Sequence[str], locale: Locale) -> str:
    """« A, B et C », "A, B and C"."""
    return str(format_list(names, locale=_REGIONS[locale]))


def quoted(text: str, locale: Locale) -> str:
    """« … » with spaces that no line breaks, or “…”."""
    _ = sentences(locale)
    return _("“%(text)s”", text=text)


def number(count: int, locale: Locale) -> str:
    """« cinq », "five"; in digits where it is small or large."""
    return sentences(locale)(_IN_WORDS[count]) if count in _IN_WORDS else figure(count, locale)


def decimal(value: float, locale: Locale, places: int = 1) -> str:
    """« 4,2 », "4.2": always with as many decimals."""
    pattern = f"#,##0.{'0' * places}" if places else "#,##0"
    return str(format_decimal(value, pattern, locale=_REGIONS[locale]))


def figure(value: float, locale: Locale) -> str:
    """« 1 200 », « 4,25 »: with the decimals that it has."""
    return str(format_decimal(value, locale=_REGIONS[locale]))


def percent(share: float, locale: Locale) -> str:
    """« 82 % », "82%"; ``share`` is 0 to 1."""
    return str(format_percent(share, locale=_REGIONS[locale]))


def _wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))


def _day(on: date, patterns: Mapping[Locale, tuple[str, ...]], locale: Locale) -> str:
    return str(format_date(on, patterns[locale][on.day == 1], locale=_REGIONS[locale]))
