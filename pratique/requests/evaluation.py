"""Requests to evaluation: surveys, the room that answers them, ballots and results.

What carries a ballot or its answers is counted by no metric (``is_counted=False``): any figure that moves with them
tells of a single answer.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from marshmallow import ValidationError
from marshmallow.validate import Length

from pratique.events.evaluation import CountBand, SurveyState, WithheldReason
from pratique.events.membership import Locale
from pratique.fields import ABSENT, UNCHECKED, Doc
from pratique.permissions import Permission, Rule
from pratique.request import Answer, Body, Command, ListQuery, Query, example_id
from pratique.requests.fields import AuditQuery, AuditRecord

_BALLOT = "5f0c9a1e2b7d4c86a1f00d9e3b7c52ff.WmFjaGFyaWUgZXQgc29uIGVucXXDqnRl"
#: Whatever is no secret of ours is answered as a wrong one, and not as a malformed one.
Secret = Annotated[str, UNCHECKED]


PASSES = "room pass"  #: what the passes of phones are for: <meeting, member, until when>


class RoomPolicy(StrEnum):
    """Who may choose a name in the room: whoever comes without a pass, or nobody (``PRATIQUE_ROOM_POLICY``)."""

    OPEN = "open"
    PERSONAL = "personal"


class QuestionType(StrEnum):
    """Kind of a question, and so of its answers: a whole number from 1 to 5, true or false, or text."""

    SCALE1_5 = "scale1_5"
    YES_NO = "yes_no"
    TEXT = "text"


class Survey(Answer):
    """A survey of a meeting, as its facilitator sees it; no count but a band."""

    id: Annotated[UUID, Doc("Id.", example_id("survey"))]
    meeting_id: Annotated[UUID, Doc("The meeting that it asks about.")]
    state: Annotated[SurveyState, Doc("Open, and then released or withheld for good.")]
    opens_at: Annotated[datetime, Doc("From when answers are taken.", "2026-03-12T19:50:00+00:00")]
    closes_at: Annotated[datetime, Doc("Until when answers are taken.", "2026-03-19T19:50:00+00:00")]
    eligible_band: Annotated[CountBand, Doc("Roughly how many may answer.")]
    room_code: Annotated[
        str | None,
        Doc("What the room types to answer; null unless it is open and the token has surveys:facilitate.", "K7MQ2PXD"),
    ]


class GetSurvey(Query, answer=Survey, needs=Permission.SURVEYS_READ):
    """Read the survey of a meeting; its room code only while it is open."""

    meeting_id: UUID


class ChangeRoomCode(Command, answer=Survey, needs=Permission.SURVEYS_FACILITATE):
    """Give the room of a meeting another code."""

    meeting_id: UUID


class VoidRoom(Command, answer=Survey, needs=Permission.SURVEYS_FACILITATE):
    """Take back all that was answered in the room of a meeting, and close it."""

    meeting_id: UUID


class OpenRoom(Answer):
    """The survey that a room's code opens, and who may answer it there."""

    survey_id: UUID
    meeting_id: UUID
    member_ids: Annotated[tuple[UUID, ...], Length(0)]


class GetRoom(Query, answer=OpenRoom, is_counted=False, needs=Rule.ANYONE):
    """Read whose survey a room's code opens."""

    room_code: Secret


class Option(Answer):
    """One of the values to choose from."""

    value: Annotated[int | bool | str, Doc("What to send.", 5)]
    label: Annotated[str, Doc("What to show.", "Tout à fait")]


class Question(Answer):
    """A question, in the asked language."""

    key: Annotated[str, Doc("Name of the question in answers and results.", "satisfaction")]
    type: Annotated[QuestionType, Doc("scale1_5 (1 to 5), yes_no (true or false) or text.")]
    text: Annotated[str, Length(0, 1000), Doc("What is asked.", "Dans l’ensemble, cette rencontre vous a-t-elle plu?")]
    options: Annotated[tuple[Option, ...], Length(0), Doc("What can be chosen; empty for text.")]
    max_length: Annotated[int | None, Doc("Characters that a text may have; null for others.", 2000)]
    about: Annotated[str | None, Doc("The text question that this asks leave to show; null for others.", "comment")]


class Ballot(Answer):
    """A ballot to fill in once. It is taken when its answers are sent; nothing that is kept joins them to a person."""

    ballot_id: Annotated[
        str, Length(0, 400), Doc("The ballot. Keep it to yourself, and out of logs; it reads as nothing.", _BALLOT)
    ]
    survey_id: Annotated[UUID, Doc("The survey.")]
    questions: Annotated[tuple[Question, ...], Length(0), Doc("In the order to ask them in.")]


class BallotBody(Body):
    """Proof that entitles to a ballot: the token of a link, or a room's code with the member's id."""

    token: Annotated[str | None, Length(1, 200), ABSENT, Doc("The end of the link in the mail.", "9sXq2mJf0rQ")] = None
    room_code: Annotated[str | None, Length(1, 40), ABSENT, Doc("The code that the room was shown.", "K7MQ2P")] = None
    member_id: Annotated[UUID | None, ABSENT, Doc("Who answers, of those attending.")] = None
    locale: Annotated[
        Locale | None, ABSENT, Doc("Language of the questions; by default that of Accept-Language, else French.")
    ] = None

    @classmethod
    def check_together(cls, sent: Mapping[str, Any]) -> None:
        """Let either a token pass, or a code with an id.

        Raises:
            ValidationError: it is neither.
        """
        if sent.keys() - {"locale"} not in ({"token"}, {"room_code", "member_id"}):
            raise ValidationError("Send either token, or room_code with member_id.")

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Return one way in, not both."""
        return {name: each for name, each in super().example().items() if name not in ("room_code", "member_id")}


class OpenBallot(Command, BallotBody, answer=Ballot, is_counted=False, needs=Rule.ANYONE):
    """Hand out a ballot. Nothing is changed, however often."""

    token: Annotated[str | None, UNCHECKED, ABSENT] = None
    room_code: Annotated[str | None, UNCHECKED, ABSENT] = None
    room_pass: Annotated[str | None, UNCHECKED, ABSENT] = None  #: of the phone, in the place of a member_id
    locale: Locale


class MailSurveyLink(Command, is_counted=False, needs=Rule.ANYONE):
    """Mail a person in the room the link to its survey, where nobody chooses a name. At most once for each person."""

    room_code: Secret
    member_id: UUID


class OneAnswer(Body):
    """The answer to one question."""

    question: Annotated[str, Length(1, 64), Doc("Key of the question.", "satisfaction")]
    value: Annotated[int | bool | str, Doc("A number, true or false, or text, as the type of the question has it.", 4)]


Answers = Annotated[tuple[OneAnswer, ...], Doc("At most one to each question.")]


class AnswersBody(Body):
    """A filled ballot. Questions may be left out."""

    ballot_id: Annotated[str, Length(1, 400), Doc("The ballot, as it was given.", _BALLOT)]
    answers: Answers


class CheckAnswers(Query, is_counted=False, needs=Rule.ANYONE):
    """Say what is wrong with answers before a ballot is taken for them."""

    survey_id: UUID
    answers: Answers


class Slip(Answer):
    """Proof with which answers are kept; it names nobody."""

    slip: Secret


class TakeBallot(Command, answer=Slip, is_counted=False, needs=Rule.ANYONE):
    """Mark that the ballot of a person is taken, and hand out its slip."""

    ballot_id: Secret


class CastSlip(Command, is_counted=False, needs=Rule.ANYONE):
    """Keep the answers and spend the slip."""

    slip: Secret
    answers: Answers


class ConfirmBallot(Command, is_counted=False, needs=Rule.ANYONE):
    """Keep that the answers of a ballot are kept, so that its person is not asked again."""

    ballot_id: Secret


class ReadQuestions(Query, answer=Question, is_counted=False, needs=Rule.ANYONE):
    """Read the questions of an open survey, for a page that must be shown once more."""

    survey_id: UUID
    locale: Locale


class SurveyIdentified(Answer):
    """The meeting that a survey asks about, and until when it takes answers, by the wall of that meeting's zone."""

    meeting_id: UUID
    closes_at: datetime
    timezone: str


class IdentifySurvey(Query, answer=SurveyIdentified, is_counted=False, needs=Rule.ANYONE):
    """Read which meeting a link, a room's code or a survey is about: open or closed, answered or not."""

    token: Annotated[str | None, UNCHECKED, ABSENT] = None
    room_code: Annotated[str | None, UNCHECKED, ABSENT] = None
    survey_id: Annotated[UUID | None, ABSENT] = None


class QuestionResult(Answer):
    """Published result of one question; of a withheld one, nothing else."""

    question: Annotated[str, Doc("Key of the question.", "satisfaction")]
    type: Annotated[QuestionType, Doc("scale1_5 or yes_no.")]
    is_withheld: Annotated[bool, Doc("Whether too few answered it.", False)]
    n: Annotated[int | None, ABSENT, Doc("How many answered it.", 7)] = None
    nearly_all: Annotated[
        str | None,
        ABSENT,
        Doc(
            "Of fewer than ten answers, what all, or all but one, chose: 1 to 5, yes or no; instead of what follows.",
            "5",
        ),
    ] = None
    distribution: Annotated[Mapping[str, int] | None, ABSENT, Doc("How many chose each value.", {"4": 5, "5": 2})] = (
        None
    )
    mean: Annotated[float | None, ABSENT, Doc("Mean of a scale.", 4.29)] = None
    share: Annotated[float | None, ABSENT, Doc("Share of those who said yes, 0 to 1.", 0.86)] = None
    interval: Annotated[
        tuple[Annotated[float, Doc("A bound.", 3.84)], ...] | None,
        Length(0, 2),
        ABSENT,
        Doc("95 % interval of mean or share: low and high."),
    ] = None


class Results(Answer):
    """Published results of a survey; a field that does not apply is absent."""

    survey_id: Annotated[UUID, Doc("The survey.")]
    state: Annotated[SurveyState, Doc("Open, and then released or withheld for good.")]
    reason: Annotated[WithheldReason | None, ABSENT, Doc("Why they are withheld.")] = None
    release_id: Annotated[UUID | None, ABSENT, Doc("The release, where there is one.")] = None
    n: Annotated[int | None, ABSENT, Doc("How many answered; 5 or more.", 12)] = None
    n_in_meeting: Annotated[
        int | None,
        ABSENT,
        Doc(
            "How many of them answered during the meeting. Absent, with n_after, where those who answered during it, "
            "those who answered later or those who did not are one to four, or where people were taken off the list.",
            7,
        ),
    ] = None
    n_after: Annotated[int | None, ABSENT, Doc("How many of them answered later.", 5)] = None
    questions: Annotated[tuple[QuestionResult, ...] | None, Length(0), ABSENT, Doc("One for each question.")] = None
    comments: Annotated[
        tuple[Annotated[str, Length(0, 5000), Doc("What someone wrote.", "Plus de temps.")], ...] | None,
        Length(0, 1000),
        ABSENT,
        Doc("In random order."),
    ] = None
    suppressed_count: Annotated[int | None, ABSENT, Doc("How many questions are withheld.", 0)] = None


class GetResults(Query, answer=Results, needs=Permission.SURVEYS_READ):
    """Read the published results of a survey."""

    survey_id: UUID


class Release(Results):
    """Results of a survey of a community."""

    meeting_id: Annotated[UUID, Doc("The meeting that it asked about.")]
    closes_at: Annotated[datetime, Doc("Until when answers were taken.", "2026-03-19T19:50:00+00:00")]


class ListReleases(ListQuery, answer=Release, needs=Permission.SURVEYS_READ):
    """Read the results of a community's surveys, the newest first; withheld ones say why."""

    community_id: UUID


class QuestionShown(QuestionResult):
    """Published result of one question, with its words."""

    text: str
    options: Mapping[str, str]  #: each value that can be chosen -> its words


class ResultsShown(Results):
    """Published results of a survey, with the words of its questions."""

    meeting_id: UUID
    questions: Annotated[tuple[QuestionShown, ...] | None, Length(0), ABSENT] = None


class ReadResults(Query, answer=ResultsShown, is_counted=False, needs=Rule.ANYONE):
    """Read the results of a survey with the words of its questions, for a page."""

    survey_id: UUID
    locale: Locale


class ListEvaluationAudit(AuditQuery, answer=AuditRecord, needs=Permission.AUDIT_READ):
    """Read who did what in evaluation, between two instants, the newest first."""


class ReadMeetingResults(Query, answer=ResultsShown, needs=Permission.SURVEYS_READ):
    """Read the results of the survey about a meeting with the words of its questions, for those who run it."""

    meeting_id: UUID
    locale: Locale


class SurveyOutcome(Answer):
    """How a survey ended, or that it is open: what its facilitator is told at once, without a number."""

    meeting_id: UUID
    state: SurveyState
    reason: WithheldReason | None  #: why its results are withheld; null if they are not
    closes_at: datetime


class ListOutcomes(Query, answer=SurveyOutcome, needs=Permission.SURVEYS_READ):
    """Read how the surveys about these meetings ended, of those that whoever asks may read."""

    meeting_ids: Annotated[tuple[Annotated[UUID, Doc("A meeting.")], ...], Length(0, 500)]
