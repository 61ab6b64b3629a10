"""Whose is which sheet: what somebody tries who holds sheets, or lists of answers, and knows who was there."""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.adversary.network import Copy, Message
from tests.adversary.surveys import COMMENT, COUNTED, Sheet, Survey
from tests.harness.people import ZONE

_KEYS = {*COUNTED, COMMENT}


@dataclass(frozen=True)
class Found:
    """A sheet that was found, with whatever stood beside it."""

    sheet: Sheet
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Person:
    """What is known of somebody by other ways."""

    locale: str
    channels: set[str]  #: by which they may have answered; empty if they did not
    days: tuple[date, date] | None = None  #: between which they may have answered by mail


@dataclass(frozen=True)
class Guess:
    """Whose sheet is which, and of whom that is certain."""

    sheets: Mapping[UUID, Sheet]
    certain: Mapping[UUID, Sheet]


def sheets_in(value: Any, beside: Mapping[str, Any] | None = None) -> list[Found]:
    """All sheets in a piece of JSON: objects with keys of questions, or lists of question and value."""
    found: list[Found] = []
    if isinstance(value, str) and value[:1] in "{[":
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if isinstance(value, Mapping):
        if value.keys() & _KEYS and not value.keys() & {"question", "n"}:
            return [Found({key: value[key] for key in value if key in _KEYS}, beside or {})]
        for each in value.values():
            found += sheets_in(each, value)
    if isinstance(value, list):
        answers = [each for each in value if isinstance(each, Mapping) and {"question", "value"} <= each.keys()]
        if answers:
            return [
                Found({each["question"]: each["value"] for each in answers if each["question"] in _KEYS}, beside or {})
            ]
        for each in value:
            found += sheets_in(each, beside)
    return found


def in_copy(copy: Copy, opened: Callable[[bytes], Any]) -> list[Found]:
    """The sheets of evaluation's store, in the order in which they lie."""
    found = []
    for table, rows in copy.tables.items():
        if table.startswith("evaluation.") and not table.endswith((".event_log", ".release")):
            for row in rows:
                shown = {key: opened(value) if isinstance(value, bytes) else value for key, value in row.items()}
                found += sheets_in(shown, shown)
    return found


def lists_in_copy(copy: Copy, opened: Callable[[bytes], Any]) -> dict[str, list[Any]]:
    """The answers to each question as they are kept after closing, in the order in which they lie."""
    lists: dict[str, list[Any]] = {}
    for table, rows in copy.tables.items():
        if not table.startswith("evaluation.") or table.endswith((".event_log", ".release")):
            continue
        for row in rows:
            shown = {key: opened(value) if isinstance(value, bytes) else value for key, value in row.items()}
            lists |= {str(row.get("question")): each for each in shown.values() if isinstance(each, list)}
            for each in filter(lambda value: isinstance(value, Mapping), shown.values()):
                lists |= {key: list(value) for key, value in each.items() if isinstance(value, list)}
    return {key: each for key, each in lists.items() if key in _KEYS}


def match(survey: Survey, found: Sequence[Found], people: Mapping[UUID, Person]) -> Guess:
    """Give each person a sheet that fits what is known of them; certain where only one does, and fits only them."""
    fits = {
        one: [index for index, each in enumerate(found) if _fits(each, person)]
        for one, person in people.items()
        if person.channels
    }
    chance = random.Random(survey.seed)
    owners = _matching(fits, chance)
    claims: dict[int, list[UUID]] = {}
    for one, places in fits.items():
        for index in places:
            claims.setdefault(index, []).append(one)
    certain = {
        owners_of[0]: found[index].sheet
        for index, owners_of in claims.items()
        if len(owners_of) == 1 and len(fits[owners_of[0]]) == 1
    }
    return Guess({one: found[index].sheet for one, index in owners.items()}, certain)


def _fits(found: Found, person: Person) -> bool:
    channel, locale, day = (found.beside.get(key) for key in ("channel", "locale", "answered_on"))
    if channel and channel not in person.channels:
        return False
    if locale and locale != person.locale:
        return False
    if day and channel == "message" and person.days:
        return person.days[0] <= date.fromisoformat(str(day)) <= person.days[1]
    return True


def _matching(fits: Mapping[UUID, Sequence[int]], chance: random.Random) -> dict[UUID, int]:
    """As many people as possible with a sheet of their own (augmenting paths), else by chance."""
    owner: dict[int, UUID] = {}

    def place(one: UUID, tried: set[int]) -> bool:
        for index in chance.sample(list(fits[one]), len(fits[one])):
            if index in tried:
                continue
            tried.add(index)
            if index not in owner or place(owner[index], tried):
                owner[index] = one
                return True
        return False

    for one in sorted(fits, key=lambda each: (len(fits[each]), each)):
        place(one, set())
    return {one: index for index, one in owner.items()}


def people_of(survey: Survey, copy: Copy, opened: Callable[[bytes], Any]) -> dict[UUID, Person]:
    """What stores tell of each: the language of their card, whether they were asked and reminded by mail."""
    asked, reminded = _named(copy, opened, "invitation"), _named(copy, opened, "reminder")
    known: dict[UUID, Person] = {}
    zone = ZoneInfo(ZONE)
    began = survey.began_at.astimezone(zone).date()
    remind_on = (survey.began_at + timedelta(minutes=10, days=2)).astimezone(zone).date()
    last = (survey.began_at + timedelta(days=7)).astimezone(zone).date()
    for person in survey.people:
        if person.id not in survey.there:
            continue
        if not asked or person.id not in asked:
            known[person.id] = Person(person.locale, {"room"} if asked else {"room", "message"})
        elif person.id in reminded:
            known[person.id] = Person(person.locale, {"message"}, (remind_on, last))
        else:
            known[person.id] = Person(person.locale, {"message"}, (began, remind_on))
    return known


def _named(copy: Copy, opened: Callable[[bytes], Any], what: str) -> set[UUID]:
    """Who was asked, or reminded, as far as events and messages still tell it."""
    kinds = {
        "invitation": ("SurveyInvitationsIssued", "survey_invitation"),
        "reminder": ("SurveyReminderDue", "survey_reminder"),
    }
    event_type, template = kinds[what]
    named: set[UUID] = set()
    for row in copy.tables.get("evaluation.event_log", ()):
        if event_type in str(row.get("type")):
            body = opened(row["body"])
            data = body.get("data", {}) if isinstance(body, Mapping) else {}
            named |= {UUID(each["member_id"]) for each in data.get("invitations", ())}
    for row in copy.tables.get("notifications.message", ()):
        if row.get("template") == template and row.get("member_id"):
            named.add(UUID(str(row["member_id"])))
    return named


def by_order(survey: Survey, copy: Copy, opened: Callable[[bytes], Any], secret: bytes | None) -> Guess:
    """The first sheet is that of the first marker, and so on: where rows lie in the order of writing."""
    found = in_copy(copy, opened)
    marked = [one for mac in _macs(copy) for one in survey.there if secret and _mac(secret, one) == mac]
    return Guess({one: each.sheet for one, each in zip(marked, found, strict=False)}, {})


def _macs(copy: Copy) -> list[bytes]:
    return [row["mac"] for row in copy.tables.get("evaluation.marker", ()) if isinstance(row.get("mac"), bytes)]


def _mac(secret: bytes, one: UUID) -> bytes:
    return hmac.digest(secret, one.bytes, "sha256")


def marked_in(copy: Copy, opened: Callable[[bytes], Any], people: Sequence[UUID]) -> set[UUID]:
    """Whose ballots were taken, for somebody who has the secret of the survey: read from its row, or out of its box."""
    known = set(_macs(copy))
    return {
        one
        for secret in secrets_in(copy, opened)
        for one in people
        if known & {_mac(secret, one), hmac.digest(secret, b"marker" + one.bytes, "sha256")}
    }


def secrets_in(copy: Copy, opened: Callable[[bytes], Any]) -> list[bytes]:
    """All that may be the secret of a survey."""
    found: list[bytes] = []
    for table, rows in copy.tables.items():
        if table.startswith("evaluation.survey"):
            for row in rows:
                for value in row.values():
                    if isinstance(value, bytes):
                        found.append(value)
                        read = opened(value)
                        found += [bytes.fromhex(read)[-32:]] if isinstance(read, str) else []
    return found


def by_rpc(messages: Iterable[Message], opened: Callable[[bytes], Any]) -> dict[UUID, Sheet]:
    """The ballot that a person took is the next that is cast: what somebody reads on the queues of RPC."""
    guessed: dict[UUID, Sheet] = {}
    owner: UUID | None = None
    for each in messages:
        body = opened(each.body)
        if each.exchange != "nameko-rpc" or not isinstance(body, Mapping):
            continue
        asked = body.get("kwargs") or {}
        if member := asked.get("member_id"):
            owner = UUID(member)
        elif token := asked.get("token"):
            owner = _member_in(token)
        sheets = sheets_in(asked)
        if sheets and owner:
            guessed[owner] = sheets[0].sheet
    return guessed


def _member_in(token: str) -> UUID | None:
    import base64

    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return UUID(bytes=raw[16:32]) if len(raw) == 48 else None


def spent_marks(ballots: Iterable[str]) -> dict[bytes, str]:
    """What a store kept of each ballot, for whoever read the ballots in a proxy's log."""
    return {hashlib.sha256(each.encode()).digest(): each for each in ballots}


__all__ = [
    "Found",
    "Guess",
    "Person",
    "by_order",
    "by_rpc",
    "datetime",
    "in_copy",
    "lists_in_copy",
    "match",
    "people_of",
]
