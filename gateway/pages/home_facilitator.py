"""What whoever facilitates is to look at today: the meeting under way, the next one, those left open, new results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway.pages.meeting import UNDER_WAY, Meeting, missing, named
from gateway.pages.sections import Home, Section
from gateway.routes import Ask, RequestContext
from pratique.errors import Unavailable
from pratique.events.evaluation import SurveyState, WithheldReason
from pratique.events.meetings import MeetingState
from pratique.permissions import Permission
from pratique.requests.evaluation import ListOutcomes
from words.catalogue import N_, sentences

BACK = timedelta(days=21)  #: how long after its end a meeting is looked at
LATER = 5  #: meetings after the next that are named

_OUTCOMES: Mapping[str, str] = {
    SurveyState.RELEASED: N_("The results are in."),
    WithheldReason.BELOW_K: N_(
        "The results are not shown: too few people answered to be sure that nobody could be recognized."
    ),
    WithheldReason.NO_ATTENDANCE: N_("There are no results: no attendance was recorded, so nobody was asked."),
    SurveyState.WITHHELD: N_("The results are not shown, so that nobody can be recognized."),
}


@dataclass
class Today:
    """Meetings of a facilitator, by what is to be done."""

    under_way: list[Meeting] = field(default_factory=list)
    left_open: list[Meeting] = field(default_factory=list)  #: their end has passed
    next: Meeting | None = None
    missing: list[str] = field(default_factory=list)  #: what the next one lacks
    later: list[Meeting] = field(default_factory=list)
    outcomes: list[tuple[Meeting, str, bool]] = field(default_factory=list)  #: in words, and whether there is a page
    is_evaluation_away: bool = False
    can_plan: bool = False  #: whether there is a community for which they may schedule


def asks(context: RequestContext) -> Sequence[Ask]:
    """Return what is asked besides the agenda: nothing that could be asked before it is known."""
    return ()


def section(context: RequestContext, home: Home, answers: Sequence[Any]) -> Section | None:
    """Return the section; None for whoever leads nothing."""
    run = context.actor.communities_for(Permission.MEETINGS_WRITE)
    ids = None if run is None else set(map(str, run))
    led = [each for each in home.agenda if _is_led(each, ids, str(context.person.member_id), home)]
    if ids is not None and not ids and not led:
        return None
    meetings = [named(context, each) for each in led]
    today = Today(can_plan=ids is None or bool(ids))
    _sort(today, meetings, home.now)
    if today.next:
        today.missing = missing(today.next, context.locale)
    _tell_outcomes(context, today, [each for each in meetings if each["state"] == MeetingState.CLOSED])
    return Section("home_facilitator.html", vars(today))


def _is_led(meeting: Mapping[str, Any], ids: set[str] | None, member_id: str, home: Home) -> bool:
    if meeting["state"] == MeetingState.CANCELLED or datetime.fromisoformat(meeting["ends_at"]) < home.now - BACK:
        return False
    is_named = member_id in (meeting["facilitator_id"], meeting["note_taker_id"])
    return is_named or ids is None or not ids.isdisjoint(meeting["community_ids"])


def _sort(today: Today, meetings: list[Meeting], now: datetime) -> None:
    for meeting in meetings:
        is_over = datetime.fromisoformat(meeting["ends_at"]) <= now
        if meeting["state"] == MeetingState.CLOSED:
            continue
        if is_over:
            today.left_open.append(meeting)
        elif meeting["state"] in UNDER_WAY:
            today.under_way.append(meeting)
        elif today.next is None:
            today.next = meeting
        elif len(today.later) < LATER:
            today.later.append(meeting)


def _tell_outcomes(context: RequestContext, today: Today, closed: list[Meeting]) -> None:
    if not closed:
        return
    by_id = {each["meeting_id"]: each for each in closed}
    (found,) = context.call_all(Ask(ListOutcomes, (Unavailable,), meeting_ids=list(by_id)))
    today.is_evaluation_away = found is None
    told: list[dict[str, Any]] = [each for each in found or [] if each["state"] != SurveyState.OPEN]
    _ = sentences(context.locale)
    for outcome in sorted(told, key=lambda each: str(each["closes_at"]), reverse=True):
        state = outcome["state"]
        sentence = _OUTCOMES.get(outcome["reason"] or state, _OUTCOMES[SurveyState.WITHHELD])
        today.outcomes.append((by_id[outcome["meeting_id"]], _(sentence), state == SurveyState.RELEASED))
