"""A person's meetings in their own calendar: an address that programs read, and the page to make and to end it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from chassis import clock
from chassis.actor import Actor, acting
from gateway.limits import client_address
from gateway.pages.frame import framed, led_to
from gateway.pages.visits import visitor_route
from gateway.routes import Media, RequestContext, Route
from gateway.visitors import Nobody
from pratique.errors import NotFound, TooManyTries
from pratique.events.meetings import MeetingState, Partstat
from pratique.events.membership import Locale
from pratique.permissions import Grant, Permission
from pratique.requests.meetings import ListAgenda
from words.calendar import Entry, event_of, write_calendar
from words.catalogue import N_, sentences
from words.formats import listing

SINCE, UNTIL = timedelta(days=90), timedelta(days=400)  #: of the meetings that a calendar shows
READ_EVERY = timedelta(hours=6)  #: how often programs are asked to look again

_CANCELLED = N_("Cancelled: %(summary)s")


def show_calendar(context: RequestContext) -> Response:
    """Show whether the person has an address for their calendar, and offer to make or end it."""
    return _page(context)


def renew_address(context: RequestContext) -> Response:
    """Make an address and show it, this once; one that there was is no use any more."""
    token = context.app.calendars.renew(context.person.member_id)
    return _page(context, f"{context.app.settings.public_url}/calendar/{token}.ics")


def end_address(context: RequestContext) -> Response:
    """End the address; calendars that follow it get nothing any more."""
    context.app.calendars.end(context.person.member_id)
    return led_to("/calendar", context)


def read_calendar(context: RequestContext) -> Response:
    """The meetings of the person whose address it is, with nobody else in them.

    Raises:
        NotFound: there is no such address, or the person is not known any more.
        TooManyTries: it was read too often in this hour.
    """
    app = context.app
    member_id = app.calendars.read(context.path["token"], client_address(context.request, app.settings.trusted_proxies))
    try:
        known = app.visitors.authority_of(member_id)
    except Nobody as error:
        app.calendars.end(member_id)
        raise NotFound("There is no calendar at this address, or no more.") from error
    with acting(_reader(member_id, known["community_ids"])):
        response = Response(_written(context, member_id, known), content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _reader(member_id: UUID, community_ids: list[str]) -> Actor:
    """Whose calendar it is: they may read their own agenda, and nothing else."""
    over = frozenset(map(UUID, community_ids))
    return Actor(f"member {member_id}", (Grant(frozenset({Permission.AGENDA_READ}), over),), member_id)


def _written(context: RequestContext, member_id: UUID, known: Mapping[str, Any]) -> bytes:
    now, locale = clock.now(), Locale(known["locale"])
    agenda = context.call(
        ListAgenda,
        community_ids=list(known["community_ids"]),
        since=(now - SINCE).isoformat(),
        until=(now + UNTIL).isoformat(),
        member_id=str(member_id),
        limit=500,
    )
    communities = context.app.communities.of({id for each in agenda for id in each["community_ids"]})
    entries, events = [], []
    for meeting in agenda:
        names = [str(communities[id]["name"]) for id in meeting["community_ids"] if id in communities]
        entry = _entry(meeting, names, locale, now)
        is_cancelled = meeting["state"] == MeetingState.CANCELLED
        event = event_of(entry, is_cancelled=is_cancelled)
        if is_cancelled or (meeting["own_part"] or {}).get("partstat") == Partstat.DECLINED:
            event.add("transp", "TRANSPARENT")  # the time is free
        entries.append(entry)
        events.append(event)
    name = sentences(locale)(N_("Meetings of my communities"))
    traits: dict[str, str | timedelta] = {
        "name": name,
        "x-wr-calname": name,
        "refresh-interval": READ_EVERY,
        "x-published-ttl": "PT6H",
    }
    return write_calendar("PUBLISH", entries, events, traits)


def _entry(meeting: Mapping[str, Any], names: list[str], locale: Locale, now: datetime) -> Entry:
    about, of = listing(meeting["themes"], locale), listing(names, locale)
    summary = " · ".join([each for each in (about, of) if each])
    if meeting["state"] == MeetingState.CANCELLED:
        summary = sentences(locale)(_CANCELLED, summary=summary)
    return Entry(
        meeting_id=UUID(meeting["meeting_id"]),
        sequence=meeting["version"],
        starts_at=datetime.fromisoformat(meeting["starts_at"]),
        ends_at=datetime.fromisoformat(meeting["ends_at"]),
        timezone=meeting["timezone"],
        summary=summary,
        description=meeting["cancel_reason"],
        place=meeting["place"],
        link=meeting["link"],
        stamped_at=now,
    )


def _page(context: RequestContext, address: str = "") -> Response:
    found = context.app.calendars.of(context.person.member_id)
    title = sentences(context.locale)(N_("Your meetings in your calendar"))
    followed = f"webcal://{address.partition('://')[2]}"
    return framed(context, "calendar", title, found=found, address=address, followed=followed)


ROUTES = (
    visitor_route("GET", "/calendar", "Show whether a person's calendar can follow their meetings", show_calendar),
    visitor_route("POST", "/calendar", "Make an address for one's calendar, and end the former", renew_address),
    visitor_route("POST", "/calendar/end", "End the address for one's calendar", end_address, status=303),
    Route(
        "GET",
        "/calendar/<token>.ics",
        "Read one's meetings as a calendar",
        act=read_calendar,
        operation="read_calendar",
        media=Media.CALENDAR,
        problems=(NotFound, TooManyTries),
    ),
)
