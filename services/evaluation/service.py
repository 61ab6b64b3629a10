"""Binds evaluation to the bus; the only file here that knows nameko."""

from pratique.bus import Bus, answer
from services.evaluation import commands, queries, schemas
from services.evaluation.reactions import DUE, REACTIONS


class Evaluation:
    """Surveys, ballots and results."""

    name = "evaluation"
    bus = Bus(REACTIONS, DUE)

    open_ballot = answer(commands.open_ballot, schemas.Ballot())
    cast_ballot = answer(commands.cast_ballot)

    get_survey = answer(queries.get_survey, schemas.Survey())
    get_room = answer(queries.get_room, schemas.Room())
    read_questions = answer(queries.read_questions, schemas.Sheet())
    get_results = answer(queries.get_results, schemas.Results())
