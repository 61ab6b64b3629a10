"""The sentences of the pages by which people sign in and out, by name, in English."""

from collections.abc import Mapping

from words.catalogue import N_

SIGN_IN: Mapping[str, str] = {
    "sign_in_title": N_("Sign in"),
    "sign_in_about": N_("We send you a link by email. There is no password."),
    "sign_in_email": N_("Your email address"),
    "sign_in_email_hint": N_("The one at which you receive our invitations."),
    "sign_in_email_wrong": N_("Type an email address, such as amina@example.org."),
    "sign_in_send": N_("Send me a link"),
    "sign_in_not_needed": N_("You do not need to sign in to answer a survey."),
    "sign_in_sent_title": N_("Check your email"),
    "sign_in_sent": N_("If we know this address, a link has just been sent to it:"),
    "sign_in_sent_open": N_(
        "Open it within fifteen minutes, in the browser in which you want to sign in. It works once."
    ),
    "sign_in_none_title": N_("Nothing received?"),
    "sign_in_none": N_(
        "Wait a minute, and look among your junk mail. Check the address above; perhaps we have another one for "
        "you. Whoever facilitates or coordinates your community can see which. One address receives at most three"
        " links in a quarter of an hour."
    ),
    "sign_in_again": N_("Ask for a sign-in link"),
    "sign_in_confirm_title": N_("Sign in here"),
    "sign_in_confirm": N_("Press the button to sign in, in this browser. The link is used up by that."),
    "sign_in_button": N_("Sign me in"),
    "sign_in_shared": N_("On a device that others use, remember to sign out when you leave."),
    "sign_in_spent_title": N_("This link no longer works"),
    "sign_in_spent": N_(
        "A sign-in link works once, for fifteen minutes. This one was used already, has expired, or was not "
        "copied whole. Ask for another one: it takes a moment."
    ),
    "sign_in_tries_title": N_("Too many requests"),
    "sign_in_tries": N_(
        "Too many links were asked for from your network. Wait ten minutes, then try again. A link that you "
        "already received still works."
    ),
    "visit_over_title": N_("You are signed out"),
    "visit_over": N_(
        "Your session has ended; nothing was changed. Sign in again, go back to the page, then try once more."
    ),
    "visit_nobody_title": N_("Unknown account"),
    "visit_nobody": N_(
        "We no longer know anybody by this account; you were signed out everywhere. If that is a mistake, write "
        "to whoever coordinates your community."
    ),
    "visit_forged_title": N_("Nothing was changed"),
    "visit_forged": N_(
        "This form does not come from our pages, or comes from a session that has ended. If you sent nothing "
        "yourself, another site tried to do so in your place, and failed. Otherwise open the page again, then try"
        " once more."
    ),
    "visit_forbidden_title": N_("Your role does not open this page"),
    "visit_forbidden": N_(
        "Nothing was changed. This role is not yours, or it has ended. If you need it, ask whoever coordinates "
        "the community."
    ),
    "visit_lost_title": N_("Page not found"),
    "visit_lost": N_("There is nothing here, or no longer. Nothing was changed."),
    "visit_stale_title": N_("Somebody was faster"),
    "visit_stale": N_(
        "This has changed meanwhile, and nothing that you sent was saved. Open the page again to see how things "
        "stand, then try once more if need be."
    ),
    "visit_away_title": N_("One moment"),
    "visit_away": N_("The service is not responding right now. Go back, and try again in a moment."),
    "visit_refused_title": N_("Request refused"),
    "visit_refused": N_("This could not be saved. Go back, check what you typed, then try again."),
    "visit_home": N_("Go to my home page"),
    "home_title": N_("My home page"),
    "home_roles": N_("Your roles"),
    "sign_out": N_("Sign out"),
    "sign_out_everywhere": N_("Sign out everywhere"),
    "account_title": N_("Where I am signed in"),
    "account_about": N_(
        "This is where you are signed in. A session lasts thirty days at most, and fourteen without a visit. Do "
        "you see one that is not yours? Sign out everywhere."
    ),
    "account_here": N_("right here"),
    "account_browser": N_("A browser"),
    "account_since": N_("since"),
    "account_seen": N_("last seen"),
    "account_end": N_("End this session"),
    "role_network_admin": N_("Network administrator"),
    "role_coordinator": N_("Coordinator"),
    "role_facilitator": N_("Facilitator"),
    "role_note_taker": N_("Note taker"),
    "role_evaluator": N_("Evaluator"),
    "role_resource_person": N_("Resource person"),
    "role_org_contact": N_("Contact of an organization"),
}
