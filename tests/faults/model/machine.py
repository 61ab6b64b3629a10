"""The state machine: people, time, and a bus that means ill."""

from datetime import timedelta
from enum import StrEnum

from hypothesis import strategies as some
from hypothesis.stateful import precondition

from chassis import clock
from chassis.settings import SERVICES
from tests.faults.model.answers import HOW_FAR, Until
from tests.faults.model.cast import ENOUGH, Survey
from tests.faults.model.people import MEETINGS_AT_MOST, People
from tests.faults.model.steps import WHICH, WHO, one_of, step
from tests.harness.faulty import AT, Fate, MailFate

MESS = some.integers(0, 999)  #: how a batch is reordered and repeated; 0 leaves it as it came
FATES = some.sampled_from([Fate.WELL, Fate.WELL, Fate.DIES, Fate.AWAY, Fate.UNHEARD])
COMMIT = some.integers(1, 3)  #: at which of its commits something ends
PART = some.sampled_from([0, 0, 1, 3])  #: of a window, that the broker takes before it goes
SERVICE = some.sampled_from(SERVICES)
FATEFUL = (MailFate.SENDER_DIES_BEFORE, MailFate.SENDER_DIES_AFTER, MailFate.FALLS_SILENT)
CORRECTED = some.sampled_from(["", "at once", "while mails leave", "before a closing that never comes"])
SPANS = [
    timedelta(minutes=1),
    timedelta(minutes=16),
    timedelta(hours=2),
    timedelta(hours=25),
    timedelta(days=2),
    timedelta(days=3),
    timedelta(days=7),
]


class Course(StrEnum):
    """What happens once people have answered a survey."""

    SENT_AGAIN = "whoever heard nothing sends the same again"
    ANSWERED_AGAIN = "the same people answer once more"
    ROOM_CLOSES = "the room closes, and whoever kept a ballot sends it an hour later"
    TIME_PASSES = "two days pass, after which those who are missing are reminded"
    WERE_NOT_THERE = "so many were not there after all that too few are left, and the survey closes"


COURSE = some.sampled_from(Course)


class Model(People):
    """Everything that may happen, in any order."""

    # Time.

    @step(span=some.sampled_from(SPANS))
    def wait(self, span: timedelta) -> None:
        """Time passes, and nobody does what was due meanwhile."""
        clock.move(span)

    @step(service=SERVICE, times=some.integers(1, 4), fate=FATES, commit=COMMIT)
    def do_what_is_due(self, service: str, times: int, fate: Fate, commit: int) -> None:
        """Some of what is due is done, or what is parked tried again, late perhaps, and perhaps not to its end."""
        for _ in range(times - 1):
            self.network.run_due(service)
        self.network.run_due(service, fate, commit)
        self.network.retry(service, fate, commit)

    @step(fates=some.lists(some.sampled_from(list(MailFate)), max_size=3), fate=FATES, commit=COMMIT)
    def send_mails(self, fates: list[MailFate], fate: Fate, commit: int) -> None:
        """A sender's round, in which the mail server or the sender may fail."""
        self.network.send_mails(fates, fate, commit)

    # The bus.

    @precondition(lambda self: self.network.sending)
    @step(which=WHICH, fate=some.sampled_from([Fate.WELL, Fate.DIES, Fate.UNHEARD, Fate.UNHEARD]), part=PART)
    def publish(self, which: int, fate: Fate, part: int) -> None:
        """A window is sent; where that ends before the outbox is cleared, or the broker goes, it is sent again."""
        self.network.relay(one_of(self.network.sending, which), fate, part)

    @precondition(lambda self: self.network.receiving)
    @step(which=WHICH, mess=MESS, at_most=some.integers(1, 20), fate=FATES, commit=COMMIT)
    def deliver(self, which: int, mess: int, at_most: int, fate: Fate, commit: int) -> None:
        """A batch arrives, in any order, some of it twice; unacknowledged it comes again."""
        self.network.deliver(one_of(self.network.receiving, which), mess, at_most, fate, commit)

    @step(count=some.integers(1, 8))
    def refuse_what_comes(self, count: int) -> None:
        """The next events that flow fail in their reactions, are set aside, and tried again later."""
        self.network.refusals = count

    @precondition(lambda self: self.network.receiving)
    @step(which=WHICH, hours=some.sampled_from([1, 12, 72, 168]))
    def hold_back(self, which: int, hours: int) -> None:
        """A message, or every second, stays under way for hours or a week."""
        queue = self.network.broker.queues[one_of(self.network.receiving, which)]
        held = queue[which % 2 :: 2] if which % 3 == 0 else [one_of(queue, which)]
        for each in held:
            each.not_before = clock.now() + timedelta(hours=hours)

    @step(service=SERVICE, days=some.sampled_from([1, 400]))
    def publish_all_again(self, service: str, days: int) -> None:
        """An operator repairs: everything since then is offered again."""
        self.network.publish_all_again(service, max(clock.now() - timedelta(days=days), AT - timedelta(days=1)))

    @step(mess=MESS)
    def carry_all(self, mess: int) -> None:
        """All arrives that is not held back, and all that follows from it."""
        self.network.flow(mess)

    @step(mess=MESS, span=some.sampled_from([timedelta(), timedelta(hours=1), *SPANS[4:], timedelta(days=2)]))
    def live_on(self, mess: int, span: timedelta) -> None:
        """Some time passes, and then all goes as it should."""
        clock.move(span)
        self._all_goes_well(mess)

    def _all_goes_well(self, mess: int) -> None:
        while self.network.flow(mess) or self.network.work():
            pass

    @precondition(lambda self: self.network.next_due())
    @step(mess=MESS, late=some.sampled_from([timedelta(), timedelta(minutes=1), timedelta(hours=30)]), who=WHO)
    def go_on_to_what_is_due(self, mess: int, late: timedelta, who: int) -> None:
        """All goes as it should, and people answer, until the next reminder or closing, which is done then or late."""
        self._all_goes_well(mess)
        for survey in self.reference.surveys.values() if who % 4 else ():
            self._answer_links(survey, who)
        if at := self.network.next_due():
            clock.move(max(at - clock.now(), timedelta()) + late)
        self._all_goes_well(mess)

    @precondition(lambda self: len(self.reference.meetings) < MEETINGS_AT_MOST)
    @step(which=WHICH, mess=MESS, who=WHO, answering=WHO, corrected=CORRECTED, is_due=some.booleans())
    def hold_a_whole_meeting(
        self, which: int, mess: int, who: int, answering: int, corrected: str, is_due: bool
    ) -> None:
        """A meeting goes as it should until those who were there are asked, and some answer; perhaps two days pass.

        Steps drawn one by one seldom come so far that the reminder finds somebody who has answered since. Where the
        attendance is corrected at once, that may arrive before the closing does; or it is while the sender has ended
        that holds the mails. Some meetings nobody closes.
        """
        self._all_goes_well(mess)
        meeting = self._schedule(which, 2, 0, False)
        for _ in range(4 - (corrected == "before a closing that never comes")):
            if meeting:
                self._advance(meeting, which, who)
        if corrected == "before a closing that never comes":
            self._all_goes_well(mess)
            clock.move(SPANS[3] + SPANS[2])
        if meeting and corrected == "while mails leave":
            self.network.flow(mess)
            for _ in range(1 + which % 3):
                self.network.send_mails([one_of(FATEFUL, which)])
                clock.move(SPANS[1])
        if meeting and corrected:
            self._turn_round(meeting, one_of(self._welcome(meeting), which))
        self._all_goes_well(mess)
        if meeting and meeting.survey:
            self._answer_links(meeting.survey, answering)
        if is_due:
            clock.move(timedelta(days=2))
            self._all_goes_well(mess)

    @precondition(lambda self: self._open_surveys() or len(self.reference.meetings) < MEETINGS_AT_MOST)
    @step(which=WHICH, mess=MESS, who=WHO, how_far=HOW_FAR, course=COURSE)
    def let_a_survey_run(self, which: int, mess: int, who: int, how_far: list[Until], course: Course) -> None:
        """People answer, in the room while it is open; the gateway comes so far with each; then this happens.

        Where no survey is open, a meeting is held for it, as far as its wrap-up or its closing.
        """
        self._all_goes_well(mess)
        meeting = None if self._open_surveys() else self._schedule(which, 2, 0, False)
        for _ in range(3 + which % 2):
            if meeting:
                self._advance(meeting, which, 0)
        self._all_goes_well(mess)
        if not self._open_surveys():
            return
        survey = one_of(self._open_surveys(), which)
        answer = self._answer_in_room if survey.is_in_room else self._answer_links
        answer(survey, who, how_far)
        if course is Course.SENT_AGAIN:
            self._send_what_is_left(survey)
        elif course is Course.ANSWERED_AGAIN:
            answer(survey, who)
        elif course is Course.ROOM_CLOSES:
            self._close(survey.meeting)
            self._all_goes_well(mess)
            clock.move(timedelta(hours=1))
            self._send_what_is_left(survey)
        elif course is Course.TIME_PASSES:
            clock.move(timedelta(days=2))
            self._all_goes_well(mess)
        else:
            self._find_absent(survey)
            clock.move(timedelta(days=8))
            self._all_goes_well(mess)

    def _open_surveys(self) -> list[Survey]:
        return [each for each in self.reference.surveys.values() if each.is_open]

    def _find_absent(self, survey: Survey) -> None:
        """All but four of those who answered were not there."""
        were_there = sorted(survey.answered & survey.meeting.present)
        for person in were_there[ENOUGH - 1 :]:
            self._turn_round(survey.meeting, person)

    @step(fate=FATES)
    def spoil_the_next_command(self, fate: Fate) -> None:
        """The next command dies, or is given twice because no answer came."""
        self.next_fate = fate

    @precondition(lambda self: self.since_rest >= 8)
    @step()
    def settle_and_check(self) -> None:
        """Everything comes to rest and is checked."""
        self.settle()
