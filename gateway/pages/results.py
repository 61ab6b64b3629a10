"""The results of a survey, for whoever has the link from a mail: what was released, and the same for everyone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from chassis.http.problems import kind_of
from chassis.sealing import BrokenSeal
from gateway.pages import survey
from gateway.pages.render import message, page
from gateway.reading import read_locale
from gateway.routes import Media, RequestContext, Route
from pratique.errors import DomainError, NotFound, Unavailable
from pratique.events.evaluation import SurveyState, WithheldReason
from pratique.events.membership import Locale
from pratique.requests.evaluation import ReadResults
from words import formats
from words.catalogue import N_, sentences

#: Why nothing is shown, by the reason that evaluation gives or the state of the survey.
_WHY_NOT: Mapping[str, str] = {
    WithheldReason.BELOW_K: N_(
        "The survey has ended. Its results are not shown: too few people answered to be sure that "
        "nobody could be recognized."
    ),
    WithheldReason.NO_ATTENDANCE: N_(
        "The survey has ended without results: no attendance was recorded, so nobody was asked."
    ),
    SurveyState.WITHHELD: N_("The survey has ended. Its results are not shown, so that nobody can be recognized."),
    SurveyState.OPEN: N_(
        "This survey is still open. Its results will appear here once it has ended, if enough people "
        "have answered for nobody to be recognized."
    ),
}
_RELEASED = N_("%(n)s people answered. These results are the same for everyone and will not change.")
_NEARLY_ALL = N_(
    "All of these people, or all but one, answered %(label)s. The exact number is not shown: it would give away what "
    "each of them answered."
)
_MEAN = N_(
    "On average: %(mean)s out of 5. With so small a group the mean is uncertain: it most likely lies between %(low)s "
    "and %(high)s (19 times out of 20)."
)
_SHARE = N_(
    "%(share)s said yes. With so small a group this share is uncertain: it most likely lies between %(low)s and "
    "%(high)s (19 times out of 20)."
)


@dataclass(frozen=True)
class Row:
    """One answer and how many chose it."""

    label: str
    count: int
    percent: int


@dataclass(frozen=True)
class Shown:
    """The results of one question, as the page shows them."""

    text: str
    caption: str
    rows: list[Row]
    sentences: list[str]


def show_results(context: RequestContext) -> Response:
    """Show what was released of a survey, or say in a sentence why nothing is."""
    locale = read_locale(context.request)
    _, survey_id = sentences(locale), _survey_of(context)
    told = context.call(ReadResults, survey_id=survey_id, locale=locale)
    is_released = told["state"] == SurveyState.RELEASED
    return page(
        "results",
        locale,
        title=_("Survey results"),
        is_released=is_released,
        lead=_(_RELEASED, n=told["n"]) if is_released else _(why_not(told)),
        when=when_answered(told, locale),
        questions=[_shown(cell, locale) for cell in told["questions"]] if is_released else [],
        comments=told["comments"] if is_released else [],
    )


def when_answered(told: Mapping[str, Any], locale: Locale) -> str:
    """Return in a sentence how many answered during the meeting and later; empty where that is not told."""
    _ = sentences(locale)
    in_meeting, after = told.get("n_in_meeting"), told.get("n_after")
    if in_meeting is None or after is None:
        return ""
    if not after:
        return _("All of them answered during the meeting.")
    if not in_meeting:
        return _("All of them answered after the meeting.")
    return _("%(in_meeting)s answered during the meeting, and %(after)s after it.", in_meeting=in_meeting, after=after)


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person."""
    names: dict[type[DomainError], str] = {NotFound: "results_unknown", Unavailable: "results_away"}
    name = names.get(type(error))
    if name is None:
        return survey.refuse(context, error)
    kind = kind_of(error)
    response = message(name, read_locale(context.request), kind.status)
    response.headers.update(kind.headers or {})
    return response


def why_not(told: Mapping[str, Any]) -> str:
    """Return the sentence, in English, that tells why nothing is shown of a survey."""
    return _WHY_NOT.get(told.get("reason") or told["state"], _WHY_NOT[SurveyState.WITHHELD])


def _survey_of(context: RequestContext) -> str:
    try:
        (survey_id,) = context.app.settings.seal.read_link("results", context.path["token"])
    except (BrokenSeal, ValueError) as error:
        raise NotFound("This link leads to no results.") from error
    return str(survey_id)


def _shown(cell: dict[str, Any], locale: Locale) -> Shown:
    _ = sentences(locale)
    if cell["is_withheld"]:
        hidden = _("The answers to this question are not shown, so that nobody can be recognized.")
        return Shown(cell["text"], "", [], [hidden])
    labels = cell["options"]
    if "nearly_all" in cell:
        label = formats.quoted(labels.get(cell["nearly_all"], cell["nearly_all"]), locale)
        words = _(_NEARLY_ALL, label=label)
        return Shown(cell["text"], "", [], [words])
    n = cell["n"]
    rows = [
        Row(labels.get(key, key), count, round(100 * count / n)) for key, count in cell["distribution"].items() if n
    ]
    return Shown(cell["text"], _("%(n)s answers", n=n), rows, [_in_words(cell, locale)])


def _in_words(cell: dict[str, Any], locale: Locale) -> str:
    """Mean or share, and how sure it is."""
    is_share, _ = "share" in cell, sentences(locale)
    shown, name = (formats.percent, "share") if is_share else (formats.decimal, "mean")
    low, high = cell["interval"]
    values = {name: cell[name], "low": low, "high": high}
    return _(_SHARE if is_share else _MEAN, **{each: shown(value, locale) for each, value in values.items()})


ROUTES = (
    Route(
        "GET",
        "/results/<token>",
        "Show a survey's results to whoever has their link",
        act=show_results,
        operation="show_results",
        media=Media.HTML,
        refuse=refuse,
    ),
)
