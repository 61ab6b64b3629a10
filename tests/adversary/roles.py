"""The adversaries: each is given all that somebody of that role has of a survey, and says who answered, and what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.adversary import mentions, sheets
from tests.adversary.keys import Opener, purposes_of
from tests.adversary.mentions import Features, Notebook
from tests.adversary.surveys import Sheet, Simulator, Survey

FROM_TEN = 10  #: answers, from which on it is told that all chose the same


@dataclass(frozen=True)
class Findings:
    """What one adversary has of one survey: what was seen of each person, and whose sheet is said to be which."""

    seen: Features
    sheets: Mapping[UUID, Sheet] = field(default_factory=dict)
    certain: Mapping[UUID, Sheet] = field(default_factory=dict)


Adversary = Callable[[Simulator, Survey], Findings]


def facilitator(simulator: Simulator, survey: Survey) -> Findings:
    """Leads the meeting: her API calls, the room's code tried with every name, corrections, her own mails, results."""
    book = Notebook(survey)
    _note_heard(book, "facilitator")
    for letter in simulator.network.letters:
        if letter.recipient == simulator.facilitator.address:
            book.note("own mail", letter.content, letter.at)
    return Findings(book.features, certain=alike(survey))


def integrator(simulator: Simulator, survey: Survey) -> Findings:
    """Gets every public event, and reads by the API."""
    book = Notebook(survey)
    public = [each for each in simulator.network.messages if each.exchange.endswith(".events")]
    mentions.of_messages(book, public, mentions.plain)
    _note_heard(book, "integrator")
    _note_corrections(book, public)
    return Findings(book.features, certain=alike(survey))


def reader_of_logs(simulator: Simulator, survey: Survey) -> Findings:
    """Reads what services, the gateway and a proxy log, with every path."""
    book = Notebook(survey)
    mentions.of_hits(book, simulator.network.hits)
    for at, line in simulator.network.ears.lines:
        book.note("log", line, at)
    return Findings(book.features)


def administrator_of_the_broker(simulator: Simulator, survey: Survey) -> Findings:
    """Binds a queue to everything: each event and each RPC, with headers, sizes and times; has no key."""
    book = Notebook(survey)
    mentions.of_messages(book, simulator.network.messages, mentions.plain)
    _note_corrections(book, simulator.network.messages)
    read = sheets.by_rpc(simulator.network.messages, mentions.plain)
    return Findings(book.features, read, read)


def holder_while_open(simulator: Simulator, survey: Survey) -> Findings:
    """Has one copy of all stores, made while the survey was open; has no key."""
    return _of_copy(simulator, survey, is_open=True, opened=mentions.plain)


def holder_while_open_with_key(simulator: Simulator, survey: Survey) -> Findings:
    """Has that copy, and the seal key."""
    return _of_copy(simulator, survey, is_open=True, opened=opener_of(simulator))


def holder_afterwards(simulator: Simulator, survey: Survey) -> Findings:
    """Has one copy of all stores, made after the survey closed; has no key."""
    return _of_copy(simulator, survey, is_open=False, opened=mentions.plain)


def holder_afterwards_with_key(simulator: Simulator, survey: Survey) -> Findings:
    """Has that copy, and the seal key."""
    return _of_copy(simulator, survey, is_open=False, opened=opener_of(simulator))


ROLES: Mapping[str, Adversary] = {
    each.__name__.replace("_", " "): each
    for each in (
        facilitator,
        integrator,
        reader_of_logs,
        administrator_of_the_broker,
        holder_while_open,
        holder_while_open_with_key,
        holder_afterwards,
        holder_afterwards_with_key,
    )
}


def alike(survey: Survey) -> dict[UUID, Sheet]:
    """What released numbers tell of everybody: a question that all answered alike, where all who were asked answered.

    Without the second condition it tells as much of whoever is known to have answered. From ten answers on that all
    agree is told as it is, and said to be so; the trial counts it apart.
    """
    if (survey.n or 0) >= FROM_TEN:
        return {}
    told: Sheet = {}
    for cell in survey.results.get("questions", ()):
        chosen = [value for value, count in (cell.get("distribution") or {}).items() if count]
        if len(chosen) == 1:
            value: Any = {"yes": True, "no": False}.get(chosen[0])
            told[cell["question"]] = int(chosen[0]) if value is None else value
    return dict.fromkeys(survey.there, told) if told else {}


def _of_copy(simulator: Simulator, survey: Survey, *, is_open: bool, opened: Callable[[bytes], Any]) -> Findings:
    copy = survey.while_open if is_open else survey.afterwards
    assert copy is not None
    book = Notebook(survey)
    mentions.of_copy(book, copy, simulator.before, opened)
    for one in sheets.marked_in(copy, opened, survey.there):
        book.features[one].append("the survey's secret makes their marker")
    found = sheets.in_copy(copy, opened) or _relinked(sheets.lists_in_copy(copy, opened))
    guess = sheets.match(survey, found, sheets.people_of(survey, copy, opened))
    return Findings(book.features, guess.sheets, guess.certain)


def _relinked(lists: Mapping[str, list[Any]]) -> list[sheets.Found]:
    """Sheets put together again from lists of answers, as if each list had kept their order."""
    longest = max((len(each) for each in lists.values()), default=0)
    return [
        sheets.Found({key: each[index] for key, each in lists.items() if index < len(each)}) for index in range(longest)
    ]


def _note_heard(book: Notebook, role: str) -> None:
    for each in book.survey.heard:
        if each.role != role:
            continue
        kind = f"{each.request.partition(' ')[0]} {each.request.split('/')[-1][:12]}" if each.about is None else "asked"
        book.note(kind, each.body, each.at)
        if each.about is not None:
            title = each.body.get("title", "") if isinstance(each.body, Mapping) else len(each.body)
            kind = each.request.replace(str(each.about), "…").split("/")[2]
            book.features[each.about].append(f"{kind}|{book.phase(each.at)}|{each.status}|{title}")


def _note_corrections(book: Notebook, messages: Any) -> None:
    """How far the survey's version had gone when it closed, beside the name of whoever was corrected."""
    for each in messages:
        if each.routing_key == "SurveyClosed":
            sequence = int(each.properties["headers"].get("ce-sequence", "0"))
            for one in book.survey.corrected:
                book.features[one].append(f"closed at version {sequence}")


def opener_of(simulator: Simulator) -> Opener:
    """What opens boxes for somebody who has the seal key; where there is no such key, nothing."""
    seal = getattr(simulator.network.settings, "seal", None)
    return Opener(seal, purposes_of(seal))
