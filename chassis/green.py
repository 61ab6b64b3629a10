"""Green threads: what nameko runs on. Said once for each process that serves, before anything else is imported."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def patch() -> None:
    """Let sockets, locks, threads and psycopg2 of this process give way to each other; harmless when repeated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eventlet says at import that it is in bugfix mode; docs/decisions says why
        import eventlet
    with _default_locks_in_sight():
        eventlet.monkey_patch()


@contextmanager
def _default_locks_in_sight() -> Iterator[None]:
    """Let a destructor of threading take the lock that eventlet puts in its place.

    Since Python 3.13 it keeps the first one as an argument's default, where eventlet does not look, but complains.
    """
    destructor = getattr(getattr(threading, "_DeleteDummyThreadOnDel", None), "__del__", None)
    if destructor is not None:
        names = destructor.__code__.co_varnames[1 : destructor.__code__.co_argcount]
        destructor.__defaults__ = None
    yield
    if destructor is not None:
        destructor.__defaults__ = tuple(getattr(threading, name) for name in names)
