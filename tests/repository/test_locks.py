"""Dependencies are locked by version and hash, and installed by nothing else."""

import re
import tomllib

import pytest

from tests.repository.source import ROOT

LOCKS = {
    "requirements.lock": {"service", "build"},
    "requirements-dev.lock": {"service", "build", "dev"},
    "requirements-bench.lock": {"service", "build", "dev", "bench"},
}
each_lock = pytest.mark.parametrize("name", LOCKS)


def pinned(name: str) -> dict[str, str]:
    """What a lock holds: each line that names a package and its version, by the package, with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {re.split(r"[=\[]", line)[0]: line for line in lines}


@each_lock
def test_each_locked_package_has_one_version_and_its_hashes(name: str) -> None:
    for line in pinned(name).values():
        assert re.fullmatch(r"[\w.\-\[\],]+==[\w.]+( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+ *", line), line[:120]


@each_lock
def test_each_lock_holds_what_its_extras_name(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [*project["dependencies"]]
    for extra in LOCKS[name]:
        direct += project["optional-dependencies"][extra]
    assert {re.split(r"[^\w-]", each)[0] for each in direct} <= pinned(name).keys()


def test_one_package_has_one_version_in_all_locks() -> None:
    smallest, *larger = (pinned(name) for name in LOCKS)
    for lock in larger:
        assert {package: lock.get(package) for package in smallest} == smallest
        smallest = lock


@each_lock
def test_no_lock_names_an_index(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "://" in line or line.startswith("-")] == []


def test_the_image_and_make_install_by_hash_and_nothing_else() -> None:
    for name in ("Makefile", "Dockerfile"):
        text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
        said = re.findall(r"(?:pip install|\$\(pip\))\s([^&|;]*)", text)
        assert any("--require-hashes" in each for each in said), name
        assert [each for each in said if not re.search("--require-hashes|--no-deps|^--disable-pip-version", each)] == []
