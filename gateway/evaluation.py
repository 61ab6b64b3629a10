"""The routes of evaluation: surveys, the room that answers them, ballots, results."""

from typing import Any

from marshmallow import ValidationError, validates_schema
from marshmallow import fields as plain
from werkzeug.wrappers import Response

from gateway import fields
from gateway.ballots import send_answers
from gateway.forward import answered, no_content
from gateway.pages.texts import TEXTS
from gateway.reading import read_locale
from gateway.routes import Ask, Route
from pratique.errors import Conflict, Gone, NotFound, TooManyTries
from pratique.events.evaluation import CountBand, SurveyState, WithheldReason
from pratique.events.membership import Locale

BALLOT = "5f0c9a1e2b7d4c86a1f00d9e3b7c52ff.WmFjaGFyaWUgZXQgc29uIGVucXXDqnRl"


class Survey(fields.Answer):
    """A meeting's survey."""

    id = fields.ident("Id.", "survey")
    meeting_id = fields.ident("The meeting that it asks about.", "meeting")
    state = fields.one_of(SurveyState, "Open, and then released or withheld for good.")
    opens_at = fields.instant("From when answers are taken.", "2026-03-12T19:50:00+00:00")
    closes_at = fields.instant("Until when answers are taken.", "2026-03-19T19:50:00+00:00")
    eligible_band = fields.one_of(CountBand, "Roughly how many may answer.")
    room_code = fields.text(
        "What the room types to answer; null unless it is open and the token has surveys:facilitate.",
        "K7MQ2PXD",
        allow_none=True,
    )


class Attending(fields.Answer):
    """One person in the room."""

    member_id = fields.ident("The person.", "member")
    label = fields.text("First name and initial.", "Amina K.")


class Room(fields.Answer):
    """What a room needs to answer its survey."""

    first_line = fields.text("What anonymous means here, to be shown first.", TEXTS["en"]["anonymous"], 2000)
    attending = plain.List(plain.Nested(Attending), metadata={"description": "Who is marked as attending."})


class BallotBody(fields.Body):
    """What entitles to a ballot: the token of a link, or a room's code with the member's id."""

    token = fields.text("The end of the link in the mail.", "9sXq2mJf0rQ", 200, 1)
    room_code = fields.text("The code that the room was shown.", "K7MQ2P", 40, 1)
    member_id = fields.ident("Who answers, of those attending.", "member")
    locale = fields.one_of(Locale, "Language of the questions; by default that of Accept-Language, else French.")

    @validates_schema(skip_on_field_errors=False)
    def check_one_way_in(self, sent: dict[str, Any], **rest: Any) -> None:
        """Let either a token pass, or a code with an id."""
        if sent.keys() - {"locale"} not in ({"token"}, {"room_code", "member_id"}):
            raise ValidationError("Send either token, or room_code with member_id.")


class Option(fields.Answer):
    """One answer that can be chosen."""

    value = fields.scalar("What to send.", 5)
    label = fields.text("What to show.", "Tout à fait")


class Question(fields.Answer):
    """One question, in the asked language."""

    key = fields.text("Name of the question in answers and results.", "satisfaction")
    type = fields.text("scale1_5 (1 to 5), yes_no (true or false) or text.", "scale1_5")
    text = fields.text("What is asked.", "Êtes-vous satisfaite ou satisfait de cette rencontre?", 1000)
    options = plain.List(plain.Nested(Option), metadata={"description": "What can be chosen; empty for text."})
    max_length = fields.whole("Characters that a text may have; null for others.", 2000, allow_none=True)
    about = fields.text("The text question that this asks leave to show; null for others.", "comment", allow_none=True)


class Ballot(fields.Answer):
    """A ballot to fill in once. It is taken when its answers are sent; nothing that is kept joins them to a person."""

    ballot_id = fields.text("The ballot. Keep it to yourself, and out of logs; it reads as nothing.", BALLOT, 400)
    survey_id = fields.ident("The survey.", "survey")
    questions = plain.List(plain.Nested(Question), metadata={"description": "In the order to ask them in."})


class OneAnswer(fields.Body):
    """The answer to one question."""

    question = fields.text("Key of the question.", "satisfaction", 64, 1, required=True)
    value = fields.scalar("A number, true or false, or text, as the type of the question has it.", 4, required=True)


class AnswersBody(fields.Body):
    """A filled ballot. Questions may be left out."""

    ballot_id = fields.text("The ballot, as it was given.", BALLOT, 400, 1, required=True)
    answers = fields.listed(plain.Nested(OneAnswer), "At most one to each question.", required=True)


class QuestionResult(fields.Answer):
    """What may be told of one question; of a withheld one, nothing else."""

    always = ("question", "type", "is_withheld")

    question = fields.text("Key of the question.", "satisfaction")
    type = fields.text("scale1_5 or yes_no.", "scale1_5")
    is_withheld = fields.flag("Whether too few answered it.", False)
    n = fields.whole("How many answered it.", 7)
    nearly_all = fields.text(
        "Of fewer than ten answers, what all, or all but one, chose: 1 to 5, yes or no; instead of what follows.",
        "5",
    )
    distribution = plain.Dict(
        keys=plain.String(),
        values=plain.Integer(),
        metadata={"description": "How many chose each value.", "examples": [{"4": 5, "5": 2}]},
    )
    mean = fields.number("Mean of a scale.", 4.29)
    share = fields.number("Share of those who said yes, 0 to 1.", 0.86)
    interval = fields.listed(fields.number("A bound.", 3.84), "95 % interval of mean or share: low and high.", 2)


class Results(fields.Answer):
    """What may be told of a survey's answers; what does not apply is absent."""

    always = ("survey_id", "state")

    survey_id = fields.ident("The survey.", "survey")
    state = fields.one_of(SurveyState, "Open, and then released or withheld for good.")
    reason = fields.one_of(WithheldReason, "Why they are withheld.")
    release_id = fields.ident("The release, where there is one.", "release")
    n = fields.whole("How many answered; 5 or more.", 7)
    questions = plain.List(plain.Nested(QuestionResult), metadata={"description": "One for each question."})
    comments = fields.listed(fields.text("What someone wrote.", "Plus de temps.", 5000), "In random order.", 1000)
    suppressed_count = fields.whole("How many questions are withheld.", 0)


def show_room(ask: Ask) -> Response:
    """Answer what the room needs: the first line, and who is there by first name and initial."""
    locale = read_locale(ask.request)
    words = TEXTS[locale]
    first_line = f"{words['anonymous']} {words['anonymous_more']}"
    room = {"first_line": first_line, "attending": list_attending(ask, ask.path["room_code"])}
    response = answered(ask, room)
    response.headers["Content-Language"] = locale
    response.headers["Vary"] = "Accept-Language"
    response.headers["Cache-Control"] = "no-store"
    return response


def list_attending(ask: Ask, room_code: str) -> list[dict[str, str]]:
    """Who is marked as attending, as member_id and label, in the order of labels; two RPCs, whatever the number.

    Raises:
        NotFound: no survey is open under this code.
    """
    room = ask.call("evaluation.get_room", room_code=room_code)
    labels: list[dict[str, str]] = ask.call("membership.list_labels", member_ids=room["member_ids"])
    return labels


def give_ballot(ask: Ask) -> Response:
    """Exchange a token, or a code with an id, for a ballot."""
    locale = ask.body.get("locale") or read_locale(ask.request)
    ballot = ask.call("evaluation.open_ballot", **{**ask.body, "locale": locale})
    response = answered(ask, ballot, 201)
    response.headers["Content-Language"] = locale
    response.headers["Cache-Control"] = "no-store"
    return response


def keep_answers(ask: Ask) -> Response:
    """Let the answers be kept and the ballot be spent."""
    send_answers(ask, ask.body["ballot_id"], ask.body["answers"])
    return no_content()


ROUTES = (
    Route(
        "GET",
        "/v1/meetings/<uuid:meeting_id>/survey",
        "Read the state of a meeting's survey",
        scope="surveys:read",
        rpc="evaluation.get_survey",
        answer=Survey,
        reserved={"room_code": "surveys:facilitate"},
        problems=(NotFound,),
    ),
    Route(
        "GET",
        "/v1/rooms/<room_code>",
        "Read who is in the room whose survey is open",
        act=show_room,
        operation="show_room",
        answer=Room,
        is_guessable=True,
        problems=(NotFound, TooManyTries),
        description="404 for every code but that of an open room.",
    ),
    Route(
        "POST",
        "/v1/ballots",
        "Get a ballot, with the questions",
        act=give_ballot,
        operation="open_ballot",
        body=BallotBody,
        answer=Ballot,
        status=201,
        is_guessable=True,
        problems=(NotFound, Conflict, Gone, TooManyTries),
        description=(
            "Changes nothing, however often; the ballot is taken when its answers are sent. 409 where whoever has this "
            "link has answered; in a room that shows only to whoever sends answers."
        ),
    ),
    Route(
        "POST",
        "/v1/answers",
        "Answer; the ballot is spent",
        act=keep_answers,
        operation="send_answers",
        body=AnswersBody,
        status=204,
        problems=(NotFound, Conflict, Gone),
        description="409 where this person has answered already; 410 where this ballot is spent or the survey closed.",
    ),
    Route(
        "POST",
        "/v1/meetings/<uuid:meeting_id>/survey/room-code",
        "Give the room another code",
        scope="surveys:facilitate",
        rpc="evaluation.change_room_code",
        answer=Survey,
        problems=(NotFound, Conflict),
        description="The code before opens nothing any more; what was answered stays. 409 once the meeting is closed.",
    ),
    Route(
        "POST",
        "/v1/meetings/<uuid:meeting_id>/survey/void-room",
        "Take back all that was answered in the room",
        scope="surveys:facilitate",
        rpc="evaluation.void_room",
        answer=Survey,
        problems=(NotFound, Conflict),
        description=(
            "For a room in which names were taken by others: it is closed, and everyone who was there is asked by mail "
            "when the meeting is closed. 409 once it is."
        ),
    ),
    Route(
        "GET",
        "/v1/surveys/<uuid:survey_id>/results",
        "Read the results, or why they are withheld",
        scope="surveys:read",
        rpc="evaluation.get_results",
        answer=Results,
        problems=(NotFound,),
        description="Never a number while fewer than 5 people answered.",
    ),
)
