"""Frame of a survey's pages: which meeting it asks about and until when, and the pages with which it ends."""

from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from chassis import clock
from gateway.pages.meeting import KINDS
from gateway.pages.render import page
from gateway.pages.texts import MESSAGES
from gateway.reading import read_locale
from gateway.routes import RequestContext
from pratique.events.meetings import MeetingKind
from pratique.requests.evaluation import IdentifySurvey, RoomPolicy
from words.catalogue import sentences

_FOUND = "pratique.survey"  #: where the environment of a request keeps which survey it is about

#: After these pages the next step is to wait for the results.
_DONE = ("thanks", "already", "spent", "closed")


def identify(context: RequestContext, **by: str) -> None:
    """Find out which meeting the survey is about; all pages of this request say so, those of its errors too.

    Asked before a ballot is, so that as much is asked whatever becomes of that.

    Raises:
        NotFound: there is no such survey.
        Unavailable: it is not known.
    """
    survey = context.call(IdentifySurvey, **by)
    context.request.environ[_FOUND] = survey | {"heading": context.app.headings.find(survey["meeting_id"])}


def asking_page(context: RequestContext, template: str, status: int = 200, **values: Any) -> Response:
    """The page of a template that includes ``heading.html``, in the language that is asked for."""
    return page(template, read_locale(context.request), status, asked=_asked(context), **values)


def end_page(context: RequestContext, name: str, status: int = 200) -> Response:
    """A page that ends the survey, by its name in ``MESSAGES``: with one next step, and whom to ask."""
    _, (title, words) = sentences(read_locale(context.request)), MESSAGES[name]
    return asking_page(context, "end", status, name=name, title=_(title), words=_(words), is_done=name in _DONE)


def _asked(context: RequestContext) -> dict[str, Any] | None:
    """What the heading says; None where the survey was not found."""
    survey: dict[str, Any] | None = context.request.environ.get(_FOUND)
    if survey is None:
        return None
    _, heading = sentences(read_locale(context.request)), survey["heading"]
    title = heading and (heading["theme"] or _(KINDS[MeetingKind(heading["kind"])]))
    is_over = datetime.fromisoformat(survey["closes_at"]) <= clock.now()
    is_here = "room_code" in context.path and context.app.settings.room_policy != RoomPolicy.PERSONAL
    return survey | {"title": title, "is_over": is_over, "is_here": is_here}
