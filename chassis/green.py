"""Green threads: the one module that imports eventlet (docs/decisions/0001 says when we leave it).

All other code spawns, sleeps, waits and serves by these names. A process that serves calls ``patch`` first, before it
imports anything that opens a socket or takes a lock.
"""

import threading
import warnings
from collections.abc import Callable
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # eventlet says at import that it is deprecated, which decision 0001 knows
    import eventlet
    from eventlet import Timeout, getcurrent, hubs, listen, sleep, spawn, spawn_after, spawn_n, wsgi
    from eventlet.event import Event
    from eventlet.greenio import GreenSocket, shutdown_safe
    from eventlet.semaphore import Semaphore
    from greenlet import GreenletExit


def patch() -> None:
    """Let sockets, locks, threads and psycopg2 of this process give way to each other; harmless when repeated."""
    # Since Python 3.13 this destructor keeps a lock as a default value, where eventlet does not look, but complains.
    destructor = getattr(getattr(threading, "_DeleteDummyThreadOnDel", None), "__del__", lambda: None)
    names = destructor.__code__.co_varnames[1 : destructor.__code__.co_argcount]
    destructor.__defaults__ = None
    eventlet.monkey_patch()
    destructor.__defaults__ = tuple(getattr(threading, name) for name in names)  # the green ones


def call_later(seconds: float, function: Callable[..., None], *arguments: Any) -> Any:
    """Call the function from the event loop after so many seconds, unless the returned timer is cancelled.

    Cheaper than ``spawn_after``, but the function must not wait.
    """
    return hubs.get_hub().schedule_call_global(seconds, function, *arguments)


__all__ = [
    "Event",
    "GreenSocket",
    "GreenletExit",
    "Semaphore",
    "Timeout",
    "call_later",
    "getcurrent",
    "listen",
    "patch",
    "shutdown_safe",
    "sleep",
    "spawn",
    "spawn_after",
    "spawn_n",
    "wsgi",
]
