"""Scenario in which every event happens and every mail is sent, with fixed names and at fixed hours."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid5

from chassis import clock
from chassis.actor import NETWORK, acting
from pratique.requests.evaluation import RoomPolicy
from pratique.requests.membership import AddPerson, TrustPerson
from tests.harness.network import AT
from tests.harness.people import ZONE, filled
from tests.harness.runtimes import Shuffled

_SPACE = UUID("0d1f7f4e-52f1-4c43-9f63-6f0c6c7a9b55")


def named(name: str) -> str:
    """Return the id that goes by this name in the scenario."""
    return str(uuid5(_SPACE, name))


LARGE, SMALL, REGION = named("large circle"), named("small circle"), named("region")
CLOSED, CANCELLED, FORGOTTEN, DESERTED = (named(each) for each in ("closed", "cancelled", "forgotten", "deserted"))
HOSTS = [named(f"host {number}") for number in range(2)]
GUESTS = [named(f"guest {number}") for number in range(10)]
EMPLOYEE, FOUNDED = named("employee"), named("circle of the region")
NAMES = {
    LARGE,
    SMALL,
    REGION,
    EMPLOYEE,
    FOUNDED,
    CLOSED,
    CANCELLED,
    FORGOTTEN,
    DESERTED,
    *HOSTS,
    *GUESTS,
    named("organization"),
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def run_scenario(network: Shuffled) -> None:
    """Run from the founding of two communities to the day on which the last answers are forgotten, months later."""
    _found(network)
    _trust(network)
    _schedule(network)
    _leave(network)
    _reach(network, 4)
    _meet(network)
    _correct_and_answer(network)
    _reach(network, 6, hours=4)  # a reminder; later than planned, since what ended made the day before longer
    _reach(network, 7)
    _leave_open(network)
    _reach(network, 8, hours=4)  # those who were there are asked anyway
    _answer_late(network)
    _reach(network, 8, hours=12)  # where nobody was there, only whoever leads it is told
    _ask_for_sign_in_link(network)
    for day in (10, 11, 15, 106):  # reminders; results, and why there are none; what was kept of the latter
        _reach(network, day, hours=16)


def _reach(network: Shuffled, day: int, hours: int = 0) -> None:
    """Be at that day, however long what came before took."""
    clock.move(AT + timedelta(days=day, hours=hours) - clock.now())
    network.settle()


def _found(network: Shuffled) -> None:
    network.ok("PUT", f"/v1/organizations/{named('organization')}", {"name": "Maison d’essai"})
    for id, name in ((LARGE, "Grand cercle"), (SMALL, "Petit cercle")):
        network.put_community(id, name=name)
    found = network.request("GET", f"/v1/communities/{SMALL}")
    version = {"If-Match": found.headers["ETag"]}
    network.put_community(SMALL, name="Cercle des trois", timezone="America/Halifax", headers=version)
    for number, member_id in enumerate([*HOSTS, *GUESTS]):
        network.join(LARGE, f"Personne N{number}", member_id=member_id)
    for member_id in (*HOSTS, *GUESTS[:2]):
        network.add_to_community(SMALL, member_id)
    for member_id, role in zip(HOSTS, ("facilitator", "coordinator"), strict=True):
        network.put_role(SMALL, member_id, role)
    network.ok("DELETE", f"/v1/communities/{SMALL}/roles/{HOSTS[1]}/coordinator")
    network.settle()


def _trust(network: Shuffled) -> None:
    """People are trusted with more than one community, or for a time; a set of communities grows."""
    region, over_region = f"/v1/community-sets/{REGION}", f"/v1/community-sets/{REGION}/roles/{GUESTS[1]}/evaluator"
    network.ok("PUT", region, {"name": "Région", "community_ids": [LARGE]})
    network.ok("PUT", over_region)
    version = {"If-Match": network.request("GET", region).headers["ETag"]}
    network.ok("PUT", region, {"name": "Région", "community_ids": [LARGE, SMALL]}, version)
    over_network = f"/v1/roles/{GUESTS[2]}/evaluator"
    network.ok("PUT", over_network)
    for role in (over_region, over_network):
        network.ok("DELETE", role)
    begins_at, ends_at = ((AT + timedelta(days=days)).isoformat() for days in (1, 5))
    of_a_time = f"/v1/communities/{LARGE}/roles/{GUESTS[3]}/coordinator"
    network.ok("PUT", of_a_time, {"begins_at": begins_at, "ends_at": ends_at})
    words = {"name": "Cercle régional", "purpose": "Apprendre.", "kind": "open", "locale": "fr", "timezone": ZONE}
    network.ok("PUT", f"{region}/communities/{FOUNDED}", words)
    person = {"member_id": EMPLOYEE, "email": "employee@example.org", "name": "Noa Régis", "role": "evaluator"}
    with acting(NETWORK):  # as pages do, when the forms of theirs are sent
        network.call("membership", AddPerson.method, {"community_id": LARGE, **person})
        network.call("membership", TrustPerson.method, {"set_id": REGION, "locale": "fr", "timezone": ZONE, **person})
    network.settle()


def _schedule(network: Shuffled) -> None:
    network.put_meeting(CLOSED, LARGE, **_plan(day=4))
    for meeting_id, lasts_h in ((CANCELLED, 1), (FORGOTTEN, 1), (DESERTED, 8)):
        network.put_meeting(meeting_id, SMALL, **_plan(lasts_h=lasts_h))
    network.settle()
    network.ok("PUT", f"/v1/meetings/{CLOSED}/registrations/{GUESTS[0]}", {"partstat": "accepted"})
    _move(network)
    network.settle()
    network.ok("POST", f"/v1/meetings/{CANCELLED}/cancel", {"reason": "La salle est inondée."})
    network.settle()


def _leave(network: Shuffled) -> None:
    """One who was invited belongs to the community no longer."""
    network.ok("DELETE", f"/v1/communities/{SMALL}/memberships/{GUESTS[1]}")
    network.settle()


def _meet(network: Shuffled) -> None:
    _attend(network, CLOSED, dict.fromkeys(GUESTS[:9], "attended") | {GUESTS[9]: "no_show"})
    network.settle()


def _leave_open(network: Shuffled) -> None:
    """Two meetings that nobody closes; what was answered in the room of the first is taken back."""
    _attend(network, FORGOTTEN, dict.fromkeys((GUESTS[0], HOSTS[1]), "attended"))
    _attend(network, DESERTED, {GUESTS[0]: "no_show"})
    network.settle()
    _answer(network, room_code=network.survey(FORGOTTEN)["room_code"], member_id=GUESTS[0])
    voided = network.request("POST", f"/v1/meetings/{FORGOTTEN}/survey/void-room")
    assert voided.status in (200, 409), voided.text  # the same words said a moment before may have done it


def _move(network: Shuffled) -> None:
    """A meeting gets another place, and one who leads it another address."""
    found = network.request("GET", f"/v1/meetings/{CLOSED}")
    version = {"If-Match": found.headers["ETag"]}
    network.put_meeting(CLOSED, LARGE, **_plan(day=4), place="Salle 2", headers=version)
    network.settle()
    known = network.request("GET", f"/v1/members/{HOSTS[1]}")
    version = {"If-Match": known.headers["ETag"]}
    network.put_member(HOSTS[1], known.json["name"], email="ailleurs@example.org", headers=version)


def _plan(day: int = 7, lasts_h: int = 1) -> dict[str, Any]:
    starts_at = AT + timedelta(days=day)
    times = {"starts_at": starts_at, "ends_at": (starts_at + timedelta(hours=lasts_h)).isoformat()}
    return times | {"themes": ["Le premier pas"], "facilitator_id": HOSTS[0]}


def _attend(network: Shuffled, meeting_id: str, states: Mapping[str, str]) -> None:
    network.start(meeting_id)
    network.record_attendance(meeting_id, states)
    network.wrap_up(meeting_id)


def _correct_and_answer(network: Shuffled) -> None:
    network.ok("POST", f"/v1/meetings/{CLOSED}/survey/room-code")
    code = network.survey(CLOSED)["room_code"]
    for member_id in GUESTS[1:3]:
        _answer(network, room_code=code, member_id=member_id)
    _ask_for_survey_link(network, code, GUESTS[7])
    network.close(CLOSED)
    network.settle()
    for member_id, state in ((GUESTS[9], "attended"), (GUESTS[8], "no_show")):
        network.record_attendance(CLOSED, {member_id: state})
        network.settle()
    for member_id in GUESTS[3:7]:
        _answer(network, token=network.survey_links(member_id)[-1])


def _ask_for_survey_link(network: Shuffled, room_code: str, member_id: str) -> None:
    """One asks for one's link by mail, while the network lets nobody choose a name in a room."""
    opened = network.stores["evaluation"]
    before = opened.settings
    assert before is not None
    opened.settings = replace(before, room_policy=RoomPolicy.PERSONAL)
    asked = network.request("POST", f"/r/{room_code}", urlencode({"step": "mail", "member": member_id}), FORM)
    opened.settings = before
    assert asked.status == 200, asked.text
    network.settle()


def _ask_for_sign_in_link(network: Shuffled) -> None:
    """One asks for a link to sign in, and lets it expire."""
    asked = network.request("POST", "/sign-in", urlencode({"email": network.address_of(GUESTS[0])}), FORM)
    assert asked.status == 200, asked.text
    network.settle()


def _answer_late(network: Shuffled) -> None:
    """One answers about the meeting that nobody has closed."""
    _answer(network, token=network.survey_links(GUESTS[0])[-1])


def _answer(network: Shuffled, **who: str) -> None:
    """Ask for a ballot and send its answers; it may be spent by the same words said a moment before."""
    ballot = network.ballot(**who)
    sent = network.request("POST", "/v1/answers", filled(ballot, 4))
    assert sent.status in (204, 410), sent.text
