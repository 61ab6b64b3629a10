"""A meeting is scheduled: each member of its communities hears of it once, and their calendar shows the right hour."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from chassis import clock
from tests.harness.mails import calendar_of, text_of
from tests.harness.network import Network
from tests.harness.people import ZONE, Community

BEFORE_DST = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  #: on 8 March 2026 Toronto goes from UTC-5 to UTC-4
STARTS_AT = datetime(2026, 3, 12, 9, 0, tzinfo=ZoneInfo(ZONE))
AT_NINE = {"starts_at": STARTS_AT.isoformat(), "ends_at": STARTS_AT.replace(hour=10, minute=30).isoformat()}
PLAN = {"themes": ["Le répit"], "place": "Salle 3", "link": "https://meet.example.org/x", **AT_NINE}


def found(network: Network) -> Community:
    """Three French-speaking members and one who reads English."""
    made = network.create_community(members=3)
    made.member_ids.append(network.join(made.id, "Jo Example", locale="en"))
    network.settle()
    return made


def invitations(network: Network, member_ids: list[str]) -> list[int]:
    return [len(network.mails(to=network.address_of(each))) for each in member_ids]


class March:
    """Three communities in one month: one plans, one plans with another, and one is joined by somebody later."""

    def __init__(self, network: Network) -> None:
        clock.move(BEFORE_DST - clock.now())
        self._plan(network)
        self._plan_together(network)
        self._be_joined(network)

    def _plan(self, network: Network) -> None:
        """Ten days ahead, and then everything is said once more."""
        community = found(network)
        self.meeting_id = network.schedule(community.id, **PLAN)
        self.addresses = [network.address_of(each) for each in community.member_ids]
        self.invitations = [invitations(network, community.member_ids)]
        body = {"community_ids": [community.id], "kind": "meeting", "mode": "online", "timezone": ZONE, **PLAN}
        self.said_again = network.request("PUT", f"/v1/meetings/{self.meeting_id}", body)
        network.put_member(community.member_ids[0], "Personne N0")
        network.settle()
        self.invitations.append(invitations(network, community.member_ids))
        network.advance(days=2)
        network.redeliver_everything()
        self.invitations.append(invitations(network, community.member_ids))
        self.mails = [network.mails(to=each)[0] for each in self.addresses]

    def _plan_together(self, network: Network) -> None:
        community, other = found(network), network.create_community(members=2)
        in_both = community.member_ids[0]
        network.add_to_community(other.id, in_both)
        network.settle()
        network.schedule(community.id, other.id, **AT_NINE, kind="cross_community")
        network.redeliver_everything()
        self.joint_invitations = invitations(network, [*community.member_ids, *other.member_ids])

    def _be_joined(self, network: Network) -> None:
        community = found(network)
        past = network.schedule(community.id)
        network.hold(past, dict.fromkeys(community.member_ids, "attended"))
        network.close(past)
        network.settle()
        self.ahead = network.schedule(community.id)
        late = network.join(community.id, "Qui arrive après")
        network.settle()
        network.redeliver_everything()
        self.mails_of_late = network.mails(to=network.address_of(late))


@pytest.fixture(scope="module")
def march(shared_network: Network) -> March:
    return March(shared_network)


def test_each_member_is_invited_once_in_their_language(march: March) -> None:
    assert march.invitations[0] == march.invitations[-1] == [1, 1, 1, 1]
    *french, english = march.mails
    for mail in french:
        assert (mail["Content-Language"], str(mail["Subject"]).partition(":")[0].strip()) == ("fr", "Invitation")
        assert "jeudi 12 mars 2026" in " ".join(text_of(mail).split())
    says_day = "Thursday, March 12, 2026" in " ".join(text_of(english).split())
    assert (english["Content-Language"], says_day) == ("en", True)


def test_the_entry_stands_at_the_wall_hour_although_the_clocks_change_before(march: March) -> None:
    for address, mail in zip(march.addresses, march.mails, strict=True):
        method, entry = calendar_of(mail)
        assert (method, entry["UID"], entry["STATUS"]) == ("REQUEST", march.meeting_id, "CONFIRMED")
        starts_at, ends_at = entry["DTSTART"].dt, entry["DTEND"].dt
        assert (starts_at, ends_at) == (STARTS_AT, STARTS_AT.replace(hour=10, minute=30))
        assert (starts_at.date(), starts_at.hour, ends_at.hour) == (date(2026, 3, 12), 9, 10)
        assert entry["DTSTART"].params["TZID"] == ZONE
        assert starts_at.astimezone(UTC).hour == 13
        assert (str(entry["LOCATION"]), str(entry["URL"])) == ("Salle 3", "https://meet.example.org/x")
        assert address in str(entry["ATTENDEE"])
        words = " ".join(text_of(mail).split())
        assert ("de 9 h à" in words) is not ("9 a.m." in words)


def test_saying_the_same_again_invites_nobody_again(march: March) -> None:
    assert march.said_again.status == 200
    assert march.invitations[1:] == [[1, 1, 1, 1]] * 2


def test_someone_in_two_communities_gets_one_invitation_to_their_joint_meeting(march: March) -> None:
    assert march.joint_invitations == [1] * 6


def test_who_joins_later_is_invited_to_what_lies_ahead_and_to_nothing_past(march: March) -> None:
    (mail,) = march.mails_of_late
    _, entry = calendar_of(mail)
    assert entry["UID"] == march.ahead
