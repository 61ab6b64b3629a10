"""Sealed boxes: what the broker carries and stores keep, and only processes that have the network's seal key can read.

One key for each network (``PRATIQUE_SEAL_KEY``), from which a key for each purpose is made, so that a box of one
purpose opens for no other. XSalsa20 and Poly1305 by libsodium (PyNaCl): who has no key can neither read nor alter a
box. Contents are padded to whole blocks, so that its length does not tell what is in it.
"""

import binascii
import hashlib

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

KEY_BYTES = 32
_END = b"\x80"  #: ends the content, before its padding of zeros (ISO/IEC 7816-4)


class BrokenSeal(Exception):
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
        """What is in the box.

        Raises:
            BrokenSeal: our key does not open it for this purpose.
        """
        try:
            padded = self._box(purpose).decrypt(box)
        except (CryptoError, ValueError, TypeError) as error:
            raise BrokenSeal(f"a box for {purpose!r} cannot be opened with this network's seal key") from error
        content, _, _ = bytes(padded).rpartition(_END)
        return content

    def _box(self, purpose: str) -> SecretBox:
        if purpose not in self._boxes:
            key = hashlib.blake2b(purpose.encode(), key=self._key, digest_size=KEY_BYTES, person=b"pratique").digest()
            self._boxes[purpose] = SecretBox(key)
        return self._boxes[purpose]
