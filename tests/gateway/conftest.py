"""The gateway with a small peer on the far side of the wire: functions by RPC name, which record and answer."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import html5lib
import pytest
from werkzeug.test import Client

from chassis.settings import EMBEDDED, Settings
from chassis.storage.store import Store
from chassis.testing import memory_store
from gateway import auth
from gateway.app import App
from gateway.models import Base
from gateway.pages.texts import MESSAGES
from pratique.errors import Unavailable
from pratique.events.membership import Locale
from words.catalogue import sentences

QUESTIONS: list[dict[str, Any]] = [
    {
        "key": "satisfaction",
        "type": "scale1_5",
        "text": "Cette rencontre vous a-t-elle plu?",
        "options": [{"value": value, "label": f"niveau {value}"} for value in range(1, 6)],
        "max_length": None,
        "about": None,
    },
    {
        "key": "would_come_again",
        "type": "yes_no",
        "text": "Reviendriez-vous?",
        "options": [{"value": True, "label": "Oui"}, {"value": False, "label": "Non"}],
        "max_length": None,
        "about": None,
    },
    {
        "key": "what_should_change",
        "type": "text",
        "text": "Que devrions-nous <changer>?",
        "options": [],
        "max_length": 2000,
        "about": None,
    },
]
ANNE, BODO = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
MEETING = "00000000-0000-4000-8000-00000000000e"
SURVEY = "00000000-0000-4000-8000-000000000001"
IDENTIFIED = {"meeting_id": MEETING, "closes_at": "2200-03-19T17:00:00+00:00", "timezone": "America/Toronto"}
HEADING: dict[str, Any] = {
    "communities": ["Premiers pas"],
    "kind": "meeting",
    "theme": "Le répit",
    "starts_at": "2200-03-12T18:00:00+00:00",
    "lead": "Zoé Roy",
}
BALLOT = f"{SURVEY.replace('-', '')}.box"
SETTINGS = Settings(broker_url=EMBEDDED, store_urls={}, home=Path(), seal_key="5e" * 32)


@dataclasses.dataclass
class Peer:
    """What stands at the other end of RPC: answers or raises what a test says, and remembers what it was asked."""

    answers: dict[str, Callable[..., Any]] = dataclasses.field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = dataclasses.field(default_factory=list)

    def call(self, service: str, method: str, payload: Mapping[str, Any]) -> Any:
        """Take one request."""
        name = f"{service}.{method}"
        self.asked.append((name, dict(payload)))
        if name not in self.answers:
            raise Unavailable(f"The service {service} did not answer within 5 s; try again in a moment.")
        return self.answers[name](**payload)

    def says(self, name: str, answer: Any) -> None:
        """From now on answer this, or raise it if it is an exception."""

        def reply(**payload: Any) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        self.answers[name] = reply


@dataclasses.dataclass
class Gate:
    """The gateway, ready to be asked, by someone with the scope ``*`` unless a test says otherwise."""

    app: App
    peer: Peer
    store: Store
    token: str

    def with_scopes(self, *scopes: str) -> str:
        """A token that has these scopes."""
        with self.store.begin() as session:
            return auth.create_token(session, "test", scopes)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The response to one request."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        place = {"REMOTE_ADDR": "127.0.0.1", **options.pop("environ_base", {})}
        return Client(self.app).open(path, method=method, headers=headers, environ_base=place, **options)


@pytest.fixture
def store() -> Iterator[Store]:
    """An empty store of tokens."""
    with memory_store("gateway", Base.metadata) as opened:
        yield opened


@pytest.fixture
def gate(store: Store) -> Gate:
    """The gateway before a peer that knows nothing yet."""
    return make_gate(store)


def make_gate(store: Store, **settings: Any) -> Gate:
    """A gateway with these settings."""
    peer = Peer()
    app = App(peer.call, store, dataclasses.replace(SETTINGS, **settings), lambda: {"rpc": True})
    gate = Gate(app, peer, store, "")
    gate.token = gate.with_scopes(auth.EVERYTHING)
    return gate


@pytest.fixture
def open_survey(gate: Gate) -> Gate:
    """The gateway before an open survey."""
    gate.token = ""
    gate.peer.says("evaluation.identify_survey", IDENTIFIED)
    gate.peer.says("notifications.read_meeting_heading", HEADING)
    gate.peer.says("evaluation.read_questions", QUESTIONS)
    gate.peer.says("evaluation.open_ballot", {"ballot_id": BALLOT, "survey_id": SURVEY, "questions": QUESTIONS})
    gate.peer.says("evaluation.check_answers", None)
    gate.peer.says("evaluation.take_ballot", {"slip": "s-1"})
    gate.peer.says("evaluation.cast_slip", None)
    gate.peer.says("evaluation.confirm_ballot", None)
    gate.peer.says("evaluation.get_room", {"survey_id": "s", "meeting_id": MEETING, "member_ids": [ANNE, BODO]})
    labels = [{"member_id": ANNE, "label": "Anne & Co."}, {"member_id": BODO, "label": "Bodo L."}]
    gate.peer.says("membership.list_labels", labels)
    return gate


def parsed(response: Any) -> Any:
    """The page as a browser reads it; html5lib in strict mode refuses what is not HTML."""
    assert response.content_type == "text/html; charset=utf-8"
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(response.text)


def words_of(response: Any) -> str:
    """Return the text of a page's main part, with single spaces."""
    return " ".join("".join(parsed(response).find("body/main").itertext()).split())


def sentence_of(message: str, locale: str = "fr") -> str:
    """Return the words of a page that says one thing."""
    return sentences(Locale(locale))(MESSAGES[message].words)


def asked(gate: Gate, name: str) -> list[dict[str, Any]]:
    """Return what the peer was asked by this RPC name, in order."""
    return [payload for rpc, payload in gate.peer.asked if rpc == name]


def form_of(response: Any) -> dict[str, Any]:
    """What a browser would send back: name -> value of hidden and checked inputs and of text areas."""
    sent = {}
    for each in parsed(response).iter("input"):
        if each.get("type") == "hidden" or each.get("checked") is not None:
            sent[each.get("name")] = each.get("value")
    for each in parsed(response).iter("textarea"):
        sent[each.get("name")] = each.text or ""
    return sent
