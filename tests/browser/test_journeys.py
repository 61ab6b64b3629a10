"""What people live through in a browser: from the code on the screen, or the link in a mail, to thanks."""

from gateway.pages.texts import MESSAGES
from tests.browser.person import Person
from tests.browser.site import Site

COMMENT = "Plus de pauses, et « du café »."
OTHER = {"fr": "en", "en": "fr"}


def says(person: Person, sentence: str) -> bool:
    """Return whether the page has this sentence, or that of this message, in the language that the person reads."""
    return person.reads(MESSAGES[sentence].words if sentence in MESSAGES else sentence)


def enter(person: Person, code: str) -> None:
    person.open("/")
    person.type(code)
    person.press()


def test_in_the_room_the_code_leads_to_a_name_the_questions_and_thanks(person: Person, network: Site) -> None:
    code = network.room_code
    enter(person, f"{code[:4].lower()} {code[4:].lower()}")
    assert person.heading == person.words("Who are you?")
    person.choose_name(*network.next_name())
    person.press()
    person.rate(4)
    person.comment(COMMENT)
    person.press()
    assert person.heading == person.words("Thank you!")
    assert not person.asks()


def test_a_link_leads_from_the_mail_to_thanks_and_then_says_that_it_is_spent(person: Person, network: Site) -> None:
    link = network.next_link()
    person.open(link)
    person.rate(5)
    person.press()
    assert says(person, "thanks")
    person.open(link)
    assert says(person, "already")
    assert not person.asks()


def test_every_page_from_the_link_to_its_end_says_about_which_meeting(person: Person, network: Site) -> None:
    def names_it() -> bool:
        return all(words in person.text for words in ("Familles et premiers pas", "Rejoindre les pères"))

    link = network.next_link()
    person.open(link)
    assert names_it()
    person.press()
    assert names_it()
    person.rate(4)
    person.press()
    assert says(person, "thanks")
    assert names_it()
    person.open(link)
    assert says(person, "already")
    assert names_it()


def test_a_link_of_a_survey_that_is_over_says_so_and_asks_nothing(person: Person, network: Site) -> None:
    person.open(network.late_link())
    assert says(person, "closed")
    assert not person.asks()


def test_going_back_shows_that_the_answers_were_taken_and_asks_no_more(person: Person, network: Site) -> None:
    person.open(network.next_link())
    person.rate(2)
    person.press()
    person.page.go_back()
    assert says(person, "already")
    assert not person.asks()


def test_a_code_that_is_none_is_told_at_its_field_and_stays_there(person: Person) -> None:
    enter(person, "K7M? 2P")
    assert person.window.document.status == 422
    assert says(person, "Type the code as it is shown: letters and digits.")
    assert person.page.get_by_role("textbox").input_value() == "K7M? 2P"


def test_a_code_of_no_room_leads_to_words_and_not_to_names(person: Person) -> None:
    enter(person, "ZZZZ-ZZZ2")
    assert says(person, "no_room")
    assert not person.asks()


def test_sending_nothing_is_told_and_the_same_page_can_be_answered_then(person: Person, network: Site) -> None:
    person.open(network.next_link())
    person.press()
    assert person.window.document.status == 422
    assert says(person, "Answer at least one question, then send your answers.")
    person.rate(1)
    person.press()
    assert says(person, "thanks")


def test_switching_the_language_keeps_every_answer_and_sends_none(person: Person, network: Site) -> None:
    person.open(network.next_link())
    person.rate(3)
    person.comment(COMMENT)
    before = person.answers()
    person.switch_language()
    assert person.language == OTHER[person.window.locale]
    assert person.answers() == before
    person.press()
    assert (person.language, says(person, "thanks")) == (OTHER[person.window.locale], True)


def test_a_mailed_link_signs_in_once_and_signing_out_shuts_the_door(person: Person, network: Site) -> None:
    address = network.next_address()
    person.open("/home")
    person.type(address)
    person.press()
    link = network.mailed("sign-in", address)
    person.open(link)
    person.press()
    assert person.page.url == f"{network.origin}/home"
    person.sign_out()
    person.open("/home")
    assert person.page.url.startswith(f"{network.origin}/sign-in?")
    person.open(link)
    assert says(person, "sign_in_spent")


def test_whoever_names_another_who_has_answered_is_not_counted_and_told_so(person: Person, network: Site) -> None:
    name = network.next_name()
    for value in (5, 1):
        enter(person, network.room_code)
        person.choose_name(*name)
        person.press()
        person.rate(value)
        person.press()
    assert says(person, "already_room")
