"""What is said of meetings to programs: the same in what is taken and in what is answered."""

from gateway.app import ROUTES
from gateway.openapi import document

SCHEMAS = document(ROUTES, "https://example.org")["components"]["schemas"]


def test_the_states_of_a_meeting_are_an_enumeration() -> None:
    states = ["scheduled", "in_progress", "wrap_up", "closed", "cancelled"]

    assert SCHEMAS["Meeting"]["properties"]["state"]["enum"] == states


def test_a_reason_to_cancel_is_as_long_in_the_answer_as_it_may_be_in_the_question() -> None:
    asked, answered = SCHEMAS["CancelBody"]["properties"]["reason"], SCHEMAS["Meeting"]["properties"]["cancel_reason"]

    assert asked["maxLength"] == answered["maxLength"] == 1000
