"""A meeting as an entry in people's calendars: sent by the rules of iTIP and iMIP (``words/calendar.py``)."""

import dataclasses
from email.headerregistry import Address

from icalendar import vCalAddress, vText

from services.notifications.kinds import CalendarMethod
from words import calendar


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry(calendar.Entry):
    """The calendar entry of a meeting, and who asks whom."""

    organizer: Address
    attendee: Address


def write_entry(entry: Entry, method: CalendarMethod) -> bytes:
    """The entry as text/calendar in UTF-8: asking the attendee to come, or taking the meeting back."""
    event = calendar.event_of(entry, is_cancelled=method != "REQUEST")
    event.add("organizer", _person(entry.organizer))
    attendee = _person(entry.attendee)
    attendee.params.update(ROLE=vText("REQ-PARTICIPANT"), PARTSTAT=vText("NEEDS-ACTION"))
    if method == "REQUEST":
        attendee.params["RSVP"] = vText("FALSE")  # nobody reads replies by mail: one answers by the links
    event.add("attendee", attendee)
    return calendar.write_calendar(method, [entry], [event])


def _person(address: Address) -> vCalAddress:
    person = vCalAddress(f"mailto:{address.addr_spec}")
    if address.display_name:
        person.params["CN"] = vText(address.display_name.replace('"', "'"))  # a quote cannot be written there
    return person
