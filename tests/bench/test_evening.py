"""The evening's comparison is fair only if every side sends the same mails, each once, and leaves the same rows."""

import email
import email.policy
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pratique.event import Envelope
from tests.bench import evening
from tests.bench.closings import ATTENDEES, closings
from tests.bench.environment import Environment
from tests.bench.replicas import reactions_per_second
from tests.bench.sink import sink
from tests.servers import Servers

pytestmark = pytest.mark.real
COUNT = 4
TOKEN = re.compile(r"/s/[A-Za-z0-9_-]{96}")

#: `make bench` runs this file before it measures, with the peers that it alone installs.
needs_peers = pytest.mark.skipif(
    not (find_spec("faststream") and find_spec("celery")), reason="the peers come with `make bench`"
)


@pytest.fixture(scope="module")
def made() -> Sequence[Envelope[Any]]:
    return list(closings(COUNT, datetime.now(UTC), people=40))


@pytest.fixture(scope="module")
def our_mails(servers: Servers, made: Sequence[Envelope[Any]]) -> list[Any]:
    return sent(partial(evening.ours, Environment(servers), made, replicas={"notifications": 2}))


def test_everyone_who_was_there_is_sent_one_mail_by_one_of_two_replicas(
    made: Sequence[Envelope[Any]], our_mails: list[Any]
) -> None:
    there = [each.member_id for envelope in made for each in envelope.event.attendees]

    assert len(our_mails) == len(there) == COUNT * ATTENDEES
    assert len({to for to, *_ in our_mails}) == len(set(there))


@needs_peers
def test_faststream_sends_the_mails_that_we_send(
    servers: Servers, made: Sequence[Envelope[Any]], our_mails: list[Any]
) -> None:
    assert sent(partial(evening.faststream, Environment(servers), made)) == our_mails


@needs_peers
def test_celery_sends_the_mails_that_we_send(
    servers: Servers, made: Sequence[Envelope[Any]], our_mails: list[Any], tmp_path: Path
) -> None:
    path = tmp_path / "bodies.jsonl"
    path.write_bytes(b"\n".join([envelope.to_bytes() for envelope in made]))

    assert sent(partial(evening.celery, Environment(servers), made, path)) == our_mails


def test_two_replicas_handle_each_closing_once(servers: Servers) -> None:
    assert reactions_per_second(Environment(servers), list(closings(300, datetime.now(UTC))), 2)


def sent(start: Callable[[str], evening.Started]) -> list[Any]:
    """The mails of one side, in an order of their own: to whom, and what they say."""
    arrivals, mails = evening.Arrivals(), list[bytes]()
    with sink(arrivals.at.append, mails.append) as smtp_url, start(smtp_url) as sides:
        arrivals.wait_for(COUNT * ATTENDEES, sides)
    return sorted(map(_said, mails))


def _said(mail: bytes) -> Any:
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    words = [" ".join(part.get_content().split()) for part in parsed.walk() if not part.is_multipart()]
    kinds = [part.get_content_type() for part in parsed.walk()]
    return str(parsed["To"]), str(parsed["Subject"]), str(parsed["From"]), kinds, [TOKEN.sub("/s/", e) for e in words]
