"""The survey on a phone: a link from a mail, or the code of a room. A GET never uses up anything."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.wrappers import Request, Response

from gateway.errors import kind_of, record
from gateway.evaluation import list_attending
from gateway.pages.render import message, page
from gateway.pages.texts import TEXTS
from gateway.reading import read_locale
from gateway.routes import Ask, Media, Route
from pratique.errors import (
    Conflict,
    DomainError,
    Gone,
    Invalid,
    NotFound,
    TooManyTries,
    Unavailable,
)

Question = dict[str, Any]  #: as evaluation tells it: key, type, text, options, max_length, about

MAX_TEXT = 2000  #: characters of a free answer, where the question does not say
MAX_ANSWERS = 100  #: fields of a form that are looked at
_UNTYPED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Visit:
    """One person before the survey, by a link or in a room."""

    ask: Ask
    locale: str
    member: str  #: empty for those who came by a link
    ballot: str  #: empty unless it was opened before, and casting it failed
    answers: dict[str, str]  #: what was typed, by question; what was left out is not in it

    @property
    def entitled_by(self) -> dict[str, str]:
        """What lets them answer, as evaluation takes it."""
        return dict(self.ask.path) | ({"member_id": self.member} if self.member else {})

    @property
    def text(self) -> Mapping[str, str]:
        """The sentences of their language."""
        return TEXTS[self.locale]


def show_survey(ask: Ask) -> Response:
    """Show the questions to whoever has the link. Uses up nothing: mail scanners follow links too."""
    visit = _visit(ask)
    return _form(visit, _read_questions(visit))


def answer_survey(ask: Ask) -> Response:
    """Take a ballot for the link and cast it, in one go."""
    return _answer(_visit(ask))


def show_names(ask: Ask) -> Response:
    """Show who is marked as attending, to choose oneself from."""
    locale = read_locale(ask.request)
    return _names(ask, locale)


def answer_in_room(ask: Ask) -> Response:
    """Show the questions to whoever chose a name; then take a ballot and cast it."""
    visit = _visit(ask)
    if not visit.member:
        return _names(ask, visit.locale, wrong=True)
    if ask.request.form.get("step") == "answer":
        return _answer(visit)
    return _form(visit, _read_questions(visit))


def show_index(ask: Ask) -> Response:
    """Say in two languages what this is."""
    return page("index", "fr")


def refuse(ask: Ask, error: DomainError) -> Response:
    """The page that tells this error to a person, in their language."""
    locale, status = read_locale(ask.request), kind_of(error).status
    if status == 500:
        return apologise(ask.request, record(error))
    if isinstance(error, Conflict) and ask.request.form.get("member"):
        return message("already_room", locale, status, title="already", back=True)
    names: dict[type[DomainError], str] = {
        NotFound: "unknown",
        Conflict: "already",
        Gone: "closed",
        TooManyTries: "tries",
        Unavailable: "away",
    }
    response = message(names.get(type(error), "unread"), locale, status)
    response.headers.update(kind_of(error).headers or {})
    return response


def apologise(request: Request, incident: str) -> Response:
    """The page for a fault of ours, with the id under which the log tells the rest."""
    return message("broken", read_locale(request), 500, incident=incident)


def _visit(ask: Ask) -> Visit:
    form = ask.request.form
    typed = {
        name[2:]: _UNTYPED.sub("", value.replace("\r\n", "\n")).strip()
        for name, value in list(form.items())[:MAX_ANSWERS]
        if name.startswith("q.")
    }
    return Visit(
        ask,
        read_locale(ask.request),
        member=form.get("member", "")[:40],
        ballot=form.get("ballot", "")[:100],
        answers={key: value for key, value in typed.items() if value},
    )


def _names(ask: Ask, locale: str, wrong: bool = False) -> Response:
    attending = list_attending(ask, ask.path["room_code"])
    title = TEXTS[locale]["who_title"]
    return page("names", locale, 422 if wrong else 200, title=title, attending=attending, wrong=wrong)


def _read_questions(visit: Visit) -> list[Question]:
    read = visit.ask.call("evaluation.read_questions", **visit.ask.path, locale=visit.locale)
    questions: list[Question] = read["questions"]
    return questions


def _answer(visit: Visit) -> Response:
    """Check, take a ballot, cast it. What was typed is kept in the page until it has arrived."""
    try:
        questions = _read_questions(visit)
    except Unavailable:
        return _again(visit)
    wrong = _faults(visit, questions)
    if wrong or not visit.answers:
        return _form(visit, questions, 422, visit.text["mend" if wrong else "empty"], wrong)
    if not visit.ballot:
        try:
            opened = visit.ask.call("evaluation.open_ballot", **visit.entitled_by, locale=visit.locale)
        except Unavailable:
            return _again(visit)
        visit = replace(visit, ballot=opened["ballot_id"])
    return _cast(visit, questions)


def _faults(visit: Visit, questions: list[Question]) -> dict[str, str]:
    """What is wrong with which answer, found before the ballot is taken, since a ballot is taken only once."""
    wrong = {}
    for question in questions:
        typed, options = visit.answers.get(question["key"]), question["options"]
        if typed is None:
            continue
        if options and typed not in [_as_typed(option["value"]) for option in options]:
            wrong[question["key"]] = visit.text["bad_choice"]
        elif not options and len(typed) > (question["max_length"] or MAX_TEXT):
            wrong[question["key"]] = visit.text["bad_text"]
    return wrong


def _as_typed(value: object) -> str:
    """The value of an option as a form carries it: ``4``, ``true``, or the text itself."""
    return value if isinstance(value, str) else json.dumps(value)


def _options(question: Question) -> list[dict[str, str]]:
    return [{"value": _as_typed(option["value"]), "label": option["label"]} for option in question["options"]]


def _answers(visit: Visit, questions: list[Question]) -> list[dict[str, object]]:
    """What was typed as evaluation takes it, in the order of the questions; what names no question is dropped."""
    answers = []
    for question in questions:
        typed = visit.answers.get(question["key"])
        if typed is not None:
            by_typed = {_as_typed(option["value"]): option["value"] for option in question["options"]}
            answers.append({"question": question["key"], "value": by_typed.get(typed, typed)})
    return answers


def _cast(visit: Visit, questions: list[Question]) -> Response:
    """Spend the ballot. If that fails, the page keeps it with what was typed, so that the vote is not lost."""
    answers = _answers(visit, questions)
    try:
        visit.ask.call("evaluation.cast_ballot", ballot_id=visit.ballot, answers=answers)
    except Gone:
        return message("spent", visit.locale, 410, title="already")
    except Unavailable:
        return _again(visit)
    except Invalid as error:
        wrong = _told(visit, questions, answers, error)
        return _form(visit, questions, 422, visit.text["mend" if wrong else "empty"], wrong)
    return message("thanks", visit.locale)


def _told(visit: Visit, questions: list[Question], answers: list[dict[str, object]], error: Invalid) -> dict[str, str]:
    """The service's pointers (``/answers/0/value``) as sentences at the questions that they point to."""
    has_options = {question["key"]: bool(question["options"]) for question in questions}
    wrong = {}
    for pointer in error.fields:
        found = re.match(r"/answers/(\d+)", pointer)
        if found and int(found[1]) < len(answers):
            key = str(answers[int(found[1])]["question"])
            wrong[key] = visit.text["bad_choice" if has_options[key] else "bad_text"]
    return wrong


def _form(
    visit: Visit,
    questions: list[Question],
    status: int = 200,
    words: str = "",
    wrong: dict[str, str] | None = None,
) -> Response:
    return page(
        "questions",
        visit.locale,
        status,
        title=visit.text["title"],
        questions=[{**each, "options": _options(each)} for each in questions],
        answers=visit.answers,
        wrong=wrong or {},
        message=words,
        member=visit.member,
        ballot=visit.ballot,
    )


def _again(visit: Visit) -> Response:
    """Offer to send the same once more; nothing that was typed, and no ballot that was taken, is lost."""
    values = {"answers": visit.answers, "member": visit.member, "ballot": visit.ballot}
    text = visit.text
    response = page("again", visit.locale, 503, title=text["title"], message=text["not_sent"], **values)
    response.headers.update(kind_of(Unavailable("")).headers or {})
    return response


def _page(method: str, path: str, summary: str, act: Callable[[Ask], Response]) -> Route:
    return Route(
        method,
        path,
        summary,
        act=act,
        operation=act.__name__,
        media=Media.HTML,
        is_guessable="<" in path,
        refuse=refuse,
    )


ROUTES = (
    _page("GET", "/", "Say what this is", show_index),
    _page("GET", "/s/<token>", "Show a survey to whoever has its link", show_survey),
    _page("POST", "/s/<token>", "Answer a survey", answer_survey),
    _page("GET", "/r/<room_code>", "Show a room's survey: choose your name", show_names),
    _page("POST", "/r/<room_code>", "Answer a survey in the room", answer_in_room),
)
