"""Sealed boxes: what the broker carries and stores keep, and only processes that have the network's seal key can read.

One key for each network (``PRATIQUE_SEAL_KEY``), from which a key for each purpose is made, so that a box of one
purpose opens for no other. XSalsa20 and Poly1305 by libsodium (PyNaCl): who has no key can neither read nor alter a
box. Contents are padded to whole blocks, so that its length does not tell what is in it.
"""

import base64
import binascii
import hashlib
import secrets
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from nacl.bindings import crypto_secretbox_easy
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

KEY_BYTES = 32
_NONCE_BYTES = SecretBox.NONCE_SIZE
_INSTANT = struct.Struct("!I")  #: seconds since 1970, until 2106
_END = b"\x80"  #: ends the content, before its padding of zeros (ISO/IEC 7816-4)


class BrokenSeal(ValueError):
    """This is no box of this purpose that our key opens: altered, of another network, or the key is not the one."""


class Seal:
    """Closes and opens boxes of one network."""

    def __init__(self, key: bytes) -> None:
        """``key`` is 32 random bytes.

        Raises:
            ValueError: it has another length.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"a seal key has {KEY_BYTES} bytes")
        self._key = key
        self._boxes: dict[str, SecretBox] = {}

    @classmethod
    def of(cls, text: str) -> "Seal":
        """The seal of a key as settings and secret files have it: 64 hexadecimal digits.

        Raises:
            ValueError: it is no such text.
        """
        try:
            return cls(binascii.unhexlify(text.strip()))
        except binascii.Error as error:
            raise ValueError("a seal key is written as 64 hexadecimal digits") from error

    def close(self, purpose: str, content: bytes, block: int = 256) -> bytes:
        """The content in a box: padded to a multiple of ``block`` bytes, and 40 bytes longer. Never twice the same."""
        padded = content + _END
        return bytes(self._box(purpose).encrypt(padded + bytes(-len(padded) % block)))

    def open(self, purpose: str, box: bytes) -> bytes:
        """Open the box.

        Raises:
            BrokenSeal: our key does not open it for this purpose.
        """
        try:
            padded = self._box(purpose).decrypt(box)
        except (CryptoError, ValueError, TypeError) as error:
            raise BrokenSeal(f"a box for {purpose!r} cannot be opened with this network's seal key") from error
        content, _, _ = bytes(padded).rpartition(_END)
        return content

    def link(self, purpose: str, *ids: UUID) -> str:
        """An opaque text for a link that names these ids to us alone; it fits into a URL as it is."""
        return self._links(purpose, [b"".join([id.bytes for id in ids])])[0]

    def links(self, purpose: str, first: UUID, others: Sequence[UUID]) -> list[str]:
        """The links that name ``first`` and one of ``others`` each, in their order."""
        named = first.bytes
        return self._links(purpose, [named + other.bytes for other in others])

    def lasting_link(self, purpose: str, until: datetime, *ids: UUID) -> str:
        """The same as ``link``, which opens until this instant."""
        return self._links(purpose, [_INSTANT.pack(int(until.timestamp())) + b"".join([id.bytes for id in ids])])[0]

    def _links(self, purpose: str, contents: Sequence[bytes]) -> list[str]:
        """Boxes as text. All nonces are drawn at once, and libsodium is called without what ``SecretBox`` checks and
        copies: that halves what they cost, which was a tenth of a reaction to a closing.
        """
        key, nonces = bytes(self._box(purpose)), secrets.token_bytes(_NONCE_BYTES * len(contents))
        made = []
        for at, content in enumerate(contents):
            nonce = nonces[at * _NONCE_BYTES : (at + 1) * _NONCE_BYTES]
            box = nonce + crypto_secretbox_easy(content, nonce, key)
            made.append(base64.urlsafe_b64encode(box).decode().rstrip("="))
        return made

    def read_link(self, purpose: str, text: str) -> tuple[UUID, ...]:
        """The ids that a link of this purpose names.

        Raises:
            BrokenSeal: we made no such link.
        """
        return _ids_in(self._read(purpose, text))

    def read_lasting_link(self, purpose: str, text: str) -> tuple[datetime, tuple[UUID, ...]]:
        """Until when a link that ``lasting_link`` made for this purpose opens, and the ids that it names.

        Whether that instant is over is for the caller to look at, who may have something to say to whoever comes late.

        Raises:
            BrokenSeal: we made no such link.
        """
        raw = self._read(purpose, text)
        return datetime.fromtimestamp(_INSTANT.unpack_from(raw)[0], UTC), _ids_in(raw[_INSTANT.size :])

    def _read(self, purpose: str, text: str) -> bytes:
        try:
            box = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            if base64.urlsafe_b64encode(box).decode().rstrip("=") != text:
                raise ValueError("written in another way than we write it")
            return bytes(self._box(purpose).decrypt(box))
        except (CryptoError, ValueError, TypeError) as error:
            raise BrokenSeal(f"this is no link for {purpose!r} of this network") from error

    def mark(self, purpose: str, content: bytes) -> bytes:
        """32 bytes that are the same for the same content, and that nobody without the key can compute."""
        return hashlib.blake2b(content, key=self._derived(purpose), digest_size=32, person=b"mark").digest()

    def _derived(self, purpose: str) -> bytes:
        return hashlib.blake2b(purpose.encode(), key=self._key, digest_size=KEY_BYTES, person=b"pratique").digest()

    def _box(self, purpose: str) -> SecretBox:
        if purpose not in self._boxes:
            self._boxes[purpose] = SecretBox(self._derived(purpose))
        return self._boxes[purpose]


def _ids_in(raw: bytes) -> tuple[UUID, ...]:
    return tuple([UUID(bytes=raw[at : at + 16]) for at in range(0, len(raw), 16)])
