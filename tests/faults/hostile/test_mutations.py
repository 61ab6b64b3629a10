"""Valid requests of every route, mutated by a seed: no answer is a fault, and nothing refused changes anything."""

from gateway.app import ROUTES
from tests.faults.hostile.fuzzer import Fuzzer
from tests.faults.hostile.gateway_process import Canary, gateway_process

MUTANTS = 200  #: some seconds; `python -m tests.faults.hostile` goes on as long as one likes
SEED = 1


def test_no_mutant_finds_a_fault_or_changes_what_it_was_refused() -> None:
    with gateway_process() as gateway:
        fuzzer = Fuzzer(gateway, SEED)
        assert len(fuzzer.requests) >= len(ROUTES)
        held, memory_kb = gateway.descriptors(), gateway.memory_kb()

        with Canary(gateway, every_s=0.2) as canary:
            for _ in range(MUTANTS):
                fuzzer.step()

        canary.must_be_served()
        gateway.must_let_go(held)
        assert gateway.memory_kb() < memory_kb + 60_000
        assert "incident" not in gateway.log()
        assert gateway.token not in gateway.log()
        assert fuzzer.statuses.keys() >= {200, 400, 401, 404, 405, 422}, "mutants reach all that refuses"
