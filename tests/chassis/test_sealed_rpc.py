"""What the gateway asks and services answer is read by nobody on the way, and counts once, there, and in its time."""

import dataclasses
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

import eventlet
import pika
import pytest
from eventlet.event import Event as Signal
from eventlet.greenio import shutdown_safe
from marshmallow.validate import Length

from chassis.messaging import outbox
from chassis.rpc import messages
from chassis.rpc.client import Services
from chassis.rpc.messages import RpcRequest, Unopened
from chassis.rpc.methods import serves
from chassis.runtime.container import ServiceRuntime
from chassis.sealing import Seal
from chassis.settings import Missing
from chassis.storage import store
from chassis.testing import SEAL_KEY
from pratique.errors import Unavailable
from pratique.request import Answer, Query
from tests.chassis.conftest import Meetings
from tests.harness.containers import Running, running
from tests.harness.waiting import until
from tests.servers import Fresh

OURS, FOREIGN = Seal.of(SEAL_KEY), Seal.of("00" * 32)
ASKED = RpcRequest("cast_ballot", "one", {"answers": {"useful": 4}}, "token acme")


class Words(Answer):
    text: str


class Say(Query, answer=Words):
    text: Annotated[str, Length(0, 10_000)]


@serves({Say: lambda session, query: query})
class Echo:
    """Says again what it was told."""

    name = "evaluation"
    runtime = ServiceRuntime({}, {})


def test_a_request_comes_out_as_it_went_in() -> None:
    body = messages.close_request(OURS, "evaluation", ASKED, timeout_s=5)

    assert messages.open_request(OURS, "evaluation", body) == ASKED


def test_no_length_tells_the_method_or_what_was_answered() -> None:
    long = RpcRequest("open_ballot", "one", {"member_id": str(uuid4()), "code": "x" * 1000}, "token acme")
    bodies = [messages.close_request(OURS, "evaluation", each, timeout_s=5) for each in (ASKED, long)]
    bodies += [messages.close_answer(OURS, "one", result, None) for result in (None, ["x" * 50] * 20)]

    assert len({len(body) for body in bodies}) == 1


def test_a_request_is_not_opened_by_another_service_key_or_purpose_nor_after_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = messages.close_request(OURS, "evaluation", ASKED, timeout_s=5)
    altered = body[:100] + bytes([body[100] ^ 1]) + body[101:]
    for seal, service, bytes_ in (
        (FOREIGN, "evaluation", body),
        (OURS, "meetings", body),
        (OURS, "evaluation", altered),
        (OURS, "evaluation", b"{}"),
        (OURS, "evaluation", messages.close_answer(OURS, "one", {}, None)),
    ):
        with pytest.raises(Unopened):
            messages.open_request(seal, service, bytes_)
    with pytest.raises(Unopened):
        messages.open_answer(OURS, body)
    monkeypatch.setattr(messages, "time", SimpleNamespace(time=lambda: time.time() + 5 + messages.SKEW_S))
    with pytest.raises(Unopened, match="its time was over"):
        messages.open_request(OURS, "evaluation", body)


@pytest.fixture
def network(prepared: Fresh) -> Any:
    with running(prepared.settings(), [Meetings, Echo]) as started:
        yield started


def overhear(wire: Any) -> str:
    """A queue of the broker's administrator to which everything of RPC is copied."""
    queue: str = wire.queue_declare("", exclusive=True).method.queue
    wire.queue_bind(queue, "nameko-rpc", "#")
    return queue


def heard(wire: Any, queue: str, count: int) -> list[tuple[Any, Any, bytes]]:
    return [until(lambda: (got := wire.basic_get(queue, auto_ack=True))[0] and got) for _ in range(count)]


def closings(opened: store.Store) -> int:
    with opened.begin() as session:
        return len(session.execute(outbox.EVENT_LOG.select()).all())


@pytest.mark.real
def test_the_administrator_of_the_broker_sees_which_service_was_asked_and_nothing_else(
    network: Running, wire: Any
) -> None:
    queue, meeting_id = overhear(wire), str(uuid4())
    network.call("meetings", "close_meeting", meeting_id=meeting_id)

    (asked, question, body), (_, _, answered) = heard(wire, queue, 2)
    assert asked.routing_key == "meetings.call"
    assert not question.headers
    told = json.dumps(vars(question), default=str).encode() + body + answered
    assert [word for word in (meeting_id, "close_meeting", "meeting_id", "result") if word.encode() in told] == []


@pytest.mark.real
def test_a_request_that_was_overheard_cannot_be_sent_elsewhere_nor_again_after_its_time(
    network: Running, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, opened = overhear(wire), network.store("meetings")
    network.call("meetings", "close_meeting", meeting_id=str(uuid4()))
    (_, properties, body), _ = heard(wire, queue, 2)
    again = pika.BasicProperties(reply_to=properties.reply_to, correlation_id="other")

    wire.basic_publish("nameko-rpc", "evaluation.call", body, again)
    with monkeypatch.context() as later:
        later.setattr(messages, "time", SimpleNamespace(time=lambda: time.time() + 60))
        wire.basic_publish("nameko-rpc", "meetings.call", body, again)
        until(lambda: depth(wire, "rpc-meetings") == depth(wire, "rpc-evaluation") == 0)
        network.call("meetings", "close_meeting", meeting_id=str(uuid4()))

    assert closings(opened) == 2


def depth(wire: Any, queue: str) -> int:
    return int(wire.queue_declare(queue, passive=True).method.message_count)


@pytest.mark.real
def test_an_answer_to_another_question_or_a_forged_one_is_passed_over(prepared: Fresh, wire: Any) -> None:
    with running(prepared.settings(), [Echo]) as network:
        queue = overhear(wire)
        assert network.call("evaluation", "say", text="first") == {"text": "first"}
        _, (to, _, answered) = heard(wire, queue, 2)
        replies = network.extension("caller", Services).listener
        question = replies.waiting["second"] = Signal()
        forged = [answered, b"{}", b'{"error": {"value": "forged"}}', FOREIGN.close("rpc answer", b'{"id": "second"}')]
        for body in (*forged, messages.close_answer(OURS, "second", "the answer", None)):
            wire.basic_publish("nameko-rpc", to.routing_key, body, pika.BasicProperties(correlation_id="second"))

        assert question.wait()["result"] == "the answer"


@contextmanager
def line_of_small_packets(broker_url: str) -> Iterator[str]:
    """The URL of a broker that is some network away: what it sends arrives in pieces, with a pause between them."""
    url = urlsplit(broker_url)
    listening = eventlet.listen(("127.0.0.1", 0))

    def copy(source: Any, target: Any, piece_bytes: int, pause_s: float) -> None:
        with suppress(OSError):
            while piece := source.recv(piece_bytes):
                target.sendall(piece)
                eventlet.sleep(pause_s)
        shutdown_safe(target)
        source.close()

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                broker = eventlet.connect((url.hostname, url.port))
                eventlet.spawn_n(copy, client, broker, 65536, 0)
                eventlet.spawn_n(copy, broker, client, 1000, 0.001)

    serving = eventlet.spawn(serve)
    yield url._replace(netloc=url.netloc.replace(f":{url.port}", f":{listening.getsockname()[1]}")).geturl()
    serving.kill()
    listening.close()


@pytest.mark.real
def test_calls_that_are_sent_while_an_answer_is_still_arriving_lose_nothing_of_it(prepared: Fresh) -> None:
    texts = [f"{number} {'x' * 5000}" for number in range(40)]
    with line_of_small_packets(prepared.broker_url) as url:
        settings = prepared.settings(broker_url=url, rpc_timeout_s=30.0)
        with running(settings, [Echo]) as network:
            calls = []
            for text in texts:
                calls.append(eventlet.spawn(network.call, "evaluation", "say", text=text))
                eventlet.sleep(0.002)

            assert [each.wait()["text"] for each in calls] == texts


@pytest.mark.real
def test_a_service_with_another_key_answers_nothing_that_helps_and_goes_on(
    prepared: Fresh, wire: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings = prepared.settings()
    foreign = dataclasses.replace(settings, seal_key="00" * 32, rpc_timeout_s=1.0)
    with running(settings, [Meetings]) as network, running(foreign, []) as stranger:
        with pytest.raises(Unavailable):
            stranger.call("meetings", "close_meeting", meeting_id=str(uuid4()))
        until(lambda: depth(wire, "rpc-meetings") == 0)
        network.call("meetings", "close_meeting", meeting_id=str(uuid4()))
        assert closings(network.store("meetings")) == 1

    told = [record.getMessage() for record in caplog.records if "passed over an RPC request" in record.getMessage()]
    assert len(told) == 1
    assert "PRATIQUE_SEAL_KEY" in told[0]


@pytest.mark.parametrize("key", ["", "5e", "not a key"])
@pytest.mark.parametrize("name", ["service", "gateway"])
def test_without_the_networks_key_nothing_starts(tmp_path: Any, key: str, name: str) -> None:
    from chassis.runtime import service_runner
    from chassis.settings import Settings
    from tests.harness.containers import Caller

    urls = {"meetings": f"sqlite:///{tmp_path}/meetings.sqlite"}
    runner = service_runner.make_runner(Settings("embedded://", urls, tmp_path, seal_key=key), [])
    runner.add_service(Meetings if name == "service" else Caller)

    with pytest.raises(Missing, match="PRATIQUE_SEAL_KEY must be 64 hexadecimal digits"):
        runner.start()
    runner.kill()
