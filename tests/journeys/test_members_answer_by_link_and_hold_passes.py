"""Members answer their invitation by the link in their mail; phones hold a pass, and the room asks for no name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from chassis import clock
from tests.harness.client import Response
from tests.harness.mails import calendar_of, link_in, text_of
from tests.harness.network import AT, Network
from tests.harness.people import Community
from tests.harness.runtimes import shuffled_network

LINK = re.compile(r"/i/[\w-]+")
PAGE = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
NAME = re.compile(r'name="member" value="([0-9a-f-]{36})"')
MINE = "Ce n’est pas moi"


@dataclass
class Phone:
    """A phone that keeps the cookies that it is given."""

    network: Network
    cookies: dict[str, str] = field(default_factory=dict)

    def open(self, path: str, form: dict[str, str] | None = None) -> Response:
        """Open a page, or send a form, in French."""
        sent = urlencode(form).encode() if form is not None else None
        held = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers = {**PAGE, **(held if self.cookies else {}), "Authorization": ""}
        answer = self.network.request("POST" if form is not None else "GET", f"{path}?lang=fr", sent, headers)
        for cookie in answer.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        return answer


def invitation_of(network: Network, member_id: str) -> str:
    """The path of this person's own link, in their newest mail that has one."""
    paths = [LINK.search(text_of(mail)) for mail in network.mails(to=network.address_of(member_id))]
    found = [path[0] for path in paths if path]
    return found[-1]


def partstats(network: Network, meeting_id: str) -> dict[str, str]:
    rows = network.ok("GET", f"/v1/meetings/{meeting_id}/registrations")["items"]
    return {row["member_id"]: row["partstat"] for row in rows}


def wrapped_up(network: Network, meeting_id: str, community: Community) -> str:
    """The meeting in its last minutes, with everyone there; the path of its room."""
    network.hold(meeting_id, dict.fromkeys(community.member_ids, "attended"))
    network.wrap_up(meeting_id)
    network.settle()
    return f"/r/{network.survey(meeting_id)['room_code']}"


def answer(phone: Phone, path: str, page: Response) -> Response:
    """Fill in the questions of this page, and send them."""
    form = dict(FIELD.findall(page.text)) | {"step": "answer"}
    choices = re.findall(r'name="(q\.[\w.]+)" value="(\w+)"', page.text)
    return phone.open(path, form | {name: value for name, value in choices if value in ("4", "true")})


def test_a_member_answers_without_signing_in_and_changes_their_mind(network: Network) -> None:
    community = network.create_community(members=2)
    meeting_id = network.schedule(community.id, place="Salle 3", themes=["Le répit"])
    one, other = community.member_ids
    path, phone = invitation_of(network, one), Phone(network)
    for _ in range(2):
        page = phone.open(path)
        assert (page.status, "Salle 3" in page.text, "Le répit" in page.text) == (200, True, True)
    assert partstats(network, meeting_id) == {}
    for said in ("accepted", "declined", "declined"):
        assert phone.open(path, {"partstat": said}).status == 303
        assert partstats(network, meeting_id) == {one: said}
    assert "Vous avez répondu que vous ne pourrez pas venir." in phone.open(path).text
    assert invitation_of(network, other) != path


def test_the_links_in_the_calendar_are_those_of_the_mail(network: Network) -> None:
    community = network.create_community(members=1)
    network.schedule(community.id)
    [mail] = network.mails(to=network.address_of(community.member_ids[0]))
    in_calendar = set(LINK.findall(str(calendar_of(mail)[1]["DESCRIPTION"])))
    assert in_calendar == set(LINK.findall(text_of(mail)))


def test_a_cancelled_meeting_says_so_at_every_link_and_takes_no_answer(network: Network) -> None:
    community = network.create_community(members=1)
    meeting_id = network.schedule(community.id)
    path, phone = invitation_of(network, community.member_ids[0]), Phone(network)
    network.ok("POST", f"/v1/meetings/{meeting_id}/cancel", {"reason": "La salle est inondée."})
    network.settle()
    page = phone.open(path)
    assert "annulée" in page.text
    assert "La salle est inondée." in page.text
    assert phone.open(path, {"partstat": "accepted"}).status == 409
    assert partstats(network, meeting_id) == {}


def test_three_phones_answer_in_the_room_by_pass_one_by_name_and_the_rest_by_mail(network: Network) -> None:
    community = network.create_community(members=6)
    meeting_id = network.schedule(community.id)
    phones = {each: Phone(network) for each in community.member_ids}
    with_pass, by_name, rest = community.member_ids[:3], community.member_ids[3], community.member_ids[4:]
    for each in with_pass:
        phones[each].open(invitation_of(network, each))
    room = wrapped_up(network, meeting_id, community)
    for each in with_pass:
        page = phones[each].open(room)
        assert MINE in page.text
        assert NAME.findall(page.text) == []
        assert answer(phones[each], room, page).status == 200
    names = phones[by_name].open(room)
    assert sorted(NAME.findall(names.text)) == sorted(community.member_ids)
    assert answer(phones[by_name], room, phones[by_name].open(room, {"member": by_name})).status == 200
    network.close(meeting_id)
    network.settle()
    asked = [len(network.survey_links(each)) for each in community.member_ids]
    assert asked == [0, 0, 0, 0, 1, 1]
    for each in rest:
        network.answer(token=network.survey_links(each)[-1])
    network.advance(days=8)
    results = network.ok("GET", f"/v1/surveys/{network.survey(meeting_id)['id']}/results")
    assert (results["state"], results["n"]) == ("released", 6)


def test_a_phone_passed_on_to_a_neighbour_answers_for_the_neighbour(network: Network) -> None:
    community = network.create_community(members=6)
    meeting_id = network.schedule(community.id)
    owner, neighbour = community.member_ids[:2]
    phone = Phone(network)
    phone.open(invitation_of(network, owner))
    room = wrapped_up(network, meeting_id, community)
    assert MINE in phone.open(room).text
    assert phone.open(room, {"step": "forget"}).status == 303
    assert phone.cookies == {}
    assert answer(phone, room, phone.open(room, {"member": neighbour})).status == 200
    network.close(meeting_id)
    network.settle()
    assert [len(network.survey_links(each)) for each in (owner, neighbour)] == [1, 0]


@pytest.fixture
def personal(tmp_path: Path) -> Iterator[Network]:
    """A network in which nobody chooses a name; every event comes twice and in any order."""
    with clock.fixed(AT), shuffled_network(tmp_path, seed=3, room_policy="personal") as network:
        yield network


def test_where_nobody_chooses_a_name_one_s_link_comes_by_mail_once(personal: Network) -> None:
    community = personal.create_community(members=6)
    meeting_id = personal.schedule(community.id)
    one, other, *_ = community.member_ids
    phone, another = Phone(personal), Phone(personal)
    another.open(invitation_of(personal, other))
    room = wrapped_up(personal, meeting_id, community)
    assert answer(another, room, another.open(room)).status == 200

    refused = phone.open(room, {"member": one, "step": "answer", "q.satisfaction": "4"})
    assert refused.status == 422
    pages = [phone.open(room, {"member": each, "step": "mail"}) for each in (one, one, other)]
    assert {(page.status, page.text) for page in pages} == {(200, pages[0].text)}
    personal.settle()

    assert [len(personal.survey_links(each)) for each in community.member_ids] == [1, 1, 0, 0, 0, 0]
    link = f"/s/{personal.survey_links(one)[0]}"
    assert answer(phone, link, phone.open(link)).status == 200
    assert "C’est déjà fait" in phone.open(f"/s/{personal.survey_links(other)[0]}").text
    personal.close(meeting_id)
    personal.settle()
    assert [len(personal.survey_links(each)) for each in community.member_ids] == [1, 1, 1, 1, 1, 1]
    [mail] = [each for each in personal.mails(to=personal.address_of(one)) if "/s/" in text_of(each)]
    assert link_in(mail) == personal.survey_links(one)[0]


def test_when_a_room_is_taken_back_whoever_had_their_link_mailed_has_another_mail_at_once(personal: Network) -> None:
    community = personal.create_community(members=6)
    meeting_id = personal.schedule(community.id)
    one, other, *_ = community.member_ids
    phone = Phone(personal)
    room = wrapped_up(personal, meeting_id, community)
    phone.open(room, {"member": one, "step": "mail"})
    personal.settle()
    early = f"/s/{personal.survey_links(one)[0]}"
    assert answer(phone, early, phone.open(early)).status == 200

    personal.ok("POST", f"/v1/meetings/{meeting_id}/survey/void-room")
    personal.settle()

    assert [len(personal.survey_links(each)) for each in (one, other)] == [2, 1]
    link = f"/s/{personal.survey_links(one)[-1]}"
    assert answer(phone, link, phone.open(link)).status == 200
    personal.close(meeting_id)
    personal.settle()
    assert [len(personal.survey_links(each)) for each in community.member_ids] == [2, 1, 1, 1, 1, 1]


def test_a_link_that_has_expired_opens_nothing_and_says_what_to_do(network: Network) -> None:
    community = network.create_community(members=1)
    meeting_id = network.schedule(community.id)
    path, phone = invitation_of(network, community.member_ids[0]), Phone(network)
    clock.move(timedelta(days=30))
    for form in (None, {"partstat": "accepted"}):
        page = phone.open(path, form)
        assert (page.status, "n’est plus valable" in page.text, phone.cookies) == (410, True, {})
    assert partstats(network, meeting_id) == {}
