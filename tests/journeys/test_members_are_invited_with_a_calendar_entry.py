"""A meeting is scheduled: each member of its communities hears of it once, and their calendar shows the right hour."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from pratique import clock
from tests.journeys.letters import calendar_of, text_of
from tests.journeys.life import ZONE, Community, Life

BEFORE_DST = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  #: on 8 March 2026 Toronto goes from UTC-5 to UTC-4
STARTS_AT = datetime(2026, 3, 12, 9, 0, tzinfo=ZoneInfo(ZONE))
AT_NINE = {"starts_at": STARTS_AT.isoformat(), "ends_at": STARTS_AT.replace(hour=10, minute=30).isoformat()}


@pytest.fixture
def community(life: Life) -> Community:
    """Three French-speaking members and one who reads English, ten days before a meeting."""
    clock.move(BEFORE_DST - clock.now())
    made = life.found_community(members=3)
    made.member_ids.append(life.join(made.id, "Jo Example", locale="en"))
    life.settle()
    return made


def invitations(life: Life, member_ids: list[str]) -> list[int]:
    return [len(life.mails(to=life.address_of(each))) for each in member_ids]


def test_each_member_is_invited_once_in_their_language(life: Life, community: Community) -> None:
    life.schedule(community.id, **AT_NINE, themes=["Le répit"], link="https://meet.example.org/x")
    life.later(days=2)
    life.deliver_everything_again()
    assert invitations(life, community.member_ids) == [1, 1, 1, 1]
    *french, english = [life.mails(to=life.address_of(each))[0] for each in community.member_ids]
    for mail in french:
        assert (mail["Content-Language"], str(mail["Subject"]).partition(":")[0].strip()) == ("fr", "Invitation")
        assert "jeudi 12 mars 2026" in " ".join(text_of(mail).split())
    assert (english["Content-Language"], "Thursday 12 March 2026" in " ".join(text_of(english).split())) == ("en", True)


def test_the_entry_stands_at_the_wall_hour_although_the_clocks_change_before(life: Life, community: Community) -> None:
    meeting_id = life.schedule(community.id, **AT_NINE, place="Salle 3", link="https://meet.example.org/x")
    for member_id in community.member_ids:
        (mail,) = life.mails(to=life.address_of(member_id))
        method, entry = calendar_of(mail)
        assert (method, entry["UID"], entry["STATUS"]) == ("REQUEST", meeting_id, "CONFIRMED")
        starts_at, ends_at = entry["DTSTART"].dt, entry["DTEND"].dt
        assert (starts_at, ends_at) == (STARTS_AT, STARTS_AT.replace(hour=10, minute=30))
        assert (starts_at.date(), starts_at.hour, ends_at.hour) == (date(2026, 3, 12), 9, 10)
        assert entry["DTSTART"].params["TZID"] == ZONE
        assert starts_at.astimezone(UTC).hour == 13
        assert (str(entry["LOCATION"]), str(entry["URL"])) == ("Salle 3", "https://meet.example.org/x")
        assert life.address_of(member_id) in str(entry["ATTENDEE"])
        words = " ".join(text_of(mail).split())
        assert ("9 h 00" in words) is not ("9:00" in words)


def test_someone_in_two_communities_gets_one_invitation_to_their_joint_meeting(
    life: Life, community: Community
) -> None:
    in_both = community.member_ids[0]
    other = life.found_community(members=2)
    life.ok("PUT", f"/v1/communities/{other.id}/memberships/{in_both}", {"capacity": "individual"})
    life.settle()
    life.schedule(community.id, other.id, **AT_NINE, kind="cross_community")
    life.deliver_everything_again()
    assert invitations(life, [*community.member_ids, *other.member_ids]) == [1] * 6


def test_who_joins_later_is_invited_to_what_lies_ahead_and_to_nothing_past(life: Life, community: Community) -> None:
    past = life.schedule(community.id)
    life.hold(past, dict.fromkeys(community.member_ids, "attended"))
    life.ok("POST", f"/v1/meetings/{past}/close")
    life.settle()
    ahead = life.schedule(community.id)
    late = life.join(community.id, "Qui arrive après")
    life.settle()
    life.deliver_everything_again()
    (mail,) = life.mails(to=life.address_of(late))
    _, entry = calendar_of(mail)
    assert entry["UID"] == ahead


def test_saying_the_same_again_invites_nobody_again(life: Life, community: Community) -> None:
    meeting_id = life.schedule(community.id, **AT_NINE)
    body = {"community_ids": [community.id], "kind": "meeting", "mode": "online", "timezone": ZONE, **AT_NINE}
    assert life.ask("PUT", f"/v1/meetings/{meeting_id}", body).status == 200
    person = {"name": "Personne N0", "email": life.address_of(community.member_ids[0]), "locale": "fr"}
    life.ok("PUT", f"/v1/members/{community.member_ids[0]}", person | {"timezone": ZONE})
    life.settle()
    life.deliver_everything_again()
    assert invitations(life, community.member_ids) == [1, 1, 1, 1]
