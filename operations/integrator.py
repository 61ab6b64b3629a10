"""Users of the broker for other people's programs: each may read the events that it was given, and nothing else."""

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import click
from rich.table import Table

from chassis.messaging.broker import PUBLIC
from chassis.settings import Settings
from chassis.storage import audit
from chassis.storage.store import Store
from operations import Refusal, permissions, settings_of
from operations.integrator_queues import DEAD, PREFIX, definitions, is_dead_letters, policies_of
from operations.management import Management, new_password
from operations.show import show
from pratique.event import REGISTRY, Event

CONNECTIONS = {"max-connections": 10, "max-channels": 50}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_NOT_PUBLIC = (
    "This is the broker's address for containers beside it. For a program elsewhere offer the broker by TLS and set "
    "PRATIQUE_BROKER_PUBLIC_URL (docs/operate.md, Integrators)."
)


@click.group()
def integrator() -> None:
    """Let other people's programs read events: make, list and remove their users of the broker."""


@integrator.command()
@click.argument("name")
@click.option("--events", required=True, metavar="EVENT,…", help="The types of events that it may read, and no others.")
@click.option("--queue", "queues", multiple=True, metavar="QUEUE[=EVENT,…]",
              help="A queue to make, integrator.NAME.QUEUE, for all or these events; `events` by default.")  # fmt: skip
@click.option("--new-password", "is_renewed", is_flag=True, help="For one that is there: let its old one end now.")
@click.pass_context
def add(ctx: click.Context, name: str, events: str, queues: tuple[str, ...], is_renewed: bool) -> None:
    """Let NAME read these events, and print the address with its password, this once.

    Its queues are bound to these events from now on, so that nothing is lost until its program first starts. Its user
    may bind them to these events and read them; it may make nothing, publish nothing, and hear nothing else. What comes
    too often without being acknowledged is set aside in one more queue, integrator.NAME.dead, which it reads too. For a
    NAME that is there, the events become these, and its password and its queues stay: what it may no longer read is
    unbound, what is new is bound to all of its queues, or as --queue says.

    \b
    pratique integrator add acme --events MeetingClosed,SurveyOpened
    pratique integrator add acme --events MeetingClosed,SurveyOpened --queue closings=MeetingClosed --queue board
    """
    _check_name(name, "NAME")
    chosen = _public(events)
    names = sorted(event.routing_key for event in chosen)
    events_of = dict(_queue_events(queue, names) for queue in queues)
    settings = settings_of(ctx)
    management = _management(settings)
    is_new = _user(management, name) is None
    if not events_of and not _queues(management, name):
        events_of = {"events": names}
    password = new_password() if is_new or is_renewed else None
    with _audited(settings, "integrator.added" if is_new else "integrator.changed", name, {"events": names}):
        before = _given(management, name)
        _give(management, name, chosen, events_of, password)
        _bind(management, name, names, events_of, set(names) - set(before))
    if not is_new:
        management.disconnect(PREFIX + name)
    queue_names = ", ".join(_queues(management, name))
    if password:
        click.echo(_address(settings, management, f"{PREFIX}{name}:{password}"))
        click.echo(f"Keep it now; it is not shown again. It reads {', '.join(names)} from {queue_names}.", err=True)
        if not settings.broker_public_url:
            click.echo(_NOT_PUBLIC, err=True)
    else:
        click.echo(f"{name} reads {', '.join(names)} from {queue_names}; its password is as it was", err=True)


@integrator.command("list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """List who may read events: name, events, and how many wait in each queue; never passwords.

    \b
    pratique integrator list
    """
    management = _management(settings_of(ctx))
    table = Table("name", "events", "queues (waiting)")
    with management.channel() as channel:
        for user in management.ask("GET", "users"):
            if user["name"].startswith(PREFIX):
                name = user["name"].removeprefix(PREFIX)
                queues = _queues(management, name, with_dead=True)
                waiting = [f"{queue} ({_depth(channel, queue)})" for queue in queues]
                table.add_row(name, ", ".join(_given(management, name)), "\n".join(waiting))
    show(table, "There is no integrator." if not table.row_count else "")


@integrator.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def remove(ctx: click.Context, name: str, yes: bool) -> None:
    """Let NAME read nothing from now on: its user, its queues and what waits in them are gone.

    \b
    pratique integrator remove acme
    """
    _check_name(name, "NAME")
    settings = settings_of(ctx)
    management = _management(settings)
    if _user(management, name) is None:
        raise Refusal(f"There is no integrator {name}; `pratique integrator list` shows who there is.")
    queues = _queues(management, name, with_dead=True)
    if not yes:
        click.confirm(f"Remove {name} with {len(queues)} queues and what waits in them?", abort=True)
    with _audited(settings, "integrator.removed", name, {"queues": len(queues)}):
        management.ask("DELETE", "users", PREFIX + name)  # RabbitMQ closes its connections then
        for queue in queues:
            management.ask("DELETE", "queues", management.vhost, queue)
        for policy in policies_of(name):
            management.ask("DELETE", "policies", management.vhost, policy)
    click.echo(f"{name} is removed")


def _address(settings: Settings, management: Management, user: str) -> str:
    """Return the broker's address for a user and password: where the public reaches it, if that is set."""
    if not settings.broker_public_url:
        return f"amqp://{user}@{management.host}:{management.port}/{quote(management.vhost, safe='')}"
    parts = urlsplit(settings.broker_public_url)
    port = parts.port or (5671 if parts.scheme == "amqps" else 5672)
    return f"{parts.scheme}://{user}@{parts.hostname}:{port}/{quote(management.vhost, safe='')}"


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refusal(f"{what} must be lower-case letters, digits and hyphens, at most 40, such as acme; not {name!r}.")


def _queue_events(queue: str, given: Sequence[str]) -> tuple[str, list[str]]:
    """A queue's name, and what it is to hear of what is given: all, unless it says otherwise."""
    name, has_own, events = queue.partition("=")
    _check_name(name, "--queue")
    if name == DEAD:
        raise Refusal(f"--queue {queue}: {DEAD} is the queue of dead letters, which everyone has; choose another name.")
    own = [each.strip() for each in events.split(",")] if has_own else list(given)
    for each in own:
        if each not in given:
            raise Refusal(f"--queue {queue}: {each!r} is not among --events {','.join(given)}.")
    return name, own


def _public(names: str) -> list[type[Event]]:
    """The events that these names say.

    Raises:
        Refusal: one does not exist, or is private: it carries names, addresses, free text or links.
    """
    known = {event.routing_key: event for event in REGISTRY.values()}
    chosen = [name.strip() for name in names.split(",") if name.strip()]
    public = sorted(name for name, event in known.items() if not event.is_private)
    for name in chosen:
        if name in known and known[name].is_private:
            raise Refusal(f"{name} is private: it carries personal data, and no integrator may read it.")
        if name not in known:
            raise Refusal(f"There is no event {name!r}. Choose from {', '.join(public)}.")
    if not chosen:
        raise Refusal(f"Say which events: choose from {', '.join(public)}.")
    return [known[name] for name in dict.fromkeys(chosen)]


def _management(settings: Settings) -> Management:
    if settings.is_embedded:
        raise Refusal("The embedded mode has no broker, so nobody can subscribe to it.")
    return Management(settings)


def _user(management: Management, name: str) -> Any:
    return management.ask("GET", "users", PREFIX + name)


def _give(
    management: Management, name: str, events: Sequence[type[Event]], queues: Iterable[str], password: str | None
) -> None:
    """Leave the broker with the user, its queues and its permissions, which come before there is a password."""
    user = PREFIX + name
    management.give(
        {"users": [{"name": user, "password": password, "tags": ""}] if password else []},
        permissions.of_integrator(name, events).definitions(user, management.vhost),
        definitions(name, queues, management.vhost),
    )
    for limit, value in CONNECTIONS.items():
        management.ask("PUT", "user-limits", user, limit, body={"value": value})


def _given(management: Management, name: str) -> list[str]:
    """The events that the user may bind, read from its permissions."""
    found = management.ask("GET", "users", PREFIX + name, "topic-permissions") or []
    patterns = [each["read"] for each in found if (each["vhost"], each["exchange"]) == (management.vhost, PUBLIC.name)]
    return [key.replace("\\.", ".") for pattern in patterns for key in pattern[2:-2].split("|")]


def _queues(management: Management, name: str, *, with_dead: bool = False) -> list[str]:
    """Return the names of its queues, in order, by default without the one for dead letters."""
    names = sorted(queue["name"] for queue in management.ask("GET", "queues", management.vhost) or [])
    own = [queue for queue in names if queue.startswith(f"{PREFIX}{name}.")]
    return [queue for queue in own if with_dead or not is_dead_letters(queue)]


def _depth(channel: Any, queue: str) -> int:
    """Return how many messages wait in a queue, without those that somebody has taken and not acknowledged."""
    return int(channel.queue_declare(queue, passive=True).message_count)


def _bind(
    management: Management, name: str, given: Sequence[str], events_of: Mapping[str, Sequence[str]], new: Iterable[str]
) -> None:
    """Let each of its queues hear what is named for it; where nothing is said, what it heard and what is new."""
    for queue in _queues(management, name):
        own = events_of.get(queue.removeprefix(f"{PREFIX}{name}."))
        between = ("bindings", management.vhost, "e", PUBLIC.name, "q", queue)
        for binding in management.ask("GET", *between) or []:
            if binding["routing_key"] not in (given if own is None else own):
                management.ask("DELETE", *between, binding["properties_key"])
        for key in new if own is None else own:
            management.ask("POST", *between, body={"routing_key": key, "arguments": {}})


@contextlib.contextmanager
def _audited(settings: Settings, action: str, name: str, after: dict[str, Any]) -> Iterator[None]:
    """Note the change in the gateway's store, where that of tokens is noted; nothing is noted if it fails."""
    opened = Store("gateway", settings.store_url("gateway"), pool_size=1)
    try:
        with opened.begin() as session:
            audit.record(session, action, name, after=after)
            yield
    finally:
        opened.close()
