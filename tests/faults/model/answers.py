"""Those who were there answer, in the room or by their links, in time or late, once or twice."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as some
from hypothesis.stateful import precondition

from pratique.errors import Conflict, Gone, NotFound
from pratique.events.membership import Locale
from services.evaluation import commands as evaluation
from services.evaluation import queries as surveys
from services.evaluation.questions import Answer
from tests.faults.model.steps import WHICH, WHO, Steps, one_of, step, those_of
from tests.faults.model.truth import ENOUGH, Cast, Survey


class Answers(Steps):
    """The rules of those who answer, and of those who want to know."""

    @precondition(lambda self: self.truth.surveys)
    @step(which=WHICH, who=WHO, is_kept=some.booleans())
    def answer_in_the_room(self, which: int, who: int, is_kept: bool) -> None:
        """People take ballots by the code of the room, and cast them, or keep them for later."""
        survey = one_of(list(self.truth.surveys.values()), which)
        self._answer_in_room(survey, who)
        if not is_kept:
            self._cast_all(survey)

    def _answer_in_room(self, survey: Survey, who: int) -> None:
        seen = self.do("evaluation", surveys.get_survey, meeting_id=survey.meeting.id)
        assert (seen.room_code is not None) == (survey.is_open and survey.is_in_room), "the code of the room"
        code = seen.room_code or "22222222"
        heard = self.truth.heard.of(survey.meeting)
        for person in those_of(list(self.truth.people), who)[:8]:
            is_free = survey.is_open and seen.room_code is not None and person in heard
            may = is_free and person not in survey.ballots
            told = {"locale": Locale.FR, "room_code": code, "member_id": person}
            why = Conflict if is_free else NotFound
            self._take(survey, person, "room", self.do("evaluation", evaluation.open_ballot, may, why, **told))

    @precondition(lambda self: self.mailbox.links)
    @step(which=WHICH, who=WHO, is_kept=some.booleans())
    def answer_by_link(self, which: int, who: int, is_kept: bool) -> None:
        """People follow their links, at whatever time."""
        survey = one_of([self.truth.surveys[id] for id, _ in self.mailbox.links], which)
        self._answer_links(survey, who)
        if not is_kept:
            self._cast_all(survey)

    def _answer_links(self, survey: Survey, who: int) -> None:
        links = [(member, link) for (id, member), link in self.mailbox.links.items() if id == survey.id]
        for member, link in those_of(links, who)[:6]:
            is_void = survey.closed is None and member not in survey.standing
            may = survey.is_open and not is_void and member not in survey.ballots
            why = NotFound if is_void else Conflict if survey.is_open else Gone
            told = {"locale": Locale.FR, "token": link}
            self._take(survey, member, "message", self.do("evaluation", evaluation.open_ballot, may, why, **told))

    def _take(self, survey: Survey, person: UUID, channel: str, ballot: Any) -> None:
        if ballot is not None:
            survey.ballots.add(person)
            self.ballots.append((survey, person, channel, ballot.ballot_id))

    def _cast_all(self, survey: Survey) -> None:
        for ballot in [each for each in self.ballots if each[0] is survey]:
            self._cast(ballot)

    def _cast(self, ballot: tuple[Survey, UUID, str, str]) -> None:
        """Cast a ballot; each tells what no other tells, so that answers can be told apart."""
        survey, person, channel, id = ballot
        self.said += 1
        words = {"satisfaction": 1 + self.said % 5, "would_come_again": True, "what_should_change": f"({self.said})"}
        answers = tuple(Answer(question=key, value=value) for key, value in words.items())
        is_new = ballot in self.ballots
        told = {"ballot_id": id, "answers": answers}
        self.do("evaluation", evaluation.cast_ballot, survey.is_open and is_new, Gone, **told)
        if survey.is_open and is_new:
            survey.casts.append(Cast(person, channel, words))
        if is_new:
            self.ballots.remove(ballot)
            self.spent.append(ballot)

    @precondition(lambda self: self.ballots or self.spent)
    @step(which=WHICH)
    def cast_again_or_late(self, which: int) -> None:
        """Ballots that were cast, or kept for long, are cast."""
        self._cast(one_of([*self.ballots, *self.spent], which))

    @precondition(lambda self: self.truth.surveys)
    @step(which=WHICH)
    def ask_for_results(self, which: int) -> None:
        """Anyone asks, at any time, and never hears of fewer than five."""
        survey = one_of(list(self.truth.surveys.values()), which)
        told = self.do("evaluation", surveys.get_results, survey_id=survey.id)
        assert ("n" in told) == hasattr(survey.outcome, "release_id"), "results are told that were not released"
        if "n" in told:
            assert told["n"] == len(survey.casts) >= ENOUGH
            assert all(cell["is_withheld"] or cell["n"] >= ENOUGH for cell in told["questions"])
            assert len(told["comments"]) == (told["n"] if told["n"] >= 10 else 0)
