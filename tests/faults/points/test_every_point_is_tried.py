"""100 % of the points: whoever adds one to the source must say in a test what happens there."""

import ast

from tests.faults.points import (
    test_a_process_that_ended_is_started_again as processes,
)
from tests.faults.points import (
    test_a_sender_that_ended_had_put_mails_off as senders,
)
from tests.faults.points import (
    test_what_ended_halfway_is_done_once as scenarios,
)
from tests.faults.points import (
    test_what_operators_and_retention_had_begun as beginnings,
)
from tests.repository.source import PACKAGES, ROOT, sources, tree_of

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def points_of_the_source() -> list[str]:
    """The argument of every call of ``crashpoint`` there is, tests aside."""
    calls = [
        node
        for path in sources(*PACKAGES)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "crashpoint"
    ]
    return [ast.literal_eval(call.args[0]) for call in calls]


def test_a_process_is_ended_at_every_point_of_the_source() -> None:
    tried = scenarios.POINTS | processes.POINTS | beginnings.POINTS | senders.POINTS
    assert set(points_of_the_source()) == tried


def test_the_page_says_what_happens_at_every_point() -> None:
    assert {point for point in points_of_the_source() if f"`{point}`" not in PAGE} == set()
