"""Kinds of mails: the priority, audience, needs and expiry of each template, in one table."""

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pratique.events.notifications import Template
from services.notifications.models import LEASE

CalendarMethod = Literal["REQUEST", "CANCEL"]  #: of iTIP: asks the attendee to come, or takes the meeting back


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """Rules for all mails of one template. A rule that concerns a single template stands in ``decisions``."""

    priority: int  #: the lowest is sent first: that which is worth least when it is late
    is_about_survey: bool = False  #: whom it went to tells who had not answered: told to nobody, and in no row
    is_untold: bool = False  #: concerns nobody else: of it, too, nothing is published, and no row names whom it is to
    is_to_facilitators: bool = False  #: concerns whoever facilitates when it is sent, and nobody else
    is_to_those_there: bool = False  #: concerns whoever was at the meeting, as known when it is sent
    needs_words: bool = False  #: says where the meeting is held and what it is about
    ends_with_meeting: bool = False  #: makes no sense once the meeting is closed
    news_for: timedelta | None = None  #: from the meeting's end, whatever its own expiry says
    companion: Template | None = None  #: the other mail to the same person on which its sending depends
    calendar: CalendarMethod | None = None  #: how its calendar entry is to be taken; None without one
    lease: timedelta = LEASE  #: how long a sender may hold it, before another tries

    @property
    def names_nobody(self) -> bool:
        """Whether its row names nobody, and nobody else is told what became of it."""
        return self.is_about_survey or self.is_untold

    @property
    def answers_go_to_lead(self) -> bool:
        """Whether a reply reaches whoever leads the meeting.

        Never about a survey: a machine that answers for somebody on holiday would tell who had been asked.
        """
        return not (self.is_about_survey or self.is_to_facilitators)

    @property
    def asks_whether_one_comes(self) -> bool:
        """Whether it carries the person's own link, by which they say whether they come."""
        return self.calendar == "REQUEST"

    @property
    def tells_notice(self) -> bool:
        """Whether it tells what is kept as a ``ResultsNotice``."""
        return self.is_to_facilitators or self.is_to_those_there


#: What each template asks of the service; a template without a row here cannot be queued.
KINDS: Mapping[Template, Kind] = {
    Template.MEETING_INVITATION: Kind(priority=2, needs_words=True, ends_with_meeting=True, calendar="REQUEST"),
    Template.MEETING_CHANGED: Kind(
        priority=0,
        needs_words=True,
        ends_with_meeting=True,
        companion=Template.MEETING_INVITATION,
        calendar="REQUEST",
    ),
    Template.MEETING_CANCELLED: Kind(
        priority=0, needs_words=True, companion=Template.MEETING_INVITATION, calendar="CANCEL"
    ),
    Template.MEETING_LEFT_OPEN: Kind(priority=2, is_to_facilitators=True, ends_with_meeting=True),
    Template.ADDRESS_CHANGED: Kind(priority=1),
    # Somebody sits there and waits. The slowest of mail servers takes a mail within three minutes or fails, and a link
    # lives for fifteen: when a sender has ended, another still has time.
    Template.SIGN_IN: Kind(priority=-1, is_untold=True, lease=timedelta(minutes=4)),
    Template.SURVEY_INVITATION: Kind(priority=1, is_about_survey=True, companion=Template.SURVEY_REMINDER),
    Template.SURVEY_REMINDER: Kind(priority=2, is_about_survey=True, companion=Template.SURVEY_INVITATION),
    Template.RESULTS_RELEASED: Kind(priority=3, is_to_those_there=True),
    # ResultsWithheld carries no instant; so long after the meeting, seven days of survey and some, it is no news.
    Template.RESULTS_WITHHELD: Kind(priority=3, is_to_facilitators=True, news_for=timedelta(days=21)),
}

#: Mails about a survey: whom they went to tells who had not answered, so it is told to nobody and stands in no row.
ABOUT_SURVEY = tuple(template for template, kind in KINDS.items() if kind.is_about_survey)
#: Mails whose recipient stands in their sealed box alone.
UNTOLD = tuple(template for template, kind in KINDS.items() if kind.names_nobody)
#: What concerns whoever facilitates, and nobody else.
TO_FACILITATORS = tuple(template for template, kind in KINDS.items() if kind.is_to_facilitators)
#: Leases that differ from most.
LEASES = {template: kind.lease for template, kind in KINDS.items() if kind.lease != LEASE}
#: What makes no sense any more once the meeting is closed.
END_WITH_MEETING = tuple(template for template, kind in KINDS.items() if kind.ends_with_meeting)
