"""Those who were there answer, in the room or by their links, in time or late, once or twice, or not to the end."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any
from uuid import UUID

from hypothesis import strategies as some
from hypothesis.stateful import precondition

from chassis import clock
from pratique.errors import Conflict, DomainError, Gone, NotFound
from pratique.events.membership import Locale
from pratique.requests.evaluation import (
    CastSlip,
    ChangeRoomCode,
    CheckAnswers,
    ConfirmBallot,
    GetResults,
    GetSurvey,
    OneAnswer,
    OpenBallot,
    TakeBallot,
    VoidRoom,
)
from tests.faults.model.cast import ENOUGH, Ballot, Cast, Survey, Taken
from tests.faults.model.steps import WHICH, WHO, Steps, one_of, step, those_of


class Until(IntEnum):
    """How far the gateway comes with an answer before it ends."""

    NOTHING = 0  # whoever has the ballot keeps it for later
    TAKEN = 1
    KEPT = 2
    CONFIRMED = 3


UNTIL = some.sampled_from([Until.CONFIRMED] * 5 + [Until.KEPT, Until.TAKEN, Until.NOTHING])
HOW_FAR = some.lists(UNTIL, min_size=1, max_size=4)  #: it comes with the answers of several people, by turns
WORDS = ("satisfaction", "would_come_again", "what_should_change")


class Answers(Steps):
    """The rules of those who answer, and of those who want to know."""

    @precondition(lambda self: self.reference.surveys)
    @step(which=WHICH, who=WHO, how_far=HOW_FAR)
    def answer_in_the_room(self, which: int, who: int, how_far: list[Until]) -> None:
        """People ask for ballots by the code of the room, and send them, or keep them for later."""
        self._answer_in_room(one_of(list(self.reference.surveys.values()), which), who, how_far)

    def _answer_in_room(self, survey: Survey, who: int, how_far: Sequence[Until] = (Until.CONFIRMED,)) -> None:
        code = self._see(survey)
        heard = self.reference.heard.of(survey.meeting)
        for index, person in enumerate(those_of(list(self.reference.people), who)[:8]):
            may = code is not None and person in heard  # nobody is told who has answered
            told = {"locale": Locale.FR, "room_code": code or "22222222", "member_id": person}
            self._open(survey, person, "room", may, NotFound, one_of(how_far, index), **told)

    def _see(self, survey: Survey) -> str | None:
        """The code of the room, which shows while it is open."""
        seen = self.do(GetSurvey, meeting_id=survey.meeting.id)
        assert (seen.room_code is not None) == (survey.is_open and survey.is_in_room), "the code of the room"
        code: str | None = seen.room_code
        return code

    @precondition(lambda self: self.mailbox.links)
    @step(which=WHICH, who=WHO, how_far=HOW_FAR)
    def answer_by_link(self, which: int, who: int, how_far: list[Until]) -> None:
        """People follow their links, at whatever time."""
        self._answer_links(one_of([self.reference.surveys[id] for id, _ in self.mailbox.links], which), who, how_far)

    def _answer_links(self, survey: Survey, who: int, how_far: Sequence[Until] = (Until.CONFIRMED,)) -> None:
        links = [(member, link) for (id, member), link in self.mailbox.links.items() if id == survey.id]
        heard = self.reference.heard.of(survey.meeting)
        for index, (member, link) in enumerate(those_of(links, who)[:6]):
            may = survey.is_open and member in heard and member not in survey.taken
            why = Gone if not survey.is_open else Conflict if member in heard else NotFound
            told = {"locale": Locale.FR, "token": link}
            self._open(survey, member, "message", may, why, one_of(how_far, index), **told)

    def _open(
        self, survey: Survey, person: UUID, channel: str, may: bool, why: type[DomainError], until: Until, **told: Any
    ) -> None:
        given = self.do(OpenBallot, may, why, **told)
        if given is not None:
            ballot = Ballot(given.ballot_id, survey, person, channel, survey.era, clock.now())
            self.ballots.append(ballot)
            self._send(ballot, until)

    def _send(self, ballot: Ballot, until: Until) -> None:
        """Send a ballot, so far; each tells what no other tells, so that answers can be told apart."""
        survey = ballot.survey
        self.said += 1
        words: dict[str, Any] = dict(zip(WORDS, (1 + self.said % 5, True, f"({self.said})"), strict=True))
        answers = tuple(OneAnswer(question=key, value=value) for key, value in words.items())
        if until is Until.NOTHING:
            return
        told = {"survey_id": survey.id, "answers": answers}
        self.do(CheckAnswers, survey.is_open, Gone, **told)
        why = self._why_not_taken(ballot)
        slip = self.do(TakeBallot, why is None, why, ballot_id=ballot.id)
        if slip is None:
            return
        survey.taken.setdefault(ballot.member, Taken(ballot.id))
        if until >= Until.KEPT:
            is_new = ballot.id not in survey.casts
            self.do(CastSlip, is_new, Gone, slip=slip.slip, answers=answers)
            survey.casts.setdefault(ballot.id, Cast(ballot.member, ballot.channel, words))
        if until is Until.CONFIRMED:
            self.do(ConfirmBallot, ballot_id=ballot.id)
            survey.taken[ballot.member].is_confirmed = True

    def _why_not_taken(self, ballot: Ballot) -> type[DomainError] | None:
        """Why this ballot is refused; None if it is not, as when it is sent again because nobody heard of it."""
        survey = ballot.survey
        taken = survey.taken.get(ballot.member)
        if not survey.is_open:
            return Gone
        if not ballot.is_valid or ballot.member not in self.reference.heard.of(survey.meeting):
            return NotFound
        if taken is not None and taken.ballot_id != ballot.id:
            return Conflict
        return Gone if taken is not None and taken.is_confirmed else None

    @precondition(lambda self: self.ballots)
    @step(which=WHICH, until=UNTIL)
    def send_again_or_late(self, which: int, until: Until) -> None:
        """A ballot that was sent, perhaps not to the end, or kept for long, is sent."""
        begun = [each for each in self.ballots if not self._is_done(each)]
        self._send(one_of(begun if begun and which % 2 else self.ballots, which // 2), until)

    def _send_what_is_left(self, survey: Survey) -> None:
        """Whoever heard nothing of their answers, or kept their ballot, sends it: once more, or at last."""
        for ballot in [each for each in self.ballots if each.survey is survey]:
            taken = survey.taken.get(ballot.member)
            if taken is None or not taken.is_confirmed:
                self._send(ballot, Until.CONFIRMED)

    def _is_done(self, ballot: Ballot) -> bool:
        taken = ballot.survey.taken.get(ballot.member)
        return taken is None or taken.is_confirmed or not ballot.survey.is_open

    @precondition(lambda self: self.reference.surveys)
    @step(which=WHICH, is_void=some.sampled_from([False, False, True]))
    def guard_the_room(self, which: int, is_void: bool) -> None:
        """Whoever facilitates gives the room another code, or takes back all that was answered there."""
        survey = one_of(list(self.reference.surveys.values()), which)
        before = self._see(survey)
        command = VoidRoom if is_void else ChangeRoomCode
        seen = self.do(command, before is not None, Conflict, meeting_id=survey.meeting.id)
        if seen is None:
            return
        assert seen.room_code != before, "the code of the room is as it was"
        if is_void:
            survey.is_in_room, survey.era = False, survey.era + 1
            survey.taken, survey.casts = {}, {}

    @precondition(lambda self: self.reference.surveys)
    @step(which=WHICH)
    def ask_for_results(self, which: int) -> None:
        """Anyone asks, at any time, and never hears of fewer than five."""
        survey = one_of(list(self.reference.surveys.values()), which)
        told = self.do(GetResults, survey_id=survey.id)
        assert ("n" in told) == hasattr(survey.outcome, "release_id"), "results are told that were not released"
        if "n" in told:
            assert told["n"] == len(survey.casts)
            assert survey.genuine >= ENOUGH
            assert all(cell["is_withheld"] or cell["n"] >= ENOUGH for cell in told["questions"])
            assert len(told["comments"]) in ((0, told["n"]) if told["n"] >= 10 else (0,))
