"""Passes and links of invitations: what is none opens nothing, and asking for somebody's link tells nothing of them."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis import clock
from pratique.requests.evaluation import PASSES
from pratique.requests.meetings import INVITATION_LINK
from tests.adversary.network import ROOM, Network
from tests.adversary.scenarios import CONTENT
from tests.adversary.surveys import BALLOT, Simulator
from tests.adversary.twins import words_of
from tests.harness.mails import asks, parsed

ELSEWHERE = "198.51.100.200"


@contextmanager
def personal(network: Network) -> Iterator[None]:
    """A network in which nobody chooses a name."""
    app: Any = network._client.application
    store = network.stores["evaluation"]
    before = network.settings
    app.settings = store.settings = dataclasses.replace(before, room_policy="personal")
    try:
        yield
    finally:
        app.settings = store.settings = before


def enter(network: Network, code: str, cookie: str) -> Any:
    return network.ask("GET", f"/r/{code}?lang=fr", ROOM, headers={"Cookie": cookie})


def test_a_pass_that_is_forged_foreign_or_over_gives_no_ballot(simulator: Simulator, there: list[UUID]) -> None:
    network, seal = simulator.network, simulator.network.settings.seal
    with simulator.evening(0) as evening:
        evening.open_invitation(there[0])
        evening.begin(there)
        name, _, held = evening.passes[there[0]].partition("=")
        until = clock.now() + timedelta(days=1)
        wrong = [
            held[:-1],
            held[1:],
            held.swapcase(),
            simulator.invitations[evening.by_id[there[0]].address].removeprefix("/i/"),
            seal.lasting_link(PASSES, until, uuid4(), there[0]),
            seal.lasting_link(PASSES, clock.now(), simulator.meeting_id, there[0]),
            seal.lasting_link(INVITATION_LINK, until, simulator.meeting_id, there[0]),
            seal.link("survey link", simulator.meeting_id, there[0]),
        ]
        for each in wrong:
            assert not BALLOT.search(enter(network, evening.room_code, f"{name}={each}").text)
            taken = network.take(ELSEWHERE, room_code=evening.room_code, room_pass=each, locale="fr")
            assert taken.status_code == 422
        assert BALLOT.search(enter(network, evening.room_code, f"{name}={held}").text)


def test_a_pass_opens_no_room_whose_code_one_does_not_know(simulator: Simulator, there: list[UUID]) -> None:
    with simulator.evening(0) as evening:
        evening.open_invitation(there[0])
        evening.begin(there)
        assert enter(simulator.network, "K7MQ2PXD", evening.passes[there[0]]).status_code == 404
        evening.close()
        assert enter(simulator.network, evening.room_code, evening.passes[there[0]]).status_code == 404


def test_a_borrowed_phone_tells_not_whether_its_owner_has_answered(simulator: Simulator, there: list[UUID]) -> None:
    with simulator.evening(0) as evening:
        evening.open_invitation(there[0])
        evening.begin(there)
        seen = []
        for _ in range(2):
            page = enter(simulator.network, evening.room_code, evening.passes[there[0]])
            seen.append((page.status_code, BALLOT.sub("", page.text)))
            if there[0] not in evening.survey.answered:
                evening.answer_with_pass(there[0], CONTENT)
        assert seen[0] == seen[1]


def test_whoever_changes_an_address_is_mailed_no_pass_and_finds_none_as_that_person(simulator: Simulator) -> None:
    """Nor any other way to answer: the address is told to be another, and a session shows what one's own pages show."""
    network, person = simulator.network, simulator.people[0]
    with simulator.evening(0) as evening:
        evening.change_address(person.id, "elsewhere@thief.example")
        said = {"mode": "hybrid", "place": "Salle 4", "facilitator_id": str(simulator.facilitator.id)}
        version = simulator.ok("GET", f"/v1/meetings/{simulator.meeting_id}")["version"]
        simulator.put_meeting(
            simulator.meeting_id,
            simulator.community_id,
            starts_at=clock.now(),
            ends_at=(clock.now() + timedelta(minutes=90)).isoformat(),
            headers={"If-Match": f'"{version}"'},
            **said,
        )
        network.settle()
        stolen = [each for each in network.letters if each.recipient == "elsewhere@thief.example"]
        assert ["Salle 4" in words_of(each.content) for each in stolen] == [True]
        seen = [words_of(each.content) for each in stolen]
        signed_in = {"Cookie": network.sign_in(person.id)}
        pages = [
            network.ask("GET", path, headers=signed_in) for path in ("/home", "/messages", "/calendar", "/account")
        ]
        assert {page.status_code for page in pages} == {200}
        assert [each for each in (*seen, *(page.text for page in pages)) if "/i/" in each or "/s/" in each] == []


def test_an_altered_link_of_an_invitation_answers_for_nobody(simulator: Simulator, there: list[UUID]) -> None:
    with simulator.evening(0) as evening:
        path = simulator.invitations[evening.by_id[there[0]].address]
        for altered in (path[:-1], path + "A", path.swapcase(), "/i/" + path[4:]):
            answer = simulator.network.ask("POST", altered, ELSEWHERE, data={"partstat": "declined"})
            assert answer.status_code == 404
        said = simulator.ok("GET", f"/v1/meetings/{simulator.meeting_id}/registrations")
        assert said["items"] == []


def test_asking_for_links_by_name_tells_nothing_of_who_has_answered(simulator: Simulator, there: list[UUID]) -> None:
    """Neither the page, nor what the broker carries, nor a second mail."""
    network = simulator.network
    with simulator.evening(0) as evening:
        evening.open_invitation(there[0])
        evening.begin(there)
        with personal(network):
            evening.answer_with_pass(there[0], CONTENT)
            told = []
            for one in there[:2]:
                del network.messages[:]
                form = {"step": "mail", "member": str(one)}
                page = network.ask("POST", f"/r/{evening.room_code}?lang=fr", ELSEWHERE, data=form)
                network.settle()
                carried = [(each.exchange, len(each.body)) for each in network.messages]
                told.append((page.status_code, page.text, carried))
                network.ask("POST", f"/r/{evening.room_code}?lang=fr", ELSEWHERE, data=form)
                network.settle()
            assert told[0] == told[1]
            to = [each.recipient for each in network.letters if asks(parsed(each.content.encode()))]
            assert to == [evening.by_id[one].address for one in there[:2]]


def test_where_nobody_chooses_a_name_whoever_is_in_the_room_answers_for_nobody(
    simulator: Simulator, there: list[UUID]
) -> None:
    network = simulator.network
    with simulator.evening(0) as evening:
        evening.begin(there)
        with personal(network):
            for one in there:
                taken = network.take(ROOM, room_code=evening.room_code, member_id=str(one), locale="fr")
                form = {"member": str(one), "step": "answer", "q.satisfaction": "1"}
                typed = network.ask("POST", f"/r/{evening.room_code}", ROOM, data=form)
                assert (taken.status_code, typed.status_code) == (403, 422)
        evening.close()
        assert all(evening.link_of(one) for one in there)


def test_a_program_that_answers_mails_tells_the_facilitator_nobody_s_name(
    simulator: Simulator, there: list[UUID]
) -> None:
    with simulator.evening(0) as evening:
        evening.begin(there)
        evening.close()
        asking = [each for each in simulator.network.letters if asks(parsed(each.content.encode()))]
        assert len(asking) == len(there)
        assert [each for each in asking if parsed(each.content.encode())["Reply-To"]] == []
        assert [each for each in asking if simulator.facilitator.address in words_of(each.content)] == []
