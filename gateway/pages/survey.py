"""The survey as people meet it: by the link in their mail, or by the code that the room was shown. No script needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.wrappers import Request, Response

from chassis.http.problems import kind_of, record
from gateway.api.evaluation import list_attending
from gateway.ballots import send_answers, survey_of
from gateway.pages.answers import Question, find_faults, to_cast, to_show, told_faults, typed_answers
from gateway.pages.render import message, page
from gateway.pages.texts import TEXTS
from gateway.reading import read_locale
from gateway.routes import Media, RequestContext, Route
from pratique.errors import (
    Conflict,
    DomainError,
    Gone,
    Invalid,
    NotFound,
    TooManyTries,
    Unavailable,
)
from pratique.requests.evaluation import OpenBallot, ReadQuestions
from words.order import in_order, sort_key

MAX_BALLOT = 400  #: characters
MAX_WANTED = 60  #: characters of a name that is looked for
MAX_UNSEARCHED = 15  #: names that one finds by looking


@dataclass(frozen=True)
class Visit:
    """One person before the survey, by a link or in a room."""

    context: RequestContext
    locale: str
    member: str  #: chosen in a room; empty for those who came by a link
    ballot: str  #: empty until the questions were shown
    answers: dict[str, str]  #: what was typed, by question; what was left out is not in it

    @property
    def entitled_by(self) -> dict[str, str]:
        """Return the proof by which they may answer, as evaluation takes it."""
        return dict(self.context.path) | ({"member_id": self.member} if self.member else {})

    @property
    def is_switching(self) -> bool:
        """Return whether they ask for the same page in the other language, and send nothing yet."""
        return "switch" in self.context.request.form

    @property
    def text(self) -> Mapping[str, str]:
        """The sentences of their language."""
        return TEXTS[self.locale]


def show_survey(context: RequestContext) -> Response:
    """Show the questions to whoever has the link. Uses up nothing: mail scanners follow links too."""
    return _open(_visit(context))


def answer_survey(context: RequestContext) -> Response:
    """Take what was answered by a link."""
    return _answer(_visit(context))


def show_names(context: RequestContext) -> Response:
    """Show who is marked as attending, to choose oneself from."""
    locale = read_locale(context.request)
    return _names(context, locale)


def answer_in_room(context: RequestContext) -> Response:
    """Show the questions to whoever chose a name; then take what was answered, also when the room has just closed."""
    visit = _visit(context)
    if context.request.form.get("step") == "find":
        return _names(context, visit.locale, wanted=context.request.form.get("find", "")[:MAX_WANTED].strip())
    if not visit.member and not visit.ballot:
        return _names(context, visit.locale, wrong=True)
    return _answer(visit) if context.request.form.get("step") == "answer" else _open(visit)


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person, in their language."""
    locale, status = read_locale(context.request), kind_of(error).status
    if status == 500:
        return show_failure(context.request, record(error))
    is_room = "room_code" in context.path
    if isinstance(error, Conflict) and is_room:
        return message("already_room", locale, status, title="already", back=True)
    if isinstance(error, NotFound) and is_room:
        return message("no_room", locale, status, title="no_room")
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


def show_failure(request: Request, incident: str) -> Response:
    """The page for a fault of ours, with the id under which the log tells the rest."""
    return message("broken", read_locale(request), 500, incident=incident)


def _visit(context: RequestContext) -> Visit:
    form = context.request.form
    return Visit(
        context,
        read_locale(context.request),
        member=form.get("member", "")[:40],
        ballot=form.get("ballot", "")[:MAX_BALLOT],
        answers=typed_answers(form),
    )


def _names(context: RequestContext, locale: str, wrong: bool = False, wanted: str = "") -> Response:
    """The names as a phone book orders them; of many, those in which what is wanted stands, whatever its accents."""
    everyone = list_attending(context, context.path["room_code"])
    is_long = len(everyone) > MAX_UNSEARCHED
    found = in_order(everyone, lambda each: each["label"])
    if is_long and wanted:
        found = [each for each in found if sort_key(wanted)[0] in sort_key(each["label"])[0]]
    shown = {"attending": found, "is_long": is_long, "wanted": wanted, "wrong": wrong}
    return page("names", locale, 422 if wrong else 200, title=TEXTS[locale]["who_title"], is_error=wrong, **shown)


def _open(visit: Visit) -> Response:
    """Show the questions, with a ballot that is taken when the answers are sent."""
    return _form(*_with_ballot(visit))


def _with_ballot(visit: Visit) -> tuple[Visit, list[Question]]:
    """The visit with a ballot, and its questions: the one that the page had, or one that is given now."""
    asking = {"locale": visit.locale}
    if visit.ballot:
        return visit, visit.context.call(ReadQuestions, survey_id=survey_of(visit.ballot), **asking)
    given: dict[str, Any] = visit.context.call(OpenBallot, **visit.entitled_by, **asking)
    return replace(visit, ballot=given["ballot_id"]), given["questions"]


def _answer(visit: Visit) -> Response:
    """Check what was typed and send it. It is kept in the page until it has arrived."""
    try:
        visit, questions = _with_ballot(visit)
    except Unavailable:
        return _again(visit)
    if visit.is_switching:
        return _form(visit, questions)
    wrong = find_faults(visit.answers, questions, visit.text)
    if wrong or not visit.answers:
        return _form(visit, questions, 422, visit.text["mend" if wrong else "empty"], wrong)
    return _send(visit, questions)


def _send(visit: Visit, questions: list[Question]) -> Response:
    answers = to_cast(visit.answers, questions)
    try:
        send_answers(visit.context, visit.ballot, answers)
    except Gone:
        return message("spent", visit.locale, 410, title="already")
    except Unavailable:
        return _again(visit)
    except Invalid as error:
        wrong = told_faults(error, answers, questions, visit.text)
        return _form(visit, questions, 422, visit.text["mend" if wrong else "empty"], wrong)
    return message("thanks", visit.locale)


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
        questions=to_show(questions),
        answers=visit.answers,
        wrong=wrong or {},
        message=words,
        is_error=bool(words),
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


def page_route(
    method: str, path: str, summary: str, act: Callable[[RequestContext], Response], status: int = 200
) -> Route:
    return Route(
        method,
        path,
        summary,
        act=act,
        operation=act.__name__,
        status=status,
        media=Media.HTML,
        is_guessable="<" in path,
        refuse=refuse,
    )


ROUTES = (
    page_route("GET", "/s/<token>", "Show a survey to whoever has its link", show_survey),
    page_route("POST", "/s/<token>", "Answer a survey", answer_survey),
    page_route("GET", "/r/<room_code>", "Show a room's survey: choose your name", show_names),
    page_route("POST", "/r/<room_code>", "Answer a survey in the room", answer_in_room),
)
