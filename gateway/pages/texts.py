"""Sentences of pages that code chooses among, by name: those that tell what became of a request among them."""

from collections.abc import Mapping

from gateway.pages.sign_in_texts import SIGN_IN
from pratique.events.membership import Locale
from words.catalogue import N_, sentences

_NAMED: Mapping[str, str] = {
    "anonymous": N_(
        "Your answers are anonymous: they are kept without your name, the date or the language, and nobody who "
        "reads them, the facilitator included, can tell which are yours. Results are shown only if at least five "
        "people who were there have answered."
    ),
    "anonymous_title": N_("What this means"),
    "anonymous_more": N_(
        "While the survey is open, we remember that you have answered, so that you are not asked again; after "
        "that, this is erased as well. Only somebody who runs the servers and watched them while you answer could"
        " learn what you answer. Please write nothing that could identify you."
    ),
    "index_title": N_("Enter the code of the room"),
    "code": N_("Code shown on the screen"),
    "code_hint": N_("Eight letters and digits; spaces and hyphens do not count."),
    "code_wrong": N_("Type the code as it is shown: letters and digits."),
    "no_code_title": N_("No code?"),
    "no_code": N_(
        "If you received a link by email, open it: it leads straight to the survey. If not, ask the facilitator "
        "of the meeting for the code."
    ),
    "about": N_(
        "Pratique supports networks of communities of practice: meetings, attendance, anonymous surveys and results."
    ),
    "for_programs": N_("For programs: description of the interface"),
    "home": N_("Go to the home page"),
    "lost_title": N_("Page not found"),
    "lost": N_("This address leads nowhere. Check that you copied the whole of it."),
    "programs_title": N_("An address for programs"),
    "programs": N_("This address is meant for authorized programs; there is nothing to see here in a browser."),
    "refused_title": N_("Request refused"),
    "refused": N_("This request cannot be handled. Go back, reload the page, then try again."),
    "title": N_("Your view of the meeting"),
    "who_title": N_("Who are you?"),
    "who_legend": N_("Tap your name, then continue"),
    "who_why": N_("Your name is used only so that each person answers once."),
    "who_absent": N_("Is your name missing? Ask the facilitator to mark you as present."),
    "who_none": N_("Nobody has been marked as present yet. Ask the facilitator to do so, then reload this page."),
    "who_missing": N_("Choose your name from the list."),
    "continue": N_("Continue"),
    "may_skip": N_("You may skip a question."),
    "send": N_("Send my answers"),
    "send_again": N_("Send again"),
    "mend": N_("Your answers are not sent yet. Correct what is marked, then send them."),
    "empty": N_("Answer at least one question, then send your answers."),
    "bad_choice": N_("Choose one of the answers offered."),
    "bad_text": N_("Shorten your text to 2,000 characters at most."),
    "not_sent": N_("Your answers were not sent: the service is not responding. Wait a moment, then try again."),
    "kept": N_("Nothing is lost: your answers are kept in this page."),
    "thanks_title": N_("Thank you!"),
    "thanks": N_("Your answers have arrived. Nobody can tell which ones are yours."),
    "already_title": N_("Already done"),
    "already": N_(
        "An answer has already been received through this link. Each person answers only once, and nothing can be"
        " changed, since nobody knows which answers are yours."
    ),
    "already_room": N_(
        "An answer has already been received under this name, so yours was not taken. If you have not answered "
        "yet, check that you chose the right name. If you did, tell the facilitator, who can take back what was "
        "answered in the room; everyone who is there will then be asked by mail."
    ),
    "no_room_title": N_("This room is not open"),
    "no_room": N_(
        "This code opens no room. Check it on the screen. If the meeting has just ended and you have not "
        "answered, you will be asked by mail."
    ),
    "back": N_("Back to the list of names"),
    "spent": N_(
        "These answers have already been received, or the survey has ended in the meantime. You may close this page."
    ),
    "closed_title": N_("The survey is over"),
    "closed": N_("This survey takes no more answers. Thank you for wanting to answer."),
    "unknown_title": N_("Unknown link"),
    "unknown": N_("This link or code leads to no open survey. Check that you copied the whole of it."),
    "tries_title": N_("Too many tries"),
    "tries": N_("Too many wrong links or codes came from your network. Wait a minute, then try again."),
    "away_title": N_("One moment"),
    "away": N_("The service is not responding right now. Nothing was sent; try again in a moment."),
    "unread_title": N_("Unreadable form"),
    "unread": N_("This form could not be read. Open the link that you received again."),
    "broken_title": N_("An error on our side"),
    "broken": N_(
        "Something went wrong on our side. Try again later or, if it persists, give this number to the facilitator:"
    ),
    "mails_title": N_("Mails that were sent"),
    "mails_about": N_("No mail leaves this machine: each one becomes a file, shown here. Folder:"),
    "mails_none": N_("There are none yet. Schedule a meeting, and its invitations will appear here."),
    "mails_older": N_("Older ones"),
    "mail_from": N_("From"),
    "mail_to": N_("To"),
    "mail_sent": N_("Sent"),
    "mail_on_calendar": N_("For the calendar"),
    "mail_off_calendar": N_("To be taken off the calendar"),
    "mail_what": N_("What"),
    "mail_when": N_("When"),
    "mail_where": N_("Where"),
    "mail_link": N_("Link"),
    "mail_unknown_title": N_("Unknown mail"),
    "mail_unknown": N_("There is no such mail; perhaps its file has been removed."),
}


def texts_of(named: Mapping[str, str], locale: str) -> Mapping[str, str]:
    """Return these sentences in a language, by the same names."""
    translated = sentences(Locale(locale)).gettext
    return {name: translated(english) for name, english in named.items()}


#: All of them, by language and name.
TEXTS: Mapping[str, Mapping[str, str]] = {locale.value: texts_of({**_NAMED, **SIGN_IN}, locale) for locale in Locale}
