"""Whoever is trusted with something, loses it, or closes or corrects a meeting: it can be told later who did that."""

from sqlalchemy import select

from chassis.settings import STORES
from chassis.storage.audit import AUDIT
from tests.harness.network import Network


def test_roles_closings_and_corrections_are_told_with_the_token_that_made_them(network: Network) -> None:
    community = network.create_community(members=6)
    amina, louis, *_ = community.member_ids
    role = f"/v1/communities/{community.id}/roles/{amina}/facilitator"
    network.ok("PUT", role)
    network.ok("PUT", role)
    network.ok("DELETE", role)
    network.ok("DELETE", role)
    refused = network.request("PUT", f"/v1/communities/{community.id}/roles/{community.id}/facilitator")
    assert refused.status == 404
    meeting_id = network.schedule(community.id)
    network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    network.wrap_up(meeting_id)
    network.settle()
    code = network.survey(meeting_id)["room_code"]
    network.answer(room_code=code, member_id=louis)
    network.close(meeting_id)
    network.close(meeting_id)
    network.record_attendance(meeting_id, {amina: "no_show"})
    network.record_attendance(meeting_id, {amina: "no_show"})
    network.settle()

    told = {}
    for name in STORES:
        with network.stores[name].begin() as session:
            told[name] = session.execute(select(AUDIT).order_by(AUDIT.c.seq)).all()
    assert [row.action for row in told["membership"]] == ["membership.activated"] * 6 + ["role.assigned", "role.ended"]
    values = {"community_id": community.id, "member_id": amina, "role": "facilitator"}
    assert (told["membership"][-2].after, told["membership"][-1].before) == (values, values)
    closed, corrected = told["meetings"]
    assert (closed.action, closed.subject, closed.before) == ("meeting.closed", meeting_id, {"state": "wrap_up"})
    assert closed.after == {"state": "closed", "head_count": 6}
    assert (corrected.action, corrected.subject) == ("attendance.corrected", meeting_id)
    assert (corrected.before, corrected.after) == ({amina: "attended"}, {amina: "no_show"})
    assert [row.action for row in told["gateway"]] == ["token.created"]
    by = f"token {told['gateway'][0].subject} journey"
    assert {row.actor for name in ("membership", "meetings") for row in told[name]} == {by}
    assert told["evaluation"] == told["notifications"] == []  # of what was answered, and by whom, nothing is noted
