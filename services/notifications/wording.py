"""What mails call kinds of meetings, ways to take part and communities; dates and lists are those of all pages."""

from collections.abc import Mapping, Sequence

from pratique.events.meetings import MeetingKind, Mode
from pratique.events.membership import Locale
from words.catalogue import N_, sentences
from words.formats import day, hour, listing, moment, number, span

__all__ = ["KINDS", "MODES", "day", "hour", "listing", "moment", "number", "of_communities", "span"]

KINDS: Mapping[MeetingKind, str] = {
    MeetingKind.MEETING: N_("meeting"),
    MeetingKind.TRAINING: N_("training session"),
    MeetingKind.PREPARATORY: N_("preparatory meeting"),
    MeetingKind.CROSS_COMMUNITY: N_("joint meeting"),
}
MODES: Mapping[Mode, str] = {
    Mode.IN_PERSON: N_("in person"),
    Mode.ONLINE: N_("online"),
    Mode.HYBRID: N_("in person or online"),
}


def of_communities(names: Sequence[str], locale: Locale) -> str:
    """« de la communauté « A » », « des communautés « A » et « B » », "of A and B"."""
    _ = sentences(locale)
    named = [_.pgettext("a community within a sentence", "%(name)s") % {"name": name} for name in names]
    return _.counted("of %(names)s", "of %(names)s", len(names), names=listing(named, locale))
