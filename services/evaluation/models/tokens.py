"""Links, ballots, slips, markers and room codes: who may answer, and that an answer is one of those that may be.

A *link* and a *ballot* name their person, to us alone: they are sealed. A *slip* names nobody; with it, and without the
ballot, answers are kept. Nothing of any of them is stored but marks, which are HMACs under the survey's secret: once
that is destroyed, they say nothing to anybody.
"""

import base64
import hmac
import re
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from chassis.sealing import BrokenSeal, Seal
from pratique.requests.evaluation import PASSES

LINK = "survey link"  #: what the seal of a mailed link is for
_BALLOT = "ballot"
_PROOF_BYTES = 16
_CONTENT = struct.Struct("!16s16s16s?q")  #: member, number, proof, whether from the room, seconds since 1970
_SLIP = re.compile(r"[A-Za-z0-9_-]{64}")  # 48 bytes: the survey, a number and a proof, 16 each
_BALLOT_SHAPE = re.compile(r"(?P<survey>[0-9a-f]{32})\.(?P<box>[A-Za-z0-9_-]{20,300})")

#: Letters and digits that nobody mistakes for one another when read from a screen across a room.
_ROOM_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
ROOM_CODE_LENGTH = 8  #: 30 to the power of 8, some 656 thousand million codes
ROOM_BALLOT_FOR = timedelta(hours=2)  #: so long after it was given out in the room a ballot is taken
AFTER_CLOSING_FOR = timedelta(minutes=15)  #: and so long where the room has closed: time to finish what one had begun


class Channel(StrEnum):
    """The way by which an answer came."""

    ROOM = "room"
    MESSAGE = "message"


@dataclass(frozen=True)
class Ballot:
    """The right of one person to answer one survey. It reads as ``<survey>.<box>``, and only we can open the box."""

    survey_id: UUID
    member_id: UUID
    number: bytes  #: 16 random bytes, which tell two ballots of one person apart
    channel: Channel
    given_at: datetime

    @classmethod
    def new(cls, survey_id: UUID, member_id: UUID, channel: Channel, at: datetime) -> "Ballot":
        """One more ballot for this person; however many there are, one is taken."""
        return cls(survey_id, member_id, secrets.token_bytes(16), channel, at)

    def text(self, seal: Seal, secret: bytes) -> str:
        """The ballot as it is handed out. It dies with the survey's secret."""
        content = _CONTENT.pack(
            self.member_id.bytes,
            self.number,
            self._proof(secret),
            self.channel is Channel.ROOM,
            int(self.given_at.timestamp()),
        )
        return f"{self.survey_id.hex}.{_text(seal.close(_BALLOT, content, block=1))}"

    @classmethod
    def read(cls, text: str, seal: Seal, secret: bytes) -> "Ballot | None":
        """The ballot that this is; None if we did not make it with this secret."""
        found = _BALLOT_SHAPE.fullmatch(text)
        try:
            content = seal.open(_BALLOT, _raw(found["box"] if found else ""))
            member, number, proof, is_room, at = _CONTENT.unpack(content)
        except (BrokenSeal, struct.error, ValueError):
            return None
        ballot = cls(
            survey_of(text),
            UUID(bytes=member),
            number,
            Channel.ROOM if is_room else Channel.MESSAGE,
            datetime.fromtimestamp(at, UTC),
        )
        return ballot if hmac.compare_digest(ballot._proof(secret), proof) else None

    def is_stale(self, at: datetime, *, is_room_open: bool) -> bool:
        """Return whether it was given out in the room too long ago; one from a link lasts as long as the survey."""
        limit = ROOM_BALLOT_FOR if is_room_open else AFTER_CLOSING_FOR
        return self.channel is Channel.ROOM and at - self.given_at > limit

    def mark(self, secret: bytes) -> bytes:
        """Return the mark by which it is recognised when it is sent again. No slip can be computed from it."""
        return hmac.digest(secret, b"ballot" + self.number, "sha256")

    def slip(self, secret: bytes) -> str:
        """The slip with which its answers are kept: always the same for the same ballot, and it names nobody."""
        number = hmac.digest(secret, b"number" + self.number, "sha256")[:16]
        return _text(self.survey_id.bytes + number + _slip_proof(secret, self.channel, number))

    def _proof(self, secret: bytes) -> bytes:
        kind = f"proof {self.channel.value} {int(self.given_at.timestamp())} ".encode()
        return hmac.digest(secret, kind + self.member_id.bytes + self.number, "sha256")[:_PROOF_BYTES]


@dataclass(frozen=True)
class Slip:
    """The claims of a slip; none is true before ``channel_of`` has found how it came."""

    survey_id: UUID
    number: bytes
    proof: bytes

    @classmethod
    def read(cls, text: str) -> "Slip":
        """Read the claims of this text. A garbled one claims a survey that does not exist."""
        if not _SLIP.fullmatch(text):
            return cls(uuid4(), bytes(16), bytes(_PROOF_BYTES))
        raw = _raw(text)
        return cls(UUID(bytes=raw[:16]), raw[16:32], raw[32:])

    def channel_of(self, secret: bytes) -> Channel | None:
        """Return the way by which it came; None if we did not make it with this secret."""
        ways = [each for each in Channel if hmac.compare_digest(_slip_proof(secret, each, self.number), self.proof)]
        return ways[0] if ways else None

    def mark(self, secret: bytes) -> bytes:
        """Return the mark that is kept of a spent slip, while the survey is open."""
        return hmac.digest(secret, b"spent" + self.number, "sha256")


def new_secret() -> bytes:
    """A survey's secret: 256 random bits."""
    return secrets.token_bytes(32)


def new_room_code() -> str:
    """A code for a room, guessed as badly as any other."""
    return "".join(secrets.choice(_ROOM_ALPHABET) for _ in range(ROOM_CODE_LENGTH))


def as_room_code(typed: str) -> str:
    """The code that someone meant: capitals, without the blanks and hyphens by which people group characters.

    Empty, which is no room's code, if it cannot be one.
    """
    code = re.sub(r"[\s-]", "", typed[:64]).upper()
    return code if set(code) <= set(_ROOM_ALPHABET) else ""


def links_for(seal: Seal, survey_id: UUID, member_ids: Sequence[UUID]) -> list[str]:
    """The end of each person's link. Whoever reads one learns neither survey nor person."""
    return seal.links(LINK, survey_id, member_ids)


def read_link(seal: Seal, text: str) -> tuple[UUID, UUID]:
    """The survey and the person of a link. What is no link of ours names what does not exist, and takes as long."""
    try:
        survey_id, member_id = seal.read_link(LINK, text)
    except (BrokenSeal, ValueError):
        return uuid4(), uuid4()
    return survey_id, member_id


def read_pass(seal: Seal, text: str, at: datetime) -> tuple[UUID, UUID]:
    """The meeting and the person of a phone's pass. What is none, or none any more, names what does not exist."""
    try:
        until, (meeting_id, member_id) = seal.read_lasting_link(PASSES, text)
    except (BrokenSeal, ValueError):
        return uuid4(), uuid4()
    return (meeting_id, member_id) if at < until else (uuid4(), uuid4())


def marker_of(secret: bytes, member_id: UUID) -> bytes:
    """Return the marker of this person's ballot; only whoever has the secret can tell whose it is."""
    return hmac.digest(secret, b"marker" + member_id.bytes, "sha256")


def survey_of(ballot_id: str) -> UUID:
    """Return the survey that a ballot names, in clear; a random id if it names none."""
    found = _BALLOT_SHAPE.fullmatch(ballot_id)
    return UUID(found["survey"]) if found else uuid4()


def _slip_proof(secret: bytes, channel: Channel, number: bytes) -> bytes:
    return hmac.digest(secret, f"slip {channel.value} ".encode() + number, "sha256")[:_PROOF_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
