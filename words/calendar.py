"""Meetings as entries of calendars: iCalendar (RFC 5545), for mails that ask to come and for calendars that follow."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

_EVENT = b"BEGIN:VEVENT\r\n"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """The entry of a meeting, with nobody in it."""

    meeting_id: UUID  #: the UID, so that what comes later changes this entry and makes no second one
    sequence: int  #: the meeting's version; calendars take only what is newer
    starts_at: datetime
    ends_at: datetime
    timezone: str  #: IANA name; the entry stays at its wall time if the zone's rules change
    summary: str
    description: str
    place: str
    link: str
    stamped_at: datetime


def event_of(entry: Entry, *, is_cancelled: bool = False) -> Event:
    """Return the entry as a component, to which its caller may add."""
    zone = ZoneInfo(entry.timezone)
    event = Event()
    event.add("uid", str(entry.meeting_id))
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.stamped_at)
    event.add("dtstart", entry.starts_at.astimezone(zone))
    event.add("dtend", entry.ends_at.astimezone(zone))
    event.add("summary", entry.summary)
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    for name, text in (("description", entry.description), ("location", entry.place), ("url", entry.link)):
        if text:
            event.add(name, text)
    return event


def write_calendar(
    method: str, entries: Sequence[Entry], events: Iterable[Event], traits: Mapping[str, str | timedelta] | None = None
) -> bytes:
    """Return text/calendar in UTF-8: the events of these entries, and the rules of their zones in those years."""
    calendar = Calendar()
    calendar.add("prodid", "-//Pratique//notifications//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    for name, value in (traits or {}).items():
        calendar.add(name, value, {"VALUE": "DURATION"} if isinstance(value, timedelta) else {})
    for event in events:
        calendar.add_component(event)
    years: dict[str, set[int]] = {}
    for each in entries:
        zone = ZoneInfo(each.timezone)
        years.setdefault(each.timezone, set()).update(at.astimezone(zone).year for at in (each.starts_at, each.ends_at))
    rules = b"".join([_zone_rules(name, min(of), max(of)) for name, of in years.items()])
    written: bytes = calendar.to_ical()
    return written.replace(_EVENT, rules + _EVENT, 1)


@lru_cache(maxsize=256)
def _zone_rules(name: str, first_year: int, last_year: int) -> bytes:
    """The zone's rules around these years; empty for UTC, which needs none. Slow to make and to write, hence kept."""
    if name.rpartition("/")[2] in ("UTC", "UCT", "Zulu", "Universal"):
        return b""
    rules = Timezone.from_tzid(name, first_date=date(first_year, 1, 1), last_date=date(last_year + 1, 1, 1))
    written: bytes = rules.to_ical()
    return written
