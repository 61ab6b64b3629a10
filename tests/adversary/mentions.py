"""Where people are named in what somebody holds, in whichever form: what can be learnt from is a list of features."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from tests.adversary.network import Copy, Hit, Message
from tests.adversary.surveys import Person, Survey

#: From which ids of messages are made, as the source shows to everybody.
MESSAGE_IDS = UUID("9b0ad3c8-5a55-4d5c-9d0e-3d5a4ce1f0b7")
TEMPLATES = ("survey_invitation", "survey_reminder", "results_released", "results_withheld", "meeting_invitation")
_WORD = re.compile(r"[a-z][a-z_.]{1,24}|true|false", re.IGNORECASE)
_OPAQUE = re.compile(r"[A-Za-z0-9_-]{40,}={0,2}")  # of links and ballots
_BOX = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")  # bytes in JSON
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


class Names:
    """Every form in which a person of a survey may be named, also by what is computed of them."""

    def __init__(self, survey: Survey) -> None:
        self._forms: dict[str, tuple[UUID, str]] = {}
        self.people: Sequence[Person] = [each for each in survey.people if each.id in survey.there]
        for person in self.people:
            self._forms |= dict.fromkeys((str(person.id), person.id.hex), (person.id, "id"))
            self._forms |= dict.fromkeys((person.address, person.name), (person.id, "name"))
            for template in TEMPLATES:
                for subject in filter(None, (survey.survey_id, survey.meeting_id)):
                    id = uuid5(MESSAGE_IDS, f"{template}:{subject}:{person.id}")
                    self._forms |= dict.fromkeys((str(id), id.hex), (person.id, template))
        self._raw = {UUID(hex=person.id.hex).bytes: person.id for person in self.people}
        self._called = [form for form in self._forms if not _ID.fullmatch(form)]

    def in_text(self, text: str) -> set[tuple[UUID, str]]:
        """Who is named in a text, and how; opaque words are decoded first."""
        found = {self._forms[id] for id in _ID.findall(text) if id in self._forms} if len(text) >= 32 else set()
        if "Personne" in text or "@membres" in text:
            found |= {self._forms[form] for form in self._called if form in text}
        if len(text) < 40:
            return found
        for word in {*_OPAQUE.findall(text), *_BOX.findall(text)}:
            found |= {(one, "inside a word") for one in self.in_bytes(_decoded(word))}
        return found

    def in_bytes(self, content: bytes) -> set[UUID]:
        """Who is named in bytes, by the bytes of an id."""
        return {one for raw, one in self._raw.items() if raw in content}


Features = dict[UUID, list[str]]


class Notebook:
    """What somebody noted of each person."""

    def __init__(self, survey: Survey) -> None:
        self.survey, self.names = survey, Names(survey)
        self.features: Features = {person.id: [] for person in self.names.people}

    def note(self, kind: str, value: Any, at: datetime | None = None) -> None:
        """Note who is named in a piece of JSON, a text or bytes, beside which words and in which place of a list."""
        when = self.phase(at) if at else ""
        for beside, text in _pieces(value):
            for one, form in self.names.in_text(text):
                self.features[one].append(f"{kind}|{when}|{form}|{beside}")

    def note_raw(self, kind: str, content: bytes) -> None:
        """Note how often each person is named in bytes, in any form."""
        for person in self.names.people:
            forms = (str(person.id).encode(), person.id.hex.encode(), person.id.bytes)
            for form in forms:
                if count := content.count(form):
                    self.features[person.id].append(f"{kind}|{len(form)} bytes|{count}")

    def phase(self, at: datetime) -> str:
        """When in the life of a survey something happened."""
        since = at - self.survey.began_at
        if since < timedelta(0):
            return "before"
        if since < timedelta(minutes=10):
            return "in the room"
        if since < timedelta(minutes=12):
            return "at closing"
        if since < timedelta(hours=47):
            return "first days"
        return "later days" if since < timedelta(days=7) else "at the end"


def of_messages(book: Notebook, messages: Iterable[Message], opened: Callable[[bytes], Any]) -> None:
    """Note what the broker carried: event types, routing keys, headers and bodies."""
    for each in messages:
        kind = f"{each.exchange}/{_ID.sub('', each.routing_key)}"
        book.note(kind, opened(each.body), each.at)
        book.note(f"{kind} headers", {key: str(value) for key, value in each.properties.items()}, each.at)


def of_hits(book: Notebook, hits: Iterable[Hit]) -> None:
    """Note the lines of a proxy's log."""
    for each in hits:
        route = _OPAQUE.sub("…", _ID.sub("…", each.path))
        book.note(f"{each.method} {route} {each.status}", each.path, each.at)


def of_copy(book: Notebook, copy: Copy, before: Copy, opened: Callable[[bytes], Any]) -> None:
    """Note the rows that were not there before, where they lie, and what is left in the files beside rows."""
    for table, rows in copy.tables.items():
        known = {repr(row) for row in before.tables.get(table, ())}
        for index, row in enumerate(rows):
            if repr(row) in known:
                continue
            shown = {key: opened(value) if isinstance(value, bytes) else value for key, value in row.items()}
            place = f"third {3 * index // len(rows)}"
            book.note(f"{table}", {**shown, "": place})
    for store, content in copy.raw.items():
        book.note_raw(f"file of {store}", content)


def plain(body: bytes) -> Any:
    """What bytes say to somebody without a key: JSON, text, or themselves."""
    try:
        return json.loads(body)
    except ValueError:
        return body.hex()


def _pieces(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The texts of a piece of JSON, each with the words that stand beside it in the innermost object."""
    if isinstance(value, Mapping):
        words = sorted(
            f"{key}={each}" for key, each in value.items() if isinstance(each, str) and _WORD.fullmatch(each)
        )
        words += sorted(f"{key}={each}" for key, each in value.items() if isinstance(each, bool | int) and key != "seq")
        beside = f"{path} {' '.join(words)}"
        for key, each in value.items():
            if isinstance(each, Mapping | list):
                yield from _pieces(each, f"{path}/{key} {' '.join(word for word in words if 'type' in word)}")
            elif isinstance(each, str):
                inner = _json(each)
                yield from _pieces(inner, f"{path}/{key}") if inner is not None else [(f"{beside} {key}", each)]
            elif isinstance(each, bytes):
                yield f"{beside} {key}", each.hex()
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, str):
                yield f"{path}[]", each
            else:
                yield from _pieces(each, f"{path}[]")
    elif value is not None:
        yield path, value.hex() if isinstance(value, bytes) else str(value)


def _json(text: str) -> Any:
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _decoded(word: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(word.replace("+", "-").replace("/", "_") + "=" * (-len(word) % 4))
    except (binascii.Error, ValueError):
        return b""
