"""Section 2: answers are people's own, one for each, and nobody is kept from answering."""

import re
from uuid import UUID

from tests.adversary import curious
from tests.adversary.network import ROOM
from tests.adversary.scenarios import BORED, CONTENT, mails_to, take_in_room, try_to_answer
from tests.adversary.surveys import Simulator


def test_a_photograph_of_the_wall_opens_nothing_after_the_meeting(simulator: Simulator, there: list[UUID]) -> None:
    with simulator.evening(0) as evening:
        evening.begin(there)
        evening.close()
        home = "198.51.100.201"
        assert take_in_room(evening, there[0], home).status_code == 404
        assert evening.network.ask("GET", f"/v1/rooms/{evening.room_code}", home).status_code == 404


def test_one_phone_that_takes_all_ballots_keeps_nobody_from_answering(simulator: Simulator, there: list[UUID]) -> None:
    with simulator.evening(0) as evening:
        evening.begin(there)
        for one in there:
            take_in_room(evening, one)
        for one in there[:3]:
            evening.answer_in_room(one, CONTENT)
        evening.close()
        for one in there[3:6]:
            assert evening.answer_by_link(one, BORED)
        evening.let_it_close()
        assert evening.survey.n == 6


def test_wrong_codes_from_the_rooms_own_network_stop_neither_the_room_nor_links(
    simulator: Simulator, there: list[UUID]
) -> None:
    with simulator.evening(0) as evening:
        evening.begin(there)
        evening.answer_in_room(there[0], CONTENT)
        for number in range(60):
            evening.network.ask("GET", f"/v1/rooms/WRNG{number:04}".replace("0", "Z").replace("1", "Y"), ROOM)
            evening.network.ask("GET", f"/s/{'wrong' * 12}{number:04}", ROOM)
        assert evening.network.ask("GET", f"/r/{evening.room_code}", ROOM).status_code == 200
        evening.answer_in_room(there[1], CONTENT)
        evening.close()
        token = evening.link_of(there[2])
        assert evening.network.ask("GET", f"/s/{token}", ROOM).status_code == 200


def test_asking_for_a_ballot_in_a_name_tells_not_whether_that_person_answered(
    simulator: Simulator, there: list[UUID]
) -> None:
    """Nor do answers that no survey takes, sent on that ballot."""
    with simulator.evening(0) as evening:
        evening.begin(there)
        evening.answer_in_room(there[0], CONTENT)
        told = [_outcome(curious.probe(evening, one)) for one in there[:2]]
        assert told[0] == told[1]


def test_nobody_answers_twice(simulator: Simulator, there: list[UUID]) -> None:
    with simulator.evening(0) as evening:
        evening.begin(there)
        held = take_in_room(evening, there[0]).json["ballot_id"]
        evening.answer_in_room(there[0], CONTENT)
        assert not held or try_to_answer(evening, held, BORED) == 409
        for one in there[1:5]:
            evening.answer_in_room(one, CONTENT)
        evening.close()
        assert evening.link_of(there[0]) is None
        evening.let_it_close()
        assert evening.survey.n == 5


def test_a_ballot_from_the_room_is_worth_nothing_once_the_meeting_is_closed(
    simulator: Simulator, there: list[UUID]
) -> None:
    """Whoever took a ballot for each name while the code was on the wall does not vote with them from home."""
    with simulator.evening(0) as evening:
        evening.begin(there)
        held = [take_in_room(evening, one).json["ballot_id"] for one in there]
        evening.close()
        evening.go_to(evening.at(minutes=40))
        assert {try_to_answer(evening, each, BORED) for each in held} <= {404, 410}


def test_an_address_that_is_changed_and_changed_back_brings_nobody_the_link_of_another(
    simulator: Simulator, there: list[UUID]
) -> None:
    person = simulator.people[0]
    with simulator.evening(0) as evening:
        evening.begin(there)
        evening.close_without_mails(lambda: evening.change_address(person.id, "elsewhere@thief.example"))
        evening.go_to(evening.at(hours=1))
        stolen = [each for each in evening.network.letters if each.recipient == "elsewhere@thief.example"]
        assert not any(re.search(r"/s/[A-Za-z0-9_-]{20}", each.content.replace("=\n", "")) for each in stolen)
        assert mails_to(simulator, person.id), "the address before hears of it"
        evening.change_address(person.id, person.address)
        told = "\n".join(str(row) for row in evening.network.copy().tables["membership.audit"])
        assert told.count(str(person.id)) >= 2


def test_two_members_do_not_share_an_address(simulator: Simulator) -> None:
    one, other = simulator.people[:2]
    card = {"name": other.name, "email": one.address, "locale": other.locale, "timezone": "America/Toronto"}
    with simulator.evening(0) as evening:
        response = evening.network.ask(
            "PUT", f"/v1/members/{other.id}", token=simulator.operates, json=card, headers={"If-Match": "*"}
        )
        version = simulator.ok("GET", f"/v1/members/{other.id}")["version"]
        response = evening.network.ask(
            "PUT", f"/v1/members/{other.id}", token=simulator.operates, json=card, headers={"If-Match": f'"{version}"'}
        )
        assert response.status_code == 409, response.text


def _outcome(heard: list[curious.Heard]) -> list[tuple[int, object]]:
    return [
        (each.status, each.body.get("title") if isinstance(each.body, dict) else len(str(each.body))) for each in heard
    ]
