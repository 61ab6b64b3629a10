"""Whoever knows one service finds their way in each: the same names, small files, few lines."""

import ast
from fnmatch import fnmatch
from pathlib import Path

import pytest

from chassis.settings import SERVICES
from tests.repository.source import (
    PACKAGES,
    ROOT,
    code_lines,
    docstring_lines,
    docstring_of,
    functions,
    lines_of,
    name_of,
    public,
    sources,
)

NAMES = {"__init__", "models", "access", "commands", "reactions", "queries", "service", "migrations"}
#: What a service has beside the names that all have, and why.
OWN = {
    "membership": {
        "labels": "how people are named and ordered in a room: rules over many, which no row can check alone",
        "roster": "queries of people with what they are trusted with, sorted as French sorts: over four tables",
        "roles": "roles over communities, sets and the network, told community by community: rules over many rows",
    },
    "meetings": {},
    "evaluation": {
        "questions": "the questions themselves, in French and English: content, not code",
        "traces": "the loop that leaves nothing of closed surveys in the database's files",
    },
    "notifications": {
        "calendar_entry": "the RFC 5545 entry that a meeting's mail carries",
        "decisions": "who is written to, and when: rules of many messages, which no aggregate can check alone",
        "delivery": "the loop that hands messages to the mail server",
        "kinds": "what each template asks of the service: a table of rules, so that a mail is described in one place",
        "mails": "makes a message of a template and its context",
        "previews": "invitations in words, for pages: the same context and templates as mails, and nothing is sent",
        "post": "SMTP, or files where there is no mail server",
        "templates": "the texts of mails, in English; their French is in words/fr.po",
        "wording": "what mails call kinds of meetings, ways to take part and communities",
    },
}
TOP = {
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-bench.lock",
    "Dockerfile",
    "docker-compose.yml",
    ".dockerignore",
    ".editorconfig",
    ".env.example",
    ".gitattributes",
    ".gitignore",
    ".ci",
    "deploy",
    "chassis",
    "demo",
    "docs",
    "gateway",
    "operations",
    "pratique",
    "services",
    "tests",
    "words",
}
#: Lines of code that each room of the chassis may have, without migrations and test helpers (docs/decisions/0007).
BUDGETS = {
    "ground": 670,
    "storage": 775,
    "scheduling": 110,
    "messaging": 980,
    "rpc": 475,
    "http": 465,
    "runtime": 350,
}
EVERYWHERE = [path for path in sources(*PACKAGES) if "migrations" not in path.parts]
each_service = pytest.mark.parametrize("service", SERVICES)
each_file = pytest.mark.parametrize("path", sources(*PACKAGES, "tests"), ids=name_of)


def parts(folder: Path) -> set[str]:
    """The modules and folders of a package, by name."""
    return {path.stem for path in folder.iterdir() if path.name != "__pycache__"}


@each_service
def test_each_service_has_the_same_names_and_few_of_its_own(service: str) -> None:
    found = parts(ROOT / "services" / service)
    expected = NAMES if found != {"__init__"} else {"__init__"}  # one that has only its charter is not begun

    assert expected - found == set()
    assert found - NAMES == set(OWN[service]) & found, "an own module needs its reason in OWN"


def test_there_are_the_services_that_the_settings_name_and_no_other() -> None:
    assert parts(ROOT / "services") == {"__init__", *SERVICES}
    assert OWN.keys() == set(SERVICES)


@pytest.mark.parametrize("package", [*(f"services/{name}" for name in SERVICES), "gateway"])
def test_a_charter_is_short_and_says_nothing_but_words(package: str) -> None:
    charter = ROOT / package / "__init__.py"

    assert len(lines_of(charter)) <= 25
    assert docstring_lines(charter)
    assert code_lines(charter) == set()


@each_service
def test_the_binding_to_the_bus_is_short(service: str) -> None:
    for path in (ROOT / "services" / service).glob("service.py"):
        assert len(lines_of(path)) <= 150


@each_file
def test_no_module_is_longer_than_400_lines(path: Path) -> None:
    assert len(lines_of(path)) <= 400, "make it a folder of the same name, one module per noun"


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_no_function_is_longer_than_40_lines(path: Path) -> None:
    """Its docstring is not counted, which may need room to be clear."""
    if "migrations" in path.parts:
        return  # a list of columns is as long as it is
    for function in functions(path):
        docstring = docstring_of(function)
        words = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
        length = (function.end_lineno or 0) - function.lineno + 1 - words
        assert length <= 40, f"{function.name} has {length} lines"


def test_nothing_unexpected_lies_at_the_top() -> None:
    ignored = [line.rstrip("/") for line in lines_of(ROOT / ".gitignore") if line and not line.startswith("#")]
    found = {path.name for path in ROOT.iterdir() if path.name != ".git"}

    assert {name for name in found - TOP if not any(fnmatch(name, pattern) for pattern in ignored)} == set()


@pytest.mark.parametrize("room", BUDGETS)
def test_each_room_of_the_chassis_keeps_to_its_budget(room: str) -> None:
    """What is shared is where clutter gathers."""
    folder = ROOT / "chassis" / ("" if room == "ground" else room)
    files = folder.glob("*.py") if room == "ground" else sources(f"chassis/{room}")
    counted = [path for path in files if "migrations" not in path.parts and path.name != "testing.py"]
    lines = {name_of(path): len(code_lines(path)) for path in counted}

    assert sum(lines.values()) <= BUDGETS[room], sorted(lines.items(), key=lambda each: -each[1])


def test_each_room_of_the_chassis_has_a_budget() -> None:
    rooms = {path.name for path in (ROOT / "chassis").iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert rooms == BUDGETS.keys() - {"ground"}


def test_what_is_public_says_what_it_is_for() -> None:
    found = {
        (name_of(path), getattr(node, "name", "")): docstring_of(node) for path in EVERYWHERE for node in public(path)
    }
    silent = [key for key, docstring in found.items() if docstring is None]

    assert len(silent) <= 0.05 * len(found), silent


def test_functions_say_what_they_return() -> None:
    found = {(name_of(path), node.name): node.returns for path in EVERYWHERE for node in functions(path)}
    silent = [key for key, returns in found.items() if returns is None]

    assert len(silent) <= 0.05 * len(found), silent


def test_docstrings_begin_with_a_sentence_that_ends() -> None:
    odd = []
    for path in EVERYWHERE:
        for node in public(path):
            words = ast.get_docstring(node) or "."
            if not words.split("\n\n")[0].rstrip().endswith((".", ":", "?", ")")):
                odd.append((name_of(path), getattr(node, "name", ""), words[:60]))

    assert odd == []
