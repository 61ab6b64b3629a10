"""Scenarios of one attack each, and the arithmetic of whoever attacks."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from tests.adversary.surveys import SCALES, YES_NO, Evening, Sheet, Simulator, Survey, answers_of

PLEASED: Sheet = {**dict.fromkeys(SCALES, 5), YES_NO: True}
CONTENT: Sheet = {**dict.fromkeys(SCALES, 4), YES_NO: True}
BORED: Sheet = {**dict.fromkeys(SCALES, 2), YES_NO: False}

Distribution = dict[str, dict[str, int]]  #: question -> value -> how many chose it


def distributions(results: Mapping[str, Any]) -> Distribution:
    """What is told of each question, where anything is."""
    return {
        cell["question"]: dict(cell["distribution"]) for cell in results.get("questions", ()) if "distribution" in cell
    }


def without(told: Distribution, own: Sequence[Sheet]) -> Distribution:
    """What is left when somebody takes away the answers that they gave themselves."""
    words = {True: "yes", False: "no"}
    left = {key: dict(counts) for key, counts in told.items()}
    for sheet in own:
        for key, value in sheet.items():
            if key in left:
                left[key][words[value] if isinstance(value, bool) else str(value)] -= 1
    return left


def uncovered(left: Distribution, people: int) -> dict[str, str]:
    """The questions of which it is known what each of these few answered: all of them the same, or there is but one."""
    known = {key: [value for value, count in counts.items() if count] for key, counts in left.items()}
    return {key: values[0] for key, values in known.items() if len(values) == 1 and people}


def play(
    simulator: Simulator,
    there: Sequence[UUID],
    in_room: Mapping[UUID, Sheet],
    by_mail: Mapping[UUID, Sheet] | None = None,
    puppets: Mapping[UUID, Sheet] | None = None,
    excused: str = "",
) -> Survey:
    """A survey with people and puppets; ``excused`` says when puppets are marked as excused: before, after, or not."""
    with simulator.evening(0) as evening:
        meet(evening, there, in_room, puppets or {})
        if excused == "before closing":
            evening.mark(dict.fromkeys(puppets or {}, "excused"))
        evening.go_to(evening.at(minutes=30))
        evening.close()
        if excused == "after closing":
            evening.go_to(evening.at(hours=1))
            evening.mark(dict.fromkeys(puppets or {}, "excused"))
        for hours, (one, sheet) in enumerate((by_mail or {}).items(), 2):
            evening.go_to(evening.at(hours=hours))
            assert evening.answer_by_link(one, sheet)
        evening.let_it_close()
        return evening.survey


def meet(evening: Evening, there: Sequence[UUID], in_room: Mapping[UUID, Sheet], puppets: Mapping[UUID, Sheet]) -> None:
    """Let the meeting run until all who answer in the room have answered."""
    evening.begin(list(there), *puppets)
    for minutes, (one, sheet) in enumerate([*in_room.items(), *puppets.items()], 1):
        evening.go_to(evening.at(minutes=minutes))
        evening.answer_in_room(one, sheet)


def mails_to(evening_or_survey: Simulator, one: UUID) -> list[str]:
    """The subjects of all mails that a person got since the meeting began."""
    person = next(each for each in evening_or_survey.people if each.id == one)
    found = [each for each in evening_or_survey.network.letters if each.recipient == person.address]
    return [each.content.partition("\nSubject: ")[2].splitlines()[0] for each in found]


def try_to_answer(evening: Evening, ballot_id: str, sheet: Sheet, address: str = "198.51.100.200") -> int:
    """Send answers on a ballot from anywhere; the status."""

    return int(evening.network.send(address, ballot_id, answers_of(sheet)).status_code)


def take_in_room(evening: Evening, one: UUID, address: str = "203.0.113.7") -> Any:
    """Ask for a ballot in the room in somebody's name; the response."""

    return evening.network.take(address, room_code=evening.room_code, member_id=str(one), locale="fr")


__all__ = ["BORED", "CONTENT", "PLEASED", "Evening", "timedelta"]
