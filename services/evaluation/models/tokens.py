"""Links, ballots, markers and room codes: all made from a survey's secret, and all dead once it is destroyed.

Nothing of a token or a ballot is stored. A token names its person and can be made again at any time while the survey
is open; a ballot names nobody and cannot.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from uuid import UUID, uuid4

from pratique.events.membership import Locale

_PROOF_BYTES = 16
_SHAPE = re.compile(r"[A-Za-z0-9_-]{64}")  # 48 bytes: two ids or numbers of 16, and a proof of 16

#: Letters and digits that nobody mistakes for one another when read from a screen across a room.
_ROOM_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
ROOM_CODE_LENGTH = 8  #: 30 to the power of 8, some 656 thousand million codes


class Channel(StrEnum):
    """The way by which an answer came."""

    ROOM = "room"
    MESSAGE = "message"


@dataclass(frozen=True)
class Claim:
    """What a token or a ballot says of itself; nothing of it is true before its proof was checked."""

    survey_id: UUID
    middle: bytes  #: of a token the member's id, of a ballot its random number
    proof: bytes


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


def token_for(survey_id: UUID, secret: bytes, member_id: UUID) -> str:
    """The secret part of one person's link: 64 characters that fit into a URL as they are."""
    middle = member_id.bytes
    return _text(survey_id.bytes + middle + hmac.digest(secret, b"token" + middle, "sha256")[:_PROOF_BYTES])


def is_token(claim: Claim, secret: bytes) -> bool:
    """Whether we made this token with this secret; takes as long for any answer."""
    return hmac.compare_digest(hmac.digest(secret, b"token" + claim.middle, "sha256")[:_PROOF_BYTES], claim.proof)


def marker_of(secret: bytes, member_id: UUID) -> bytes:
    """What says that this person took a ballot, to whoever has the secret and to nobody else."""
    return hmac.digest(secret, member_id.bytes, "sha256")


def new_ballot(survey_id: UUID, secret: bytes, channel: Channel, locale: Locale) -> str:
    """A ballot that carries no person and of which no row is kept: a random number, and the proof that it is ours.

    Channel and language are bound into the proof, so that they can be neither changed nor read.
    """
    number = secrets.token_bytes(16)
    return _text(survey_id.bytes + number + _ballot_proof(secret, channel, locale, number))


def kind_of_ballot(claim: Claim, secret: bytes) -> tuple[Channel, Locale] | None:
    """How and in which language this ballot was taken; None if we did not make it with this secret."""
    kinds = [
        (channel, locale)
        for channel, locale in product(Channel, Locale)
        if hmac.compare_digest(_ballot_proof(secret, channel, locale, claim.middle), claim.proof)
    ]
    return kinds[0] if kinds else None


def spent_mark(ballot_id: str) -> bytes:
    """What is kept of a ballot once it is spent."""
    return hashlib.sha256(ballot_id.encode()).digest()


def read_claim(text: str) -> Claim:
    """What a token or a ballot claims. One that is garbled claims a survey that does not exist, so that it is looked
    for like any other and takes as long."""
    if not _SHAPE.fullmatch(text):
        return Claim(uuid4(), bytes(16), bytes(_PROOF_BYTES))
    raw = base64.urlsafe_b64decode(text)
    return Claim(UUID(bytes=raw[:16]), raw[16:32], raw[32:])


def _ballot_proof(secret: bytes, channel: Channel, locale: Locale, number: bytes) -> bytes:
    kind = f"ballot {channel.value} {locale.value} ".encode()
    return hmac.digest(secret, kind + number, "sha256")[:_PROOF_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
