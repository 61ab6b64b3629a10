"""One idea, one word: events are named as classes, modules by what they hold, and nothing is said twice."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from chassis.settings import SERVICES
from operations import docs
from tests.repository.source import (
    PACKAGES,
    ROOT,
    classes,
    code_lines,
    functions,
    lines_of,
    name_of,
    sources,
    texts,
    tree_of,
)

EVENTS = {event.__name__ for event in docs.all_events()}
BANNED = {"utils", "util", "helpers", "common", "manager", "managers", "base", "impl", "data", "info", "misc", "shared"}
BANNED |= {"scripts", "core", "lib"}
BANNED_BEGINNINGS = ("handle_", "process_", "do_")
#: Names that nameko, eventlet or SQLAlchemy look for.
NOT_OURS = {
    "handle_request",
    "handle_result",
    "handle_one_request",
    "handle_one_response",
    "process_bind_param",
    "process_result_value",
}
SAME_LINES = 6


def test_no_line_names_an_event_as_a_string() -> None:
    """Who searches for the class finds every use."""
    word = re.compile(rf"\b({'|'.join(sorted(EVENTS))})\b")
    found = [
        f"{name_of(path)}:{line} {text[:60]!r}"
        for path in sources(*PACKAGES)
        if path != ROOT / "pratique" / "docs.py"
        for line, text in texts(path)
        if word.search(text)
    ]

    assert len(EVENTS) > 20
    assert found == []


def test_every_event_is_in_the_page_for_people() -> None:
    page = (docs.GENERATED / "events.md").read_text(encoding="utf-8")

    assert {name for name in EVENTS if f"### {name}\n" not in page} == set()


def test_modules_are_named_for_what_they_hold() -> None:
    names = {part for path in sources(*PACKAGES, "tests") for part in path.relative_to(ROOT).with_suffix("").parts}

    assert names & BANNED == set()


def test_functions_say_what_they_do() -> None:
    found = {
        f"{name_of(path)} {function.name}"
        for path in sources(*PACKAGES)
        for function in functions(path)
        if function.name.lstrip("_").startswith(BANNED_BEGINNINGS) and function.name not in NOT_OURS
    }

    assert found == set()


def told(path: Path) -> list[tuple[int, str]]:
    """The lines of code that say something, without imports, by number."""
    imports = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {line for node in imports for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    lines = lines_of(path)
    return [(number, lines[number - 1].strip()) for number in sorted(code_lines(path) - imported)]


def test_no_service_says_what_another_says() -> None:
    """Six lines that two services share belong to the kernel, or one of them is wrong."""
    places: dict[tuple[str, ...], set[tuple[str, str]]] = defaultdict(set)
    for service in SERVICES:
        for path in sources(f"services/{service}"):
            lines = [] if "migrations" in path.parts else told(path)  # what was migrated stays as it was
            for start in range(len(lines) - SAME_LINES + 1):
                block = lines[start : start + SAME_LINES]
                where = f"{name_of(path)}:{block[0][0]}"
                places[tuple(text for _, text in block)].add((service, where))
    twice = [sorted(where) for where in places.values() if len({service for service, _ in where}) > 1]

    assert twice == []


CLAUSE = re.compile(r"(?:By |To |From )?(?:What|Who|Whom|Whose|Whoever|That|Whether|How|When|Where|Which)\b")


def test_docstrings_begin_with_an_imperative_a_return_or_a_noun() -> None:
    """At most one in twenty begins with a clause, which has to be read twice."""
    found = [
        (name_of(path), getattr(node, "name", ""), words)
        for path in sources(*PACKAGES)
        if "migrations" not in path.parts
        for node in (tree_of(path), *functions(path), *classes(path))
        if (words := ast.get_docstring(node))
    ]
    clauses = [each for each in found if CLAUSE.match(each[2])]

    assert len(found) > 1000
    assert len(clauses) <= len(found) / 20, clauses


#: Names that were ours alone, and what the field calls the same: an engineer searches for the second.
RETIRED = {
    "reactor": "consumer",
    "upkeep": "retention",
    "fault": "validation error",
    "bury": "dead-letter",
    "robbed": "has_lost_queue",
    "noting": "asynchronous_inserts",
    "hasty": "asynchronous",
    "apologise": "show_failure",
    "keyring": "TokenStore",
    "holder": "Principal",
    "tries": "RateLimiter",
    "scatter": "insert_shuffled",
    "pump": "deliver_all",
    "examine": "check_health",
    "suspicious": "over the redelivery limit",
}


def test_no_name_is_one_that_we_no_longer_use() -> None:
    retired = {
        (name_of(path), node.name)
        for path in sources(*PACKAGES)
        for node in [*functions(path), *classes(path)]
        if set(node.name.lower().strip("_").split("_")) & RETIRED.keys()
    }

    assert retired == set()
