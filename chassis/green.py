"""Green threads: what nameko runs on. Said once for each process that serves, before anything else is imported."""

import warnings


def patch() -> None:
    """Let sockets, locks, threads and psycopg2 of this process give way to each other; harmless when repeated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eventlet says at import that it is in bugfix mode; docs/decisions says why
        import eventlet
    eventlet.monkey_patch()
