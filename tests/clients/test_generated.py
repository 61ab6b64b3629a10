"""Clients that kept generators make of our descriptions, and others' readers of them, as integrators use them.

What comes from npm is installed once, by exact version, into the virtual environment; without node these are skipped.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.hostile.gateway_process import GatewayProcess
from tests.harness.npm import from_npm
from tests.harness.waiting import PROGRAM_S

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = (
    "@asyncapi/parser@3.6.6",
    "openapi-typescript@7.13.0",
    "openapi-fetch@0.17.0",
    "typescript@5.9.3",
    "ajv@8.20.0",
    "ajv-formats@3.0.1",
)
DONE = {"version": 1, "state": "closed", "there": 6, "results": "open", "problem": "Not found"}


@pytest.fixture(scope="module")
def node() -> Path:
    """The folder in which the packages are installed."""
    return from_npm("npm", PACKAGES, "the descriptions were not read by JavaScript")


@pytest.fixture
def desk(node: Path, tmp_path: Path) -> Path:
    """A folder with our scripts, in which they find the packages."""
    shutil.copytree(HERE / "javascript", tmp_path, dirs_exist_ok=True)
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


def run(*command: str, cwd: Path, **environ: str) -> str:
    """What the command prints; it must succeed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PRATIQUE_")}
    done = subprocess.run(command, cwd=cwd, env=clean | environ, capture_output=True, text=True, timeout=PROGRAM_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def described(network: GatewayProcess, folder: Path) -> Path:
    """The description of the API, as the gateway gives it to anyone."""
    path = folder / "openapi.json"
    path.write_text(json.dumps(network.client.ok("GET", "/openapi.json")), encoding="utf-8")
    return path


def last_line(printed: str) -> Any:
    return json.loads(printed.strip().splitlines()[-1])


def test_the_asyncapi_document_is_accepted_by_the_project_s_own_parser(desk: Path) -> None:
    document = ROOT / "docs" / "generated" / "asyncapi.json"
    assert "messages" in run("node", "asyncapi.mjs", str(document), cwd=desk)


def test_ajv_compiles_every_schema_and_pattern_and_accepts_every_example(network: GatewayProcess, desk: Path) -> None:
    assert "examples" in run("node", "ajv.mjs", str(described(network, desk)), cwd=desk)


def test_a_generated_typescript_client_is_type_checked_and_does_the_main_job(
    network: GatewayProcess, desk: Path
) -> None:
    tools = desk / "node_modules" / ".bin"
    run(str(tools / "openapi-typescript"), str(described(network, desk)), "-o", "described.d.ts", cwd=desk)
    run(str(tools / "tsc"), cwd=desk)
    url = f"http://127.0.0.1:{network.port}"
    assert last_line(run("node", "built/main_job.js", url, network.token, cwd=desk)) == DONE


def test_a_generated_python_client_does_the_main_job(network: GatewayProcess, tmp_path: Path) -> None:
    (tmp_path / "settings.yml").write_text("post_hooks: []\npackage_name_override: pratique_client\n")
    path = described(network, tmp_path)
    generate = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--meta", "none"]
    printed = run(
        *generate, "--path", str(path), "--output-path", "pratique_client", "--config", "settings.yml", cwd=tmp_path
    )
    assert "WARNING" not in printed
    url = f"http://127.0.0.1:{network.port}"
    done = run(sys.executable, str(HERE / "main_job.py"), url, network.token, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert last_line(done) == DONE
