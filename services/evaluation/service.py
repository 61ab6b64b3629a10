"""Binding of evaluation to the bus: its RPC methods, reactions and loops."""

from functools import partial

from chassis.rpc.methods import answer
from chassis.runtime.container import Bus
from services.evaluation import commands, queries, schemas, traces
from services.evaluation.reactions import DUE, REACTIONS

#: Nothing about ballots is counted, reads included: any figure that moves with them tells of a single answer.
survey_answer = partial(answer, is_counted=False)


class Evaluation:
    """Surveys, ballots and results."""

    name = "evaluation"
    bus = Bus(REACTIONS, DUE, loops={traces.LOOP: [traces.loop]})

    open_ballot = survey_answer(commands.open_ballot, schemas.Ballot())
    check_answers = survey_answer(commands.check_answers)
    take_ballot = survey_answer(commands.take_ballot, schemas.Slip())
    cast_slip = survey_answer(commands.cast_slip)
    confirm_ballot = survey_answer(commands.confirm_ballot)
    read_questions = survey_answer(queries.read_questions, schemas.Question())
    get_room = survey_answer(queries.get_room, schemas.Room())
    read_results = survey_answer(queries.read_results, schemas.ResultsShown())

    change_room_code = answer(commands.change_room_code, schemas.Survey())
    void_room = answer(commands.void_room, schemas.Survey())
    get_survey = answer(queries.get_survey, schemas.Survey())
    get_results = answer(queries.get_results, schemas.Results())
