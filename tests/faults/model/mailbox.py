"""All mailboxes together: which mails a server has taken, and whether each could be."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from chassis import clock
from chassis.sealing import Seal
from chassis.testing import SEAL_KEY
from pratique.events.notifications import Template
from services.notifications.models import message_id
from services.notifications.post import Mail
from tests.faults.model.reference import ReferenceModel
from tests.harness.faulty import FaultyNetwork
from tests.harness.mails import link_in, parsed
from tests.harness.memory import instant

_SEAL = Seal.of(SEAL_KEY)
_ABOUT_SURVEY = (Template.SURVEY_INVITATION, Template.SURVEY_REMINDER)


class Mailbox:
    """What people have received."""

    def __init__(self, network: FaultyNetwork, reference: ReferenceModel) -> None:
        self._network, self._reference = network, reference
        self._copies: Counter[UUID] = Counter()
        self._first: dict[tuple[Template, UUID, UUID], datetime] = {}
        self._last: dict[tuple[Template, UUID, UUID], datetime] = {}
        self._ids: dict[tuple[Template, UUID, UUID, int], UUID] = {}
        self._of: dict[tuple[Template, UUID], set[UUID]] = {}
        self.links: dict[tuple[UUID, UUID], str] = {}  #: (survey, person) -> the token of their newest link

    def take(self, mail: Mail) -> None:
        """A server takes a mail: to whom, why, and how often?"""
        id = UUID(mail.id)
        ((kind, about, number),) = self._network.rows(
            "notifications", "select template, subject_id, number from message where id = ?", id.hex
        )
        template, subject = Template(kind), UUID(about)
        (member,) = self._whose(template, subject, {id}, number)
        person = self._reference.people[member]
        if template is not Template.ADDRESS_CHANGED:
            assert mail.recipient.partition("+")[0] == person.email.partition("+")[0], "a mail goes to another person"
        self._copies[id] += 1
        troubles = self._network.post.troubles.get(id, 0)
        assert self._copies[id] <= 1 + troubles, "a mail is sent again though nothing went wrong"
        assert self._copies[id] <= 2, "a mail is sent three times"
        key = template, subject, member
        assert self._ids.setdefault((*key, number), id) == id, "the same mail has two Message-IDs"
        self._first.setdefault(key, clock.now())
        self._last[key] = clock.now()
        self._of.setdefault((template, subject), set()).add(member)
        if template is Template.SURVEY_REMINDER:
            self._check_distance(subject, member)
        if template is Template.MEETING_INVITATION:
            assert subject not in self._reference.called_off, (
                "a mail invites to a meeting that is known to be cancelled"
            )
        if template in _ABOUT_SURVEY:
            survey = self._reference.surveys[subject]
            self._reference.check_asking(survey, member, template is Template.SURVEY_REMINDER)
            self.links[subject, member] = link_in(parsed(mail.content))
        if template is Template.RESULTS_RELEASED:
            told = [
                each
                for each in self._reference.surveys.values()
                if getattr(each.outcome, "release_id", None) == subject
            ]
            assert told, "results are told that were not released"

    def _check_distance(self, survey: UUID, member: UUID) -> None:
        """A day lies between asking and reminding, unless nobody knew that the first had arrived."""
        asked_at = self._last.get((Template.SURVEY_INVITATION, survey, member))
        if asked_at is not None and member not in self.uncertain(Template.SURVEY_INVITATION, survey):
            assert clock.now() >= asked_at + timedelta(hours=24), "a reminder follows the invitation at once"

    def uncertain(self, template: Template, subject: UUID) -> set[UUID]:
        """Who may have received it: a sender ended, or the server fell silent, and nobody knows at which moment."""
        return self._whose(template, subject, {id for id, times in self._network.post.troubles.items() if times})

    def copies(self, id: UUID) -> int:
        """How often this mail arrived."""
        return self._copies[id]

    def got(self, template: Template, subject: UUID) -> set[UUID]:
        """Who received this."""
        return self._of.get((template, subject), set())

    def first_at(self, template: Template, subject: UUID, member: UUID) -> datetime | None:
        """When they received it, if they did."""
        return self._first.get((template, subject, member))

    def last_at(self, template: Template, subject: UUID, member: UUID) -> datetime | None:
        """When its last copy came, if any did."""
        return self._last.get((template, subject, member))

    def failed(self, template: Template, subject: UUID) -> set[UUID]:
        """For whom it was given up."""
        rows = self._network.rows(
            "notifications",
            "select id from message where template = ? and subject_id = ? and state = 'failed'",
            template.value,
            subject.hex,
        )
        return self._whose(template, subject, {UUID(id) for (id,) in rows})

    def dropped_at(self, template: Template, subject: UUID, member: UUID) -> datetime | None:
        """When it lost its reason, if another message said it."""
        rows = self._network.rows(
            "notifications",
            "select settled_at from message where id = ? and state = 'dropped' and drop_reason = 'superseded'",
            message_id(_SEAL, template, subject, member).hex,
        )
        return instant(rows[0][0]) if rows else None

    def _whose(self, template: Template, subject: UUID, ids: set[UUID], number: int = 0) -> set[UUID]:
        """Whose these messages are. Rows about a survey do not say so; whoever has the key can try all people."""
        people = self._reference.people
        return {one for one in people if message_id(_SEAL, template, subject, one, number) in ids}
