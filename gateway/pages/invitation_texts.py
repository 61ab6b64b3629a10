"""The sentences of an invitation's page, and of the passes that it gives, by name, in English."""

from collections.abc import Mapping

from gateway.pages.texts import texts_of
from pratique.events.membership import Locale
from words.catalogue import N_

_NAMED: Mapping[str, str] = {
    "hello": N_("Hello {name}, this is your invitation."),
    "facilitator": N_("You are the facilitator of this meeting."),
    "note_taker": N_("You take the notes at this meeting."),
    "when": N_("When"),
    "when_for_you": N_("In your time"),
    "how": N_("How"),
    "where": N_("Where"),
    "online": N_("To join online"),
    "themes": N_("Themes"),
    "lead": N_("Facilitator"),
    "question": N_("Will you come?"),
    "accepted": N_("You answered that you will come."),
    "declined": N_("You answered that you cannot come."),
    "tentative": N_("You answered that you may come."),
    "confirm": N_("One more click, and your answer is given."),
    "come": N_("I will come"),
    "cannot": N_("I cannot come"),
    "choose": N_("Choose one of the two answers."),
    "seen": N_(
        "The facilitator will see your answer. You can change it here, by the same link, until the meeting ends."
    ),
    "newest": N_("This page always says what holds now, even if an earlier email said something else."),
    "pass": N_(
        "This device will recognize you when the survey opens at the end of the meeting: you will not have to "
        "choose your name, and your answers will stay anonymous. If this device is not yours, say so then: the "
        "page will ask."
    ),
    "begun": N_("The meeting has begun."),
    "room": N_("Enter the code shown in the room"),
    "cancelled": N_("This meeting is cancelled; it will not be held."),
    "reason": N_("Reason"),
    "closed": N_("This meeting is over. If you are asked for your view, it will be by email."),
    "past": N_("The time of this meeting has passed; there is nothing left to answer."),
    "unknown_title": N_("Unknown link"),
    "unknown": N_(
        "This link leads to no invitation. Open the one in your newest email, or check that you copied the whole "
        "of it. If it leads nowhere, write to the facilitator of your community."
    ),
    "expired_title": N_("This link is no longer valid"),
    "expired": N_(
        "The meeting to which it invited you has passed. You will receive a new invitation to the next one; if "
        "you have a question, write to the facilitator of your community."
    ),
    "answering_as": N_("You are {label}, and your name is used only so that each person answers once."),
    "not_me": N_("This is not me"),
    "not_there": N_(
        "This device is recognized, but you are not marked as present yet. Ask the facilitator to do so, then "
        "reload the page."
    ),
    "mail_title": N_("Get your link"),
    "mail_why": N_(
        "Here nobody chooses the name under which they answer: each person answers by their own link, and nobody "
        "can answer for another. Open on this device the invitation that you received by email, then come back; "
        "or choose your name, and your link will be sent to you."
    ),
    "mail_me": N_("Email me my link"),
    "mailed_title": N_("Check your email"),
    "mailed": N_(
        "If this name is yours, your link to the survey is in your mailbox, or will be in a moment. Look among "
        "the junk mail, too. It is sent only once."
    ),
}
#: All of them, by language and name.
INVITATION_TEXTS: Mapping[str, Mapping[str, str]] = {locale.value: texts_of(_NAMED, locale) for locale in Locale}
