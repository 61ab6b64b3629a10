"""Health checks of a deployment: what is reachable, what lags, and what to do about it."""

import smtplib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from amqp.exceptions import AMQPError, NotFound
from kombu.connection import Connection
from kombu.exceptions import OperationalError
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from chassis import clock
from chassis.messaging import dead_letters, outbox
from chassis.runtime.probe import why_not_ready
from chassis.scheduling.due import DUE
from chassis.settings import SERVICES, STORES, Missing, Settings
from chassis.storage.migrate import is_current
from chassis.storage.store import Store, StoreAway
from operations.composition import migrations_of
from operations.finding import Finding
from operations.stores import bindings_of
from operations.strangers import strangers

LATE_S = 60  #: older than this, what is unpublished or overdue is a problem; usually it is gone in a second
LONG_QUEUE = 10_000  #: deliveries that wait in one queue; a service takes some thousand in a few seconds
_TIMEOUT_S = 5


def check_health(settings: Settings, gateway: str = "") -> list[Finding]:
    """Look at everything that these settings name; a server that does not answer costs some seconds.

    ``gateway`` is where it listens, if not where the settings say.
    """
    findings = [] if settings.is_embedded else [_seal_key(settings)]
    for name in STORES:
        findings += _store(settings, name)
    if settings.is_embedded:
        findings.append(Finding("broker", True, "embedded: queues live in the process of `pratique up`"))
    else:
        findings += _broker(settings)
    findings.append(_smtp(settings))
    findings.append(_gateway(gateway or _address(settings)))
    return findings


def _seal_key(settings: Settings) -> Finding:
    try:
        settings.seal.mark("doctor", b"")
    except Missing as error:
        return Finding("seal key", False, "not set here, or none", str(error))
    return Finding("seal key", True, "set; is a copy of it kept, and not beside the backups?")


def _store(settings: Settings, name: str) -> Iterator[Finding]:
    subject = f"store {name}"
    url = settings.store_urls.get(name)
    if url is None:
        yield Finding(subject, True, f"not looked at: PRATIQUE_STORE_{name.upper()} is not set here")
        return
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        yield Finding(subject, False, "its file does not exist", "run `pratique migrate`, or `pratique up` once")
        return
    opened = Store(name, url, pool_size=1)
    try:
        if not is_current(opened, migrations_of(name)):
            yield Finding(subject, False, "migrations are missing", f"run `pratique migrate {name}`")
            return
        yield Finding(subject, True, "reachable, migrated")
        yield from _lag(opened)
    except StoreAway:
        hint = f"is the database running, and is PRATIQUE_STORE_{name.upper()} right?"
        yield Finding(subject, False, "does not answer or refuses the role", hint)
    finally:
        opened.close()


def _lag(opened: Store) -> Iterator[Finding]:
    """Return findings on what waits in one store."""
    name = opened.name
    with opened.begin() as session:
        unpublished, age_s = outbox.backlog(session)
        letters = dead_letters.count(session)
        waiting = (DUE.c.state == "waiting") & (DUE.c.due_at <= clock.now())
        overdue, since = session.execute(select(func.count(), func.min(DUE.c.due_at)).where(waiting)).one()
    yield Finding(
        f"outbox {name}",
        age_s <= LATE_S,
        f"{unpublished} to publish, the oldest {age_s:.0f} s old" if unpublished else "empty",
        f"is {name} running, and does it reach the broker? Nothing is lost meanwhile" if age_s > LATE_S else "",
    )
    yield Finding(
        f"letters {name}",
        letters["dead"] == 0,
        f"{letters['dead']} dead, {letters['waiting']} tried again by themselves",
        f"read them: `pratique dead list --service {name}`" if letters["dead"] else "",
    )
    late_s = (clock.now() - since).total_seconds() if since else 0
    yield Finding(
        f"due {name}",
        late_s <= LATE_S,
        f"{overdue} overdue, the oldest by {late_s:.0f} s" if overdue else "nothing overdue",
        f"is {name} running? It catches up by itself" if late_s > LATE_S else "",
    )


def _broker(settings: Settings) -> Iterator[Finding]:
    limits = {"read_timeout": _TIMEOUT_S, "write_timeout": _TIMEOUT_S}
    connect: Any = Connection  # kombu has no annotations
    connection = connect(settings.broker_url, connect_timeout=_TIMEOUT_S, transport_options=limits)
    try:
        connection.ensure_connection(max_retries=1, timeout=_TIMEOUT_S)
        yield Finding("broker", True, "reachable")
        for name in SERVICES:
            yield _queue(connection, name)
        yield from strangers(settings, {name: _bound(settings, name) for name in SERVICES})
    except (OSError, AMQPError, OperationalError) as error:
        words = f"does not answer or refuses the user ({type(error).__name__})"
        yield Finding("broker", False, words, "is RabbitMQ running, and is PRATIQUE_BROKER_URL right?")
    finally:
        connection.release()


def _bound(settings: Settings, name: str) -> list[tuple[str, str]]:
    """Return what the queue of a service is bound to by its own account; nothing if nobody can say."""
    try:
        return bindings_of(name, settings.store_url(name))
    except (Missing, StoreAway, DBAPIError):  # told elsewhere; without its tables there is nothing bound either
        return []


def _queue(connection: Any, name: str) -> Finding:
    subject = f"queue {name}"
    try:
        with connection.channel() as channel:
            _, depth, consumers = channel.queue_declare(name, passive=True)
    except NotFound:
        return Finding(subject, False, "does not exist", f"run `pratique migrate {name}`, which declares it")
    words = f"{depth} waiting, {consumers} consuming"
    if not consumers:
        return Finding(subject, False, words, f"start it: `pratique run {name}`; the queue keeps what arrives")
    if depth > LONG_QUEUE:
        return Finding(subject, False, words, "run more of it: docs/operate.md, Scaling")
    return Finding(subject, True, words)


def _smtp(settings: Settings) -> Finding:
    if not settings.smtp_url:
        where = "" if settings.is_embedded else " of whatever runs notifications"
        return Finding("mail", True, f"written into files in the folder {settings.mail_dir}{where}, none is sent")
    parts = urlsplit(settings.smtp_url)
    connect: Callable[..., smtplib.SMTP] = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    port = parts.port or (465 if parts.scheme == "smtps" else 25)
    try:
        with connect(parts.hostname or "", port, timeout=_TIMEOUT_S) as client:
            client.noop()
    except (OSError, smtplib.SMTPException) as error:
        words = f"{parts.hostname}:{port} does not answer ({type(error).__name__})"
        return Finding("mail", False, words, "is PRATIQUE_SMTP_URL right? Mails wait meanwhile")
    return Finding("mail", True, f"{parts.hostname}:{port} answers")


def address_file(settings: Settings) -> Path:
    """Return the file in which the embedded mode keeps where its gateway listens, or did when it last ran."""
    return settings.data_dir / "address"


def _address(settings: Settings) -> str:
    if settings.is_embedded and (file := address_file(settings)).exists():
        return file.read_text(encoding="utf-8")
    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host  # noqa: S104  (compared only)
    return f"http://{host}:{settings.http_port}"


def _gateway(address: str) -> Finding:
    words = why_not_ready(f"{address}/readyz")
    hint = "is it running (`pratique run gateway`)? Its log says what it waits for"
    return Finding("gateway", not words, words or f"ready at {address}", hint if words else "")
