"""The way of answers from a request to evaluation, for programs and pages alike.

Three questions, one after the other, so that evaluation never has a person and their answers in one hand: whose ballot
is taken, what is answered on its slip, and that it was kept.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from gateway.routes import RequestContext
from pratique.errors import Gone, NotFound, Unavailable
from pratique.requests.evaluation import CastSlip, CheckAnswers, ConfirmBallot, TakeBallot


def survey_of(ballot_id: str) -> str:
    """Return the id of the survey that a ballot names.

    Raises:
        NotFound: it says nothing of the kind.
    """
    named, _, _ = ballot_id.partition(".")
    try:
        return str(UUID(hex=named))
    except ValueError as error:
        raise NotFound("This is no ballot; take one first.") from error


def send_answers(context: RequestContext, ballot_id: str, answers: Sequence[dict[str, Any]]) -> None:
    """Let the answers be kept and the ballot be spent. When that fails, the same may be sent again.

    Raises:
        NotFound: this is no ballot of ours.
        Conflict: this person has answered, with another ballot.
        Gone: the ballot is spent, or the survey is closed.
        Invalid: pointers such as ``/answers/2/value`` say what is wrong; the ballot is not taken.
        Unavailable: it is not known whether they arrived; send the same again.
    """
    context.call(CheckAnswers, survey_id=survey_of(ballot_id), answers=answers)
    taken = context.call(TakeBallot, ballot_id=ballot_id)
    try:
        context.call(CastSlip, slip=taken["slip"], answers=answers)
    except Gone:
        _confirm(context, ballot_id)  # kept before, and whoever sent it was not told
        raise
    _confirm(context, ballot_id)


def _confirm(context: RequestContext, ballot_id: str) -> None:
    """Let evaluation know that they are kept; where it cannot be told, it finds out by itself."""
    with suppress(Unavailable, Gone, NotFound):
        context.call(ConfirmBallot, ballot_id=ballot_id)
