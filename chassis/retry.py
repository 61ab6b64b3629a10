"""Retry policy: soon at first, then ever later, then not by itself (a dead letter)."""

import random
from datetime import datetime, timedelta

from chassis import clock

#: Waits before each new attempt, in seconds; about two and a half hours in all, then it is a dead letter.
RETRY_AFTER_S = (1, 5, 30, 300, 1800, 7200)


def next_attempt_at(attempts: int) -> datetime:
    """Return the time of the next attempt after ``attempts`` retries, jittered by a fifth to spread a crowd."""
    wait_s = RETRY_AFTER_S[min(attempts, len(RETRY_AFTER_S) - 1)]
    return clock.now() + timedelta(seconds=wait_s * random.uniform(0.8, 1.2))  # noqa: S311  (no secret)


def words_of(error: BaseException | str) -> str:
    """Return an error as text that every store takes: no NUL, no half surrogate pair, at most 4,000 characters."""
    words = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
    return words[:4000].replace("\x00", "").encode("utf-8", "replace").decode()
