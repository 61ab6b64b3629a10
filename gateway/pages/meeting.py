"""What all pages of a meeting share: how it is called, what is missing from its plan, the step that it has come to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from gateway.routes import Ask, RequestContext
from pratique.errors import Forbidden, Unavailable
from pratique.events.meetings import MeetingKind, MeetingState, Mode
from pratique.events.membership import Locale, Role
from pratique.requests.meetings import ListInvited
from pratique.requests.membership import ListLabels, ListRoster
from words.catalogue import N_, sentences

Meeting = dict[str, Any]  #: as meetings answers it, with ``communities``, ``title`` and ``mode_in_words``

ROSTER = 500  #: people that are looked at
UNDER_WAY = (MeetingState.IN_PROGRESS, MeetingState.WRAP_UP)  #: states in which attendance is taken
KINDS: Mapping[MeetingKind, str] = {
    MeetingKind.MEETING: N_("Meeting"),
    MeetingKind.TRAINING: N_("Training"),
    MeetingKind.PREPARATORY: N_("Preparatory meeting"),
    MeetingKind.CROSS_COMMUNITY: N_("Joint meeting"),
}
MODES: Mapping[Mode, str] = {
    Mode.IN_PERSON: N_("in person"),
    Mode.ONLINE: N_("online"),
    Mode.HYBRID: N_("in person or online"),
}
#: The four steps of a meeting, and the state in which each is the present one.
STEPS: Mapping[MeetingState, str] = {
    MeetingState.SCHEDULED: N_("Prepare"),
    MeetingState.IN_PROGRESS: N_("Under way"),
    MeetingState.WRAP_UP: N_("Last minutes"),
    MeetingState.CLOSED: N_("Closed"),
}


def named(context: RequestContext, meeting: Mapping[str, Any]) -> Meeting:
    """Return the meeting with the names of its communities, a title, and its mode in words."""
    _ = sentences(context.locale)
    communities = context.app.communities.of(meeting["community_ids"])
    title = meeting["themes"][0] if meeting["themes"] else _(KINDS[MeetingKind(meeting["kind"])])
    return {
        **meeting,
        "communities": [each["name"] for each in communities.values()],
        "title": title,
        "mode_in_words": _(MODES[Mode(meeting["mode"])]),
    }


def missing(meeting: Mapping[str, Any], locale: Locale) -> list[str]:
    """Return what a plan lacks before people can come and somebody leads, in words."""
    _, mode = sentences(locale), Mode(meeting["mode"])
    lacks = (
        (mode is not Mode.ONLINE and not meeting["place"], _("the place")),
        (mode is not Mode.IN_PERSON and not meeting["link"], _("the link to join online")),
        (not meeting["themes"], _("the themes")),
        (meeting["facilitator_id"] is None, _("who leads it")),
        (meeting["note_taker_id"] is None, _("who takes notes")),
    )
    return [words for is_missing, words in lacks if is_missing]


def steps(meeting: Mapping[str, Any], locale: Locale) -> list[tuple[str, bool, bool]]:
    """Return the four steps: each in words, whether it is done, and whether it is the present one."""
    _, order = sentences(locale), list(STEPS)
    at = order.index(MeetingState(meeting["state"])) if meeting["state"] in order else -1
    return [(_(words), position < at, position == at) for position, words in enumerate(STEPS.values())]


Person = dict[str, Any]  #: of a roster: member_id, name, organization, and whether attendance of theirs can be kept


def people_of(roster: Iterable[Mapping[str, Any]]) -> dict[str, Person]:
    """Return the people of a roster by id, each once, in its order."""
    people: dict[str, Person] = {}
    for row in roster:
        belongs = row["capacity"] is not None or Role.FACILITATOR in row["roles"]
        person = people.setdefault(
            row["member_id"],
            Person(member_id=row["member_id"], name=row["name"], organization=row["organization"], can_attend=belongs),
        )
        person["can_attend"] |= belongs
        person["organization"] = person["organization"] or row["organization"]
    return people


@dataclass(frozen=True)
class Known:
    """Whom a page of a meeting can name."""

    people: dict[str, Person]  #: by id
    are_labels: bool  #: named as in the room: whoever asks may not read who belongs to each of its communities


def people_at(context: RequestContext, meeting: Mapping[str, Any]) -> Known:
    """Return the people of a meeting's communities; to whoever leads it without a role there, as a room names them."""
    (roster,) = context.call_all(
        Ask(ListRoster, (Forbidden, Unavailable), community_ids=meeting["community_ids"], limit=ROSTER)
    )
    if roster is not None:
        return Known(people_of(roster["rows"]), are_labels=False)
    absent = (Forbidden, Unavailable)
    (invited,) = context.call_all(Ask(ListInvited, absent, meeting_id=meeting["meeting_id"], limit=ROSTER))
    ids = [each["member_id"] for each in (invited or {"rows": []})["rows"]]
    ids += [each["member_id"] for each in meeting["attendance"]]
    ids += [each for each in (meeting["facilitator_id"], meeting["note_taker_id"]) if each]
    (labels,) = context.call_all(Ask(ListLabels, (Unavailable,), member_ids=list(dict.fromkeys(ids))))
    named = {
        each["member_id"]: Person(member_id=each["member_id"], name=each["label"], organization="", can_attend=True)
        for each in labels or []
    }
    return Known(named, are_labels=True)


def to(context: RequestContext, path: str) -> Response:
    """Lead to another page of ours, in the language of this one."""
    return Response(status=303, headers={"Location": f"{path}?lang={context.locale}", "Cache-Control": "no-store"})
