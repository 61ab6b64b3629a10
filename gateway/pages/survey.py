"""The survey as people meet it: by the link in their mail, or by the code that the room was shown. No script needed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.wrappers import Request, Response

from chassis.http.problems import kind_of, record
from gateway.api.evaluation import read_room
from gateway.ballots import send_answers, survey_of
from gateway.pages.answers import Question, find_faults, to_cast, to_show, told_faults, typed_answers
from gateway.pages.asked import asking_page, end_page, identify
from gateway.pages.render import message
from gateway.passes import find_passes, forget_passes
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
from pratique.events.membership import Locale
from pratique.requests.evaluation import MailSurveyLink, OpenBallot, ReadQuestions, RoomPolicy
from words.catalogue import N_, Sentences, sentences
from words.order import in_order, sort_key

TITLE = N_("Your view of the meeting")
MAX_BALLOT = 400  #: characters
MAX_LABEL = 200  #: characters
MAX_WANTED = 60  #: characters of a name that is looked for
MAX_LISTED = 30  #: names on one page, which stays light
MAX_UNSEARCHED = 15  #: names that one finds by looking
LINKS_ASKED_FOR = 3  #: times in a minute that one person's link may be asked for in a room


@dataclass(frozen=True)
class Visit:
    """One person before the survey, by a link or in a room."""

    context: RequestContext
    locale: Locale
    member: str  #: chosen in a room; empty for those who came by a link or hold a pass
    ballot: str  #: empty until the questions were shown
    answers: dict[str, str]  #: what was typed, by question; what was left out is not in it
    room_pass: str = ""  #: that their phone holds for this room
    label: str = ""  #: the name of whose pass it is; their page sends it along, and shows it to nobody else

    @property
    def entitled_by(self) -> dict[str, str]:
        """Return the proof by which they may answer, as evaluation takes it."""
        proof = {"room_pass": self.room_pass} if self.room_pass else {"member_id": self.member} if self.member else {}
        return dict(self.context.path) | proof

    @property
    def is_switching(self) -> bool:
        """Return whether they ask for the same page in the other language, and send nothing yet."""
        return "switch" in self.context.request.form

    @property
    def sentences(self) -> Sentences:
        """The sentences of their language."""
        return sentences(self.locale)


def show_survey(context: RequestContext) -> Response:
    """Show the questions to whoever has the link. Uses up nothing: mail scanners follow links too."""
    return _open(_visit(context))


def answer_survey(context: RequestContext) -> Response:
    """Take what was answered by a link."""
    return _answer(_visit(context))


def show_names(context: RequestContext) -> Response:
    """Show the questions to whose phone holds a pass for this room; else who is attending, to choose oneself from."""
    return _enter(_visit(context))


def answer_in_room(context: RequestContext) -> Response:
    """Show the questions to whoever chose a name; then take what was answered, also when the room has just closed."""
    visit, step = _visit(context), context.request.form.get("step")
    if step == "forget":
        return _forget(visit)
    if step == "mine":
        return _enter(visit, wrong=True)
    if step == "mail" and visit.member:
        return _mail_link(visit)
    if step == "find":
        return _enter(visit, wanted=context.request.form.get("find", "")[:MAX_WANTED].strip())
    if not visit.ballot and (not visit.member or _is_personal(context)):
        return _enter(visit, wrong=not visit.is_switching)
    return _answer(visit) if step == "answer" else _open(visit)


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person, in their language."""
    status = kind_of(error).status
    if status == 500:
        return show_failure(context.request, record(error))
    is_room = "room_code" in context.path
    if isinstance(error, Conflict) and is_room:
        return end_page(context, "already_room", status)
    if isinstance(error, NotFound) and is_room:
        return end_page(context, "no_room", status)
    names: dict[type[DomainError], str] = {
        NotFound: "unknown",
        Conflict: "already",
        Gone: "closed",
        TooManyTries: "tries",
        Unavailable: "away",
    }
    response = end_page(context, names.get(type(error), "unread"), status)
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
        label=form.get("label", "")[:MAX_LABEL],
    )


def _enter(visit: Visit, wrong: bool = False, wanted: str = "") -> Response:
    """Show the questions to whoever holds a pass and is there, and the names to others.

    Where the passes of several are held, each chooses among these: nobody answers for whoever lent or planted one.
    """
    room = read_room(visit.context, visit.context.path["room_code"])
    held = find_passes(visit.context, room.meeting_id)
    holders = [each for each in room.attending if each["member_id"] in held]
    chosen = [each for each in holders if len(holders) == 1 or each["member_id"] == visit.member]
    if chosen:
        [person] = chosen
        return _open(replace(visit, member="", room_pass=held[person["member_id"]], label=person["label"]))
    if holders:
        return _holders(visit, holders, wrong=wrong)
    return _names(visit, room.attending, is_held=bool(held), wrong=wrong, wanted=wanted)


def _holders(visit: Visit, holders: list[dict[str, str]], *, wrong: bool) -> Response:
    """The names of those whose passes this phone holds, to choose one's own from."""
    identify(visit.context, **visit.context.path)
    _ = visit.sentences
    shown = {"attending": in_order(holders, lambda each: each["label"]), "wrong": wrong, "is_error": wrong}
    return asking_page(visit.context, "holders", 422 if wrong else 200, title=_("Who are you?"), **shown)


def _names(visit: Visit, everyone: list[dict[str, str]], *, is_held: bool, wrong: bool, wanted: str) -> Response:
    """The names as a phone book orders them; of many, those in which what is wanted stands, whatever its accents."""
    is_long = len(everyone) > MAX_UNSEARCHED
    found = in_order(everyone, lambda each: each["label"])
    if is_long and wanted:
        found = [each for each in found if sort_key(wanted)[0] in sort_key(each["label"])[0]]
    is_personal, _ = _is_personal(visit.context), visit.sentences
    title = _("Get your link") if is_personal else _("Who are you?")
    identify(visit.context, **visit.context.path)
    listed, is_cut = found[:MAX_LISTED], len(found) > MAX_LISTED
    shown = {"attending": listed, "is_cut": is_cut, "is_long": is_long, "wanted": wanted}
    shown |= {"wrong": wrong, "is_error": wrong, "is_personal": is_personal, "is_held": is_held}
    return asking_page(visit.context, "names", 422 if wrong else 200, title=title, **shown)


def _is_personal(context: RequestContext) -> bool:
    return context.app.settings.room_policy == RoomPolicy.PERSONAL


def _forget(visit: Visit) -> Response:
    """Let the phone hold no pass for this room, and begin anew."""
    context = visit.context
    room = read_room(context, context.path["room_code"])
    response = Response(status=303, headers={"Location": f"?lang={visit.locale}"})
    response.headers["Cache-Control"] = "no-store"
    forget_passes(context, response, room.meeting_id)
    return response


def _mail_link(visit: Visit) -> Response:
    """Let the person of this name have their link by mail; the same page whoever they are, and whatever they did."""
    context = visit.context
    room = read_room(context, context.path["room_code"])  # a wrong code is told, and counted
    identify(context, **context.path)
    is_there = any(each["member_id"] == visit.member for each in room.attending)
    if is_there and context.app.link_mails.take(f"{room.meeting_id} {visit.member}"):  # however the code is written
        with suppress(NotFound, Invalid):
            context.call(MailSurveyLink, room_code=context.path["room_code"], member_id=visit.member)
    return end_page(context, "link_mailed")


def _open(visit: Visit) -> Response:
    """Show the questions, with a ballot that is taken when the answers are sent."""
    return _form(*_with_ballot(visit))


def _with_ballot(visit: Visit) -> tuple[Visit, list[Question]]:
    """The visit with a ballot, and its questions: the one that the page had, or one that is given now."""
    context, asking = visit.context, {"locale": visit.locale}
    if visit.ballot:
        survey_id = survey_of(visit.ballot)
        identify(context, survey_id=survey_id)
        return visit, context.call(ReadQuestions, survey_id=survey_id, **asking)
    identify(context, **context.path)
    given: dict[str, Any] = context.call(OpenBallot, **visit.entitled_by, **asking)
    return replace(visit, ballot=given["ballot_id"]), given["questions"]


def _answer(visit: Visit) -> Response:
    """Check what was typed and send it. It is kept in the page until it has arrived."""
    try:
        visit, questions = _with_ballot(visit)
    except Unavailable:
        return _again(visit)
    if visit.is_switching:
        return _form(visit, questions)
    wrong = find_faults(visit.answers, questions, visit.locale)
    if wrong or not visit.answers:
        return _mend(visit, questions, wrong)
    return _send(visit, questions)


def _send(visit: Visit, questions: list[Question]) -> Response:
    answers = to_cast(visit.answers, questions)
    try:
        send_answers(visit.context, visit.ballot, answers)
    except Gone:
        return end_page(visit.context, "spent", 410)
    except Unavailable:
        return _again(visit)
    except Invalid as error:
        wrong = told_faults(error, answers, questions, visit.locale)
        return _mend(visit, questions, wrong)
    return end_page(visit.context, "thanks")


def _mend(visit: Visit, questions: list[Question], wrong: dict[str, str]) -> Response:
    """Ask to correct what is wrong, or to answer something."""
    _ = visit.sentences
    nothing = _("Answer at least one question, then send your answers.")
    words = _("Your answers are not sent yet. Correct what is marked, then send them.") if wrong else nothing
    return _form(visit, questions, 422, words, wrong)


def _form(
    visit: Visit,
    questions: list[Question],
    status: int = 200,
    words: str = "",
    wrong: dict[str, str] | None = None,
) -> Response:
    return asking_page(
        visit.context,
        "questions",
        status,
        title=visit.sentences(TITLE),
        questions=to_show(questions),
        answers=visit.answers,
        wrong=wrong or {},
        message=words,
        is_error=bool(words),
        member=visit.member,
        ballot=visit.ballot,
        label=visit.label,
    )


def _again(visit: Visit) -> Response:
    """Offer to send the same once more; nothing that was typed, and no ballot that was taken, is lost."""
    values = {"answers": visit.answers, "member": visit.member, "ballot": visit.ballot, "label": visit.label}
    _ = visit.sentences
    words = _("Your answers were not sent: the service is not responding. Wait a moment, then try again.")
    response = asking_page(visit.context, "again", 503, title=_(TITLE), message=words, **values)
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
