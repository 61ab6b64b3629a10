"""The questions of surveys, in French and English, and the validation of answers.

A set is never edited once it was answered: a change is a new set under the next version, and a survey keeps the
version with which it was opened.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pratique.errors import Invalid
from pratique.events.membership import Locale
from pratique.requests.evaluation import OneAnswer, QuestionType

MAX_TEXT = 2_000  #: characters in one comment

Answers = dict[str, int | bool | str]  #: question key -> what was answered


@dataclass(frozen=True)
class Question:
    """One question of a set."""

    key: str
    type: QuestionType
    texts: Mapping[Locale, str]
    permits: str | None = None  #: the text question whose comment a yes to this one lets be shown; never released


@dataclass(frozen=True)
class Option:
    """One of the values to choose from, and its words."""

    value: int | bool
    label: str


@dataclass(frozen=True)
class Asked:
    """A question as someone meets it, in their language."""

    key: str
    type: QuestionType
    text: str
    options: Sequence[Option]  #: none for text
    max_length: int | None  #: of text, in characters
    about: str | None  #: the key of the comment that this one asks leave to show


def _in_both(fr: str, en: str) -> Mapping[Locale, str]:
    return {Locale.FR: fr, Locale.EN: en}


def _reworded(key: str, fr: str, en: str) -> Question:
    """A question of the first set in other words: its answers mean the same, so that years can be compared."""
    first = next(each for each in _FIRST if each.key == key)
    return replace(first, texts=_in_both(fr, en))


_FIRST = (
    Question(
        "satisfaction",
        QuestionType.SCALE1_5,
        _in_both(
            "Dans l’ensemble, êtes-vous satisfaite ou satisfait de cette rencontre?",
            "Overall, how satisfied are you with this meeting?",
        ),
    ),
    Question(
        "objectives_reached",
        QuestionType.SCALE1_5,
        _in_both("Les objectifs de la rencontre ont-ils été atteints?", "Were the objectives of the meeting reached?"),
    ),
    Question(
        "useful_for_work",
        QuestionType.SCALE1_5,
        _in_both(
            "Ce que vous en retirez vous sera-t-il utile dans votre travail?",
            "Will what you take away be useful in your work?",
        ),
    ),
    Question(
        "free_to_speak",
        QuestionType.SCALE1_5,
        _in_both("Vous êtes-vous sentie ou senti libre de vous exprimer?", "Did you feel free to speak?"),
    ),
    Question(
        "would_come_again",
        QuestionType.YES_NO,
        _in_both(
            "Reviendriez-vous à une rencontre comme celle-ci, ou la recommanderiez-vous?",
            "Would you come to a meeting like this again, or recommend it?",
        ),
    ),
    Question(
        "what_should_change",
        QuestionType.TEXT,
        _in_both(
            "Que devrions-nous changer? N’écrivez rien qui permette de reconnaître quelqu’un.",
            "What should we change? Write nothing by which someone could be recognised.",
        ),
    ),
    Question(
        "comment_may_be_shown",
        QuestionType.YES_NO,
        _in_both(
            "Mon commentaire peut être montré même si moins de dix personnes répondent.",
            "My comment may be shown even if fewer than ten people answer.",
        ),
        permits="what_should_change",
    ),
)
_SECOND = (
    _reworded(
        "satisfaction",
        "Dans l’ensemble, cette rencontre vous a-t-elle plu?",
        "Overall, are you satisfied with this meeting?",
    ),
    _reworded(
        "objectives_reached",
        "Les objectifs de la rencontre ont-ils été atteints?",
        "Did the meeting reach its objectives?",
    ),
    _reworded(
        "useful_for_work",
        "Ce que vous en retirez vous sera-t-il utile dans votre travail?",
        "Will what you take away be useful in your work?",
    ),
    _reworded("free_to_speak", "Avez-vous pu vous exprimer librement?", "Did you feel free to speak?"),
    _reworded(
        "would_come_again",
        "Reviendriez-vous à une rencontre comme celle-ci, ou la recommanderiez-vous?",
        "Would you come to a meeting like this again, or recommend it?",
    ),
    _reworded(
        "what_should_change",
        "Que devrions-nous changer? N’écrivez rien qui permette de reconnaître quelqu’un.",
        "What should we change? Please write nothing that could identify anyone.",
    ),
    _reworded(
        "comment_may_be_shown",
        "Mon commentaire peut être montré même si moins de dix personnes répondent.",
        "My comment may be shown even if fewer than ten people answer.",
    ),
)
SETS: Mapping[int, Sequence[Question]] = {1: _FIRST, 2: _SECOND}  #: by version
CURRENT = 2

_SCALES: Mapping[int, Sequence[Mapping[Locale, str]]] = {
    1: (
        _in_both("Pas du tout", "Not at all"),
        _in_both("Plutôt non", "Rather not"),
        _in_both("En partie", "In part"),
        _in_both("Plutôt oui", "Rather yes"),
        _in_both("Tout à fait", "Entirely"),
    ),
    2: (
        _in_both("Pas du tout", "Not at all"),
        _in_both("Plutôt non", "A little"),
        _in_both("En partie", "Somewhat"),
        _in_both("Plutôt oui", "Mostly"),
        _in_both("Tout à fait", "Completely"),
    ),
}
_YES, _NO = _in_both("Oui", "Yes"), _in_both("Non", "No")


def in_language(version: int, locale: Locale) -> list[Asked]:
    """The questions of a set in one language, in the order in which to ask them."""
    return [
        Asked(
            key=question.key,
            type=question.type,
            text=question.texts[locale],
            options=_options(version, question.type, locale),
            max_length=MAX_TEXT if question.type is QuestionType.TEXT else None,
            about=question.permits,
        )
        for question in SETS[version]
    ]


def _options(version: int, type: QuestionType, locale: Locale) -> list[Option]:
    if type is QuestionType.SCALE1_5:
        return [Option(value, label[locale]) for value, label in enumerate(_SCALES[version], 1)]
    if type is QuestionType.YES_NO:
        return [Option(True, _YES[locale]), Option(False, _NO[locale])]
    return []


def checked(version: int, answers: Sequence[OneAnswer]) -> Answers:
    """The answers as they are kept: text without blanks around it, lines ended by a line feed.

    Raises:
        Invalid: nothing is answered, or some answers cannot be; pointers such as ``/answers/2/value`` say which.
    """
    known = {question.key: question for question in SETS[version]}
    kept: Answers = {}
    wrong: dict[str, str] = {}
    if len(answers) > len(known):
        words = f"This survey has {len(known)} questions; answer each once at most."
        raise Invalid(words, {"/answers": f"at most {len(known)} answers"})
    for index, answer in enumerate(answers):
        question = known.get(answer.question)
        if question is None:
            wrong[f"/answers/{index}/question"] = "this survey has no such question"
        elif question.key in kept:
            wrong[f"/answers/{index}/question"] = "this question is answered twice"
        elif fault := _error_in(question.type, answer.value):
            wrong[f"/answers/{index}/value"] = fault
        else:
            kept[question.key] = _tidy(answer.value)
    if wrong:
        raise Invalid("Some answers cannot be taken; correct those that are named and send all again.", wrong)
    if not any(known[key].permits is None for key in kept):
        raise Invalid("Nothing is answered; answer at least one question.", {"/answers": "nothing is answered"})
    return kept


def _error_in(type: QuestionType, value: object) -> str | None:
    """Return what is wrong with a value, or None. True is no number here, though Python holds that it is 1."""
    if type is QuestionType.SCALE1_5:
        is_fine = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 5
        return None if is_fine else "answer with a whole number from 1 to 5"
    if type is QuestionType.YES_NO:
        return None if isinstance(value, bool) else "answer with true or false"
    if not isinstance(value, str):
        return "answer with text"
    if len(value) > MAX_TEXT:
        return f"the text has {len(value)} characters; at most {MAX_TEXT} are taken"
    if any(unicodedata.category(each) in ("Cc", "Cs") and each not in "\t\n\r" for each in value):
        return "the text holds control characters; leave them out"
    return None if value.strip() else "the text is empty; leave the answer out instead"


def _tidy(value: object) -> int | bool | str:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not isinstance(value, int):
        raise TypeError("only what was checked can be kept")
    return value
