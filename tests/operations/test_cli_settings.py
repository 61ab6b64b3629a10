"""Settings that make no sense are refused by name before anything starts, and a promise may only be raised."""

from pathlib import Path
from threading import Barrier, Thread

import pytest

from chassis import settings
from chassis.settings import Missing, Settings


def loaded(**env: str) -> Settings:
    """The settings of a process with these variables."""
    return settings.load({"PRATIQUE_BROKER_URL": "amqp://x"} | {f"PRATIQUE_{name}": text for name, text in env.items()})


_BROKER = "it must look like amqp://USER:PASSWORD@rabbitmq:5672//"
_STORE = "it must look like postgresql+psycopg2://meetings:PASSWORD@postgres/meetings"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("BATCH_SIZE", "0", "PRATIQUE_BATCH_SIZE is '0'; it must be a whole number from 1 to 10000, for instance 100."),
        ("HTTP_PORT", "99999", "a whole number from 1 to 65535, for instance 8000."),
        ("HTTP_PORT", "0", "a whole number from 1 to 65535"),
        ("HEALTH_PORT", "65536", "a whole number from 0 to 65535"),
        ("MAX_WORKERS", "0", "a whole number from 1 to 1000, for instance 10."),
        ("RPC_TIMEOUT_S", "0", "a whole number from 1 to 600, for instance 5."),
        ("RPC_TIMEOUT_S", "²", "PRATIQUE_RPC_TIMEOUT_S is '²'; it must be a whole number"),
        ("RPC_TIMEOUT_S", "٣", "it must be a whole number"),
        ("MAILS_A_DAY", "-1", "it must be a whole number"),
        ("MAILS_A_DAY", "9" * 5000, "it must be a whole number"),
        ("BATCH_SIZE", "", "PRATIQUE_BATCH_SIZE is ''; it must be a whole number"),
        ("LOG_FORMAT", "yaml", "PRATIQUE_LOG_FORMAT is 'yaml'; it must be json or text."),
        ("ROOM_POLICY", "closed", "PRATIQUE_ROOM_POLICY is 'closed'; it must be open or personal."),
        ("K_SCORES", "4", "PRATIQUE_K_SCORES is 4; it may only be raised: people are promised 5 or more."),
        ("BROKER_URL", "amqp:/x", f"PRATIQUE_BROKER_URL is no address that can be used; {_BROKER}"),
        ("BROKER_URL", "rabbitmq:5672", _BROKER),
        ("BROKER_URL", "amqp://u:secret@rabbitmq:port//", _BROKER),
        ("BROKER_MEETINGS", "amqp://u:secret@/", f"PRATIQUE_BROKER_MEETINGS is no address that can be used; {_BROKER}"),
        ("BROKER_PUBLIC_URL", "broker.example.org", "PRATIQUE_BROKER_PUBLIC_URL is no address that can be used"),
        ("STORE_MEETINGS", "nonsense", f"PRATIQUE_STORE_MEETINGS is no address that can be used; {_STORE}"),
        ("STORE_MEETINGS", "mysql://meetings:secret@db/meetings", _STORE),
        ("STORE_MEETINGS", "postgresql+psycopg2://meetings:secret@db:99999/meetings", _STORE),
        ("STORE_MEETINGS", "postgresql+psycopg2://meetings:secret@db", "PRATIQUE_STORE_MEETINGS names no database"),
        (
            "PUBLIC_URL",
            "foo",
            "PRATIQUE_PUBLIC_URL is no address that can be used; it must look like https://pratique.",
        ),
        ("PUBLIC_URL", "//pratique.example.org", "it must look like https://pratique.example.org"),
        ("PUBLIC_URL", "https://pratique.example.org/?a=b", "PRATIQUE_PUBLIC_URL must end with a host"),
        ("BROKER_API_URL", "rabbitmq:15672", "PRATIQUE_BROKER_API_URL is no address that can be used"),
        ("K_COMMENTS", "9", "PRATIQUE_K_COMMENTS is 9; it may only be raised: people are promised 10 or more."),
    ],
)
def test_nonsense_is_refused_by_name(name: str, text: str, words: str) -> None:
    with pytest.raises(Missing) as refused:
        loaded(**{name: text})
    assert words in str(refused.value)
    assert "secret" not in str(refused.value), "passwords stand in addresses"


def test_a_database_may_listen_on_a_socket_in_a_folder() -> None:
    url = "postgresql+psycopg2://meetings@/meetings?host=/run/postgresql"
    assert loaded(STORE_MEETINGS=url).store_url("meetings") == url


def test_what_a_network_promises_may_be_raised() -> None:
    raised = loaded(K_SCORES="8", K_COMMENTS="12")
    assert (raised.k_scores, raised.k_comments) == (8, 12)


@pytest.mark.parametrize("key", ["", "5e" * 31, "5e" * 33, "xy" * 32])
def test_without_a_seal_key_that_is_one_nothing_is_sealed(key: str) -> None:
    with pytest.raises(Missing, match="PRATIQUE_SEAL_KEY must be 64 hexadecimal digits"):
        _ = loaded(SEAL_KEY=key).seal


def test_the_embedded_mode_makes_its_own_key_when_it_needs_one(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    found = settings.embedded(Path(), folder)
    assert not folder.exists(), "who only looks leaves nothing"
    box = found.seal.close("rpc", b"hello")
    kept = folder / "seal_key"
    assert (folder.stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o700, 0o600)
    assert settings.embedded(Path(), folder).seal.open("rpc", box) == b"hello"
    assert [path.name for path in folder.iterdir()] == ["seal_key"]


def test_two_processes_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    keys, together = list[bytes](), Barrier(4)

    def begin() -> None:
        together.wait()
        keys.append(settings.embedded(Path(), tmp_path).seal.mark("x", b"same"))

    threads = [Thread(target=begin) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(keys)) == 1
