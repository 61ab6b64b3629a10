"""What holders of tokens, and people who are signed in, ask while a survey runs, each within what is theirs to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis import clock

if TYPE_CHECKING:
    from tests.adversary.surveys import Evening

#: Answers that no survey takes: whether they are refused before or after it is known who answered.
IMPOSSIBLE: tuple[list[dict[str, Any]], ...] = (
    [],
    [{"question": "satisfaction", "value": 9}],
    [{"question": "no_such_question", "value": 1}],
)


OFFICE = "192.0.2.9"  #: from where they ask


@dataclass(frozen=True)
class Heard:
    """What somebody asked, and what the gateway said."""

    role: str
    at: datetime
    request: str
    about: UUID | None  #: the person by whose name or id it was asked
    status: int
    body: Mapping[str, Any] | str


def look_as_integrator(evening: Evening) -> None:
    """Read whatever the scopes of an integrator let one read of this meeting and of those who were there."""
    meeting, survey = evening.survey.meeting_id, evening.survey.survey_id
    paths: list[tuple[str, UUID | None]] = [
        (f"/v1/meetings/{meeting}", None),
        (f"/v1/meetings/{meeting}/survey", None),
        (f"/v1/surveys/{survey}/results", None),
    ]
    paths += [(f"/v1/members/{one}/messages", one) for one in evening.survey.there]
    for path, about in paths:
        _ask(evening, "integrator", evening.simulator.integrates, "GET", path, about)


def look_as_facilitator(evening: Evening) -> None:
    """Read the meeting, its survey and the room, and try each name with the room's code, without answering."""
    meeting, survey = evening.survey.meeting_id, evening.survey.survey_id
    token = evening.simulator.facilitates
    for path in (
        f"/v1/meetings/{meeting}",
        f"/v1/meetings/{meeting}/survey",
        f"/v1/surveys/{survey}/results",
        f"/v1/rooms/{evening.room_code}",
        f"/r/{evening.room_code}",
    ):
        _ask(evening, "facilitator", token, "GET", path, None)
    is_open = evening.network.ask("GET", f"/r/{evening.room_code}", OFFICE).status_code == 200
    evening.network.hits.pop()
    for one in evening.survey.there if is_open else ():
        probe(evening, one)


def look_as_people(evening: Evening) -> None:
    """Open all the pages on which people who are signed in may look for it, each in their own browser."""
    meeting = f"/meetings/{evening.survey.meeting_id}"
    community = f"/communities/{evening.simulator.community_id}"
    run: list[tuple[str, UUID | None]] = [
        (path, None)
        for path in ("/home", "/messages", meeting, f"{meeting}/wall", f"{meeting}/results", f"{meeting}/corrections")
    ]
    run += [(f"{meeting}/attendance/{one}", one) for one in evening.survey.there]
    coordinate = [*run, ("/network", None), (community, None)]
    coordinate += [(f"{community}/people/{one}", one) for one in evening.survey.there]
    pages: dict[str, list[tuple[str, UUID | None]]] = {
        "facilitator": run,
        "coordinator": coordinate,
        "administrator of the network": [*coordinate, ("/admin/audit", None), ("/admin/tokens", None)],
        "member": [("/home", None), ("/messages", None), ("/calendar", None)],
    }
    for role, paths in pages.items():
        signed_in = {"Cookie": evening.simulator.cookies[role]}
        for path, about in paths:
            _ask(evening, role, "", "GET", path, about, headers=signed_in)


def probe(evening: Evening, one: UUID) -> list[Heard]:
    """Try one name in the room: take a ballot, and send on it what no survey takes."""
    who = {"room_code": evening.room_code, "member_id": str(one), "locale": "fr"}
    heard = [_ask(evening, "facilitator", "", "POST", "/v1/ballots", one, json=who)]
    body = heard[0].body
    ballot_id = body.get("ballot_id") if isinstance(body, Mapping) else None
    for answers in IMPOSSIBLE if ballot_id else ():
        sent = {"ballot_id": ballot_id, "answers": answers}
        heard.append(_ask(evening, "facilitator", "", "POST", "/v1/answers", one, json=sent))
    form = {"member": str(one), "step": "answer"}
    heard.append(_ask(evening, "facilitator", "", "POST", f"/r/{evening.room_code}", one, data=form))
    return heard


def _ask(evening: Evening, role: str, token: str, method: str, path: str, about: UUID | None, **sent: Any) -> Heard:
    kept = len(evening.network.hits), len(evening.network.messages)
    response = evening.network.ask(method, path, OFFICE, token=token, **sent)
    del evening.network.hits[kept[0] :], evening.network.messages[kept[1] :]  # the others would only be confused by it
    body = response.json if response.is_json else response.text
    heard = Heard(role, clock.now(), f"{method} {path}", about, response.status_code, body)
    evening.survey.heard.append(heard)
    return heard
