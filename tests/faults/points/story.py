"""A network's story in which every event happens and every mail is sent, told by fixed names and at fixed hours."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from pratique import clock
from tests.journeys.letters import asks
from tests.journeys.life import AT, ZONE, Life, answers_to

_SPACE = UUID("0d1f7f4e-52f1-4c43-9f63-6f0c6c7a9b55")


def named(name: str) -> str:
    """The id that goes by this name in the story."""
    return str(uuid5(_SPACE, name))


LARGE, SMALL = named("large circle"), named("small circle")
CLOSED, CANCELLED, FORGOTTEN = named("closed"), named("cancelled"), named("forgotten")
HOSTS = [named(f"host {number}") for number in range(2)]
GUESTS = [named(f"guest {number}") for number in range(10)]
NAMES = {LARGE, SMALL, CLOSED, CANCELLED, FORGOTTEN, *HOSTS, *GUESTS, named("organization")}


def live(life: Life) -> None:
    """From the founding of two communities to the mails that tell of results, some two weeks later."""
    _found(life)
    _meet(life)
    _correct_and_answer(life)
    for day in (8, 9, 14):  # a survey given up; a reminder; results
        _reach(life, day, hours=4)  # later than planned, since what ended made the day before longer


def _reach(life: Life, day: int, hours: int = 0) -> None:
    """Be at that day, however long what came before took."""
    clock.move(AT + timedelta(days=day, hours=hours) - clock.now())
    life.settle()


def _put(life: Life, path: str, body: Any, **headers: str) -> Any:
    return life.ok("PUT", f"/v1/{path}", body, headers)


def _found(life: Life) -> None:
    _put(life, f"organizations/{named('organization')}", {"name": "Maison d’essai"})
    words = {"purpose": "Apprendre.", "kind": "individuals", "locale": "fr", "timezone": ZONE}
    for id, name in ((LARGE, "Grand cercle"), (SMALL, "Petit cercle")):
        _put(life, f"communities/{id}", words | {"name": name})
    found = life.ask("GET", f"/v1/communities/{SMALL}")
    change = words | {"name": "Cercle des trois", "timezone": "America/Halifax"}
    _put(life, f"communities/{SMALL}", change, **{"If-Match": found.headers["ETag"]})
    for number, member_id in enumerate([*HOSTS, *GUESTS]):
        life.join(LARGE, f"Personne N{number}", member_id=member_id)
    for member_id in (*HOSTS, GUESTS[0]):
        _put(life, f"communities/{SMALL}/memberships/{member_id}", {"capacity": "individual"})
    for member_id, role in zip(HOSTS, ("facilitator", "coordinator"), strict=True):
        _put(life, f"communities/{SMALL}/roles/{member_id}/{role}", {})
    life.ok("DELETE", f"/v1/communities/{SMALL}/roles/{HOSTS[1]}/coordinator")
    life.settle()


def _meet(life: Life) -> None:
    for meeting_id, community_id in ((CLOSED, LARGE), (CANCELLED, SMALL), (FORGOTTEN, SMALL)):
        _schedule(life, meeting_id, community_id)
    life.settle()
    _put(life, f"meetings/{CLOSED}/registrations/{GUESTS[0]}", {"partstat": "accepted"})
    life.ok("POST", f"/v1/meetings/{CANCELLED}/cancel", {"reason": "La salle est inondée."})
    life.settle()
    _reach(life, 7)
    _attend(life, CLOSED, dict.fromkeys(GUESTS[:9], "attended") | {GUESTS[9]: "no_show"})
    _attend(life, FORGOTTEN, {GUESTS[0]: "attended"})
    life.settle()


def _schedule(life: Life, meeting_id: str, community_id: str) -> None:
    starts_at = AT + timedelta(days=7)
    body = {
        "community_ids": [community_id],
        "kind": "meeting",
        "mode": "online",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        "timezone": ZONE,
        "themes": ["Le premier pas"],
        "facilitator_id": HOSTS[0],
    }
    _put(life, f"meetings/{meeting_id}", body)


def _attend(life: Life, meeting_id: str, states: Mapping[str, str]) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/start")
    entries = [{"member_id": member_id, "state": state} for member_id, state in states.items()]
    _put(life, f"meetings/{meeting_id}/attendance", {"entries": entries})
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")


def _correct_and_answer(life: Life) -> None:
    code = life.survey(CLOSED)["room_code"]
    _lose_ballot(life, room_code=code, member_id=GUESTS[0])
    for member_id in GUESTS[1:3]:
        _answer(life, room_code=code, member_id=member_id)
    life.ok("POST", f"/v1/meetings/{CLOSED}/close")
    life.settle()
    for member_id, state in ((GUESTS[9], "attended"), (GUESTS[8], "no_show")):
        _put(life, f"meetings/{CLOSED}/attendance", {"entries": [{"member_id": member_id, "state": state}]})
        life.settle()
    asked = {str(mail["To"].addresses[0].addr_spec): mail for mail in life.mails() if asks(mail)}
    for member_id in GUESTS[3:7]:
        _answer(life, token=life.link_in(asked[life.address_of(member_id)]))


def _lose_ballot(life: Life, **who: str) -> None:
    """Take a ballot and never cast it; whoever asks a second time is told that they had theirs."""
    assert life.ask("POST", "/v1/ballots", {"locale": "fr"} | who).status in (201, 409)


def _answer(life: Life, **who: str) -> None:
    """Take a ballot and cast it; it may be spent by the same words said a moment before."""
    ballot = life.ok("POST", "/v1/ballots", {"locale": "fr"} | who)
    answers = answers_to(ballot["questions"], 4)
    cast = life.ask("PUT", f"/v1/ballots/{ballot['ballot_id']}", {"answers": answers})
    assert cast.status in (204, 410), cast.text
