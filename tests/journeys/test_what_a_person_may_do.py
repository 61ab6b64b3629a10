"""Every request, by any way, needs what it names; people read and say what is their own without any role."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis import clock
from chassis.actor import ANYONE, Actor, acting
from chassis.rpc.access import guarded
from chassis.settings import SERVICES
from gateway.auth import actor_of_member
from operations import composition
from pratique.errors import Forbidden
from pratique.permissions import Permission, Rule
from pratique.request import Request
from pratique.requests.meetings import ListAgenda, ListRegistrations, PutMeeting, RegisterMember
from pratique.requests.membership import (
    GetAuthority,
    GetMember,
)
from pratique.requests.notifications import ListMessages
from pratique.testing import sample_request
from tests.journeys.authority import Rows, World

HANDLERS: Mapping[type[Request], Any] = {
    kind: handler for name in SERVICES for kind, handler in composition.service_class(name).handlers.values()
}


def sampled(kind: type[Request], rows: Rows) -> Request:
    """A request that names these rows."""
    named: dict[str, Any] = {name: UUID(each) for name, each in vars(rows).items() if name.endswith("_id")}
    named |= {"community_ids": (named["community_id"],), "member_ids": (), "ids": (named["meeting_id"],)}
    named |= {"email": f"{rows.member_id[:8]}@example.org"}
    fields = {name: each for name, each in named.items() if name in kind.schema.fields}
    return sample_request(kind, **fields)


TAKING = [kind for kind in HANDLERS if isinstance(kind.needs, Permission)]


@pytest.mark.parametrize("kind", TAKING, ids=lambda kind: kind.__name__)
def test_every_request_has_a_rule_for_whoever_is_limited(kind: type[Request]) -> None:
    """Without one it is refused to them all, in their own communities too."""
    assert kind in import_module(f"services.{kind.service}.access").ACCESS


def test_a_request_without_a_rule_is_refused(world: World) -> None:
    handler = guarded(ListRegistrations, lambda transaction, request: "open", {})
    request = sampled(ListRegistrations, world.own)

    with acting(actor_over(world.own)), pytest.raises(Forbidden):
        handler(None, request)  # type: ignore[arg-type]  # no rule and no handler sees it
    assert handler(None, request) == "open"  # type: ignore[arg-type]  # the network itself


def actor_over(rows: Rows) -> Actor:
    held = [{"role": "coordinator", "community_ids": [rows.community_id]}]
    return actor_of_member({"member_id": str(uuid4()), "roles": held, "community_ids": []})


@pytest.mark.parametrize("kind", TAKING, ids=lambda kind: kind.__name__)
def test_no_request_by_any_way_opens_for_anyone_or_for_whoever_has_no_role(world: World, kind: type[Request]) -> None:
    member = world.person(world.shared_member)
    assert world.is_refused(ANYONE, sampled(kind, world.own)) or not names_anything(kind)
    assert world.is_refused(member, sampled(kind, world.foreign)) or not names_anything(kind)


def names_anything(kind: type[Request]) -> bool:
    """Whether a request concerns a row of somebody; lists without one tell of what the actor may read."""
    return kind.method not in (
        "list_communities",
        "list_community_sets",
        "list_organizations",
        "get_organization",
        "list_meeting_versions",
        "list_outcomes",
    )


def test_a_member_reads_themself_their_messages_and_agenda_and_says_whether_they_come(world: World) -> None:
    mine, other = UUID(world.shared_member), UUID(world.own.member_id)
    member, scheduled = world.person(world.shared_member), UUID(world.own.scheduled_id)
    own = (UUID(world.own.community_id),)

    def is_open(kind: type[Request], **said: Any) -> bool:
        return not world.is_refused(member, sample_request(kind, **said))

    assert is_open(GetMember, member_id=mine)
    assert not is_open(GetMember, member_id=other)
    assert is_open(ListMessages, member_id=mine)
    assert not is_open(ListMessages, member_id=other)
    assert is_open(ListAgenda, member_id=mine, community_ids=own)
    assert not is_open(ListAgenda, member_id=other, community_ids=own)
    assert not is_open(ListAgenda, member_id=mine, community_ids=(UUID(world.foreign.community_id),))
    assert is_open(RegisterMember, member_id=mine, meeting_id=scheduled)
    assert not is_open(RegisterMember, member_id=other, meeting_id=scheduled)
    assert not is_open(RegisterMember, member_id=mine, meeting_id=UUID(world.foreign.scheduled_id))
    assert not is_open(RegisterMember, member_id=mine, meeting_id=uuid4())


def test_only_the_network_itself_asks_what_a_person_may_do(world: World) -> None:
    request = GetAuthority(member_id=UUID(world.own.member_id))

    assert GetAuthority.needs is Rule.NETWORK
    assert world.is_refused(actor_over(world.own), request)
    assert world.is_refused(world.person(world.own.member_id), request)


def test_the_facilitator_and_the_note_taker_that_a_meeting_names_run_it_without_a_role(world: World) -> None:
    network = world.network
    leads, notes = (network.join(world.sibling.community_id, name) for name in ("Animatrice", "Secrétaire"))
    meeting_id = str(uuid4())
    named = {"facilitator_id": leads, "note_taker_id": notes}
    network.put_meeting(meeting_id, world.foreign.community_id, starts_at=clock.now(), **named)
    network.start(meeting_id)
    network.settle()
    network.record_attendance(meeting_id, {world.foreign.member_id: "attended"})
    network.wrap_up(meeting_id)
    network.settle()
    rows = Rows(**{**vars(world.foreign), "meeting_id": meeting_id})
    run = [
        "start_meeting",
        "record_attendance",
        "wrap_up_meeting",
        "close_meeting",
        "get_meeting",
        "list_registrations",
        "list_invited",
        "get_survey",
        "change_room_code",
    ]

    for person in (world.person(leads), world.person(notes)):
        for kind in [each for each in HANDLERS if each.method in run]:
            assert not world.is_refused(person, sampled(kind, rows)), kind
            assert world.is_refused(person, sampled(kind, world.foreign)), kind
        assert world.is_refused(person, sampled(PutMeeting, rows))
        with acting(person):
            assert world.call("evaluation", "get_survey", {"meeting_id": meeting_id})["room_code"]
