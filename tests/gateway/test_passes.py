"""A phone with its owner's pass in the room: it chooses no name, changes hands openly, and proves nothing elsewhere."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import Client

from chassis import clock
from pratique.errors import Forbidden, NotFound
from pratique.events.membership import Locale
from pratique.requests.evaluation import PASSES
from pratique.requests.meetings import INVITATION_LINK
from pratique.requests.notifications import InvitationWords
from pratique.testing import AT
from tests.gateway.conftest import (
    ANNE,
    BALLOT,
    BODO,
    MEETING,
    SETTINGS,
    SURVEY,
    asked,
    form_of,
    make_gate,
    parsed,
    sentence_of,
    words_of,
)
from words.catalogue import sentences

FR, EN = sentences(Locale.FR), sentences(Locale.EN)
SEVERAL = FR("Invitations of several people were opened on this device. Choose your own name.")
NONE_MINE = FR("None of these names is mine")
ANOTHER = "00000000-0000-4000-8000-0000000000ee"
STRANGER = "00000000-0000-4000-8000-0000000000ff"
UNTIL = AT + timedelta(days=1)
ROOM = "/r/K7MQ2PXD"


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with clock.fixed(AT):
        yield


def pass_of(member_id: str = ANNE, purpose: str = PASSES, meeting: str = MEETING, until: Any = UNTIL) -> str:
    return SETTINGS.seal.lasting_link(purpose, until, UUID(meeting), UUID(member_id))


def held_by(gate: Any, text: str, meeting: str = MEETING) -> Client:
    """A phone that has this cookie for the meeting."""
    phone = Client(gate.app)
    phone.set_cookie(f"pass-{UUID(meeting).hex}", text, path="/r")
    return phone


def personal(gate: Any) -> Any:
    """The same gateway in a network in which nobody chooses a name."""
    there = make_gate(gate.store, room_policy="personal")
    there.peer, there.app.call, there.app.headings = gate.peer, gate.peer.call, gate.app.headings
    there.token = ""
    return there


def names_in(page: Any) -> list[str]:
    return [each.get("value") for each in parsed(page).iter("input") if each.get("type") == "radio"]


def test_a_phone_with_a_pass_goes_straight_to_the_questions_as_its_owner(open_survey: Any) -> None:
    held = pass_of()
    page = held_by(open_survey, held).get(ROOM)
    assert words_of(page).count("Vous êtes Anne & Co., et votre nom") == 1
    assert "Bodo" not in page.text
    assert asked(open_survey, "evaluation.open_ballot") == [
        {"room_code": "K7MQ2PXD", "room_pass": held, "locale": "fr"}
    ]
    sent = held_by(open_survey, held).post(ROOM, data=form_of(page) | {"step": "answer", "q.satisfaction": "4"})
    assert (sent.status_code, sentence_of("thanks") in sent.text) == (200, True)
    assert asked(open_survey, "evaluation.take_ballot") == [{"ballot_id": BALLOT}]


def test_the_pass_is_in_no_page_and_travels_with_no_answer(open_survey: Any) -> None:
    held = pass_of()
    page = open_survey.ask("GET", ROOM)
    assert held not in page.text
    held_by(open_survey, held).post(ROOM, data=form_of(page) | {"step": "answer", "q.satisfaction": "4"})
    sent = [payload for rpc, payload in open_survey.peer.asked if rpc != "evaluation.open_ballot"]
    assert held not in str(sent)
    assert ANNE not in str([payload for rpc, payload in open_survey.peer.asked if rpc == "evaluation.cast_slip"])


def test_the_other_language_and_a_mistake_keep_whose_phone_it_is(open_survey: Any) -> None:
    page = held_by(open_survey, pass_of()).get(ROOM)
    filled = form_of(page) | {"step": "answer"}
    english = held_by(open_survey, pass_of()).post(f"{ROOM}?lang=en", data=filled | {"switch": "1"})
    empty = held_by(open_survey, pass_of()).post(f"{ROOM}?lang=en", data=filled)
    for again in (english, empty):
        assert "You are Anne & Co., and your name" in words_of(again)
        assert EN("This is not me") in words_of(again)


@pytest.mark.parametrize(
    "wrong",
    [
        pass_of()[:-1],
        pass_of() + "A",
        pass_of().swapcase(),
        "x",
        "",
        pass_of(purpose=INVITATION_LINK),
        pass_of(purpose="survey link"),
        pass_of(meeting=ANOTHER),
        pass_of(until=AT),
    ],
)
def test_a_pass_that_is_forged_foreign_or_over_is_as_none(open_survey: Any, wrong: str) -> None:
    page = held_by(open_survey, wrong).get(ROOM)
    assert names_in(page) == [ANNE, BODO]
    assert "Cet appareil est reconnu, mais votre présence n’est pas encore" not in page.text
    assert asked(open_survey, "evaluation.open_ballot") == []


def test_a_pass_for_another_meeting_stays_there(open_survey: Any) -> None:
    page = held_by(open_survey, pass_of(meeting=ANOTHER), ANOTHER).get(ROOM)
    assert names_in(page) == [ANNE, BODO]


def test_whoever_is_not_marked_as_there_is_told_whom_to_ask(open_survey: Any) -> None:
    page = held_by(open_survey, pass_of(STRANGER)).get(ROOM)
    assert "Cet appareil est reconnu, mais votre présence n’est pas encore" in words_of(page)
    assert asked(open_survey, "evaluation.open_ballot") == []


def test_a_phone_passed_on_forgets_whose_it_was_and_asks_who_holds_it(open_survey: Any) -> None:
    phone = held_by(open_survey, pass_of())
    assert FR("This is not me") in phone.get(ROOM).text
    forgotten = phone.post(ROOM, data={"step": "forget"})
    assert (forgotten.status_code, forgotten.headers["Location"]) == (303, "?lang=fr")
    assert names_in(phone.get(ROOM)) == [ANNE, BODO]
    assert asked(open_survey, "evaluation.take_ballot") == []


@pytest.fixture
def invited(open_survey: Any) -> Any:
    """A room, and invitations that open."""
    standing = {"state": "in_progress", "starts_at": AT.isoformat(), "ends_at": UNTIL.isoformat(), "partstat": None}
    words = dict.fromkeys(InvitationWords.schema.fields, "")
    open_survey.peer.says("meetings.get_standing", standing)
    open_survey.peer.says("notifications.read_invitation", words | {"locale": "fr"})
    return open_survey


def test_opening_one_s_invitation_is_all_that_a_phone_has_to_do(invited: Any) -> None:
    phone = Client(invited.app)
    assert names_in(phone.get(ROOM)) == [ANNE, BODO]
    for _ in range(2):
        phone.get(f"/i/{pass_of(BODO, INVITATION_LINK)}")
        assert "Vous êtes Bodo L., et votre nom" in phone.get(ROOM).text
        assert "Anne" not in phone.get(ROOM).text


def with_both(gate: Any) -> Client:
    """Anne's phone, on which a link of Bodo's was opened after her own."""
    phone = Client(gate.app)
    for each in (ANNE, BODO):
        phone.get(f"/i/{pass_of(each, INVITATION_LINK)}")
    return phone


@pytest.mark.parametrize("policy", ["open", "personal"])
def test_a_link_of_somebody_else_takes_nobody_s_place_on_a_phone_that_asks_whose_it_is(
    invited: Any, policy: str
) -> None:
    there = invited if policy == "open" else personal(invited)
    phone = with_both(there)
    page = phone.get(ROOM)
    assert SEVERAL in words_of(page)
    assert "Le répit · " in words_of(page)
    assert names_in(page) == [ANNE, BODO]
    assert asked(there, "evaluation.open_ballot") == []
    chosen = phone.post(ROOM, data={"step": "mine", "member": ANNE})
    assert "Vous êtes Anne & Co., et votre nom" in words_of(chosen)
    [ballot] = asked(there, "evaluation.open_ballot")
    assert SETTINGS.seal.read_lasting_link(PASSES, ballot["room_pass"])[1] == (UUID(MEETING), UUID(ANNE))
    assert "member_id" not in ballot


def test_whoever_is_none_of_those_whose_invitations_a_phone_opened_says_so_and_it_forgets_them(invited: Any) -> None:
    phone = with_both(invited)
    assert NONE_MINE in phone.get(ROOM).text
    assert phone.post(ROOM, data={"step": "forget"}).status_code == 303
    assert names_in(phone.get(ROOM)) == [ANNE, BODO]
    assert SEVERAL not in phone.get(ROOM).text


@pytest.mark.parametrize("said", ["", STRANGER, "x"])
def test_a_phone_that_asks_whose_it_is_takes_none_but_these(invited: Any, said: str) -> None:
    page = with_both(invited).post(ROOM, data={"step": "mine", "member": said})
    assert (page.status_code, "Choisissez votre nom dans la liste." in page.text) == (422, True)
    assert asked(invited, "evaluation.open_ballot") == []


def test_a_pass_of_somebody_who_is_not_there_asks_nothing(invited: Any) -> None:
    phone = Client(invited.app)
    for each in (STRANGER, ANNE):
        phone.get(f"/i/{pass_of(each, INVITATION_LINK)}")
    assert "Vous êtes Anne & Co., et votre nom" in words_of(phone.get(ROOM))


def test_where_nobody_chooses_a_name_a_pass_is_the_way_in(open_survey: Any) -> None:
    there = personal(open_survey)
    page = held_by(there, pass_of()).get(ROOM)
    assert "Vous êtes Anne & Co., et votre nom" in words_of(page)


def test_where_nobody_chooses_a_name_one_has_one_s_link_mailed(open_survey: Any) -> None:
    there = personal(open_survey)
    there.peer.says("evaluation.mail_survey_link", None)
    page = there.ask("GET", ROOM)
    assert FR("Email me my link") in words_of(page)
    assert FR("Continue") not in words_of(page)
    answer = there.ask("POST", ROOM, data=form_of(page) | {"member": BODO})
    assert sentence_of("link_mailed") in words_of(answer)
    assert asked(there, "evaluation.mail_survey_link") == [{"room_code": "K7MQ2PXD", "member_id": BODO}]
    assert asked(there, "evaluation.open_ballot") == []


def test_where_nobody_chooses_a_name_every_page_names_the_meeting_and_none_says_to_answer_at_once(
    open_survey: Any,
) -> None:
    there = personal(open_survey)
    there.peer.says("evaluation.mail_survey_link", None)
    names, own = there.ask("GET", ROOM), held_by(there, pass_of()).get(ROOM)
    mailed = there.ask("POST", ROOM, data={"step": "mail", "member": BODO})
    for page in (names, own, mailed):
        assert "Premiers pas" in words_of(page)
        assert "Le répit" in words_of(page)
    for page in (names, own):
        assert "Vous pouvez répondre jusqu’au" in words_of(page)


@pytest.mark.parametrize("step", ["", "answer", "x"])
def test_a_form_from_elsewhere_chooses_no_name_there_either(open_survey: Any, step: str) -> None:
    there = personal(open_survey)
    answer = there.ask("POST", ROOM, data={"member": BODO, "step": step, "q.satisfaction": "5"})
    assert answer.status_code == 422
    assert asked(there, "evaluation.open_ballot") == []


def test_the_answer_is_the_same_for_whoever_is_there_is_not_or_has_asked_before(open_survey: Any) -> None:
    there = personal(open_survey)
    there.peer.says("evaluation.mail_survey_link", None)
    pages = [there.ask("POST", ROOM, data={"step": "mail", "member": member}) for member in [ANNE] * 5]
    there.peer.says("evaluation.mail_survey_link", NotFound("This opens no survey."))
    pages += [there.ask("POST", ROOM, data={"step": "mail", "member": member}) for member in (STRANGER, "x")]
    assert {(page.status_code, page.text) for page in pages} == {(200, pages[0].text)}


def test_a_script_in_the_room_asks_for_links_in_vain(open_survey: Any) -> None:
    there = personal(open_survey)
    there.peer.says("evaluation.mail_survey_link", None)
    for _ in range(20):
        there.ask("POST", ROOM, data={"step": "mail", "member": ANNE})
    assert len(asked(there, "evaluation.mail_survey_link")) == 3
    there.ask("POST", ROOM, data={"step": "mail", "member": BODO})
    assert asked(there, "evaluation.mail_survey_link")[-1]["member_id"] == BODO
    clock.move(timedelta(minutes=1))
    there.ask("POST", ROOM, data={"step": "mail", "member": ANNE})
    assert len(asked(there, "evaluation.mail_survey_link")) == 5


def test_a_script_gains_nothing_by_writing_code_and_person_in_other_ways(open_survey: Any) -> None:
    there = personal(open_survey)
    there.peer.says("evaluation.mail_survey_link", None)
    for room in ("/r/K7MQ2PXD", "/r/k7mq2pxd", "/r/K7MQ-2PXD", "/r/k7mq-2pxd"):
        for member in (ANNE, ANNE.upper(), ANNE.replace("-", "")):
            page = there.ask("POST", room, data={"step": "mail", "member": member})
            assert page.status_code == 200
    assert len(asked(there, "evaluation.mail_survey_link")) == 3


def test_a_wrong_code_mails_nothing_and_is_told(open_survey: Any) -> None:
    there = personal(open_survey)
    there.peer.says("evaluation.get_room", NotFound("no room"))
    answer = there.ask("POST", ROOM, data={"step": "mail", "member": ANNE})
    assert (answer.status_code, asked(there, "evaluation.mail_survey_link")) == (404, [])


def test_a_service_that_chooses_otherwise_is_obeyed_and_told_in_words(open_survey: Any) -> None:
    open_survey.peer.says("evaluation.open_ballot", Forbidden("In this network nobody chooses a name."))
    page = open_survey.ask("POST", ROOM, data={"member": BODO})
    assert (page.status_code, page.mimetype) == (403, "text/html")


def test_a_program_is_told_that_nobody_chooses_a_name(open_survey: Any) -> None:
    open_survey.peer.says("evaluation.open_ballot", Forbidden("In this network nobody chooses a name."))
    answer = open_survey.ask("POST", "/v1/ballots", json={"room_code": "K7MQ2PXD", "member_id": ANNE})
    assert answer.status_code == 403
    assert open_survey.ask("POST", "/v1/ballots", json={"room_code": "K7MQ2PXD", "room_pass": "x"}).status_code == 422


def test_the_pages_of_the_room_stay_small(open_survey: Any) -> None:
    there = personal(open_survey)
    for gate in (open_survey, there):
        for page in (gate.ask("GET", ROOM), held_by(gate, pass_of()).get(ROOM)):
            assert len(page.data) < 10_000
            assert "<script" not in page.text
    assert SURVEY not in there.ask("GET", ROOM).text
