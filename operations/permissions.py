"""Permissions of each user of the broker, the least that work: derived from what services publish and react to.

RabbitMQ asks three patterns over names (``configure``: make and delete; ``write``: publish to, or bind a queue;
``read``: consume, or bind to an exchange), and on topic exchanges two more over routing keys.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pratique.events  # noqa: F401  (completes REGISTRY)
from chassis.settings import SERVICES
from operations.composition import reactions_of
from pratique.event import REGISTRY, Event
from pratique.subscribe import PUBLIC

NOTHING = "^$"
_RPC = "nameko-rpc"
_DEAD = "pratique.dead"
_ADDRESS = "^[0-9a-f-]{36}$"  #: of answers: a UUID, which no request's routing key and no wildcard can be
_REPLIES = r"rpc\.reply-.+"
Binding = tuple[str, str]  #: exchange, routing key


@dataclasses.dataclass(frozen=True)
class Permissions:
    """Permissions of one user in one virtual host."""

    configure: str
    write: str
    read: str
    topics: Mapping[str, tuple[str, str]]  #: topic exchange -> keys that may be published there, keys to bind by

    def definitions(self, user: str, vhost: str) -> dict[str, list[dict[str, Any]]]:
        """Return the same as RabbitMQ imports it."""
        whose = {"user": user, "vhost": vhost}
        names = {"configure": self.configure, "write": self.write, "read": self.read}
        return {
            "permissions": [whose | names],
            "topic_permissions": [
                whose | {"exchange": exchange, "write": write, "read": read}
                for exchange, (write, read) in sorted(self.topics.items())
            ],
        }


def of_service(name: str, events: Iterable[type[Event]], bound: Iterable[Binding] = ()) -> Permissions:
    """Return what a service may: publish its own events, answer its own RPC, hear what its reactions table names.

    ``bound`` is what an earlier version bound its queue to: whoever unbinds needs the same right as whoever binds.
    """
    heard = {(event.exchange(), event.routing_key) for event in events} | set(bound)
    own = [f"{name}.events", f"{name}.private"]
    published = [event for event in REGISTRY.values() if event.publisher == name]
    topics = {_RPC: (_ADDRESS, any_of([f"{name}.*"]))}
    for exchange in {*own, *(exchange for exchange, _ in heard)}:
        writes = [event.routing_key for event in published if event.exchange() == exchange]
        topics[exchange] = any_of(writes), any_of(key for where, key in heard if where == exchange)
    queues = [name, f"rpc-{name}"]
    return Permissions(
        configure=any_of([*own, *queues]),
        write=any_of([*own, *queues, _RPC, _DEAD]),  # the last by whoever makes a queue that leads there
        read=any_of([*queues, _RPC, *(exchange for exchange, _ in heard)]),
        topics=topics,
    )


def of_gateway() -> Permissions:
    """Return what the gateway may: ask every service, and hear the answers to its own questions."""
    return Permissions(
        configure=f"^{_REPLIES}$",
        write=f"^({_RPC}|{_REPLIES})$",
        read=f"^({_RPC}|{_REPLIES})$",
        topics={_RPC: (rf"^({'|'.join(sorted(SERVICES))})\.\w+$", _ADDRESS)},
    )


def of_integrator(name: str, events: Iterable[type[Event]]) -> Permissions:
    """Return what an integrator may: bind the queues made for them to the events given to them, and read them.

    They make no queue of their own: one that refuses what comes would stop its publisher (docs/decisions/0015).
    """
    own = rf"integrator\.{name}\.[\w-]+"
    keys = any_of(event.routing_key for event in events)
    return Permissions(
        configure=NOTHING,
        write=f"^{own}$",
        read=rf"^(pratique\.events|{own})$",
        topics={PUBLIC: (NOTHING, keys)},
    )


def heard(name: str) -> set[Binding]:
    """Return where a service hears what its reactions table names."""
    return {(event.exchange(), event.routing_key) for event in reactions_of(name)}


def of(name: str, bound: Iterable[Binding] = ()) -> Permissions:
    """Return what a service or the gateway may."""
    if name == "gateway":
        return of_gateway()
    return of_service(name, reactions_of(name), bound)


def any_of(texts: Iterable[str]) -> str:
    """Return the pattern that fits exactly these."""
    escaped = sorted({text.replace(".", r"\.").replace("*", r"\*") for text in texts})
    return f"^({'|'.join(escaped)})$" if escaped else NOTHING


def page() -> str:
    """Return the page in docs/generated; ``pratique migrate`` and ``pratique integrator add`` grant what it shows."""
    every = {name: of(name) for name in (*SERVICES, "gateway")}
    every["integrator.NAME"] = of_integrator("NAME", ())
    shown = {name: each.definitions(name, "/") for name, each in every.items()}
    return json.dumps(shown, indent=2, sort_keys=True) + "\n"
