"""Binding of evaluation to the bus: its RPC methods, reactions and loops."""

from chassis.rpc.methods import serves
from chassis.runtime.container import ServiceRuntime
from services.evaluation import traces
from services.evaluation.commands import COMMANDS
from services.evaluation.queries import QUERIES
from services.evaluation.reactions import DUE, REACTIONS


@serves(COMMANDS, QUERIES)
class Evaluation:
    """Surveys, ballots and results."""

    name = "evaluation"
    runtime = ServiceRuntime(REACTIONS, DUE, loops={traces.LOOP: [traces.loop]})
