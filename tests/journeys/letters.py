"""What is in a mail, as its reader and their calendar see it."""

from email.message import EmailMessage

from icalendar import Calendar
from icalendar import Event as Entry


def text_of(mail: EmailMessage) -> str:
    """The plain text."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def asks(mail: EmailMessage) -> bool:
    """Whether it leads to a survey."""
    return "/s/" in text_of(mail)


def everything_in(mail: EmailMessage) -> str:
    """Headers and all parts, decoded."""
    parts = [part.get_content() for part in mail.walk() if not part.is_multipart()]
    return "\n".join([*map(str, mail.values()), *map(str, parts)])


def calendar_of(mail: EmailMessage) -> tuple[str, Entry]:
    """The method of the calendar part, and its one entry."""
    part = next(each for each in mail.walk() if each.get_content_type() == "text/calendar")
    calendar = Calendar.from_ical(part.get_content())
    (entry,) = calendar.walk("VEVENT")
    assert part.get_param("method") == str(calendar["METHOD"])
    return str(calendar["METHOD"]), entry
