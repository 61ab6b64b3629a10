"""The actor of a request: a token, an operator, or the network itself. It travels with the call."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: Of this request, call or command; each green thread begins with the default.
ACTOR: ContextVar[str] = ContextVar("actor", default="pratique")


@contextmanager
def acting(who: str) -> Iterator[None]:
    """Within the block this is who acts."""
    token = ACTOR.set(who)
    try:
        yield
    finally:
        ACTOR.reset(token)
