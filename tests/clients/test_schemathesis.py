"""Whatever the description allows, and much that it forbids, sent to a living gateway: what comes back fits it.

40 seconds of the same requests each time; PRATIQUE_CLIENT_SECONDS=600, as in ``make nightly``, sends others each time.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.faults.hostile.gateway_process import GatewayProcess

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "use_after_free",
]
SECONDS = os.environ.get("PRATIQUE_CLIENT_SECONDS", "")
SAME = ["--generation-deterministic", "--max-time", "40", "--max-examples", "3"]
OTHERS = ["--max-time", SECONDS, "--max-examples", "1000"]


def test_no_answer_is_a_fault_or_one_that_is_not_described(network: GatewayProcess, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"http://127.0.0.1:{network.port}/openapi.json",
        *("--header", f"Authorization: Bearer {network.token}"),
        *("--checks", ",".join(CHECKS)),
        *("--phases", "examples,coverage,fuzzing"),
        *("--continue-on-failure", "--no-color", "--warnings", "off"),
        *(OTHERS if SECONDS else SAME),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
