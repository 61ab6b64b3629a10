"""``python -m tests.faults.hostile --seconds 300 --seed 7``: so many seconds of mutants, and the figures."""

import argparse
import random
import sys
import time

from tests.faults.hostile.fuzzer import Fuzzer
from tests.faults.hostile.gateway_process import Canary, gateway_process
from tests.faults.hostile.verdict import Wrong


def main() -> int:
    """Fuzz one gateway; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hostile", description="Mutants against a gateway.")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--first", type=int, default=0, help="the number of the first mutant; to see one again")
    given = parser.parse_args()
    with gateway_process() as gateway:
        fuzzer = Fuzzer(gateway, given.seed)
        fuzzer.number = given.first
        held, memory_kb, end = gateway.descriptors(), gateway.memory_kb(), time.monotonic() + given.seconds
        try:
            with Canary(gateway, every_s=0.2) as canary:
                while time.monotonic() < end:
                    fuzzer.step()
        except Wrong as wrong:
            print(wrong)
            return 1
        print(f"seed {given.seed}: {fuzzer.number - given.first} mutants, {sum(fuzzer.statuses.values())} answers")
        print("by change: ", dict(sorted(fuzzer.kinds.items())))
        print("by status: ", dict(sorted(fuzzer.statuses.items())))
        waits = sorted(canary.waits)
        print(f"good requests meanwhile: {len(waits)}, slowest {waits[-1]:.2f} s, failed: {canary.failures}")
        print(f"descriptors {held} -> {gateway.descriptors()}, memory {memory_kb} -> {gateway.memory_kb()} kB")
        leaked = [word for word in ("incident", gateway.token) if word in gateway.log()]
        print("in the log that must not be there:", leaked or "nothing")
        return 1 if canary.failures or leaked else 0


if __name__ == "__main__":
    sys.exit(main())
