"""Visits: for each page that people can come upon, how one comes there. A route without a visit fails a test."""

from collections.abc import Callable

from pratique.events.evaluation import SurveyState
from pratique.events.meetings import MeetingState
from tests.browser.person import Person
from tests.browser.site import Site
from tests.browser.visit import LARGE, Visit
from tests.browser.visit import signed_in as _signed_in
from tests.browser.visits_of_roles import VISITS_OF_ROLES

#: What is no page of its own, by the test that looks at it: a frame shows a mail, and a table is a file to keep.
NO_PAGES = {
    ("GET", "/mails/{name}/html"): "tests/browser/test_mails.py",
    ("GET", "/network.csv"): "tests/journeys/test_coordinators_look_after_communities.py",
}
_FILE = "/communities/{community_id}"
COMMENT = "Plus de temps en petits groupes, s’il vous plaît."


def _at(path: str) -> Callable[[Person, Site], None]:
    return lambda person, site: person.open(path)


def _read_results(state: SurveyState) -> Callable[[Person, Site], None]:
    return lambda person, site: person.open(site.results_link(state))


def _enter_a_closed_room(person: Person, site: Site) -> None:
    person.open(f"/r/{site.closed_room_code}")


def _type_a_wrong_code(person: Person, site: Site) -> None:
    person.open("/")
    person.type("K7M? 2P")
    person.press()


def _enter_the_room(person: Person, site: Site) -> None:
    person.open("/")
    person.type(site.room_code)
    person.press()


def _say_nobody(person: Person, site: Site) -> None:
    _enter_the_room(person, site)
    person.press(is_checked=False)


def _say_who_one_is(person: Person, site: Site) -> None:
    _enter_the_room(person, site)
    person.choose_name(*site.next_name())
    person.press()


def _enter_with_two_passes(person: Person, site: Site) -> None:
    for path in site.room_invitations():
        person.open(path)
    _enter_the_room(person, site)


def _say_nobody_with_two_passes(person: Person, site: Site) -> None:
    _enter_with_two_passes(person, site)
    asking = person.page.locator("main form").first
    asking.evaluate("form => { form.noValidate = true }")
    with person.page.expect_navigation():
        asking.locator("button").click()


def _answer_in_the_room(person: Person, site: Site) -> None:
    _say_who_one_is(person, site)
    person.rate(4)
    person.press()


def _answer_twice_under_one_name(person: Person, site: Site) -> None:
    name = site.next_name()
    for value in (4, 2):
        _enter_the_room(person, site)
        person.choose_name(*name)
        person.press()
        person.rate(value)
        person.press()


def _open_a_link(person: Person, site: Site) -> None:
    person.open(site.next_link())


def _send_nothing(person: Person, site: Site) -> None:
    _open_a_link(person, site)
    person.press()


def _answer_by_link(person: Person, site: Site) -> None:
    _open_a_link(person, site)
    person.rate(5)
    person.comment(COMMENT)
    person.press()


def _open_a_spent_link(person: Person, site: Site) -> None:
    link = site.next_link()
    person.open(link)
    person.rate(3)
    person.press()
    person.open(link)


def _open_a_late_link(person: Person, site: Site) -> None:
    person.open(site.late_link())


def _open_a_mail(person: Person, site: Site) -> None:
    person.open("/mails")
    with person.page.expect_navigation():
        person.page.locator("main ol a").first.click()


def _open_an_invitation(person: Person, site: Site) -> None:
    person.open(f"{site.next_invitation()}?lang={person.window.locale}")


def _say_that_one_comes(person: Person, site: Site) -> None:
    _open_an_invitation(person, site)
    with person.page.expect_navigation():
        person.page.locator("main button[value=accepted]").click()


def _say_by_the_mail_that_one_does_not_come(person: Person, site: Site) -> None:
    person.open(f"{site.next_invitation()}?answer=declined&lang={person.window.locale}")


def _open_a_late_invitation(person: Person, site: Site) -> None:
    person.open(f"{site.late_invitation()}?lang={person.window.locale}")


def _follow_meetings(person: Person, site: Site) -> None:
    _signed_in("member", "/calendar")(person, site)
    with person.page.expect_navigation():
        person.page.locator("main form button").first.click()


def _type_no_address(person: Person, site: Site) -> None:
    person.open("/sign-in")
    person.type("amina")
    person.press(is_checked=False)


def _ask_for_a_link(person: Person, site: Site) -> str:
    address = site.next_address()
    person.open("/sign-in")
    person.type(address)
    person.press()
    return address


def _have_a_link_sent(person: Person, site: Site) -> None:
    _ask_for_a_link(person, site)


def _open_a_sign_in_link(person: Person, site: Site) -> None:
    person.open(site.mailed("sign-in", _ask_for_a_link(person, site)))


def _coordinating(path: Callable[[Site], str], page: str = "") -> Callable[[Person, Site], None]:
    """As whoever coordinates the largest community, come to a page of it."""
    return lambda person, site: _signed_in("coordinator", f"{path(site)}{page}")(person, site)


def _community(site: Site) -> str:
    return site.community


def _person(site: Site) -> str:
    return site.person


def _change_into_nothing(person: Person, site: Site) -> None:
    _coordinating(_community, "/edit")(person, site)
    person.page.locator("main input[name=name]").fill("")
    person.press(is_checked=False)


def _found_nothing(person: Person, site: Site) -> None:
    _signed_in("network_admin", "/communities/new")(person, site)
    person.press(is_checked=False)


def _add_nobody(person: Person, site: Site) -> None:
    _coordinating(_community, "/people/new")(person, site)
    person.press(is_checked=False)


def _make_a_token(person: Person, site: Site) -> None:
    _signed_in("network_admin", "/admin/tokens")(person, site)
    person.page.locator("main input[name=name]").fill("Intranet")
    person.page.locator("main select[name=role]").select_option("evaluator")
    person.press()


def _leading(state: MeetingState, page: str = "") -> Callable[[Person, Site], None]:
    """As a facilitator, come to a page of a meeting in this state."""

    def arrive(person: Person, site: Site) -> None:
        _signed_in("facilitator", f"{site.meeting(state)}{page}")(person, site)

    return arrive


def _reading(state: SurveyState, page: str = "/results") -> Callable[[Person, Site], None]:
    """As a facilitator, come to the results of a meeting whose survey is in this state."""

    def arrive(person: Person, site: Site) -> None:
        _signed_in("facilitator", f"{site.asked_meeting(state)}{page}")(person, site)

    return arrive


def _plan_a_meeting(person: Person, site: Site) -> None:
    _signed_in("facilitator", "/meetings/new")(person, site)
    person.page.locator("main input[name=community]").first.check()
    person.press()


def _plan_nothing(person: Person, site: Site) -> None:
    _plan_a_meeting(person, site)
    person.press(is_checked=False)


def _preview_a_mail(person: Person, site: Site) -> None:
    _leading(MeetingState.SCHEDULED, "/prepare")(person, site)
    with person.page.expect_navigation():
        person.page.locator("main button[name=preview]").click()


def _specify_attendance(person: Person, site: Site) -> None:
    _leading(MeetingState.IN_PROGRESS)(person, site)
    with person.page.expect_navigation():
        person.page.locator(".people a").first.click()


def _give_no_reason(person: Person, site: Site) -> None:
    _leading(MeetingState.SCHEDULED, "/cancel")(person, site)
    person.press(is_checked=False)


def _go_on_where_sessions_are_lost(person: Person, site: Site) -> None:
    person.window.resume(f"prs_{'0' * 12}_{'A' * 43}")
    person.open("/home")


VISITS = (
    Visit("front", ("GET", "/"), _at("/")),
    Visit("front-wrong-code", ("POST", "/r/"), _type_a_wrong_code, 422),
    Visit("room-without-code", ("GET", "/r/"), _at("/r/")),
    Visit("room-names", ("GET", "/r/{room_code}"), _enter_the_room),
    Visit("room-no-name", ("POST", "/r/{room_code}"), _say_nobody, 422),
    Visit("room-holders", ("GET", "/r/{room_code}"), _enter_with_two_passes),
    Visit("room-holders-nobody", ("POST", "/r/{room_code}"), _say_nobody_with_two_passes, 422),
    Visit("room-unknown", ("GET", "/r/{room_code}"), _at("/r/ZZZZZZZZ"), 404),
    Visit("room-closed", ("GET", "/r/{room_code}"), _enter_a_closed_room, 404),
    Visit("room-questions", ("POST", "/r/{room_code}"), _say_who_one_is),
    Visit("room-thanks", ("POST", "/r/{room_code}"), _answer_in_the_room),
    Visit("room-answered-before", ("POST", "/r/{room_code}"), _answer_twice_under_one_name, 409),
    Visit("survey", ("GET", "/s/{token}"), _open_a_link),
    Visit("survey-nothing-said", ("POST", "/s/{token}"), _send_nothing, 422),
    Visit("survey-thanks", ("POST", "/s/{token}"), _answer_by_link),
    Visit("survey-spent", ("GET", "/s/{token}"), _open_a_spent_link, 409),
    Visit("survey-over", ("GET", "/s/{token}"), _open_a_late_link, 410),
    Visit("survey-unknown", ("GET", "/s/{token}"), _at("/s/nobody-ever-got-this-one"), 404),
    Visit("invitation", ("GET", "/i/{token}"), _open_an_invitation),
    Visit("invitation-accepted", ("GET", "/i/{token}"), _say_that_one_comes),
    Visit("invitation-chosen", ("GET", "/i/{token}"), _say_by_the_mail_that_one_does_not_come),
    Visit("invitation-over", ("GET", "/i/{token}"), _open_a_late_invitation),
    Visit("invitation-unknown", ("GET", "/i/{token}"), _at("/i/nobody-ever-got-this-one"), 404),
    Visit("results", ("GET", "/results/{token}"), _read_results(SurveyState.RELEASED), most_bytes=LARGE),
    Visit("results-withheld", ("GET", "/results/{token}"), _read_results(SurveyState.WITHHELD)),
    Visit("results-unknown", ("GET", "/results/{token}"), _at("/results/nobody-ever-got-this-one"), 404),
    Visit("mails", ("GET", "/mails"), _at("/mails"), most_bytes=LARGE),
    Visit("mail", ("GET", "/mails/{name}"), _open_a_mail, most_bytes=LARGE),
    Visit("mail-unknown", ("GET", "/mails/{name}"), _at("/mails/none.eml"), 404),
    Visit("sign-in", ("GET", "/sign-in"), _at("/sign-in")),
    Visit("sign-in-first", ("GET", "/sign-in"), _at("/account")),
    Visit("sign-in-no-address", ("POST", "/sign-in"), _type_no_address, 422),
    Visit("sign-in-sent", ("POST", "/sign-in"), _have_a_link_sent),
    Visit("sign-in-link", ("GET", "/sign-in/{token}"), _open_a_sign_in_link),
    Visit("sign-in-spent", ("GET", "/sign-in/{token}"), _at("/sign-in/nobody-ever-got-this-one"), 404),
    Visit("home-member", ("GET", "/home"), _signed_in("member", "/home"), most_bytes=LARGE),
    Visit("home-facilitator", ("GET", "/home"), _signed_in("facilitator", "/home"), most_bytes=LARGE),
    Visit("home-coordinator", ("GET", "/home"), _signed_in("coordinator", "/home"), most_bytes=LARGE),
    Visit("calendar", ("GET", "/calendar"), _signed_in("facilitator", "/calendar"), most_bytes=LARGE),
    Visit("calendar-address", ("POST", "/calendar"), _follow_meetings, most_bytes=LARGE),
    Visit("messages", ("GET", "/messages"), _signed_in("member", "/messages"), most_bytes=LARGE),
    Visit("network", ("GET", "/network"), _signed_in("coordinator", "/network"), most_bytes=LARGE),
    Visit("network-forbidden", ("GET", "/network"), _signed_in("member", "/network"), 403, LARGE),
    Visit("account", ("GET", "/account"), _signed_in("member", "/account"), most_bytes=LARGE),
    Visit("meeting-of", ("GET", "/meetings/new"), _signed_in("facilitator", "/meetings/new"), most_bytes=LARGE),
    Visit("meeting-new", ("GET", "/meetings/new"), _plan_a_meeting, most_bytes=LARGE),
    Visit("meeting-new-empty", ("POST", "/meetings/new"), _plan_nothing, 422, LARGE),
    Visit(
        "meeting-prepare",
        ("GET", "/meetings/{meeting_id}/prepare"),
        _leading(MeetingState.SCHEDULED, "/prepare"),
        most_bytes=LARGE,
    ),
    Visit("meeting-preview", ("POST", "/meetings/{meeting_id}/prepare"), _preview_a_mail, most_bytes=LARGE),
    Visit("meeting-scheduled", ("GET", "/meetings/{meeting_id}"), _leading(MeetingState.SCHEDULED), most_bytes=LARGE),
    Visit(
        "meeting-under-way",
        ("GET", "/meetings/{meeting_id}"),
        _leading(MeetingState.IN_PROGRESS),
        most_bytes=LARGE,
        has_script=True,
    ),
    Visit(
        "meeting-last-minutes",
        ("GET", "/meetings/{meeting_id}"),
        _leading(MeetingState.WRAP_UP),
        most_bytes=LARGE,
        has_script=True,
    ),
    Visit("meeting-closed", ("GET", "/meetings/{meeting_id}"), _reading(SurveyState.RELEASED, ""), most_bytes=LARGE),
    Visit("meeting-cancelled", ("GET", "/meetings/{meeting_id}"), _leading(MeetingState.CANCELLED), most_bytes=LARGE),
    Visit(
        "meeting-cancel",
        ("GET", "/meetings/{meeting_id}/cancel"),
        _leading(MeetingState.SCHEDULED, "/cancel"),
        most_bytes=LARGE,
    ),
    Visit("meeting-cancel-empty", ("POST", "/meetings/{meeting_id}/cancel"), _give_no_reason, 422, LARGE),
    Visit(
        "attendance-of", ("GET", "/meetings/{meeting_id}/attendance/{member_id}"), _specify_attendance, most_bytes=LARGE
    ),
    Visit(
        "corrections",
        ("GET", "/meetings/{meeting_id}/corrections"),
        _leading(MeetingState.CLOSED, "/corrections"),
        most_bytes=LARGE,
    ),
    Visit(
        "wall",
        ("GET", "/meetings/{meeting_id}/wall"),
        _leading(MeetingState.WRAP_UP, "/wall"),
        most_bytes=LARGE,
        has_script=True,
    ),
    Visit("release", ("GET", "/meetings/{meeting_id}/results"), _reading(SurveyState.RELEASED), most_bytes=LARGE),
    Visit(
        "release-not-yet",
        ("GET", "/meetings/{meeting_id}/results"),
        _leading(MeetingState.CLOSED, "/results"),
        most_bytes=LARGE,
    ),
    Visit("home-admin", ("GET", "/home"), _signed_in("network_admin", "/home"), most_bytes=LARGE),
    Visit("network-all", ("GET", "/network"), _signed_in("network_admin", "/network"), most_bytes=LARGE),
    Visit("community", ("GET", _FILE), _coordinating(_community), most_bytes=LARGE),
    Visit("community-new", ("GET", "/communities/new"), _signed_in("network_admin", "/communities/new"), 200, LARGE),
    Visit("community-new-empty", ("POST", "/communities/new"), _found_nothing, 422, LARGE),
    Visit("community-edit", ("GET", f"{_FILE}/edit"), _coordinating(_community, "/edit"), most_bytes=LARGE),
    Visit("community-edit-empty", ("POST", f"{_FILE}/edit"), _change_into_nothing, 422, LARGE),
    Visit("person-new", ("GET", f"{_FILE}/people/new"), _coordinating(_community, "/people/new"), most_bytes=LARGE),
    Visit("person-new-empty", ("POST", f"{_FILE}/people/new"), _add_nobody, 422, LARGE),
    Visit("person", ("GET", f"{_FILE}/people/{{member_id}}"), _coordinating(_person), most_bytes=LARGE),
    Visit("person-end", ("GET", f"{_FILE}/people/{{member_id}}/end"), _coordinating(_person, "/end"), most_bytes=LARGE),
    *VISITS_OF_ROLES,
    Visit("tokens", ("GET", "/admin/tokens"), _signed_in("network_admin", "/admin/tokens"), most_bytes=LARGE),
    Visit("token-made", ("POST", "/admin/tokens"), _make_a_token, most_bytes=LARGE),
    Visit("audit", ("GET", "/admin/audit"), _signed_in("network_admin", "/admin/audit"), most_bytes=LARGE),
    Visit("help", ("GET", "/help"), _at("/help")),
    Visit("privacy", ("GET", "/privacy"), _at("/privacy")),
    Visit("accessibility", ("GET", "/accessibility"), _at("/accessibility")),
    Visit("no-such-page", None, _at("/nothing-is-here"), 404),
    Visit("away", ("GET", "/s/{token}"), _at("/s/nobody-is-there-to-read-it"), 503, is_alone=True),
    Visit("broken", ("GET", "/home"), _go_on_where_sessions_are_lost, 500, is_alone=True),
    Visit("for-programs", None, _at("/v1/communities"), 401),
)
