"""Taking attendance: who is ticked is there. Only what differs from what the page showed is kept.

So two facilitators keep both theirs, and a tap that is sent twice, or saved late, takes nothing of the other's back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from gateway.pages.frame import framed
from gateway.pages.meeting import Known, Meeting, Person, named, people_at, to
from gateway.pages.render import part
from gateway.pages.visits import visitor_route
from gateway.routes import RequestContext
from pratique.errors import Invalid, NotFound
from pratique.events.meetings import AttendanceState, MeetingState
from pratique.requests.meetings import GetMeeting, RecordAttendance
from words.catalogue import N_, sentences
from words.order import in_order, sort_key

SEARCHED_FROM = 16  #: people from whom on there is a search
SHOWN = 60  #: people on one page; more are found by searching

STATES: Mapping[AttendanceState, str] = {
    AttendanceState.ATTENDED: N_("There"),
    AttendanceState.ATTENDED_PARTLY: N_("There in part"),
    AttendanceState.EXCUSED: N_("Excused"),
    AttendanceState.NO_SHOW: N_("Did not come"),
    AttendanceState.UNKNOWN: N_("Not marked"),
}
_TOLD = (AttendanceState.ATTENDED_PARTLY, AttendanceState.EXCUSED, AttendanceState.NO_SHOW)


@dataclass(frozen=True)
class Roll:
    """Whom a page shows, in order, and who of them is ticked."""

    people: list[Person]  #: with ``state``, ``is_there`` and ``in_words``
    was: str  #: ids of those who are ticked, as the page shows them
    count: int  #: how many people are there, on this page or not
    hidden: int  #: how many people are not on this page
    search: str
    is_long: bool  #: whether there is a search
    are_labels: bool  #: whether people are named as in the room


def roll_of(context: RequestContext, meeting: Meeting, named_people: Known) -> Roll:
    """Return who can be marked at a meeting: its people and facilitators, whoever is marked, never the note taker."""
    _ = sentences(context.locale)
    marks = {each["member_id"]: each["state"] for each in meeting["attendance"]}
    known = dict(named_people.people)
    for id in marks:
        known.setdefault(id, _stranger(context, id))
    taken = [
        each for id, each in known.items() if (each["can_attend"] or id in marks) and id != meeting["note_taker_id"]
    ]
    for person in taken:
        state = AttendanceState(marks.get(person["member_id"], AttendanceState.UNKNOWN))
        person |= {"state": state, "is_there": state.was_there, "in_words": _(STATES[state]) if state in _TOLD else ""}
    search = context.request.args.get("q", "").strip()[:100]
    found = [each for each in in_order(taken, _name) if _is_found(each, search)]
    shown = found[:SHOWN]
    return Roll(
        people=shown,
        was=",".join([each["member_id"] for each in shown if each["is_there"]]),
        count=meeting["head_count"],
        hidden=len(found) - len(shown),
        search=search,
        is_long=len(taken) >= SEARCHED_FROM,
        are_labels=named_people.are_labels,
    )


def save(context: RequestContext) -> Response:
    """Keep who is ticked. The script of the page names those who were touched, and asks for a part of the page.

    A form without script says whom it showed as there, and whom it leaves so.
    """
    sent, path = context.request.form, f"/meetings/{context.path['meeting_id']}"
    there, was = _ids(sent.getlist("there")), _ids(sent.get("was", "").split(","))
    gone = _ids(sent.getlist("gone")) if "part" in sent else [id for id in was if id not in there]
    entries = [{"member_id": id, "state": AttendanceState.ATTENDED} for id in there if id not in was]
    entries += [{"member_id": id, "state": AttendanceState.UNKNOWN} for id in gone if id not in there]
    meeting = context.call(RecordAttendance, **context.path, entries=entries)
    is_correcting = sent.get("from") == "corrections"
    if "part" not in sent:
        return to(context, f"{path}/corrections" if is_correcting else path)
    shown = {"count": meeting["head_count"], "ticked": sent.get("ticked", "")[:6]}
    is_closed = meeting["state"] == MeetingState.CLOSED
    return part("saved", context.locale, is_saved=True, is_closed=is_closed, **shown)


def show_corrections(context: RequestContext) -> Response:
    """Show the attendance of a closed meeting, to be corrected."""
    meeting = named(context, context.call(GetMeeting, **context.path))
    if meeting["state"] != MeetingState.CLOSED:
        return to(context, f"/meetings/{meeting['meeting_id']}")
    title, known = sentences(context.locale)("Correct the attendance"), people_at(context, meeting)
    roll = roll_of(context, meeting, known)
    return framed(context, "corrections", title, meeting=meeting, roll=roll)


def show_person(context: RequestContext) -> Response:
    """Ask for the attendance of one person, with the states beyond there and not there."""
    meeting = named(context, context.call(GetMeeting, meeting_id=context.path["meeting_id"]))
    id = context.path["member_id"]
    marks = {each["member_id"]: each["state"] for each in meeting["attendance"]}
    person = people_at(context, meeting).people.get(id) or (_stranger(context, id) if id in marks else None)
    if person is None or id == meeting["note_taker_id"]:
        raise NotFound("No attendance of this person is kept at this meeting.")
    _ = sentences(context.locale)
    values = {
        "one": person,
        "meeting": meeting,
        "states": [(state.value, _(words)) for state, words in STATES.items()],
        "present": marks.get(id, AttendanceState.UNKNOWN),
        "back": _back(meeting),
    }
    return framed(context, "attendance_of", person["name"], **values)


def mark_person(context: RequestContext) -> Response:
    """Keep the attendance of one person."""
    state = context.request.form.get("state", "")
    if state not in tuple(AttendanceState):
        raise Invalid("Choose one of the states.", {"/state": "none of those offered"})
    entry = {"member_id": context.path["member_id"], "state": state}
    meeting = context.call(RecordAttendance, meeting_id=context.path["meeting_id"], entries=[entry])
    return to(context, _back(meeting))


def _back(meeting: Mapping[str, Any]) -> str:
    path = f"/meetings/{meeting['meeting_id']}"
    return f"{path}/corrections" if meeting["state"] == MeetingState.CLOSED else path


def _stranger(context: RequestContext, id: str) -> Person:
    """Whoever is marked and on no roster that this person may read."""
    is_self = id == str(context.person.member_id)
    name = context.person.name if is_self else sentences(context.locale)("a person from outside")
    return {"member_id": id, "name": name, "organization": "", "can_attend": True}


def _is_found(person: Person, search: str) -> bool:
    text, _, _ = sort_key(f"{person['name']} {person['organization']}")
    return all(word in text for word in sort_key(search)[0].split())


def _name(person: Person) -> str:
    return str(person["name"])


def _ids(typed: Iterable[str]) -> list[str]:
    """The ids among these, each once; what is none is none of ours."""
    found: dict[str, None] = {}
    for each in typed:
        try:
            found[str(UUID(each))] = None
        except ValueError:
            continue
    return list(found)


ROUTES = (
    visitor_route(
        "POST", "/meetings/<uuid:meeting_id>/attendance", "Keep who is there", save, status=303, max_body=262_144
    ),
    visitor_route(
        "GET", "/meetings/<uuid:meeting_id>/corrections", "Show attendance, to be corrected", show_corrections
    ),
    visitor_route(
        "GET",
        "/meetings/<uuid:meeting_id>/attendance/<uuid:member_id>",
        "Ask for the attendance of one person",
        show_person,
    ),
    visitor_route(
        "POST",
        "/meetings/<uuid:meeting_id>/attendance/<uuid:member_id>",
        "Keep the attendance of one person",
        mark_person,
        status=303,
    ),
)
