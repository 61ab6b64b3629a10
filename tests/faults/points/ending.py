"""Work in a process of its own, which ends at one of the named points as kill -9 would end it there."""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable

import eventlet.hubs
from eventlet.patcher import original

from chassis import crashpoint as points
from chassis.storage.store import Store


def fork(work: Callable[[], object], point: str) -> int:
    """A child that does the work and ends at the point, or else with 0 when it is done; its process id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads; the child has none of them
        child = os.fork()
    if child:
        return child
    try:
        _ = eventlet.hubs.get_hub()  # kept, so that nothing that hangs on it is collected and says goodbye to a server
        eventlet.hubs.use_hub()  # one of its own: the other's epoll is shared with the parent
        points.at = point
        work()
    except BaseException:  # noqa: BLE001  (nothing may return into the parent's test)
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def ends_at(point: str, work: Callable[[], object], stores: Iterable[Store] = ()) -> bool:
    """Let a child do the work until it ends at the point; False if it did all of it and never came there.

    What is open on ``stores`` is closed before, since no connection outlives a fork in both.
    """
    for opened in stores:
        opened.close()
    _, status = original("os").waitpid(fork(work, point), 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, -signal.SIGKILL), f"the child ended with {code} and not at {point}"
    return code != 0
