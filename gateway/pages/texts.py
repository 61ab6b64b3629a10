"""Pages that say one thing: the sentences among which code chooses, by name, in English."""

from collections.abc import Mapping
from typing import NamedTuple

from words.catalogue import N_


class Words(NamedTuple):
    """What a page says."""

    title: str
    words: str


#: What anonymous means, as the survey's pages and the API of the room say it; the second behind a click.
PROMISE = (
    N_(
        "Your answers are anonymous: they are kept without your name, the date or the language, and nobody who "
        "reads them, the facilitator included, can tell which are yours. Results are shown only if at least five "
        "people who were there have answered."
    ),
    N_(
        "While the survey is open, we remember that you have answered, so that you are not asked "
        "again; after that, this is erased as well. Only somebody who runs the servers and watches "
        "them while you answer could learn what you answer. Please write nothing that could identify "
        "you."
    ),
)

#: The pages that tell what became of a request.
MESSAGES: Mapping[str, Words] = {
    "lost": Words(N_("Page not found"), N_("This address leads nowhere. Check that you copied the whole of it.")),
    "programs": Words(
        N_("An address for programs"),
        N_("This address is meant for authorized programs; there is nothing to see here in a browser."),
    ),
    "refused": Words(
        N_("Request refused"), N_("This request cannot be handled. Go back, reload the page, then try again.")
    ),
    "thanks": Words(N_("Thank you!"), N_("Your answers have arrived. Nobody can tell which ones are yours.")),
    "already": Words(
        N_("Already done"),
        N_(
            "An answer has already been received through this link. Each person answers only once, and nothing can "
            "be changed, since nobody knows which answers are yours."
        ),
    ),
    "already_room": Words(
        N_("Already done"),
        N_(
            "An answer has already been received under this name, so yours was not taken. If you have not "
            "answered yet, check that you chose the right name. If you did, tell the facilitator, who can "
            "take back what was answered in the room; everyone who is there will then be asked by email."
        ),
    ),
    "no_room": Words(
        N_("This room is not open"),
        N_(
            "This code opens no room. Check it on the screen. If the meeting has just ended and you have "
            "not answered, you will be asked by email."
        ),
    ),
    "spent": Words(
        N_("Already done"), N_("These answers have already been received, or the survey has ended in the meantime.")
    ),
    "closed": Words(
        N_("The survey is over"), N_("This survey takes no more answers. Thank you for wanting to answer.")
    ),
    "unknown": Words(
        N_("Unknown link"), N_("This link or code leads to no open survey. Check that you copied the whole of it.")
    ),
    "tries": Words(
        N_("Too many tries"), N_("Too many wrong links or codes came from your network. Wait a minute, then try again.")
    ),
    "away": Words(
        N_("One moment"), N_("The service is not responding right now. Nothing was sent; try again in a moment.")
    ),
    "unread": Words(N_("Unreadable form"), N_("This form could not be read. Open the link that you received again.")),
    "broken": Words(
        N_("An error on our side"),
        N_(
            "Something went wrong on our side. Try again later or, if it persists, give this number to the facilitator:"
        ),
    ),
    "invitation_unknown": Words(
        N_("Unknown link"),
        N_(
            "This link leads to no invitation. Open the one in your newest email, or check that you copied the "
            "whole of it. If it leads nowhere, write to the facilitator of your community."
        ),
    ),
    "invitation_expired": Words(
        N_("This link is no longer valid"),
        N_(
            "The meeting to which it invited you has passed. You will receive a new invitation to the next one; if "
            "you have a question, write to the facilitator of your community."
        ),
    ),
    "link_mailed": Words(
        N_("Check your email"),
        N_(
            "If this name is yours, your link to the survey is in your mailbox, or will be in a moment. "
            "Look in your junk mail, too. It is sent only once."
        ),
    ),
    "results_unknown": Words(
        N_("Unknown link"),
        N_(
            "This link leads to no results. Check that you copied the whole of it, or ask the person who "
            "facilitates your community for it."
        ),
    ),
    "results_away": Words(N_("One moment"), N_("The service is not responding right now. Try again in a moment.")),
    "mail_unknown": Words(N_("Unknown email"), N_("There is no such email; perhaps its file has been removed.")),
    "sign_in_spent": Words(
        N_("This link no longer works"),
        N_(
            "A sign-in link works once, for fifteen minutes. This one has already been used, has expired, "
            "or was not copied in full. Ask for another one: it takes a moment."
        ),
    ),
    "sign_in_tries": Words(
        N_("Too many requests"),
        N_(
            "Too many links were asked for from your network. Wait ten minutes, then try again. A link that you "
            "already received still works."
        ),
    ),
    "visit_over": Words(
        N_("You are signed out"),
        N_("Your session has ended; nothing was changed. Sign in again, go back to the page, then try once more."),
    ),
    "visit_nobody": Words(
        N_("Unknown account"),
        N_(
            "We no longer know anybody by this account; you were signed out everywhere. If that is a mistake, write "
            "to whoever coordinates your community."
        ),
    ),
    "visit_forged": Words(
        N_("Nothing was changed"),
        N_(
            "This form does not come from our pages, or comes from a session that has ended. If you sent nothing "
            "yourself, another site tried to do so in your place, and failed. Otherwise open the page again, then "
            "try once more."
        ),
    ),
    "visit_forbidden": Words(
        N_("Your role does not open this page"),
        N_(
            "Nothing was changed. This role is not yours, or it has ended. If you need it, ask whoever coordinates "
            "the community."
        ),
    ),
    "visit_lost": Words(N_("Page not found"), N_("There is nothing here, or no longer. Nothing was changed.")),
    "visit_stale": Words(
        N_("Somebody was faster"),
        N_(
            "This has changed meanwhile, and nothing that you sent was saved. Open the page again to see how things "
            "stand, then try once more if need be."
        ),
    ),
    "visit_away": Words(
        N_("One moment"), N_("The service is not responding right now. Go back, and try again in a moment.")
    ),
    "visit_refused": Words(
        N_("Request refused"), N_("This could not be saved. Go back, check what you typed, then try again.")
    ),
}
