"""What a facilitator and those who attend live through by clicks: a meeting from its plan to its results."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from chassis import clock
from pratique.events.evaluation import SurveyState
from tests.browser.chromium import PHONE
from tests.browser.circle import SIZE, Circle
from tests.browser.person import Person
from tests.browser.site import Site
from tests.browser.window import Windows
from tests.harness.people import ZONE
from tests.harness.waiting import until

THEME = "Le répit, une heure à la fois"


def today() -> str:
    now: datetime = clock.now().astimezone(ZoneInfo(ZONE))
    return now.date().isoformat()


@contextmanager
def phone(windows: Windows, network: Site, locale: str) -> Iterator[Person]:
    """Somebody's own phone, on which nobody is signed in; it runs no script."""
    with windows.lend(network.origin, locale, PHONE, has_script=False) as opened:
        yield Person(opened)
        assert opened.faults == []


def plan(staff: Person) -> str:
    """Plan a meeting for today after a look at its mail, and return its path."""
    staff.wait_for("/meetings/new")
    staff.open(f"/home?lang={staff.window.locale}")
    staff.follow("Schedule a meeting")
    for label, typed in (("Day", today()), ("From", "00:01"), ("To", "23:59"), ("Place", "Salle 3"), ("Themes", THEME)):
        staff.field(label).fill(typed)
    staff.push("Preview the email")
    invited = SIZE + 1  # whoever leads is invited, too
    told = staff.words.counted("%(num)s person would get it.", "%(num)s people would get it.", invited)
    assert told in staff.text
    staff.push("Save and invite")
    assert staff.heading == THEME
    return staff.page.url.partition("?")[0].removeprefix(staff.window.origin)


def take_attendance(staff: Person, circle: Circle, count: int) -> None:
    """Tick the first of those who belong to it; each tick is saved by itself."""
    for number in range(count):
        staff.field(f"Personne N{number}").check()
    told = staff.words.counted("%(num)s person is there.", "%(num)s people are there.", count)
    expect(staff.page.get_by_role("status")).to_contain_text(told)
    expect(staff.page.locator("[data-waiting]")).to_have_count(0)


def code_on_the_wall(staff: Person, meeting: str) -> str:
    """Return what the wall shows, once the survey has opened."""
    code = staff.page.locator(".code [aria-hidden]")

    def shown() -> str:
        staff.open(f"{meeting}/wall")
        return code.inner_text() if code.count() else ""

    return str(until(shown, every_s=0.2, what="the code on the wall"))


def answer(person: Person) -> None:
    """Answer, and be thanked."""
    person.rate(4)
    person.press()
    assert person.heading == person.words("Thank you!")


def enter(person: Person, code: str) -> None:
    """Type the code that the wall shows."""
    person.open("/")
    person.type(code)
    person.press()


def test_a_meeting_is_planned_led_answered_in_the_room_and_by_mail_and_closed(
    staff: Person, windows: Windows, network: Site
) -> None:
    circle, locale = Circle(network), staff.window.locale
    network.sign_in_member(staff.window, circle.facilitator_id)
    meeting = plan(staff)
    staff.push("Start the meeting")
    take_attendance(staff, circle, 3)
    staff.push("Begin the last minutes")
    code = code_on_the_wall(staff, meeting)
    with phone(windows, network, locale) as one:
        one.open(f"{network.mailed('i', circle.address(0))}?lang={locale}")
        enter(one, code)
        assert one.reads("This is not me")  # it holds a pass since its owner opened their invitation
        answer(one)
    with phone(windows, network, locale) as other:
        enter(other, code)
        other.choose_name(circle.member_ids[1], "Personne N1")
        other.press()
        answer(other)
    staff.open(meeting)
    staff.push("Close the meeting")
    assert staff.reads("The meeting is closed")
    with phone(windows, network, locale) as third:
        third.open(f"{network.mailed('s', circle.address(2))}?lang={locale}")
        answer(third)
    staff.follow("See the results")
    assert staff.reads(
        "This survey is still open. Its results will appear here once it has ended, if enough people have answered for "
        "nobody to be recognized."
    )


def test_results_appear_where_enough_answered(staff: Person, network: Site) -> None:
    network.sign_in(staff.window, "facilitator")
    staff.open(f"{network.asked_meeting(SurveyState.RELEASED)}?lang={staff.window.locale}")
    staff.follow("See the results")
    assert staff.reads(
        "Nobody’s own answers are kept: of the survey only this page is left. It is the same for everyone, and will "
        "not change."
    )


def test_results_are_withheld_where_too_few_answered(staff: Person, network: Site) -> None:
    network.sign_in(staff.window, "network_admin")
    staff.open(f"{network.asked_meeting(SurveyState.WITHHELD)}?lang={staff.window.locale}")
    assert staff.reads("The results are not shown, so that nobody can be recognized.")
    staff.follow("See the results")
    assert staff.page.locator("table, svg, blockquote").count() == 0


def test_an_invitation_is_answered_without_signing_in_and_the_answer_changed(person: Person, network: Site) -> None:
    person.open(f"{network.next_invitation()}?lang={person.window.locale}")
    person.push("I will come")
    assert person.reads("You answered that you will come.")
    person.push("I cannot come")
    assert person.reads("You answered that you cannot come.")
