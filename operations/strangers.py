"""Strangers on the broker, which our code did not make: bindings, consumers, and users with more than they need.

The broker's administrator can bind a queue to everything that passes. What is private is sealed; who asks whom and
when is not, and a tap is never an accident: the doctor tells of each.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from chassis.messaging.broker import DEAD_LETTERS, PUBLIC, RPC
from chassis.settings import SERVICES, STORES, Settings
from operations import permissions
from operations.finding import Finding
from operations.integrator_queues import PREFIX, is_as_made, policies_of
from operations.management import COLLECTS_NOTHING, Bound, Management
from pratique.errors import DomainError
from pratique.event import REGISTRY

_REPLY = re.compile(r"rpc\.reply-([0-9a-f-]{36})")  #: the queue of one gateway process, named after its address
_INTEGRATOR = re.compile(r"(integrator\.[a-z][a-z0-9-]*)(\.[a-z0-9-]+)?")  #: a user, and one of its queues
_NAMES = ("configure", "write", "read")
#: What a policy can do to messages so that they go elsewhere, or nowhere.
_DIVERTING = {"alternate-exchange", "dead-letter-exchange", "expires", "federation-upstream", "federation-upstream-set"}
_DIVERTING |= {"max-length", "max-length-bytes", "message-ttl"}
_ASK = "find out who made it"


def strangers(settings: Settings, bound: Bound) -> Iterator[Finding]:
    """One finding for each kind that is as it should be, and one for each stranger.

    ``bound`` is what queues of services are still bound to since an earlier version.
    """
    try:
        look = _Look(settings, bound)
        kinds = {
            "bindings": list(look.bindings()),
            "users": list(look.users()),
            "consumers": list(look.consumers()),
            "diversions": list(look.diversions()),
        }
    except DomainError as error:
        yield Finding("bindings", False, "nobody can say who listens: the management does not answer", error.message)
        return
    for kind, found in kinds.items():
        yield from found or [Finding(kind, True, "none but ours")]


class _Look:
    """Everything that the management tells of our virtual host, beside what our code makes there."""

    def __init__(self, settings: Settings, bound: Bound) -> None:
        self._settings, self._bound = settings, bound
        self._management = Management(settings)
        self._user_of = {name: _user(settings.broker_url_of(name)) for name in STORES}
        self._owners = {f"rpc-{name}": name for name in SERVICES} | {name: name for name in SERVICES}
        self._exchanges = {f"{name}.{kind}" for name in SERVICES for kind in ("events", "private")}
        self._exchanges |= {PUBLIC.name, DEAD_LETTERS.name, RPC.name}
        self._public = {event.routing_key for event in REGISTRY.values() if not event.is_private}

    def bindings(self) -> Iterator[Finding]:
        """Find bindings by which others hear what passes through our exchanges, or fill our queues."""
        strange: dict[tuple[str, str, str], list[str]] = {}
        for each in self._here("bindings"):
            between = each["source"], each["destination_type"], each["destination"]
            if self._concerns_us(*between) and not self._is_ours(*between, each["routing_key"]):
                strange.setdefault(between, []).append(each["routing_key"])
        for (source, kind, name), keys in sorted(strange.items()):
            words = f"{kind} {name} hears {', '.join(sorted(keys))} of {source}, which our code does not bind"
            yield Finding(f"binding {name}", False, words, self._unbinding(kind, name))

    def users(self) -> Iterator[Finding]:
        """Find users who may do more on the broker than the code needs."""
        topics = self._topics
        named = {each["user"]: {name: each[name] for name in _NAMES} for each in self._all("permissions")}
        for user in self._management.ask("GET", "users") or []:
            name, tags = user["name"], _tags(user["tags"])
            if name == self._management.user:
                continue
            if not (tags or name in named or name in topics):
                continue  # of another network on this broker
            has = named.get(name, dict.fromkeys(_NAMES, permissions.NOTHING)), topics.get(name, {})
            if finding := self._user(name, tags, *has):
                yield finding
            elif _INTEGRATOR.fullmatch(name) and not self._has_bounds(name.removeprefix(PREFIX)):
                hint = f"make it anew: `pratique integrator add {name.removeprefix(PREFIX)} --events …`"
                yield Finding(f"queues of {name}", False, "lack their bounds, or the queue for dead letters", hint)

    def _has_bounds(self, integrator: str) -> bool:
        """Return whether the policies on an integrator's queues are as they were made."""
        made = {each["name"] for each in self._here("policies") if is_as_made(each)}
        return made >= policies_of(integrator).keys()

    def _user(self, name: str, tags: str, named: Mapping[str, str], topics: Mapping[str, Any]) -> Finding | None:
        subject = f"user {name}"
        if tags == "monitoring" and set(named.values()) == {permissions.NOTHING} and not topics:
            return None  # it may read metrics and no message, as Prometheus does
        if tags:
            hint = f"{_ASK}; then `rabbitmqctl set_user_tags {name}`, or `rabbitmqctl delete_user {name}`"
            return Finding(
                subject, False, f"manages the broker ({tags}); none but {self._management.user} should", hint
            )
        if (own := self._due(name, topics)) is None:
            hint = f"{_ASK}; then `rabbitmqctl delete_user {name}`, or `rabbitmqctl clear_permissions {name}`"
            return Finding(subject, False, "is none of ours, and may do something here", hint)
        expected = {each: getattr(own, each) for each in _NAMES}
        if (expected, dict(own.topics)) == (dict(named), dict(topics)):
            return None
        hint = f"make it anew: `pratique integrator add {name.partition('.')[2]} --events …`"
        hint = hint if _INTEGRATOR.fullmatch(name) else "run `pratique migrate`, which gives each what the code needs"
        return Finding(subject, False, "has other permissions than the code gives", hint)

    def _due(self, user: str, topics: Mapping[str, Any]) -> permissions.Permissions | None:
        """The permissions that a user of ours should have; None for a stranger."""
        for name in STORES:
            if self._user_of[name] == user:
                return permissions.of(name, self._bound.get(name, ()))
        if not _INTEGRATOR.fullmatch(user):
            return None
        given = _keys(topics) & self._public
        events = [event for event in REGISTRY.values() if event.routing_key in given]
        return permissions.of_integrator(user.partition(".")[2], events)

    def consumers(self) -> Iterator[Finding]:
        """Find users who take messages out of a queue that is another's."""
        if not self._management.collects_metrics():
            yield Finding("consumers", False, "nobody can say who takes messages", COLLECTS_NOTHING)
            return
        for each in self._here("consumers"):
            queue = each["queue"]["name"]
            user = (each.get("channel_details") or {}).get("user", "")
            if (own := self._owner(queue)) and user and user != own:
                words = f"user {user} takes what is for {own}"
                yield Finding(f"consumer {queue}", False, words, f"{_ASK}; then close its connection in the management")

    def diversions(self) -> Iterator[Finding]:
        """Copies of everything (the firehose), and rules by which messages go elsewhere, or nowhere."""
        vhost = self._management.vhost
        if (self._management.ask("GET", "vhosts", vhost) or {}).get("tracing"):
            hint = f"{_ASK}; then `rabbitmqctl trace_off --vhost {vhost}`"
            yield Finding("tracing", False, "the firehose is on: every message is copied to amq.rabbitmq.trace", hint)
        for each in self._here("parameters"):
            kind, name = each["component"], each["name"]
            hint = f"{_ASK}; then `rabbitmqctl clear_parameter --vhost {vhost} {kind} {name}`"
            yield Finding(f"{kind} {name}", False, "may carry messages to another broker", hint)
        for kind in "policies", "operator-policies":
            for each in self._here(kind):
                names = sorted(_DIVERTING & each["definition"].keys())
                if names and not is_as_made(each) and self._is_about_us(each["pattern"]):
                    words = f"sets {', '.join(names)} for what is ours"
                    what = "clear_policy" if kind == "policies" else "clear_operator_policy"
                    hint = f"{_ASK}; then `rabbitmqctl {what} --vhost {vhost} {each['name']}`"
                    yield Finding(f"policy {each['name']}", False, words, hint)

    @functools.cached_property
    def _topics(self) -> dict[str, dict[str, tuple[str, str]]]:
        found: dict[str, dict[str, tuple[str, str]]] = {}
        for each in self._all("topic-permissions"):
            found.setdefault(each["user"], {})[each["exchange"]] = each["write"], each["read"]
        return found

    def _here(self, what: str) -> list[dict[str, Any]]:
        return self._management.ask("GET", what, self._management.vhost) or []

    def _all(self, what: str) -> Iterable[dict[str, Any]]:
        return [each for each in self._management.ask("GET", what) or [] if each["vhost"] == self._management.vhost]

    def _concerns_us(self, source: str, kind: str, destination: str) -> bool:
        if not source:  # every queue is bound to the nameless exchange, by its name
            return False
        return source in self._exchanges or (kind == "queue" and self._is_queue_of_ours(destination))

    def _is_queue_of_ours(self, name: str) -> bool:
        return name == DEAD_LETTERS.name or bool(self._owner(name))

    def _is_about_us(self, pattern: str) -> bool:
        names = [*self._exchanges, *self._owners, "rpc.reply-x", "integrator.x.events"]
        return any(re.search(pattern, name) for name in names)

    def _owner(self, queue: str) -> str:
        """The user who alone should read this queue; empty for a queue that is none of ours."""
        if queue in self._owners:
            return self._user_of[self._owners[queue]]
        if _REPLY.fullmatch(queue):
            return self._user_of["gateway"]
        found = _INTEGRATOR.fullmatch(queue)
        return found[1] if found and found[2] else ""

    def _is_ours(self, source: str, kind: str, destination: str, key: str) -> bool:
        if kind == "exchange":
            return destination == PUBLIC.name and source in {f"{name}.events" for name in SERVICES}
        if destination == DEAD_LETTERS.name:
            return bool(source == DEAD_LETTERS.name)
        if destination in SERVICES:
            return (source, key) in permissions.heard(destination) | set(self._bound.get(destination, ()))
        if destination in self._owners:
            return source == RPC.name and bool(re.search(self._calls_of(self._owners[destination]), key))
        if reply := _REPLY.fullmatch(destination):
            return source == RPC.name and key == reply[1]
        if (found := _INTEGRATOR.fullmatch(destination)) and found[2]:
            return source == PUBLIC.name and key in self._public & _keys(self._topics.get(found[1], {}))
        return False

    @staticmethod
    @functools.cache
    def _calls_of(name: str) -> str:
        """The pattern of keys by which a service may bind its queue of calls."""
        return permissions.of(name).topics[RPC.name][1]

    def _unbinding(self, kind: str, name: str) -> str:
        if kind == "queue" and not self._is_queue_of_ours(name):
            return f"{_ASK}; then `rabbitmqctl delete_queue --vhost {self._management.vhost} {name}`"
        return f"{_ASK}; then unbind it in the management"


def _user(url: str) -> str:
    return unquote(urlsplit(url).username or "")


def _tags(tags: str | list[str]) -> str:
    """RabbitMQ writes them in one text or as a list, by its version."""
    return tags if isinstance(tags, str) else ", ".join(tags)


def _keys(topics: Mapping[str, tuple[str, str]]) -> set[str]:
    """The routing keys of the public exchange that somebody may bind."""
    _, read = topics.get(PUBLIC.name, ("", permissions.NOTHING))
    return {key.replace("\\.", ".") for key in read.removeprefix("^(").removesuffix(")$").split("|")}
