"""RabbitMQ's management over HTTP: users and their permissions, queues and bindings. For operators only."""

import base64
import contextlib
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from kombu import Exchange

from chassis.messaging import broker
from chassis.messaging.transport import transport_of
from chassis.settings import SERVICES, STORES, Settings
from operations import permissions
from pratique.errors import Forbidden, Invalid, Unavailable

_TIMEOUT_S = 10
_LISTED_WITHIN_S = 15.0  #: a connection is listed once the broker has told of it, usually at once
#: What to do where the management tells neither connections nor who consumes.
COLLECTS_NOTHING = (
    "RabbitMQ's management collects no metrics: set management_agent.disable_metrics_collector = false, or take an "
    "image whose name ends in -management"
)
Bound = Mapping[str, Iterable[permissions.Binding]]


class Management:
    """The management of the broker that these settings name, as the user whom their URL names."""

    def __init__(self, settings: Settings) -> None:
        parts = urlsplit(settings.broker_url)
        self.transport = transport_of(settings.broker_url)
        self.host, self.port = parts.hostname or "", parts.port or 5672
        self.user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self.vhost = unquote(parts.path[1:]) or "/"
        scheme, port = ("https", 15671) if parts.scheme == "amqps" else ("http", 15672)
        self.url = settings.broker_api_url or f"{scheme}://{self.host}:{port}"

    def ask(self, method: str, *path: str, body: Any = None) -> Any:
        """Ask the management API; None where there is no such thing.

        Raises:
            Unavailable: it does not answer.
            Forbidden: our user is none of its administrators.
            Invalid: it does not take what was sent.
        """
        request = urllib.request.Request(  # noqa: S310  (an operator's own address)
            "/".join([self.url, "api", *(quote(step, safe="") for step in path)]),
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Basic {self._credentials()}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return self._refused(error, path)
        except (OSError, ValueError) as error:
            raise Unavailable(
                f"RabbitMQ's management does not answer at {self.url} ({getattr(error, 'reason', error)}); is its "
                "plugin rabbitmq_management enabled, and PRATIQUE_BROKER_API_URL right?"
            ) from error
        return json.loads(text) if text else {}

    def _credentials(self) -> str:
        return base64.b64encode(f"{self.user}:{self._password}".encode()).decode()

    def _refused(self, error: urllib.error.HTTPError, path: tuple[str, ...]) -> None:
        if error.code == 404:
            return
        if error.code in (401, 403):
            raise Forbidden(
                f"RabbitMQ's management at {self.url} refuses the user {self.user!r} of PRATIQUE_BROKER_URL; "
                "only an administrator may change users."
            )
        raise Invalid(f"RabbitMQ's management says {error.code} to {'/'.join(path)}: {error.read(300).decode()}")

    def give(self, *parts: Mapping[str, list[dict[str, Any]]]) -> None:
        """Leave the broker with these definitions, exchanges first: RabbitMQ 4.3 gives no right to a missing one."""
        whole: dict[str, list[dict[str, Any]]] = {}
        for part in parts:
            for kind, entries in part.items():
                whole.setdefault(kind, []).extend(entries)
        if exchanges := whole.pop("exchanges", []):
            self.ask("POST", "definitions", body={"exchanges": exchanges})
        self.ask("POST", "definitions", body=whole)

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel to the broker itself, as the same user, within a ``with`` block.

        Raises:
            Unavailable: the broker does not answer, or breaks off.
        """
        try:
            with self.transport.connection() as connection:
                yield connection.default_channel
        except broker.BROKER_ERRORS as error:
            words = f"RabbitMQ does not answer at {self.host}:{self.port}, or broke off ({type(error).__name__})"
            raise Unavailable(f"{words}; `pratique doctor` tells more.") from error

    def collects_metrics(self) -> bool:
        """Return whether it tells who consumes, and more of what moves than names."""
        return not (self.ask("GET", "overview") or {}).get("disable_stats")

    def disconnect(self, user: str) -> None:
        """Close all connections that this user has now: what is open remembers for a while what it was allowed.

        Raises:
            Unavailable: the management lists no connection, though there is one.
        """
        with self.channel():  # our own connection must be listed, or the list tells nothing
            if not _soon(lambda: self.ask("GET", "connections", "username", self.user)):
                words = f"The connections of {user} cannot be closed, since none is listed"
                raise Unavailable(f"{words}. {COLLECTS_NOTHING}.")
            self.ask("DELETE", "connections", "username", user)


def grant_permissions(settings: Settings, bound: Bound) -> list[str]:
    """Give each service, and the gateway, its own broker user where one is set here, with its permissions and no more.

    Users that are there get the password that their URL says. Returns the names of those that were served.
    """
    management = Management(settings)
    parts, served = [], []
    for name in STORES:
        own = urlsplit(settings.broker_urls.get(name, ""))
        user = unquote(own.username or "")
        if not user or user == management.user:
            continue
        password = unquote(own.password or "")
        parts.append({"users": [{"name": user, "password": password, "tags": ""}]})
        parts.append(permissions.of(name, bound.get(name, ())).definitions(user, management.vhost))
        served.append(name)
    if parts:
        allowed = [each for part in parts for each in part.get("topic_permissions", ())]
        _declare_exchanges(management, {each["exchange"] for each in allowed})
        management.give(*parts)
    return served


def _declare_exchanges(management: Management, named: Iterable[str]) -> None:
    """Leave the broker with every exchange that permissions name, also those of services that were not migrated yet."""
    with management.channel() as channel:
        broker.RPC(channel).declare()
        for service in SERVICES:
            management.transport.declare_exchanges(channel, service)
        for exchange in sorted(named):
            management.transport.ensure_exchange(channel, Exchange(exchange, "topic", durable=True))


def _soon(is_true: Callable[[], Any]) -> bool:
    """Wait for it a while, and return whether it came true."""
    end = time.monotonic() + _LISTED_WITHIN_S
    while not is_true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def new_password() -> str:
    """192 random bits in letters and digits, so that it can stand in a URL."""
    return secrets.token_hex(24)
