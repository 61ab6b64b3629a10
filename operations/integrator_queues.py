"""Queues of integrators: names, bounds, and the dead-letter queue of each, as policies of the broker.

A policy holds for queues that are there already; an argument of a queue could never be changed.
"""

import re
from collections.abc import Iterable
from typing import Any

from chassis.messaging.broker import PUBLIC

PREFIX = "integrator."
DEAD = "dead"  #: integrator.NAME.dead, where an integrator's dead letters are kept
_DAY_MS = 86_400_000
#: A queue that nobody reads drops its oldest events beyond these, and is gone after thirty days. An event that came so
#: often without being acknowledged is a dead letter; RabbitMQ 4 would by itself drop it at the 21st time, unseen.
LIMITS = {
    "max-length": 100_000,
    "max-length-bytes": 256 * 1024**2,
    "overflow": "drop-head",
    "expires": 30 * _DAY_MS,
    "delivery-limit": 1_000,
}
#: Dead letters are kept thirty days, the newest of them. Reading them never costs one: RabbitMQ before 4.0 knows no
#: word for "no limit", and takes a number so large.
DEAD_LIMITS = {
    "max-length": 10_000,
    "max-length-bytes": 64 * 1024**2,
    "overflow": "drop-head",
    "message-ttl": 30 * _DAY_MS,
    "delivery-limit": 1_000_000_000,
}
_USER = re.compile(r"integrator\.([a-z][a-z0-9-]*)")


def is_dead_letters(queue: str) -> bool:
    """Return whether this is the dead-letter queue of an integrator."""
    return queue.startswith(PREFIX) and queue.endswith(f".{DEAD}")


def policies_of(name: str) -> dict[str, dict[str, Any]]:
    """Return the policies on the queues of one integrator, by name.

    Each has its own, since a policy names the queue to which dead letters go.
    """
    user = PREFIX + name
    pattern = user.replace(".", r"\.")
    leading = LIMITS | {"dead-letter-exchange": "", "dead-letter-routing-key": f"{user}.{DEAD}"}
    return {
        user: {"pattern": rf"^{pattern}\.", "apply-to": "queues", "priority": 2, "definition": leading},
        f"{user}.{DEAD}": {
            "pattern": rf"^{pattern}\.{DEAD}$", "apply-to": "queues", "priority": 3, "definition": DEAD_LIMITS
        },
    }  # fmt: skip


def definitions(name: str, queues: Iterable[str], vhost: str) -> dict[str, list[dict[str, Any]]]:
    """Return the public exchange, these queues, that of dead letters and their policies, as RabbitMQ imports them."""
    public = {"name": PUBLIC.name, "vhost": vhost, "type": "topic", "durable": True, "auto_delete": False}
    quorum = {"vhost": vhost, "durable": True, "auto_delete": False, "arguments": {"x-queue-type": "quorum"}}
    return {
        "policies": [{"name": each, "vhost": vhost} | policy for each, policy in policies_of(name).items()],
        "exchanges": [public | {"internal": False, "arguments": {}}],
        "queues": [quorum | {"name": f"{PREFIX}{name}.{queue}"} for queue in (*queues, DEAD)],
    }


def is_as_made(policy: dict[str, Any]) -> bool:
    """Return whether a policy is one that `pratique integrator add` makes, word for word."""
    found = _USER.match(policy["name"])
    expected = policies_of(found[1]).get(policy["name"], {}) if found else {}
    return bool(expected) and all(policy.get(key) == value for key, value in expected.items())
