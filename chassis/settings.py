"""Settings of a process, read once at start from the environment.

Every ``PRATIQUE_X`` may be given as ``PRATIQUE_X_FILE`` instead: a file that holds the value, as container secrets do.
"""

import dataclasses
import functools
import ipaddress
import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from chassis.sealing import KEY_BYTES, Seal
from pratique import SERVICES as SERVICES

STORES = (*SERVICES, "gateway")
EMBEDDED = "embedded://"
_PORTS = 65_535
_MANY = 1_000_000_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Missing(Exception):
    """A setting is missing or malformed; the message says which, and what to set it to."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """All settings of one process."""

    broker_url: str  #: amqp://user:password@host:5672/vhost, or embedded:// for one process without a broker
    store_urls: Mapping[str, str]  #: SQLAlchemy URL by service; only those that this process opens are needed
    home: Path  #: the folder that holds services/ and gateway/
    broker_urls: Mapping[str, str] = dataclasses.field(default_factory=dict)  #: by service, of its own broker user
    broker_api_url: str = ""  #: RabbitMQ's management, if not on port 15672 of the broker's host
    broker_public_url: str = ""  #: amqps://host:5671, where integrators' programs elsewhere reach the broker
    public_url: str = "http://127.0.0.1:8000"  #: how people reach the gateway; links in mails begin with it
    http_host: str = "127.0.0.1"
    http_port: int = 8000  #: 1 to 65535
    trusted_proxies: tuple[Network, ...] = ()  #: of your own proxies, whose X-Forwarded-For is believed
    health_port: int = 0  #: /healthz, /readyz and /metrics of a service; 0: none
    smtp_url: str = ""  #: smtp://user:password@host:587 (STARTTLS where offered) or smtps://…; empty: into files
    mail_dir: Path = Path("var/mail")  #: where mails go while smtp_url is empty
    mail_from: str = "Pratique <pratique@localhost>"
    seal_key: str = ""  #: 64 hexadecimal digits; seals what the broker carries in private, and sheets in their store
    seal_key_path: Path | None = None  #: of the embedded mode: where it keeps its key, made when it is first needed
    k_scores: int = 5  #: answers that a meeting's results need before anybody sees them; 5 at the least
    k_comments: int = 10  #: answers that its comments need; 10 at the least
    room_policy: str = "open"  #: open: whoever comes without a pass chooses a name; personal: nobody chooses one
    metrics_token: str = ""  #: what Prometheus sends as bearer to the health port; empty: nobody gets metrics there
    mails_a_day: int = 20_000  #: mails that what one token or one person does may bring about in a day
    batch_size: int = 100  #: deliveries in one transaction, at most
    max_workers: int = 10  #: RPC calls that one service handles at once
    rpc_timeout_s: float = 5.0  #: after this the gateway answers 503
    log_format: str = "json"  #: json, or text for people

    @property
    def is_embedded(self) -> bool:
        """Whether everything runs in this one process."""
        return self.broker_url.startswith("embedded:")

    @property
    def data_dir(self) -> Path:
        """The folder of the embedded mode: stores, mails, token."""
        return self.mail_dir.parent

    @functools.cached_property
    def seal(self) -> Seal:
        """What closes and opens this network's sealed boxes.

        Raises:
            Missing: the key is not set, or is none.
        """
        try:
            return Seal.of(_own_key(self.seal_key_path) if self.seal_key_path else self.seal_key)
        except ValueError as error:
            raise Missing(
                "PRATIQUE_SEAL_KEY must be 64 hexadecimal digits, the same for every process of this network. "
                "`sh deploy/secrets.sh` makes one; keep a copy, for without it no open survey can be read."
            ) from error

    def broker_url_of(self, name: str) -> str:
        """The broker's URL for a service or the gateway: of its own user if it has one here, else of the common one."""
        return self.broker_urls.get(name, self.broker_url)

    def store_url(self, name: str) -> str:
        """The URL of one store.

        Raises:
            Missing: it is not set.
        """
        if name not in self.store_urls:
            raise Missing(
                f"PRATIQUE_STORE_{name.upper()} is not set. Set it to the database of {name}, "
                f"for instance postgresql+psycopg2://{name}:PASSWORD@postgres/{name}"
            )
        return self.store_urls[name]


def home() -> Path:
    """The folder that holds services/ and gateway/: PRATIQUE_HOME, or where we are."""
    return Path(_text(os.environ, "HOME", "."))


def embedded(home: Path, data: Path) -> Settings:
    """The settings of ``pratique up``: one process, SQLite files under ``data``, mail into files."""
    urls = {name: f"sqlite:///{(data / name).resolve()}.sqlite" for name in STORES}
    port = _integer(os.environ, "HTTP_PORT", Settings.http_port, 1, _PORTS)
    return Settings(
        broker_url=EMBEDDED,
        store_urls=urls,
        home=home,
        http_port=port,
        public_url=_web(os.environ, "PUBLIC_URL", f"http://127.0.0.1:{port}"),
        mail_dir=data / "mail",
        room_policy=_one_of(os.environ, "ROOM_POLICY", ("open", "personal")),
        seal_key_path=data / "seal_key",
        log_format="text",
    )


def _own_key(path: Path) -> str:
    """The seal key of the embedded mode, made when it is first asked for; only this user may read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:  # made with mode 600
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            with suppress(FileExistsError):  # another process was faster; theirs is the key
                os.link(file.name, path)  # whole or not at all
    return path.read_text(encoding="ascii")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        Missing: a setting that has no default is absent, or one cannot be read. Nothing has been started.
    """
    env = os.environ if environ is None else environ
    broker_url = _broker(env, "BROKER_URL")
    if not broker_url:
        raise Missing(
            "PRATIQUE_BROKER_URL is not set. Set it to your RabbitMQ, for instance "
            "amqp://pratique:PASSWORD@rabbitmq:5672//, or run `pratique up`, which needs none."
        )
    return Settings(
        broker_url=broker_url,
        store_urls={name: url for name in STORES if (url := _database(env, name))},
        home=Path(_text(env, "HOME", ".")),
        broker_urls={name: url for name in STORES if (url := _broker(env, f"BROKER_{name.upper()}"))},
        broker_api_url=_web(env, "BROKER_API_URL", ""),
        broker_public_url=_broker(env, "BROKER_PUBLIC_URL"),
        public_url=_web(env, "PUBLIC_URL", Settings.public_url),
        http_host=_text(env, "HTTP_HOST", Settings.http_host),
        http_port=_integer(env, "HTTP_PORT", Settings.http_port, 1, _PORTS),
        trusted_proxies=_networks(env, "TRUSTED_PROXIES"),
        health_port=_integer(env, "HEALTH_PORT", Settings.health_port, 0, _PORTS),
        smtp_url=_text(env, "SMTP_URL", ""),
        mail_dir=Path(_text(env, "MAIL_DIR", str(Settings.mail_dir))),
        mail_from=_text(env, "MAIL_FROM", Settings.mail_from),
        seal_key=_text(env, "SEAL_KEY", ""),
        k_scores=_raised(env, "K_SCORES", Settings.k_scores),
        k_comments=_raised(env, "K_COMMENTS", Settings.k_comments),
        room_policy=_one_of(env, "ROOM_POLICY", ("open", "personal")),
        metrics_token=_text(env, "METRICS_TOKEN", ""),
        mails_a_day=_integer(env, "MAILS_A_DAY", Settings.mails_a_day),
        batch_size=_integer(env, "BATCH_SIZE", Settings.batch_size, 1, 10_000),
        max_workers=_integer(env, "MAX_WORKERS", Settings.max_workers, 1, 1000),
        rpc_timeout_s=float(_integer(env, "RPC_TIMEOUT_S", int(Settings.rpc_timeout_s), 1, 600)),
        log_format=_one_of(env, "LOG_FORMAT", ("json", "text")),
    )


def _text(env: Mapping[str, str], name: str, default: str) -> str:
    name = f"PRATIQUE_{name}"
    if path := env.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Missing(f"{name}_FILE names {path}, which cannot be read: {error.strerror}.") from error
    return env.get(name, default)


def _parts(name: str, text: str, schemes: Sequence[str], example: str) -> SplitResult:
    """Return the parts of an address that has one of these schemes and a host.

    Raises:
        Missing: it has not. The text is not repeated, since passwords stand in addresses.
    """
    with suppress(ValueError):  # a port that is no number, brackets that nobody closes
        parts = urlsplit(text)
        has_host = parts.hostname or "host=/" in parts.query  # PostgreSQL may listen on a socket in a folder
        if parts.scheme in schemes and has_host and (parts.port is None or parts.port > 0):
            return parts
    raise Missing(f"PRATIQUE_{name} is no address that can be used; it must look like {example}.")


def _web(env: Mapping[str, str], name: str, default: str) -> str:
    text = _text(env, name, default).rstrip("/")
    if text:
        parts = _parts(name, text, ("http", "https"), "https://pratique.example.org")
        if parts.query or parts.fragment or parts.username is not None:
            raise Missing(f"PRATIQUE_{name} must end with a host, a port or a path, as https://pratique.example.org.")
    return text


def _broker(env: Mapping[str, str], name: str) -> str:
    text = _text(env, name, "")
    if text and text != EMBEDDED:
        _parts(name, text, ("amqp", "amqps"), "amqp://USER:PASSWORD@rabbitmq:5672//")
    return text


def _database(env: Mapping[str, str], store: str) -> str:
    name = f"STORE_{store.upper()}"
    text = _text(env, name, "")
    if text and not text.startswith("sqlite:///"):
        example = f"postgresql+psycopg2://{store}:PASSWORD@postgres/{store}"
        if not _parts(name, text, ("postgresql", "postgresql+psycopg2"), example).path.strip("/"):
            raise Missing(f"PRATIQUE_{name} names no database; it must look like {example}.")
    return text


def _integer(env: Mapping[str, str], name: str, default: int, least: int = 0, most: int = _MANY) -> int:
    text = _text(env, name, str(default))
    is_whole = text.isascii() and text.isdecimal() and len(text) <= len(str(_MANY))
    if not is_whole or not least <= int(text) <= most:
        raise Missing(
            f"PRATIQUE_{name} is {text!r}; it must be a whole number from {least} to {most}, for instance {default}."
        )
    return int(text)


def _raised(env: Mapping[str, str], name: str, least: int) -> int:
    """A threshold that protects people: what we promise them holds everywhere, and a network may promise more."""
    number = _integer(env, name, least)
    if number < least:
        raise Missing(f"PRATIQUE_{name} is {number}; it may only be raised: people are promised {least} or more.")
    return number


def _one_of(env: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    text = _text(env, name, choices[0])
    if text not in choices:
        raise Missing(f"PRATIQUE_{name} is {text!r}; it must be {' or '.join(choices)}.")
    return text


def _networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    text = _text(env, name, "")
    try:
        return tuple([ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()])
    except ValueError as error:
        raise Missing(
            f"PRATIQUE_{name} is {text!r}; it must name the networks of your own proxies, for instance "
            "10.0.0.0/8,fd00::/8, and be empty where there is none. A number of proxies is no longer taken."
        ) from error
