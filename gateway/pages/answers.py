"""Conversion of a form to answers, and of validation errors to sentences beside the form."""

import json
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from pratique.errors import Invalid
from pratique.events.membership import Locale
from words.catalogue import N_, sentences

Question = dict[str, Any]  #: as evaluation tells it: key, type, text, options, max_length, about

BAD_CHOICE = N_("Choose one of the answers offered.")
BAD_TEXT = N_("Shorten your text to 2,000 characters at most.")
MAX_TEXT = 2000  #: characters of a free answer, where the question does not say
MAX_ANSWERS = 100  #: fields of a form that are looked at
_UNTYPED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def typed_answers(form: MultiDict[str, str]) -> dict[str, str]:
    """Return what was typed or chosen, by question; questions left out are not in it."""
    typed = {
        name[2:]: _UNTYPED.sub("", value.replace("\r\n", "\n")).strip()
        for name, value in list(form.items())[:MAX_ANSWERS]
        if name.startswith("q.")
    }
    return {key: value for key, value in typed.items() if value}


def find_faults(typed: Mapping[str, str], questions: list[Question], locale: Locale) -> dict[str, str]:
    """Return the validation errors by question, found before the ballot is taken, since a ballot is taken only once."""
    _, wrong = sentences(locale), {}
    for question in questions:
        value, options = typed.get(question["key"]), question["options"]
        if value is None:
            continue
        if options and value not in [as_typed(option["value"]) for option in options]:
            wrong[question["key"]] = _(BAD_CHOICE)
        elif not options and len(value) > (question["max_length"] or MAX_TEXT):
            wrong[question["key"]] = _(BAD_TEXT)
    return wrong


def told_faults(
    error: Invalid, answers: list[dict[str, object]], questions: list[Question], locale: Locale
) -> dict[str, str]:
    """The service's pointers (``/answers/0/value``) as sentences at the questions that they point to."""
    _, has_options = sentences(locale), {question["key"]: bool(question["options"]) for question in questions}
    wrong = {}
    for pointer in error.fields:
        found = re.match(r"/answers/(\d+)", pointer)
        if found and int(found[1]) < len(answers):
            key = str(answers[int(found[1])]["question"])
            wrong[key] = _(BAD_CHOICE if has_options[key] else BAD_TEXT)
    return wrong


def to_cast(typed: Mapping[str, str], questions: list[Question]) -> list[dict[str, object]]:
    """The answers as evaluation takes them, in the order of the questions; what names no question is dropped."""
    answers = []
    for question in questions:
        value = typed.get(question["key"])
        if value is not None:
            by_typed = {as_typed(option["value"]): option["value"] for option in question["options"]}
            answers.append({"question": question["key"], "value": by_typed.get(value, value)})
    return answers


def to_show(questions: list[Question]) -> list[Question]:
    """The questions with the values of their options as a form carries them."""
    return [
        {**each, "options": [{**option, "value": as_typed(option["value"])} for option in each["options"]]}
        for each in questions
    ]


def as_typed(value: object) -> str:
    """The value of an option as a form carries it: ``4``, ``true``, or the text itself."""
    return value if isinstance(value, str) else json.dumps(value)
