"""Routes of evaluation: surveys, the room that answers them, ballots and results."""

from dataclasses import dataclass
from typing import Annotated

from marshmallow.validate import Length
from werkzeug.wrappers import Response

from gateway.ballots import send_answers
from gateway.forward import answered, no_content
from gateway.pages.texts import PROMISE
from gateway.reading import read_locale
from gateway.routes import RequestContext, Route
from pratique.errors import Conflict, Forbidden, Gone, NotFound, TooManyTries
from pratique.fields import Doc
from pratique.request import Answer
from pratique.requests.evaluation import (
    AnswersBody,
    ChangeRoomCode,
    GetResults,
    GetRoom,
    GetSurvey,
    ListReleases,
    OpenBallot,
    VoidRoom,
)
from pratique.requests.membership import Attending, ListLabels
from words.catalogue import sentences


class Room(Answer):
    """Start of a room's survey: its first line, and who is there."""

    first_line: Annotated[str, Length(0, 2000), Doc("What anonymous means here, to be shown first.", PROMISE[0])]
    attending: Annotated[tuple[Attending, ...], Length(0), Doc("Who is marked as attending.")]


def show_room(context: RequestContext) -> Response:
    """Answer what the room needs: the first line, and who is there by first name and initial."""
    locale = read_locale(context.request)
    first_line = " ".join([sentences(locale)(each) for each in PROMISE])
    room = {"first_line": first_line, "attending": read_room(context, context.path["room_code"]).attending}
    response = answered(context, room)
    response.headers["Content-Language"] = locale
    response.headers["Vary"] = "Accept-Language"
    response.headers["Cache-Control"] = "no-store"
    return response


@dataclass(frozen=True)
class RoomSeen:
    """The room of a code."""

    meeting_id: str
    attending: list[dict[str, str]]  #: who is marked so, as member_id and label, in the order of labels


def read_room(context: RequestContext, room_code: str) -> RoomSeen:
    """Return the room of this code, and who is there; two RPCs, whatever the number.

    Raises:
        NotFound: no survey is open under this code.
    """
    room = context.call(GetRoom, room_code=room_code)
    labels: list[dict[str, str]] = context.call(ListLabels, member_ids=room["member_ids"])
    return RoomSeen(room["meeting_id"], labels)


def give_ballot(context: RequestContext) -> Response:
    """Exchange a token, or a code with an id, for a ballot."""
    locale = context.body.get("locale") or read_locale(context.request)
    ballot = context.call(OpenBallot, **{**context.body, "locale": locale})
    response = answered(context, ballot, 201)
    response.headers["Content-Language"] = locale
    response.headers["Cache-Control"] = "no-store"
    return response


def keep_answers(context: RequestContext) -> Response:
    """Let the answers be kept and the ballot be spent."""
    send_answers(context, context.body["ballot_id"], context.body["answers"])
    return no_content()


ROUTES = (
    Route(
        "GET",
        "/v1/meetings/<uuid:meeting_id>/survey",
        "Read the state of a meeting's survey",
        request=GetSurvey,
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
        request=OpenBallot,
        act=give_ballot,
        status=201,
        is_guessable=True,
        problems=(NotFound, Forbidden, Conflict, Gone, TooManyTries),
        description=(
            "Changes nothing, however often; the ballot is taken when its answers are sent. 409 where whoever has this "
            "link has answered; in a room that shows only to whoever sends answers. 403 for a code with an id where "
            "nobody chooses a name (`PRATIQUE_ROOM_POLICY`)."
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
        request=ChangeRoomCode,
        problems=(NotFound, Conflict),
        description="The code before opens nothing any more; what was answered stays. 409 once the meeting is closed.",
    ),
    Route(
        "POST",
        "/v1/meetings/<uuid:meeting_id>/survey/void-room",
        "Take back all that was answered in the room",
        request=VoidRoom,
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
        request=GetResults,
        problems=(NotFound,),
        description="Never a number while fewer than 5 people answered.",
    ),
    Route(
        "GET",
        "/v1/communities/<uuid:community_id>/releases",
        "List the results of a community, the newest first",
        request=ListReleases,
        description="Withheld ones say why. Surveys that are open are not among them.",
    ),
)
