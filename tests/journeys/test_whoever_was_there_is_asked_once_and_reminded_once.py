"""The shortest journey, as docs/contribute.md shows it: the page and this module are compared."""

import inspect
from pathlib import Path

from tests.harness.network import Network

PAGE = Path(__file__).parents[2] / "docs/contribute.md"


def test_whoever_was_there_is_asked_once_and_reminded_once(network: Network) -> None:
    community = network.create_community(members=6)
    meeting_id = network.schedule(community.id)
    network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    network.close(meeting_id)
    network.settle()
    assert [len(network.survey_links(each)) for each in community.member_ids] == [1] * 6
    network.advance(days=3)
    network.redeliver_everything()
    assert [len(network.survey_links(each)) for each in community.member_ids] == [2] * 6


def test_the_page_shows_this_journey() -> None:
    shown = inspect.getsource(test_whoever_was_there_is_asked_once_and_reminded_once)
    assert f"```python\n{shown}```" in PAGE.read_text(encoding="utf-8")
