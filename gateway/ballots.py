"""The way of answers from a request to evaluation, for programs and pages alike.

Three questions, one after the other, so that evaluation never has a person and their answers in one hand: whose ballot
is taken, what is answered on its slip, and that it was kept.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from gateway.routes import Ask
from pratique.errors import Gone, NotFound, Unavailable


def survey_of(ballot_id: str) -> str:
    """Which survey a ballot says that it is for.

    Raises:
        NotFound: it says nothing of the kind.
    """
    named, _, _ = ballot_id.partition(".")
    try:
        return str(UUID(hex=named))
    except ValueError as error:
        raise NotFound("This is no ballot; take one first.") from error


def send_answers(ask: Ask, ballot_id: str, answers: Sequence[dict[str, Any]]) -> None:
    """Let the answers be kept and the ballot be spent. When that fails, the same may be sent again.

    Raises:
        NotFound: this is no ballot of ours.
        Conflict: this person has answered, with another ballot.
        Gone: the ballot is spent, or the survey is closed.
        Invalid: pointers such as ``/answers/2/value`` say what is wrong; the ballot is not taken.
        Unavailable: it is not known whether they arrived; send the same again.
    """
    ask.call("evaluation.check_answers", survey_id=survey_of(ballot_id), answers=answers)
    taken = ask.call("evaluation.take_ballot", ballot_id=ballot_id)
    try:
        ask.call("evaluation.cast_slip", slip=taken["slip"], answers=answers)
    except Gone:
        _confirm(ask, ballot_id)  # kept before, and whoever sent it was not told
        raise
    _confirm(ask, ballot_id)


def _confirm(ask: Ask, ballot_id: str) -> None:
    """Let evaluation know that they are kept; where it cannot be told, it finds out by itself."""
    with suppress(Unavailable, Gone, NotFound):
        ask.call("evaluation.confirm_ballot", ballot_id=ballot_id)
