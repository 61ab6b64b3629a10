"""Communities side by side: what each held in a period and how many came; as a page and as a table to keep."""

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.wrappers import Response

from chassis import clock
from gateway.pages.community import may_found
from gateway.pages.frame import framed
from gateway.pages.visits import visitor_route
from gateway.routes import RequestContext
from pratique.errors import Forbidden
from pratique.permissions import Permission
from pratique.requests.meetings import SummarizeMeetings
from words.catalogue import N_, sentences
from words.order import sort_key

SHOWN = 40  #: communities on a page
YEARS = 3  #: calendar years to choose from
FALLS = 3  #: meetings in a row, each with fewer people than the one before, from which on it is said
#: What begins so is a formula for a spreadsheet (OWASP, CSV injection); full-width letters count as the others.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SPANS: Mapping[str, tuple[str, timedelta]] = {
    "12m": (N_("The last twelve months"), timedelta(days=365)),
    "6m": (N_("The last six months"), timedelta(days=182)),
    "3m": (N_("The last three months"), timedelta(days=91)),
}


@dataclass(frozen=True)
class Row:
    """One community in the comparison."""

    community_id: str
    name: str
    meetings: int
    present: Sequence[int]  #: of each meeting, in order
    people: int  #: who were there at least once
    rate: float | None  #: of those marked, the share who were there

    @property
    def last(self) -> int | None:
        """Return how many were at the last meeting."""
        return self.present[-1] if self.present else None

    @property
    def is_falling(self) -> bool:
        """Return whether each of the last meetings had fewer people than the one before it."""
        lately = self.present[-FALLS - 1 :]
        return len(lately) > FALLS and all(later < former for former, later in pairwise(lately))


_ORDERS: Mapping[str, tuple[str, Callable[[Row], Any]]] = {
    "name": (N_("Name"), lambda row: sort_key(row.name)),
    "meetings": (N_("Meetings held, most first"), lambda row: (-row.meetings, sort_key(row.name))),
    "present": (
        N_("People at the last meeting, fewest first"),
        lambda row: (row.last is None, row.last or 0, sort_key(row.name)),
    ),
    "rate": (N_("Attendance, lowest first"), lambda row: (row.rate is None, row.rate or 0, sort_key(row.name))),
}


def show_network(context: RequestContext) -> Response:
    """Show the communities that the person coordinates, side by side."""
    args, _ = context.request.args, sentences(context.locale)
    periods = _periods(context)
    period = _one_of(periods, args.get("period"), "12m")
    order = _one_of(_ORDERS, args.get("sort"), "name")
    _label, since, until = periods[period]
    rows = _rows(context, (since, until), order)
    first = _whole(args.get("from", "")) if _whole(args.get("from", "")) < len(rows) else 0
    shown: dict[str, Any] = {
        "rows": rows[first : first + SHOWN],
        "following": first + SHOWN if first + SHOWN < len(rows) else None,
        "count": len(rows),
        "meetings": sum(row.meetings for row in rows),
        "periods": [(key, label) for key, (label, *_ends) in periods.items()],
        "orders": [(key, _(label)) for key, (label, _key) in _ORDERS.items()],
        "period": period,
        "sort": order,
        "since": since,
        "until": until,
        "may_found": may_found(context.actor),
        "may_name_sets": context.actor.may_somewhere(Permission.ROLES_WRITE),
        "is_of_network": context.actor.may(Permission.MEMBERSHIP_WRITE, []),
    }
    return framed(context, "network", _("Communities side by side"), **shown)


def export_network(context: RequestContext) -> Response:
    """The same as a table for spreadsheets (RFC 4180), in which no name is taken for a formula."""
    args, _ = context.request.args, sentences(context.locale)
    periods = _periods(context)
    _label, since, until = periods[_one_of(periods, args.get("period"), "12m")]
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(
        [
            _("Community"),
            _("Meetings held"),
            _("People at the last meeting"),
            _("People at each meeting"),
            _("People there at least once"),
            _("Attendance, %%"),
        ]
    )
    for row in _rows(context, (since, until), _one_of(_ORDERS, args.get("sort"), "name")):
        each = " ".join(map(str, row.present))
        rate = "" if row.rate is None else round(100 * row.rate)
        last = "" if row.last is None else row.last
        table.writerow([harmless(row.name), row.meetings, last, each, row.people, rate])
    response = Response("\N{BOM}" + written.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="communities-{clock.now():%Y-%m-%d}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def harmless(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _rows(context: RequestContext, ends: tuple[datetime, datetime], order: str) -> list[Row]:
    """The communities that the person coordinates, with their figures; one question.

    Raises:
        Forbidden: they coordinate none.
    """
    over = context.actor.communities_for(Permission.MEMBERSHIP_WRITE)
    if not context.actor.may_somewhere(Permission.MEMBERSHIP_WRITE):
        raise Forbidden("This page is for whoever coordinates communities.")
    known = context.app.communities
    communities = known.all() if over is None else known.of(map(str, over))
    since, until = ends
    figures = {}
    if communities:
        asked = {"community_ids": sorted(communities), "since": since.isoformat(), "until": until.isoformat()}
        figures = {each["community_id"]: each for each in context.call(SummarizeMeetings, **asked)}
    rows = [_row(id, each, figures[id]) for id, each in communities.items() if id in figures]
    return sorted(rows, key=_ORDERS.get(order, _ORDERS["name"])[1])


def _row(community_id: str, community: Mapping[str, Any], figures: Mapping[str, Any]) -> Row:
    return Row(
        community_id,
        community["name"],
        figures["meetings_count"],
        figures["head_counts"],
        figures["people_count"],
        figures["attendance_rate"],
    )


def _periods(context: RequestContext) -> dict[str, tuple[str, datetime, datetime]]:
    """The periods to choose from: what each is called, its beginning and its end."""
    _, now, zone = sentences(context.locale), clock.now(), ZoneInfo(context.person.timezone)
    found = {key: (_(label), now - span, now) for key, (label, span) in _SPANS.items()}
    this_year = now.astimezone(zone).year
    for year in range(this_year, this_year - YEARS, -1):
        found[str(year)] = (str(year), datetime(year, 1, 1, tzinfo=zone), datetime(year + 1, 1, 1, tzinfo=zone))
    return found


def _one_of(known: Collection[str], asked: str | None, otherwise: str) -> str:
    return asked if asked in known and asked is not None else otherwise


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


ROUTES = (
    visitor_route("GET", "/network", "Compare the communities that a person coordinates", show_network),
    visitor_route("GET", "/network.csv", "Compare them in a table for spreadsheets", export_network),
)
