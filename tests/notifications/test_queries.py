"""What may be read of messages."""

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.testing import crossed
from pratique.errors import Invalid
from pratique.requests.notifications import ListMessages, Message
from services.notifications.queries import list_messages


def read(network: Any, member: str, **page: Any) -> Any:
    member_id = network.events.contact(member).member_id
    with network.opened.begin() as session:
        found = list_messages(session, crossed(ListMessages(member_id=member_id, **page)))
        return [Message.dump_of(each) for each in found.rows], found.after


def test_messages_are_listed_newest_first_with_what_became_of_them(network: Any) -> None:
    network.invited("Ada", "Bo")
    clock.move(timedelta(minutes=1))
    network.tell(network.events.scheduled("autre", "Relève"), network.events.cancelled("autre", "Relève"))
    rows, after = read(network, "Ada")
    assert [(row["template"], row["state"], row["drop_reason"]) for row in rows] == [
        ("meeting_invitation", "dropped", "cancelled"),
        ("meeting_invitation", "sent", None),
    ]
    assert after is None
    assert all(row["settled_at"] for row in rows)


def test_nobody_reads_who_was_asked_by_a_survey(network: Any) -> None:
    network.invited("Ada", "Bo")
    network.tell(network.events.asked("rencontre", "Ada"), network.events.reminded("rencontre", "Ada"))
    before = read(network, "Ada")
    network.send()
    assert before == read(network, "Ada")
    assert [row["template"] for row in before[0]] == ["meeting_invitation"]


def test_the_secret_of_a_link_is_in_no_answer(network: Any) -> None:
    network.tell(network.events.asked("rencontre", "Ada", token="secret"))
    assert "secret" not in str(read(network, "Ada"))


def test_pages_follow_each_other_without_gap_or_repeat(network: Any) -> None:
    network.tell(network.events.joins("Ada", "Relève"))
    for number in range(7):
        network.tell(network.events.scheduled(f"rencontre {number}", "Relève"))
        clock.move(timedelta(seconds=number % 2))
    found, after = [], None
    while True:
        rows, after = read(network, "Ada", after=after, limit=3)
        found += [row["id"] for row in rows]
        if after is None:
            break
    assert len(found) == len(set(found)) == 7


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 501}, {"after": "nonsense"}, {"after": "2026-01-01~x"}])
def test_a_page_that_cannot_be_is_refused(network: Any, page: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read(network, "Ada", **page)
