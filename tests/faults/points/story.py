"""A network's story in which every event happens and every mail is sent, told by fixed names and at fixed hours."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from chassis import clock
from tests.journeys.letters import asks
from tests.journeys.life import AT, ZONE, Life, filled

_SPACE = UUID("0d1f7f4e-52f1-4c43-9f63-6f0c6c7a9b55")


def named(name: str) -> str:
    """The id that goes by this name in the story."""
    return str(uuid5(_SPACE, name))


LARGE, SMALL = named("large circle"), named("small circle")
CLOSED, CANCELLED, FORGOTTEN, DESERTED = (named(each) for each in ("closed", "cancelled", "forgotten", "deserted"))
HOSTS = [named(f"host {number}") for number in range(2)]
GUESTS = [named(f"guest {number}") for number in range(10)]
NAMES = {LARGE, SMALL, CLOSED, CANCELLED, FORGOTTEN, DESERTED, *HOSTS, *GUESTS, named("organization")}


def live(life: Life) -> None:
    """From the founding of two communities to the day on which the last answers are forgotten, months later."""
    _found(life)
    _schedule(life)
    _reach(life, 4)
    _meet(life)
    _correct_and_answer(life)
    _reach(life, 6, hours=4)  # a reminder; later than planned, since what ended made the day before longer
    _reach(life, 7)
    _leave_open(life)
    _reach(life, 8, hours=4)  # those who were there are asked anyway
    _answer_late(life)
    _reach(life, 8, hours=12)  # where nobody was there, only whoever leads it is told
    for day in (10, 11, 15, 106):  # reminders; results, and why there are none; what was kept of the latter
        _reach(life, day, hours=16)


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


def _schedule(life: Life) -> None:
    _put(life, f"meetings/{CLOSED}", _plan(LARGE, day=4))
    for meeting_id, lasts_h in ((CANCELLED, 1), (FORGOTTEN, 1), (DESERTED, 8)):
        _put(life, f"meetings/{meeting_id}", _plan(SMALL, lasts_h=lasts_h))
    life.settle()
    _put(life, f"meetings/{CLOSED}/registrations/{GUESTS[0]}", {"partstat": "accepted"})
    _move(life)
    life.settle()
    life.ok("POST", f"/v1/meetings/{CANCELLED}/cancel", {"reason": "La salle est inondée."})
    life.settle()


def _meet(life: Life) -> None:
    _attend(life, CLOSED, dict.fromkeys(GUESTS[:9], "attended") | {GUESTS[9]: "no_show"})
    life.settle()


def _leave_open(life: Life) -> None:
    """Two meetings that nobody closes; what was answered in the room of the first is taken back."""
    _attend(life, FORGOTTEN, dict.fromkeys((GUESTS[0], HOSTS[1]), "attended"))
    _attend(life, DESERTED, {GUESTS[0]: "no_show"})
    life.settle()
    _answer(life, room_code=life.survey(FORGOTTEN)["room_code"], member_id=GUESTS[0])
    voided = life.ask("POST", f"/v1/meetings/{FORGOTTEN}/survey/void-room")
    assert voided.status in (200, 409), voided.text  # the same words said a moment before may have done it


def _move(life: Life) -> None:
    """A meeting gets another place, and one who leads it another address."""
    found = life.ask("GET", f"/v1/meetings/{CLOSED}")
    _put(life, f"meetings/{CLOSED}", _plan(LARGE, day=4) | {"place": "Salle 2"}, **{"If-Match": found.headers["ETag"]})
    life.settle()
    known = life.ask("GET", f"/v1/members/{HOSTS[1]}")
    card = {name: known.json[name] for name in ("name", "locale", "timezone")} | {"email": "ailleurs@example.org"}
    _put(life, f"members/{HOSTS[1]}", card, **{"If-Match": known.headers["ETag"]})


def _plan(community_id: str, day: int = 7, lasts_h: int = 1) -> dict[str, Any]:
    starts_at = AT + timedelta(days=day)
    return {
        "community_ids": [community_id],
        "kind": "meeting",
        "mode": "online",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=lasts_h)).isoformat(),
        "timezone": ZONE,
        "themes": ["Le premier pas"],
        "facilitator_id": HOSTS[0],
    }


def _attend(life: Life, meeting_id: str, states: Mapping[str, str]) -> None:
    life.ok("POST", f"/v1/meetings/{meeting_id}/start")
    entries = [{"member_id": member_id, "state": state} for member_id, state in states.items()]
    _put(life, f"meetings/{meeting_id}/attendance", {"entries": entries})
    life.ok("POST", f"/v1/meetings/{meeting_id}/wrap-up")


def _correct_and_answer(life: Life) -> None:
    life.ok("POST", f"/v1/meetings/{CLOSED}/survey/room-code")
    code = life.survey(CLOSED)["room_code"]
    for member_id in GUESTS[1:3]:
        _answer(life, room_code=code, member_id=member_id)
    life.ok("POST", f"/v1/meetings/{CLOSED}/close")
    life.settle()
    for member_id, state in ((GUESTS[9], "attended"), (GUESTS[8], "no_show")):
        _put(life, f"meetings/{CLOSED}/attendance", {"entries": [{"member_id": member_id, "state": state}]})
        life.settle()
    for member_id in GUESTS[3:7]:
        _answer(life, token=_newest_link(life, member_id))


def _answer_late(life: Life) -> None:
    """One answers about the meeting that nobody has closed."""
    _answer(life, token=_newest_link(life, GUESTS[0]))


def _newest_link(life: Life, member_id: str) -> str:
    return life.link_in([mail for mail in life.mails(to=life.address_of(member_id)) if asks(mail)][-1])


def _answer(life: Life, **who: str) -> None:
    """Ask for a ballot and send its answers; it may be spent by the same words said a moment before."""
    ballot = life.ok("POST", "/v1/ballots", {"locale": "fr"} | who)
    sent = life.ask("POST", "/v1/answers", filled(ballot, 4))
    assert sent.status in (204, 410), sent.text
