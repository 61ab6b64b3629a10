"""A facilitator runs a meeting by clicks: taking attendance, last minutes, closing, correcting, reading results."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis import clock
from tests.harness.pages import Visit, actions_of, title_of, words_of
from tests.harness.people import Community
from tests.harness.runtimes import Shuffled

pytestmark = pytest.mark.parametrize("network", ["shuffled-1"], indirect=True)


def attendance_of(network: Shuffled, meeting_id: str) -> dict[str, str]:
    rows = network.ok("GET", f"/v1/meetings/{meeting_id}")["attendance"]
    return {each["member_id"]: each["state"] for each in rows if each["state"] != "unknown"}


def at_hand(network: Shuffled, meeting_id: str, visit: Visit) -> str:
    """Go to the meeting's hour and start it by a click; return its path."""
    network.advance(days=7)
    path = f"/meetings/{meeting_id}"
    assert visit.send(visit.get(path), f"{path}/start").status_code == 303
    return path


def roll(page: Any) -> dict[str, bool]:
    """Who can be ticked on a page, and whether they are."""
    ticks = [each for each in page.iter("input") if each.get("name") == "there"]
    return {each.get("value"): each.get("checked") is not None for each in ticks}


def test_a_meeting_is_led_from_start_to_results_by_clicks(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    meeting_id = network.schedule(community.id, themes=["Le répit"])
    path = at_hand(network, meeting_id, visit)
    page = visit.get(path)
    there = community.member_ids[:6]
    assert visit.send(page, f"{path}/attendance", there=there).status_code == 303
    assert attendance_of(network, meeting_id) == dict.fromkeys(there, "attended")
    assert "6 people are there." in words_of(visit.get(path))
    assert visit.send(visit.get(path), f"{path}/wrap-up").status_code == 303
    network.settle()
    room_code = network.survey(meeting_id)["room_code"]
    wall = visit.get(f"{path}/wall")
    words = words_of(wall)
    assert room_code[:4] in words
    assert room_code[4:] in words
    told = (
        words.replace("60 minutes left", "")
        .replace(" ".join(room_code), "")
        .replace(f"{room_code[:4]} {room_code[4:]}", "")
    )
    assert not re.search(r"\d", told.replace(network.settings.public_url.partition("//")[2], ""))
    assert not any(name in words for name in ("Personne", "Zoé"))
    for member_id in there:
        network.answer(room_code=room_code, member_id=member_id)
    assert "6 people are there." in words_of(visit.get(path))
    assert words_of(visit.get(f"{path}/wall")) == words
    for _ in range(2):  # sent twice, it is closed once
        assert visit.post(f"{path}/close", page).status_code == 303
    network.settle()
    closed = visit.get(path)
    assert "The meeting is closed" in words_of(closed)
    assert "still open" in words_of(visit.get(f"{path}/results"))
    network.advance(days=8)
    shown = visit.get(f"{path}/results")
    assert "6 people answered. All of them answered during the meeting." in words_of(shown)
    assert "out of 5; most likely between" in words_of(shown) or "All who answered" in words_of(shown)
    assert "The results are in." in words_of(visit.get("/home"))


def test_too_few_answers_are_withheld_in_a_sentence(network: Shuffled, community: Community, visit: Visit) -> None:
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    visit.send(visit.get(path), f"{path}/attendance", there=community.member_ids[:3])
    visit.post(f"{path}/close", visit.get(path))
    network.settle()
    network.advance(days=8)
    words = words_of(visit.get(f"{path}/results"))
    assert "too few people answered" in words
    assert not re.search(r"\d (people|person)", words)
    assert "The results are not shown" in words_of(visit.get("/home"))


def test_a_step_at_the_wrong_time_changes_nothing_and_shows_where_the_meeting_is(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    meeting_id = network.schedule(community.id)
    path = f"/meetings/{meeting_id}"
    page = visit.get(path)
    early = visit.post(f"{path}/wrap-up?lang=en", page)
    assert early.status_code == 409
    assert "Nothing was changed" in early.text
    network.ok("POST", f"/v1{path}/cancel", {"reason": "La salle est inondée."})
    late = visit.send(page, f"{path}/start")
    assert late.status_code == 409
    assert "La salle est inondée." in late.text


def test_a_meeting_is_cancelled_with_a_reason_and_not_without(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    meeting_id = network.schedule(community.id)
    path = f"/meetings/{meeting_id}/cancel"
    page = visit.get(path)
    assert "Fill this in." in visit.send(page, path, reason=" ").text
    assert network.ok("GET", f"/v1/meetings/{meeting_id}")["state"] == "scheduled"
    for _ in range(2):
        assert visit.send(page, path, reason="La salle est inondée.").status_code == 303
    network.settle()
    assert "La salle est inondée." in words_of(visit.get(f"/meetings/{meeting_id}"))
    assert len(network.mails(about="Annul")) == 7


def test_a_tap_saves_one_person_and_tapping_again_undoes_it(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    page, one = visit.get(path), community.member_ids[0]
    saved = visit.post(f"{path}/attendance?lang=en", page, part="saved", ticked="1", there=one)
    assert (saved.status_code, "1 person is there." in saved.text, "Saved." in saved.text) == (200, True, True)
    assert "<html" not in saved.text
    assert attendance_of(network, meeting_id) == {one: "attended"}
    visit.post(f"{path}/attendance", page, part="saved", ticked="0", gone=one)
    assert attendance_of(network, meeting_id) == {}


def test_two_facilitators_at_once_both_keep_theirs(network: Shuffled, community: Community, visit: Visit) -> None:
    network.put_role(community.id, community.member_ids[0])
    network.settle()
    meeting_id = network.schedule(community.id)
    one, other = visit, Visit(network, community.member_ids[0])
    path = at_hand(network, meeting_id, one)
    pages = [one.get(path), other.get(path)]
    one.send(pages[0], f"{path}/attendance", there=community.member_ids[:3])
    other.send(pages[1], f"{path}/attendance", there=community.member_ids[3:5])  # as it was shown before the other's
    assert set(attendance_of(network, meeting_id)) == set(community.member_ids[:5])
    told = one.post(f"{path}/attendance?lang=en", pages[0], part="saved", ticked="4", there=community.member_ids[5])
    assert "6 people are there." in told.text
    assert "Some people were marked elsewhere." in told.text


def test_states_beyond_there_and_not_there_are_reached_for_each_person(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    for member_id, state in zip(community.member_ids, ("attended_partly", "excused", "no_show"), strict=False):
        of_one = f"{path}/attendance/{member_id}"
        assert visit.send(visit.get(of_one), of_one, state=state).status_code == 303
        assert attendance_of(network, meeting_id)[member_id] == state
    page = visit.get(path)
    assert "There in part" in words_of(page)
    assert "Excused" in words_of(page)
    visit.send(page, f"{path}/attendance")  # saving what nobody touched changes nothing
    assert attendance_of(network, meeting_id)[community.member_ids[1]] == "excused"
    assert visit.read(f"{path}/attendance/{uuid4()}").status_code == 404


def test_names_are_sorted_as_french_sorts_and_searched_without_accents(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    for name in ("Zacharie Roy", "Élodie Roy", "Eve Roy", "Anne Noël", *(f"Autre N{n}" for n in range(9))):
        network.join(community.id, name)
    network.settle()
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    names = re.findall(r"Anne Noël|Élodie Roy|Eve Roy|Zacharie Roy|Zoé Émond", words_of(visit.get(path)))
    assert list(dict.fromkeys(names)) == ["Anne Noël", "Élodie Roy", "Eve Roy", "Zacharie Roy", "Zoé Émond"]
    found = visit.get(f"{path}?q=elodie")
    assert len(roll(found)) == 1
    visit.send(found, f"{path}/attendance", there=list(roll(found)))
    assert list(attendance_of(network, meeting_id)) == list(roll(found))


def test_attendance_is_corrected_after_closing_and_who_is_new_is_asked(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    visit.send(visit.get(path), f"{path}/attendance", there=community.member_ids[:2])
    visit.post(f"{path}/close", visit.get(path))
    network.settle()
    page = visit.get(f"{path}/corrections")
    assert "asked by email" in words_of(page)
    answer = visit.send(page, f"{path}/attendance", there=community.member_ids[:3])
    assert answer.headers["Location"].startswith(f"{path}/corrections")
    network.settle()
    assert len(network.survey_links(community.member_ids[2])) == 1
    assert network.survey_links(community.member_ids[3]) == []


def test_the_code_on_the_wall_is_changed_and_the_room_taken_back(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    visit.send(visit.get(path), f"{path}/attendance", there=community.member_ids)
    assert "will appear here" in words_of(visit.get(f"{path}/wall"))
    visit.send(visit.get(path), f"{path}/wrap-up")
    network.settle()
    former = network.survey(meeting_id)["room_code"]
    assert visit.read(f"/R/{former}").headers["Location"] == f"/r/{former}"
    assert visit.send(visit.get(path), f"{path}/code").status_code == 303
    assert network.survey(meeting_id)["room_code"] not in (former, None)
    assert visit.send(visit.get(path), f"{path}/void").status_code == 303
    assert network.survey(meeting_id)["room_code"] is None
    assert "The room is closed." in words_of(visit.get(path))


def test_the_wall_says_how_much_time_is_left(network: Shuffled, community: Community, visit: Visit) -> None:
    ends_at = clock.now() + timedelta(days=7, minutes=61)
    meeting_id = network.schedule(community.id, ends_at=ends_at.isoformat())
    path = at_hand(network, meeting_id, visit)
    visit.send(visit.get(path), f"{path}/wrap-up")
    network.settle()
    french = Visit(network, visit.member_id, "fr")
    for passed, english, words in (
        (timedelta(), "Until 11:01 a.m.", "Jusqu’à 11 h 01"),
        (timedelta(seconds=61), "60 minutes left", "Encore 60 minutes"),
        (timedelta(minutes=59), "1 minute left", "Encore 1 minute"),
        (timedelta(seconds=59), "Time is up; you can still answer.", "C’est l’heure; il est encore temps de répondre."),
    ):
        clock.move(passed)
        for page, said in ((visit.get(f"{path}/wall"), english), (french.get(f"{path}/wall"), words)):
            (left,) = [each for each in page.iter("p") if each.get("role") == "timer"]
            assert left.text.replace("\xa0", " ") == said


PAGES = ("", "/prepare", "/cancel", "/wall", "/corrections", "/results")


@pytest.mark.parametrize("page", PAGES)
def test_a_facilitator_of_another_community_is_told_what_to_do_and_changes_nothing(
    network: Shuffled, community: Community, page: str
) -> None:
    meeting_id = network.schedule(community.id)
    elsewhere = network.create_community(members=1)
    network.put_role(elsewhere.id, elsewhere.member_ids[0])
    network.settle()
    stranger = Visit(network, elsewhere.member_ids[0])
    answer = stranger.read(f"/meetings/{meeting_id}{page}?lang=en")
    assert (answer.status_code, "Your role does not open this page" in answer.text) == (403, True)
    nowhere = stranger.read(f"/meetings/{uuid4()}{page}?lang=en")
    assert (nowhere.status_code, nowhere.text) == (403, answer.text)
    home = stranger.get("/home")
    for verb in ("start", "cancel", "attendance", "prepare"):
        said = {"reason": "x", "there": community.member_ids[0]}
        assert stranger.post(f"/meetings/{meeting_id}/{verb}", home, **said).status_code in (403, 422)
    assert network.ok("GET", f"/v1/meetings/{meeting_id}")["state"] == "scheduled"


@pytest.mark.parametrize("named", ["facilitator_id", "note_taker_id"])
def test_whoever_is_named_to_lead_or_take_notes_without_a_role_takes_attendance_by_the_names_of_the_room(
    network: Shuffled, community: Community, named: str
) -> None:
    outsider, first = str(uuid4()), community.member_ids[0]
    network.put_member(outsider, "Paul Noël")
    network.put_member(first, "Amina Kaboré", headers={"If-Match": "*"})
    network.settle()
    meeting_id = network.schedule(community.id, **{named: outsider})
    visit = Visit(network, outsider)
    assert "Amina" not in words_of(visit.get(f"/meetings/{meeting_id}"))
    path = at_hand(network, meeting_id, visit)
    page = visit.get(path)
    assert "people are named here as in the room" in words_of(page)
    assert "Amina K." in words_of(page)
    assert not {"Kaboré", "@"} & set(re.findall(r"Kaboré|@", words_of(page)))
    assert visit.send(page, f"{path}/attendance", there=[first]).status_code == 303
    more = f"{path}/attendance/{first}"
    assert title_of(visit.get(more)) == "Amina K."
    assert visit.send(visit.get(more), more, state="attended_partly").status_code == 303
    for verb in ("wrap-up", "close"):
        assert visit.send(visit.get(path), f"{path}/{verb}").status_code == 303
    assert "Amina K." in words_of(visit.get(f"{path}/corrections"))
    visit.get(f"/communities/{community.id}", 403)
    network.advance(days=31)
    late = words_of(Visit(network, outsider).get(f"{path}/corrections"))
    assert ("Amina K." in late, "Personne N." in late) == (True, False), "whoever is marked, and nobody else"


def test_whoever_may_in_one_community_of_a_joint_meeting_takes_the_attendance_of_both(
    network: Shuffled, community: Community, visit: Visit
) -> None:
    other = network.create_community(members=1)
    network.put_member(other.member_ids[0], "Zoé Tremblay", headers={"If-Match": "*"})
    network.settle()
    path = at_hand(network, network.schedule(community.id, other.id), visit)
    page = visit.get(path)
    assert "Zoé T." in words_of(page)
    assert visit.send(page, f"{path}/attendance", there=[other.member_ids[0]]).status_code == 303


def test_a_form_of_another_site_changes_nothing(network: Shuffled, community: Community, visit: Visit) -> None:
    meeting_id = network.schedule(community.id)
    network.advance(days=7)
    answer = visit.read(f"/meetings/{meeting_id}/start")
    assert answer.status_code == 405
    page = visit.get("/home")
    assert visit.post(f"/meetings/{meeting_id}/start", page, form_token="forged").status_code == 403
    assert network.ok("GET", f"/v1/meetings/{meeting_id}")["state"] == "scheduled"


def test_pages_are_light_and_their_policy_is_strict(network: Shuffled, community: Community, visit: Visit) -> None:
    for number in range(90):
        network.join(community.id, f"Une personne au nom assez long, numéro {number}")
    network.settle()
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    for page in (path, f"{path}/wall", f"{path}/results", "/home", "/meetings/new"):
        answer = visit.read(f"{page}?lang=fr")
        assert (answer.status_code, len(answer.data) < 40_000) == (200, True), page
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "style-src 'self'" in policy
        assert " style=" not in answer.text
        for src in re.findall(r'<script src="([^"]+)" defer></script>', answer.text):
            served = visit.read(src)
            assert (served.status_code, served.mimetype) == (200, "text/javascript")
            assert "script-src 'self'" in policy
        assert ("<script" in answer.text) == ("script-src" in policy)


def test_every_form_of_these_pages_carries_its_token(network: Shuffled, community: Community, visit: Visit) -> None:
    meeting_id = network.schedule(community.id)
    path = at_hand(network, meeting_id, visit)
    visit.send(visit.get(path), f"{path}/wrap-up")
    network.settle()
    for page in (
        visit.get(path),
        visit.get("/meetings/new"),
        visit.get(f"{path}/attendance/{community.member_ids[0]}"),
    ):
        for form in page.iter("form"):
            names = {each.get("name") for each in form.iter("input")}
            assert (form.get("method") == "post") == ("form_token" in names)
    assert title_of(visit.get(path)) != ""
    assert f"{path}/close" in actions_of(visit.get(path))
