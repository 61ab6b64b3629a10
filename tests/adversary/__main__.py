"""``python -m tests.adversary 1000``: so many simulated surveys before all adversaries, and what each came to."""

import eventlet

eventlet.monkey_patch()  # before any import that takes a lock or a socket

import sys  # noqa: E402

import chassis.runtime.tables  # noqa: E402, F401  (completes CHASSIS_TABLES)
from tests.adversary.network import Network  # noqa: E402
from tests.adversary.surveys import Simulator  # noqa: E402
from tests.adversary.trial import report, run  # noqa: E402

if __name__ == "__main__":
    print(report(run(Simulator(Network()), range(int(sys.argv[1] if sys.argv[1:] else "100")))))
