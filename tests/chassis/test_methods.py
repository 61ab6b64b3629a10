"""RPC methods that are made of a service's tables of requests."""

import logging
import sqlite3
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import MetaData
from sqlalchemy.exc import OperationalError

from chassis.rpc.methods import serves
from chassis.rpc.server import Refusal
from chassis.testing import memory_store
from pratique.request import Command
from pratique.requests.meetings import StartMeeting


class CastBallot(Command, is_counted=False):
    """A command whose time would tell that somebody answers."""


def find_locked(session: Any, command: Any) -> None:
    raise OperationalError("update", {}, sqlite3.OperationalError("database is locked"))


@pytest.mark.parametrize(
    ("kind", "payload", "lines"), [(StartMeeting, {"meeting_id": str(uuid4())}, 1), (CastBallot, {}, 0)]
)
def test_a_lock_conflict_is_logged_unless_its_time_would_tell_that_somebody_answers(
    kind: type[Command], payload: dict[str, str], lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    with memory_store("evaluation", MetaData()) as opened, caplog.at_level(logging.DEBUG):

        @serves({kind: find_locked})
        class Service:
            runtime = opened

        refused = getattr(Service(), kind.method)(**payload)

    assert isinstance(refused, Refusal)
    assert len([record for record in caplog.records if record.name.startswith("chassis.")]) == lines
