"""The results of a survey, for whoever has the link from a mail: what was released, and the same for everyone."""

from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from chassis.http.problems import kind_of
from chassis.sealing import BrokenSeal
from gateway.pages import survey
from gateway.pages.render import message_of, page
from gateway.pages.sayings import SAYINGS, Sayings
from gateway.reading import read_locale
from gateway.routes import Media, RequestContext, Route
from pratique.errors import DomainError, NotFound, Unavailable
from pratique.events.evaluation import SurveyState
from pratique.events.membership import Locale
from pratique.requests.evaluation import ReadResults
from words import formats


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
    say = SAYINGS[locale]
    survey_id = _survey_of(context)
    told = context.call(ReadResults, survey_id=survey_id, locale=locale)
    is_released = told["state"] == SurveyState.RELEASED
    return page(
        "results",
        locale,
        title=say["title"],
        say=say,
        is_released=is_released,
        lead=say["released"] % {"n": told["n"]} if is_released else _why_not(told, say),
        questions=[_shown(cell, say, locale) for cell in told["questions"]] if is_released else [],
        comments=told["comments"] if is_released else [],
    )


def refuse(context: RequestContext, error: DomainError) -> Response:
    """The page that tells this error to a person."""
    say = SAYINGS[read_locale(context.request)]
    names: dict[type[DomainError], str] = {NotFound: "unknown", Unavailable: "away"}
    name = names.get(type(error))
    if name is None:
        return survey.refuse(context, error)
    kind = kind_of(error)
    response = message_of(say[f"{name}_title"], say[name], read_locale(context.request), kind.status)
    response.headers.update(kind.headers or {})
    return response


def _survey_of(context: RequestContext) -> str:
    try:
        (survey_id,) = context.app.settings.seal.read_link("results", context.path["token"])
    except (BrokenSeal, ValueError) as error:
        raise NotFound("This link leads to no results.") from error
    return str(survey_id)


def _why_not(told: dict[str, Any], say: Sayings) -> str:
    if told["state"] == SurveyState.OPEN:
        return say["open"]
    reason = told.get("reason")
    return say[reason] if reason in ("below_k", "no_attendance") else say["withheld"]


def _shown(cell: dict[str, Any], say: Sayings, locale: str) -> Shown:
    if cell["is_withheld"]:
        return Shown(cell["text"], "", [], [say["question_withheld"]])
    labels = cell["options"]
    if "nearly_all" in cell:
        label = formats.quoted(labels.get(cell["nearly_all"], cell["nearly_all"]), Locale(locale))
        words = say["nearly_all"] % {"label": label}
        return Shown(cell["text"], "", [], [words])
    n = cell["n"]
    rows = [
        Row(labels.get(key, key), count, round(100 * count / n)) for key, count in cell["distribution"].items() if n
    ]
    return Shown(cell["text"], say["caption"] % {"n": n}, rows, [_in_words(cell, say, locale)])


def _in_words(cell: dict[str, Any], say: Sayings, locale: str) -> str:
    """Mean or share, and how sure it is."""
    is_share = "share" in cell
    shown, name = (formats.percent, "share") if is_share else (formats.decimal, "mean")
    low, high = cell["interval"]
    values = {name: cell[name], "low": low, "high": high}
    return say[name] % {each: shown(value, Locale(locale)) for each, value in values.items()}


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
