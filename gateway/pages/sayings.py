"""The sentences of the results page, by name, in English."""

from collections.abc import Mapping

from gateway.pages.texts import texts_of
from pratique.events.membership import Locale
from words.catalogue import N_

_NAMED: Mapping[str, str] = {
    "title": N_("Survey results"),
    "released": N_("%(n)s people answered. These results are the same for everyone and will not change."),
    "open": N_(
        "This survey is still open. Its results will appear here once it has ended, if enough people have "
        "answered for nobody to be recognized."
    ),
    "below_k": N_(
        "The survey has ended. Its results are not shown: too few people answered to be sure that nobody could be"
        " recognized."
    ),
    "no_attendance": N_("The survey has ended without results: no attendance was recorded, so nobody was asked."),
    "withheld": N_("The survey has ended. Its results are not shown, so that nobody can be recognized."),
    "answer": N_("Answer"),
    "people": N_("People"),
    "caption": N_("%(n)s answers"),
    "mean": N_(
        "On average: %(mean)s out of 5. With so small a group the mean is uncertain: it most likely lies between "
        "%(low)s and %(high)s (19 times out of 20)."
    ),
    "share": N_(
        "%(share)s said yes. With so small a group this share is uncertain: it most likely lies between %(low)s "
        "and %(high)s (19 times out of 20)."
    ),
    "nearly_all": N_(
        "All of these people, or all but one, answered %(label)s. The exact number is not shown: it would give "
        "away what each of them answered."
    ),
    "question_withheld": N_("The answers to this question are not shown, so that nobody can be recognized."),
    "comments": N_("Comments"),
    "comments_order": N_("In random order."),
    "anonymous_title": N_("What anonymous means"),
    "nothing_left": N_(
        "This page is all that is left of the survey: nobody’s own answers are kept, with a name or without."
    ),
    "anonymous": N_(
        "Nothing is shown of fewer than five answers. Comments are shown from ten answers on, or earlier if the "
        "person who wrote one agreed. Who answered what is shown to nobody."
    ),
    "ask": N_("A question? Talk to the person who facilitates your community; they see the same results as you."),
    "unknown_title": N_("Unknown link"),
    "unknown": N_(
        "This link leads to no results. Check that you copied the whole of it, or ask the person who facilitates "
        "your community for it."
    ),
    "away_title": N_("One moment"),
    "away": N_("The service is not responding right now. Try again in a moment."),
}

Sayings = Mapping[str, str]

#: All of them, by language and name.
SAYINGS: Mapping[str, Sayings] = {locale.value: texts_of(_NAMED, locale) for locale in Locale}
