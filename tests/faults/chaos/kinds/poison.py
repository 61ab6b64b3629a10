"""Messages that nobody can handle, and reactions that fail for a while or for good."""

import hashlib
import json
import random
import uuid
from collections.abc import Iterator

import amqp
from sqlalchemy import text

from tests.bench.environment import broker
from tests.faults.chaos.record import Meeting
from tests.faults.chaos.registry import CannotBe, fault
from tests.faults.chaos.system import System

FAILS = 3  #: times that a reaction fails before it succeeds; the batch's first try is one of them

_TRIGGER = """
create sequence {name};
create function {name}() returns trigger language plpgsql as $$
begin
    if new.meeting_id = '{meeting_id}' and nextval('{name}') <= {times} then
        raise exception 'made to fail by a test';
    end if;
    return new;
end $$;
create trigger {name} before insert on survey for each row execute function {name}();
"""


@fault("undecodable, unknown, of the future", is_telling=True)
def publish_poison(system: System, chance: random.Random) -> Iterator[str]:
    """Bytes that are no JSON, an event that does not exist, one of a version to come: each is one dead letter."""
    service = chance.choice(["meetings", "evaluation", "notifications"])
    with broker(system.fresh.broker_url) as connection:
        channel = connection.channel()
        for body in _poisons(chance):
            id = uuid.UUID(bytes=hashlib.sha256(body).digest()[:16])
            system.dead_expected[str(id)] = service
            for _ in range(2):  # twice, and one dead letter all the same
                channel.basic_publish(amqp.Message(body, delivery_mode=2), "", service)
    yield f"to {service}"


def _poisons(chance: random.Random) -> Iterator[bytes]:
    yield chance.randbytes(200)
    event = {"specversion": "1.0", "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "data": {}}
    event |= {"time": "2026-03-12T14:00:00+00:00", "source": "/pratique/meetings"}
    yield json.dumps(event | {"type": "org.pratique.meetings.MeetingDreamtOf.v1"}).encode()
    yield json.dumps(event | {"type": "org.pratique.meetings.MeetingClosed.v99"}).encode()


@fault("a reaction fails three times", is_telling=True)
def fail_three_times(system: System, chance: random.Random) -> Iterator[str]:
    """The survey of one meeting cannot be written at first; it is tried again by itself."""
    meeting = _one_to_come(system, chance)
    _fail(system, meeting, FAILS)
    yield meeting.id


@fault("a reaction always fails")
def fail_always(system: System, chance: random.Random) -> Iterator[str]:
    """… until all its attempts are used up: then it is a dead letter, the operator mends the cause and replays it."""
    meeting = _one_to_come(system, chance)
    name = _fail(system, meeting, 10**9)
    yield meeting.id

    def mend() -> None:
        with system.stores["evaluation"].begin() as session:
            dead = session.scalar(text("select count(*) from parked where state = 'dead' and body like :id"),
                                  {"id": f"%{meeting.id}%".encode()})  # fmt: skip
            session.execute(text(f"drop trigger {name} on survey"))
        if meeting.is_closed and dead != 1:
            system.complaints.append(f"the closing of {meeting.id}, which always failed, is {dead} dead letters")
        said = system.operator("dead", "replay", "--all", "--service", "evaluation")
        system.repairs.append(f"pratique dead replay, after a cause was mended: {' '.join(said.split())}")

    system.when_at_rest.append(mend)


def _fail(system: System, meeting: Meeting, times: int) -> str:
    name = f"fails_{meeting.id.replace('-', '_')}"
    with system.stores["evaluation"].begin() as session:
        sql = _TRIGGER.format(name=name, meeting_id=meeting.id, times=times)
        session.connection().exec_driver_sql(sql.replace("%", "%%"))
    return name


def _one_to_come(system: System, chance: random.Random) -> Meeting:
    """A meeting that will have its survey by its closing alone, and is a while from it."""
    waiting = [each for each in system.record.meetings.values() if not each.is_close_attempted]
    ours = [each for each in waiting[30:] if each.answers_in_room is None and each.id not in system.made_to_fail]
    if not ours:
        raise CannotBe("hardly a meeting is left")
    chosen = chance.choice(ours[:50])
    system.made_to_fail.add(chosen.id)
    return chosen
