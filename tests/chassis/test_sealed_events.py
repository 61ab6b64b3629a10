"""What is private is read by no one but the services: not on the broker, not in a store, not by its length."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Row, select

from chassis.messaging import dead_letters, inbox, outbox
from chassis.sealing import Seal
from chassis.storage import store
from chassis.testing import SEAL_KEY, heard, published, wire
from pratique.event import Envelope, Event, Undecodable
from pratique.events.evaluation import Invitation, SurveyInvitationsIssued, SurveyOpened
from pratique.events.meetings import MeetingClosed, MeetingDescribed
from pratique.events.membership import MemberContactChanged
from pratique.testing import envelope, sample

OURS, FOREIGN = Seal.of(SEAL_KEY), Seal.of("00" * 32)
MEETING, OTHER = UUID(int=1), UUID(int=2)
PLACE = "chez Ada, 3 rue des Tilleuls"


def described(meeting_id: UUID = MEETING) -> Envelope[MeetingDescribed]:
    return envelope(sample(MeetingDescribed, meeting_id=meeting_id, place=PLACE), id=uuid4())


def note(session: store.Transaction, event: Event) -> None:
    """A reaction whose effect can be seen."""
    session.publish(sample(SurveyOpened))


def fail(session: store.Transaction, event: Event) -> None:
    raise ValueError("it cannot be borne")


def parked(opened: store.Store) -> list[Row[Any]]:
    with opened.begin() as session:
        return list(session.execute(select(inbox.PARKED).order_by(inbox.PARKED.c.id)))


def log(opened: store.Store) -> list[bytes]:
    with opened.begin() as session:
        return list(session.scalars(select(outbox.EVENT_LOG.c.body).order_by(outbox.EVENT_LOG.c.seq)))


def test_a_private_event_lies_sealed_in_the_log_and_its_attributes_in_clear(either: store.Store) -> None:
    with either.begin() as session:
        session.publish(sample(MeetingDescribed, meeting_id=MEETING, place=PLACE))
        session.publish(sample(MeetingClosed, meeting_id=MEETING))

    private, public = log(either)
    told = json.loads(private)
    assert PLACE.encode() not in private
    assert told["data"].keys() == {"box"}
    assert (told["subject"], told["type"]) == (str(MEETING), MeetingDescribed.type)
    assert json.loads(public)["data"]["meeting_id"] == str(MEETING)
    assert heard(private).event.place == PLACE  # type: ignore[attr-defined]
    with either.begin() as session:
        assert [event.place for event in published(session, MeetingDescribed)] == [PLACE]


def test_a_store_that_was_opened_without_a_key_publishes_nothing(either: store.Store) -> None:
    bare = store.Store("meetings", either.url)

    with pytest.raises(LookupError, match="open_store"), bare.begin() as session:
        session.publish(sample(MeetingDescribed))

    bare.close()
    assert log(either) == []


def test_its_length_does_not_tell_how_many_are_invited() -> None:
    def length(count: int) -> int:
        names = tuple(Invitation(member_id=uuid4(), token="t" * 43) for _ in range(count))
        return len(wire(sample(SurveyInvitationsIssued, invitations=names)))

    assert length(0) == length(1) == length(12)


def test_a_name_of_another_length_makes_a_box_of_the_same() -> None:
    assert len(wire(sample(MemberContactChanged, name="Bo"))) == len(
        wire(sample(MemberContactChanged, name="Bojidara"))
    )


def another_data(raw: dict[str, Any]) -> None:
    raw["data"] = described().event.dump()


def another_box(raw: dict[str, Any]) -> None:
    raw["data"] = json.loads(wire(described(OTHER)))["data"]


def an_altered_box(raw: dict[str, Any]) -> None:
    box = bytearray(base64.b64decode(raw["data"]["box"]))
    box[60] ^= 1
    raw["data"]["box"] = base64.b64encode(box).decode()


def another_id(raw: dict[str, Any]) -> None:
    raw["id"] = str(uuid4())


def no_box(raw: dict[str, Any]) -> None:
    raw["data"] = {"box": 5}


def a_foreign_box(raw: dict[str, Any]) -> None:
    box = described().to_bytes(seal=FOREIGN)
    raw["data"] = json.loads(box)["data"]


@pytest.mark.parametrize(
    "forge",
    [another_data, another_box, an_altered_box, another_id, no_box, a_foreign_box],
    ids=lambda each: each.__name__,
)
def test_what_somebody_else_has_made_is_a_dead_letter_at_once(
    either: store.Store, forge: Callable[[dict[str, Any]], None]
) -> None:
    raw = json.loads(wire(described()))
    forge(raw)

    assert inbox.receive(either, {MeetingDescribed: note}, [json.dumps(raw).encode()]) == []

    (letter,) = parked(either)
    assert letter.state == "dead"
    assert "sealed" in letter.error
    assert PLACE not in letter.error
    assert log(either) == []


def test_what_the_box_says_counts_and_not_what_is_written_beside_it(either: store.Store) -> None:
    told = described()
    raw = json.loads(wire(told)) | {"subject": str(OTHER), "correlationid": str(OTHER), "time": "1999-01-01T00:00:00Z"}

    assert inbox.receive(either, {MeetingDescribed: note}, [json.dumps(raw).encode()]) == [told]


def test_an_event_whose_reaction_fails_is_set_aside_sealed_and_shown_opened_to_who_has_the_key(
    either: store.Store,
) -> None:
    told = described()
    inbox.receive(either, {MeetingDescribed: fail}, [wire(told)])

    (row,) = parked(either)
    assert PLACE.encode() not in row.body
    bare = store.Store("meetings", either.url)
    for opened, is_shown in ((either, True), (bare, False)):
        with opened.begin() as session:
            letter = dead_letters.find_letter(session, "meetings", told.id)
        assert letter is not None
        assert (PLACE in letter.content) == is_shown
    bare.close()


def test_a_parked_event_is_opened_when_it_is_tried_again(either: store.Store) -> None:
    told = described()
    inbox.park(either, told, wire(told), "why")
    with either.begin() as session:
        session.execute(inbox.PARKED.update().values(next_attempt_at=told.time))

    assert inbox.retry_next(either, {MeetingDescribed: note})
    assert parked(either) == []
    assert len(log(either)) == 1


def test_a_subject_is_forgotten_in_the_log_and_in_what_waits_for_the_broker(either: store.Store) -> None:
    with either.begin() as session:
        for meeting_id in (MEETING, OTHER):
            session.publish(sample(MeetingDescribed, meeting_id=meeting_id))
            session.publish(sample(MeetingClosed, meeting_id=meeting_id))
    with either.begin() as session:
        assert outbox.forget(session, [MeetingDescribed, SurveyInvitationsIssued], MEETING) == 1
        assert outbox.forget(session, [MeetingDescribed], MEETING) == 0

    kept = [(MeetingClosed, MEETING), (MeetingDescribed, OTHER), (MeetingClosed, OTHER)]
    assert [(type(told.event), UUID(told.event.subject)) for told in map(heard, log(either))] == kept
    with either.begin() as session:
        assert len(outbox.unpublished(session, 9)) == 3


def test_a_subject_is_forgotten_among_what_is_set_aside_and_dead(either: store.Store) -> None:
    waiting, other = described(), described(OTHER)
    forged = json.loads(wire(described())) | {"id": str(uuid4())}
    closing = envelope(sample(MeetingClosed, meeting_id=MEETING), id=uuid4())
    bodies = [wire(waiting), wire(other), wire(closing), json.dumps(forged).encode(), b"no json"]
    inbox.receive(either, {MeetingDescribed: fail, MeetingClosed: fail}, bodies)

    with either.begin() as session:
        assert inbox.forget(session, [MeetingDescribed], MEETING) == 2

    assert {bytes(row.body) for row in parked(either)} == set(bodies[1:3]) | {b"no json"}


def test_what_integrators_install_reads_no_sealed_event() -> None:
    with pytest.raises(Undecodable):
        Envelope.from_bytes(wire(described()))
