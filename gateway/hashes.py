"""Hashes of secrets, which are kept instead of them."""

import hashlib
import hmac

_NOBODY = hashlib.sha256(b"nobody").hexdigest()


def hash_of(secret: str) -> str:
    """SHA-256 without salt or stretching: a random secret of 256 bits cannot be guessed from it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_right(secret: str, kept: str | None) -> bool:
    """Return whether a secret has the hash that is kept; with none kept, it takes as long to say no."""
    return hmac.compare_digest(kept or _NOBODY, hash_of(secret)) and kept is not None
