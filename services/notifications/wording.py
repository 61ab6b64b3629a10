"""Days, hours, places and lists, as people write them in French and in English."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from pratique.events.meetings import MeetingKind, Mode
from pratique.events.membership import Locale

NBSP = "\N{NO-BREAK SPACE}"  #: joins what a line must not break: 9 h 00, « … », 12 mars

_DAYS = {
    Locale.FR: ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    Locale.EN: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    Locale.FR: (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    Locale.EN: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
KINDS = {
    Locale.FR: {
        MeetingKind.MEETING: "rencontre",
        MeetingKind.TRAINING: "formation",
        MeetingKind.PREPARATORY: "rencontre préparatoire",
        MeetingKind.CROSS_COMMUNITY: "rencontre intercommunautaire",
    },
    Locale.EN: {
        MeetingKind.MEETING: "meeting",
        MeetingKind.TRAINING: "training session",
        MeetingKind.PREPARATORY: "preparatory meeting",
        MeetingKind.CROSS_COMMUNITY: "joint meeting",
    },
}
MODES = {
    Locale.FR: {Mode.IN_PERSON: "en personne", Mode.ONLINE: "en ligne", Mode.HYBRID: "en personne ou en ligne"},
    Locale.EN: {Mode.IN_PERSON: "in person", Mode.ONLINE: "online", Mode.HYBRID: "in person or online"},
}


_NUMBERS = {
    Locale.FR: {5: "cinq", 6: "six", 7: "sept", 8: "huit", 9: "neuf", 10: "dix"},
    Locale.EN: {5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"},
}


def number(count: int, locale: Locale) -> str:
    """« cinq », "five"; in digits where it is small or large."""
    return _NUMBERS[locale].get(count, str(count))


@lru_cache(maxsize=1024)
def day(at: datetime, zone: str, locale: Locale) -> str:
    """« jeudi 12 mars 2026 », "Thursday 12 March 2026": the day that the calendar on the wall of ``zone`` shows."""
    wall = at.astimezone(ZoneInfo(zone))
    number = "1er" if locale is Locale.FR and wall.day == 1 else str(wall.day)
    return f"{_DAYS[locale][wall.weekday()]} {number}{NBSP}{_MONTHS[locale][wall.month - 1]} {wall.year}"


@lru_cache(maxsize=1024)
def hour(at: datetime, zone: str, locale: Locale) -> str:
    """« 9 h 00 », "9:00"."""
    wall = at.astimezone(ZoneInfo(zone))
    return f"{wall.hour}{NBSP}h{NBSP}{wall:%M}" if locale is Locale.FR else f"{wall.hour}:{wall:%M}"


@lru_cache(maxsize=1024)
def moment(at: datetime, zone: str, locale: Locale) -> str:
    """« jeudi 12 mars 2026 à 9 h 00 », "Thursday 12 March 2026 at 9:00"."""
    preposition = "à" if locale is Locale.FR else "at"
    return f"{day(at, zone, locale)} {preposition}{NBSP}{hour(at, zone, locale)}"


@lru_cache(maxsize=1024)
def span(starts_at: datetime, ends_at: datetime, zone: str, locale: Locale) -> str:
    """« jeudi 12 mars 2026, de 9 h 00 à 10 h 30 (heure de Toronto) », with both days where it ends on another."""
    named = zone_name(zone, locale)
    if day(starts_at, zone, locale) != day(ends_at, zone, locale):
        begin, end = moment(starts_at, zone, locale), moment(ends_at, zone, locale)
        return f"du {begin} au {end} ({named})" if locale is Locale.FR else f"{begin} to {end} ({named})"
    begin, end = hour(starts_at, zone, locale), hour(ends_at, zone, locale)
    if locale is Locale.FR:
        return f"{day(starts_at, zone, locale)}, de{NBSP}{begin} à{NBSP}{end} ({named})"
    return f"{day(starts_at, zone, locale)}, {begin} to {end} ({named})"


def zone_name(zone: str, locale: Locale) -> str:
    """« heure de Toronto », "Toronto time": the city of an IANA name."""
    city = zone.rpartition("/")[2].replace("_", " ")
    if city.upper() == city or zone.startswith("Etc/"):
        return f"heure {city}" if locale is Locale.FR else f"{city} time"
    if locale is Locale.EN:
        return f"{city} time"
    return f"heure d’{city}" if city[0] in "AEIOUYÉÎ" else f"heure de{NBSP}{city}"


def of_communities(names: Sequence[str], locale: Locale) -> str:
    """« de la communauté « A » », « des communautés « A » et « B » », "of A and B"."""
    if locale is Locale.EN:
        return f"of {listing(names, locale)}"
    quoted = listing([f"«{NBSP}{name}{NBSP}»" for name in names], locale)
    return f"des communautés {quoted}" if len(names) > 1 else f"de la communauté {quoted}"


def listing(names: Sequence[str], locale: Locale) -> str:
    """« A, B et C », "A, B and C"."""
    if len(names) < 2:
        return "".join(names)
    conjunction = "et" if locale is Locale.FR else "and"
    return f"{', '.join(names[:-1])} {conjunction} {names[-1]}"
