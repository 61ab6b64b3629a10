"""A meeting as an entry in people's calendars: iCalendar (RFC 5545), sent by the rules of iTIP and iMIP."""

import dataclasses
from datetime import date, datetime
from email.headerregistry import Address
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress, vText

from services.notifications.kinds import CalendarMethod

_EVENT = b"BEGIN:VEVENT\r\n"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """The calendar entry of a meeting."""

    meeting_id: UUID  #: the UID, so that what comes later changes this entry and makes no second one
    sequence: int  #: the meeting's version; calendars take only what is newer
    starts_at: datetime
    ends_at: datetime
    timezone: str  #: IANA name; the entry stays at its wall time if the zone's rules change
    summary: str
    description: str
    place: str
    link: str
    organizer: Address
    attendee: Address
    stamped_at: datetime


def write_entry(entry: Entry, method: CalendarMethod) -> bytes:
    """The entry as text/calendar in UTF-8: asking the attendee to come, or taking the meeting back."""
    zone = ZoneInfo(entry.timezone)
    calendar = Calendar()
    calendar.add("prodid", "-//Pratique//notifications//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    starts_at, ends_at = entry.starts_at.astimezone(zone), entry.ends_at.astimezone(zone)
    rules = _zone_rules(entry.timezone, starts_at.year, ends_at.year)
    event = Event()
    event.add("uid", str(entry.meeting_id))
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.stamped_at)
    event.add("dtstart", starts_at)
    event.add("dtend", ends_at)
    event.add("summary", entry.summary)
    event.add("status", "CONFIRMED" if method == "REQUEST" else "CANCELLED")
    for name, text in (("description", entry.description), ("location", entry.place), ("url", entry.link)):
        if text:
            event.add(name, text)
    event.add("organizer", _person(entry.organizer))
    attendee = _person(entry.attendee)
    attendee.params.update(ROLE=vText("REQ-PARTICIPANT"), PARTSTAT=vText("NEEDS-ACTION"))
    if method == "REQUEST":
        attendee.params["RSVP"] = vText("FALSE")  # nobody reads replies by mail: one answers by the links
    event.add("attendee", attendee)
    calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written.replace(_EVENT, rules + _EVENT, 1)


def _person(address: Address) -> vCalAddress:
    person = vCalAddress(f"mailto:{address.addr_spec}")
    if address.display_name:
        person.params["CN"] = vText(address.display_name.replace('"', "'"))  # a quote cannot be written there
    return person


@lru_cache(maxsize=256)
def _zone_rules(name: str, first_year: int, last_year: int) -> bytes:
    """The zone's rules around these years; empty for UTC, which needs none. Slow to make and to write, hence kept."""
    if name.rpartition("/")[2] in ("UTC", "UCT", "Zulu", "Universal"):
        return b""
    rules = Timezone.from_tzid(name, first_date=date(first_year, 1, 1), last_date=date(last_year + 1, 1, 1))
    written: bytes = rules.to_ical()
    return written
