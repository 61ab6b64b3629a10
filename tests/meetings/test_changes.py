"""What a scheduled meeting may still become, and who hears of it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from pratique.errors import Conflict, NotFound, PreconditionRequired, Stale
from pratique.event import Event
from pratique.events.meetings import MeetingChanged, MeetingDescribed, MeetingKind, MeetingScheduled, Mode
from pratique.requests.meetings import PutMeeting
from pratique.testing import AT

World = Any  # of conftest.py, which tests do not import
STEPS = {
    "in_progress": ("start",),
    "wrap_up": ("start", "wrap_up"),
    "closed": ("start", "close"),
    "cancelled": ("cancel",),
}


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ({"place": "Salle B"}, ("place",)),
        ({"link": "https://meet.example.org/x"}, ("link",)),
        ({"themes": ("Autre chose",)}, ("themes",)),
        ({"mode": Mode.IN_PERSON}, ("mode",)),
        ({"kind": MeetingKind.TRAINING}, ("kind",)),
        ({"capacity": 12}, ("capacity",)),
        ({"facilitator_id": UUID(int=1)}, ("facilitator_id",)),
        ({"facilitator_id": None}, ("facilitator_id",)),
        ({"note_taker_id": UUID(int=2)}, ("note_taker_id",)),
        ({"place": "Salle B", "capacity": 12, "mode": Mode.IN_PERSON}, ("capacity", "mode", "place")),
    ],
)
def test_whatever_changes_in_a_meeting_is_announced_by_name_and_new_words_privately(
    world: World, said: dict[str, Any], changed: tuple[str, ...]
) -> None:
    world.schedule()
    world.schedule(**said, if_version=1)
    world.schedule(**said)

    (event,) = world.heard(MeetingChanged)
    assert (event.changed, event.version, event.community_ids) == (changed, 2, (world.COMMUNITY,))
    for name in ("kind", "mode", "capacity", "facilitator_id", "note_taker_id"):
        assert getattr(event, name) == getattr(world.meeting(), name)
    described = [each for each in world.heard(MeetingDescribed) if each.version > 1]
    assert len(described) == bool({"place", "link", "themes"} & set(changed))
    assert {(each.place, each.link, each.version) for each in described} <= {
        (world.meeting().place, world.meeting().link, 2)
    }
    assert len(world.heard(MeetingScheduled)) == 1


def test_changes_of_a_meeting_are_ordered_by_their_versions(world: World) -> None:
    world.schedule()
    world.schedule(place="Salle B", if_version=1)
    world.schedule(place="Salle B", capacity=12, mode=Mode.IN_PERSON, if_version=2)

    assert [(event.changed, event.version) for event in world.heard(MeetingChanged)] == [
        (("place",), 2),
        (("capacity", "mode"), 3),
    ]
    described = world.heard(MeetingDescribed)
    assert [(event.place, event.version) for event in described] == [("", 1), ("Salle B", 2)]
    assert world.meeting().version == 3


@pytest.mark.parametrize("if_version", [0, 1])
def test_a_version_of_a_meeting_that_is_not_there_schedules_none(world: World, if_version: int) -> None:
    with pytest.raises(Stale):
        world.schedule(if_version=if_version)

    assert world.heard(Event) == []
    with pytest.raises(NotFound):
        world.meeting()


def test_whatever_version_a_meeting_has_it_is_changed_by_whoever_says_so(world: World) -> None:
    world.schedule()
    world.schedule(place="Salle B", if_version=1)
    world.schedule(place="Salle C", if_version=0)

    assert (world.meeting().place, world.meeting().version) == ("Salle C", 3)


def test_a_change_needs_the_version_that_was_read(world: World) -> None:
    world.schedule()
    with pytest.raises(PreconditionRequired):
        world.schedule(place="Salle B")
    with pytest.raises(Stale):
        world.schedule(place="Salle B", if_version=9)

    assert (world.meeting().place, world.meeting().version) == ("", 1)


@pytest.mark.parametrize(
    "said",
    [
        {"starts_at": AT + timedelta(minutes=1)},
        {"ends_at": AT + timedelta(hours=3)},
        {"timezone": "Europe/Paris"},
        {"community_ids": (UUID(int=0xC1),)},
        {"community_ids": (UUID(int=0xC0), UUID(int=0xC1))},
    ],
)
def test_a_meeting_is_not_moved_by_a_put(world: World, said: dict[str, Any]) -> None:
    world.schedule()
    with pytest.raises(Conflict, match="cancel it and schedule another"):
        world.schedule(**said, if_version=1)

    assert len(world.heard(Event)) == 2


@pytest.mark.parametrize("state", ["in_progress", "wrap_up", "closed", "cancelled"])
def test_a_meeting_that_has_begun_or_is_cancelled_is_not_changed_but_may_be_said_again(
    world: World, state: str
) -> None:
    world.schedule()
    world.do(*STEPS[state])
    version = world.meeting().version

    assert world.schedule().version == version
    with pytest.raises(Conflict, match="only a scheduled one"):
        world.schedule(place="Salle B", if_version=version)


def test_the_same_instant_in_another_zone_and_communities_in_another_order_are_the_same_meeting(world: World) -> None:
    both = (world.COMMUNITY, world.OTHER)
    world.schedule(community_ids=both)
    again = world.ask(
        PutMeeting,
        meeting_id=world.MEETING,
        community_ids=both[::-1],
        kind=MeetingKind.MEETING,
        mode=Mode.HYBRID,
        starts_at=datetime.fromisoformat("2026-03-12T10:00:00-04:00"),
        ends_at=AT + timedelta(hours=2),
        timezone="America/Toronto",
        themes=("Mesurer sans peser",),
        facilitator_id=world.FACILITATOR,
        note_taker_id=world.NOTE_TAKER,
    )

    assert (again.is_new, again.row.version, again.row.community_ids) == (False, 1, both)
