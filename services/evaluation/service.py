"""Binds evaluation to the bus; the only file here that knows nameko."""

from chassis.runtime.bus import Bus, serves
from services.evaluation import traces
from services.evaluation.commands import COMMANDS
from services.evaluation.queries import QUERIES
from services.evaluation.reactions import DUE, REACTIONS


@serves(COMMANDS, QUERIES)
class Evaluation:
    """Surveys, ballots and results."""

    name = "evaluation"
    bus = Bus(REACTIONS, DUE, loops={"destroyed": [traces.loop]})
