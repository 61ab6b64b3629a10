"""What mails call kinds of meetings, ways to take part and communities; dates and lists are those of all pages."""

from collections.abc import Sequence

from pratique.events.meetings import MeetingKind, Mode
from pratique.events.membership import Locale
from words.formats import NBSP, day, hour, listing, moment, number, quoted, span

__all__ = ["KINDS", "MODES", "NBSP", "day", "hour", "listing", "moment", "number", "of_communities", "span"]

KINDS = {
    Locale.FR: {
        MeetingKind.MEETING: "rencontre",
        MeetingKind.TRAINING: "formation",
        MeetingKind.PREPARATORY: "rencontre préparatoire",
        MeetingKind.CROSS_COMMUNITY: "rencontre intercommunautaire",
    },
    Locale.EN: {
        MeetingKind.MEETING: "meeting",
        MeetingKind.TRAINING: "training session",
        MeetingKind.PREPARATORY: "preparatory meeting",
        MeetingKind.CROSS_COMMUNITY: "joint meeting",
    },
}
MODES = {
    Locale.FR: {Mode.IN_PERSON: "en personne", Mode.ONLINE: "en ligne", Mode.HYBRID: "en personne ou en ligne"},
    Locale.EN: {Mode.IN_PERSON: "in person", Mode.ONLINE: "online", Mode.HYBRID: "in person or online"},
}


def of_communities(names: Sequence[str], locale: Locale) -> str:
    """« de la communauté « A » », « des communautés « A » et « B » », "of A and B"."""
    if locale is Locale.EN:
        return f"of {listing(names, locale)}"
    named = listing([quoted(name, locale) for name in names], locale)
    return f"des communautés {named}" if len(names) > 1 else f"de la communauté {named}"
