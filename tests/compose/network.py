"""Client of a deployment, from outside: HTTP in, mails out of the folder where they are written."""

import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

from tests.compose.engine import Engine
from tests.harness.client import HttpClient, RetryingClient
from tests.harness.mails import asks, link_in, parsed
from tests.harness.people import Community
from tests.harness.waiting import until

PATIENCE_S = 60.0
LOOK_EVERY_S = 0.3  #: reading the mails of a container costs it much
NOT_YET = (404, 409, 422)  #: how a service refuses what concerns something that it has not heard of yet


def eventually(what: str, look: Callable[[], Any]) -> Any:
    """Return what ``look`` finds, as soon as it finds anything.

    Raises:
        TimeoutError: it found nothing in time.
    """
    return until(look, PATIENCE_S, LOOK_EVERY_S, what)


class Network(RetryingClient):
    """A community with its people, and what they do over the API: each request again, until it is acknowledged."""

    def __init__(self, found: Engine, port: int, token: str) -> None:
        client = HttpClient(port, token, timeout_s=30)
        super().__init__(lambda: client, PATIENCE_S, passing=NOT_YET)
        self._engine, self.token = found, token
        self.community = Community(str(uuid4()), [])

    def found(self, people: int) -> None:
        """Make the community and its members."""
        self.community.member_ids = [str(uuid4()) for _ in range(people)]
        self.put_community(self.community.id)
        self.put_members(self.community.id, self.community.member_ids)

    def meet(self, in_room: int) -> str:
        """Hold a meeting at which all are, and some answer in the room; its id. It is not closed yet."""
        meeting_id = self._begin()
        self.wrap_up(meeting_id)
        code = self.survey(meeting_id)["room_code"]
        for member_id in self.community.member_ids[:in_room]:
            self.answer(room_code=code, member_id=member_id)
        return meeting_id

    def meet_and_close(self) -> str:
        """Hold a meeting at which all are and nobody answers in the room, and close it; its id."""
        meeting_id = self._begin()
        self.close(meeting_id)
        return meeting_id

    def _begin(self) -> str:
        meeting_id = str(uuid4())
        self.put_meeting(meeting_id, self.community.id, starts_at=datetime.now(UTC))
        self.start(meeting_id)
        self.record_attendance(meeting_id, dict.fromkeys(self.community.member_ids, "attended"))
        return meeting_id

    def mails(self) -> Sequence[EmailMessage]:
        """All mails in the folder of the container that sends them."""
        archive = self._engine.bytes_of(["docker", "compose", "cp", "notifications:/var/lib/pratique/mail", "-"])
        found = []
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                file = tar.extractfile(member) if member.isfile() and member.name.endswith(".eml") else None
                if file is not None:
                    found.append(parsed(file.read()))
        return found

    def asked(self) -> Mapping[str, str]:
        """Of each mail that leads to a survey its Message-ID, and the end of its link."""
        return {str(mail["Message-ID"]): link_in(mail) for mail in self.mails() if asks(mail)}
