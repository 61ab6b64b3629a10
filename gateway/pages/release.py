"""The results of a meeting's survey, for whoever runs it: what was released, and the same for every reader."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from gateway.pages.frame import framed
from gateway.pages.meeting import named
from gateway.pages.results import when_answered, why_not
from gateway.pages.visits import visitor_route
from gateway.routes import Ask, RequestContext
from pratique.errors import Forbidden, NotFound
from pratique.events.evaluation import SurveyState
from pratique.events.membership import Locale
from pratique.requests.evaluation import ReadMeetingResults
from pratique.requests.meetings import GetMeeting
from words.catalogue import sentences
from words.formats import decimal, listing, percent, quoted


def show_release(context: RequestContext) -> Response:
    """Show what was released of the survey about a meeting, or say in a sentence why nothing is."""
    locale = context.locale
    read, told = context.call_all(
        Ask(GetMeeting, **context.path), Ask(ReadMeetingResults, (NotFound, Forbidden), **context.path, locale=locale)
    )
    _ = sentences(locale)
    is_released = told is not None and told["state"] == SurveyState.RELEASED
    return framed(
        context,
        "release",
        _("Results of the survey"),
        meeting=named(context, read),
        is_released=is_released,
        lead=_lead(told, locale),
        when=when_answered(told or {}, locale),
        questions=[_shown(cell, locale) for cell in told["questions"]] if is_released else [],
        comments=told["comments"] if is_released else [],
    )


def _lead(told: Mapping[str, Any] | None, locale: Locale) -> str:
    _ = sentences(locale)
    if told is None:
        return _(
            "There is no survey about this meeting: it opens with the last minutes, or when the meeting is closed."
        )
    if told["state"] == SurveyState.RELEASED:
        return _.counted("%(num)s person answered.", "%(num)s people answered.", told["n"])
    return _(why_not(told))


def _shown(cell: Mapping[str, Any], locale: Locale) -> dict[str, Any]:
    """One question: a sentence, and what its picture and its table show where there is more to tell."""
    _, labels = sentences(locale), cell["options"]
    shown: dict[str, Any] = {"text": cell["text"], "parts": [], "mean": None, "caption": "", "in_words": ""}
    if cell["is_withheld"]:
        return shown | {"sentence": _("The answers to this question are not shown, so that nobody can be recognized.")}
    if "nearly_all" in cell:
        label = quoted(labels.get(cell["nearly_all"], cell["nearly_all"]), locale)
        return shown | {"sentence": _("All who answered, or all but one, said %(label)s.", label=label)}
    parts = [(labels.get(key, key), count) for key, count in cell["distribution"].items()]
    told = [_("%(label)s: %(count)s", label=label, count=count) for label, count in parts]
    caption = _.counted("%(num)s answer", "%(num)s answers", cell["n"])
    shown |= {"parts": parts, "in_words": listing(told, locale), "caption": f"{cell['text']} {caption}"}
    low, high = cell["interval"]
    if "share" in cell:
        values = {
            name: percent(value, locale) for name, value in (("share", cell["share"]), ("low", low), ("high", high))
        }
        return shown | {"sentence": _("%(share)s said yes; most likely between %(low)s and %(high)s.", **values)}
    values = {name: decimal(value, locale) for name, value in (("mean", cell["mean"]), ("low", low), ("high", high))}
    sentence = _("On average %(mean)s out of 5; most likely between %(low)s and %(high)s.", **values)
    return shown | {"sentence": sentence, "mean": cell["mean"], "low": low, "high": high}


ROUTES = (
    visitor_route("GET", "/meetings/<uuid:meeting_id>/results", "Show the results of a meeting's survey", show_release),
)
