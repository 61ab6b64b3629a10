"""Every sentence that people read here, in French and English."""

from collections.abc import Mapping

from gateway.pages.sign_in_texts import SIGN_IN

_OTHERS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "anonymous": (
            "Vos réponses sont anonymes : elles sont gardées sans votre nom, sans date et sans langue, et qui lit les "
            "données, l’animation comprise, ne peut savoir lesquelles sont les vôtres. Les résultats sortent seulement "
            "si au moins cinq personnes présentes ont répondu."
        ),
        "anonymous_title": "Ce que cela veut dire",
        "anonymous_more": (
            "Tant que le sondage est ouvert, il est retenu que vous avez répondu, pour ne pas vous le redemander; "
            "ensuite, cela aussi est effacé. Seule une personne qui exploite les serveurs et les surveillerait pendant "
            "que vous répondez pourrait savoir ce que vous répondez. Et n’écrivez rien qui vous fasse reconnaître."
        ),
        "index_title": "Entrez le code de la salle",
        "code": "Code affiché à l’écran",
        "code_hint": "Huit lettres et chiffres; espaces et tirets ne comptent pas.",
        "code_wrong": "Écrivez le code tel qu’il est affiché : des lettres et des chiffres.",
        "no_code_title": "Pas de code?",
        "no_code": "Si vous avez reçu un lien par courriel, ouvrez-le : il mène droit au sondage. Sinon, demandez "
        "le code à la personne qui anime la rencontre.",
        "about": "Pratique accompagne des réseaux de communautés de pratique : rencontres, présences, sondages "
        "anonymes et résultats.",
        "for_programs": "Pour les programmes : description de l’interface",
        "home": "Aller à la page d’accueil",
        "lost_title": "Page introuvable",
        "lost": "Cette adresse ne mène nulle part. Vérifiez que vous l’avez copiée en entier.",
        "programs_title": "Une adresse pour les programmes",
        "programs": "Cette adresse sert à des programmes qui ont une autorisation; un navigateur n’y montre rien.",
        "refused_title": "Demande refusée",
        "refused": "Cette demande ne peut être traitée. Revenez en arrière, rechargez la page, puis réessayez.",
        "title": "Votre avis sur la rencontre",
        "who_title": "Qui êtes-vous?",
        "who_legend": "Choisissez votre nom",
        "who_why": "Votre nom sert seulement à ce que chaque personne réponde une fois.",
        "who_absent": "Votre nom n’y est pas? Demandez à la personne qui anime de noter votre présence.",
        "who_none": "Aucune présence n’est encore notée. Demandez à la personne qui anime de le faire, puis rechargez.",
        "who_missing": "Choisissez votre nom dans la liste.",
        "continue": "Continuer",
        "may_skip": "Vous pouvez sauter une question.",
        "send": "Envoyer mes réponses",
        "send_again": "Envoyer de nouveau",
        "mend": "Vos réponses ne sont pas encore envoyées. Corrigez ce qui est indiqué, puis envoyez-les.",
        "empty": "Répondez à au moins une question, puis envoyez vos réponses.",
        "bad_choice": "Choisissez l’une des réponses proposées.",
        "bad_text": "Raccourcissez votre texte : 2 000 caractères au plus.",
        "not_sent": "Vos réponses ne sont pas parties : le service ne répond pas. Attendez un instant, puis réessayez.",
        "kept": "Rien n’est perdu : vos réponses sont gardées dans cette page.",
        "thanks_title": "Merci!",
        "thanks": "Vos réponses sont bien reçues. Vous pouvez fermer cette page.",
        "already_title": "C’est déjà fait",
        "already": "Une réponse a déjà été reçue par ce lien. On ne peut répondre qu’une fois, et rien ne peut être "
        "modifié, puisque personne ne sait quelles réponses sont les vôtres.",
        "already_room": "Une réponse a déjà été reçue sous ce nom; la vôtre n’a pas été prise. Si vous n’avez pas "
        "répondu, vérifiez que vous avez choisi le bon nom. Si c’était le bon, dites-le à la personne qui anime : elle "
        "peut annuler les réponses données dans la salle, et chaque personne présente sera invitée par courriel.",
        "no_room_title": "Cette salle n’est pas ouverte",
        "no_room": "Ce code n’ouvre aucune salle. Vérifiez-le à l’écran. Si la rencontre vient de se terminer et que "
        "vous n’avez pas répondu, un courriel vous y invitera.",
        "back": "Revenir à la liste des noms",
        "spent": "Ces réponses ont déjà été reçues, ou le sondage a pris fin entre-temps. Vous pouvez fermer la page.",
        "closed_title": "Le sondage est terminé",
        "closed": "Ce sondage n’accepte plus de réponses. Merci d’avoir voulu y répondre.",
        "unknown_title": "Lien inconnu",
        "unknown": "Ce lien ou ce code ne mène à aucun sondage ouvert. Vérifiez que vous l’avez copié en entier.",
        "tries_title": "Trop d’essais",
        "tries": "Trop de liens ou de codes erronés sont venus de votre réseau. Attendez une minute, puis réessayez.",
        "away_title": "Un instant",
        "away": "Le service ne répond pas pour le moment. Rien n’a été envoyé; réessayez dans un instant.",
        "unread_title": "Formulaire illisible",
        "unread": "Ce formulaire n’a pas pu être lu. Ouvrez de nouveau le lien que vous avez reçu.",
        "broken_title": "Une erreur de notre part",
        "broken": "Quelque chose n’a pas fonctionné chez nous. Réessayez plus tard ou, si cela persiste, transmettez "
        "ce numéro à la personne qui anime :",
        "mails_title": "Courriels envoyés",
        "mails_about": "Ici, les courriels ne partent pas : chacun devient un fichier, montré ici. Dossier :",
        "mails_none": "Il n’y en a pas encore. Préparez une rencontre : ses invitations paraîtront ici.",
        "mails_older": "Plus anciens",
        "mail_from": "De",
        "mail_to": "À",
        "mail_sent": "Envoyé",
        "mail_on_calendar": "À inscrire dans l’agenda",
        "mail_off_calendar": "À retirer de l’agenda",
        "mail_what": "Quoi",
        "mail_when": "Quand",
        "mail_where": "Où",
        "mail_link": "Lien",
        "mail_unknown_title": "Courriel inconnu",
        "mail_unknown": "Il n’y a pas de tel courriel; son fichier a peut-être été effacé.",
    },
    "en": {
        "anonymous": (
            "Your answers are anonymous: they are kept without your name, the date or the language, and nobody who "
            "reads them, the facilitator included, can tell which are yours. Results come out only if at least five "
            "people who were there have answered."
        ),
        "anonymous_title": "What this means",
        "anonymous_more": (
            "While the survey is open, it is kept that you answered, so that you are not asked again; then that is "
            "erased, too. Only somebody who runs the servers and watches them while you answer could learn what you "
            "answer. And write nothing by which you could be recognised."
        ),
        "index_title": "Enter the room’s code",
        "code": "Code shown on the screen",
        "code_hint": "Eight letters and digits; spaces and hyphens do not count.",
        "code_wrong": "Type the code as it is shown: letters and digits.",
        "no_code_title": "No code?",
        "no_code": "If you received a link by email, open it: it leads straight to the survey. If not, ask the "
        "facilitator of the meeting for the code.",
        "about": "Pratique supports networks of communities of practice: meetings, attendance, anonymous surveys "
        "and results.",
        "for_programs": "For programs: description of the interface",
        "home": "Go to the home page",
        "lost_title": "Page not found",
        "lost": "This address leads nowhere. Check that you copied the whole of it.",
        "programs_title": "An address for programs",
        "programs": "This address is for programs that have a permission; a browser shows nothing here.",
        "refused_title": "Request refused",
        "refused": "This request cannot be handled. Go back, reload the page, then try again.",
        "title": "Your view of the meeting",
        "who_title": "Who are you?",
        "who_legend": "Choose your name",
        "who_why": "Your name is used only so that each person answers once.",
        "who_absent": "Is your name missing? Ask the facilitator to mark you as present.",
        "who_none": "Nobody is marked as present yet. Ask the facilitator to do so, then reload.",
        "who_missing": "Choose your name from the list.",
        "continue": "Continue",
        "may_skip": "You may skip a question.",
        "send": "Send my answers",
        "send_again": "Send again",
        "mend": "Your answers are not sent yet. Correct what is marked, then send them.",
        "empty": "Answer at least one question, then send your answers.",
        "bad_choice": "Choose one of the answers offered.",
        "bad_text": "Shorten your text: 2000 characters at most.",
        "not_sent": "Your answers were not sent: the service is not responding. Wait a moment, then try again.",
        "kept": "Nothing is lost: your answers are kept in this page.",
        "thanks_title": "Thank you!",
        "thanks": "Your answers have been received. You may close this page.",
        "already_title": "Already done",
        "already": "An answer has been received through this link already. One can answer only once, and nothing can "
        "be changed, since nobody knows which answers are yours.",
        "already_room": "An answer has been received under this name already; yours was not taken. If you have not "
        "answered, check that you chose the right name. If you did, tell the facilitator, who can take back what was "
        "answered in the room; everyone who is there will then be asked by mail.",
        "no_room_title": "This room is not open",
        "no_room": "This code opens no room. Check it on the screen. If the meeting has just ended and you have not "
        "answered, you will be asked by mail.",
        "back": "Back to the list of names",
        "spent": "These answers have been received already, or the survey ended meanwhile. You may close this page.",
        "closed_title": "The survey is over",
        "closed": "This survey takes no more answers. Thank you for wanting to answer.",
        "unknown_title": "Unknown link",
        "unknown": "This link or code leads to no open survey. Check that you copied the whole of it.",
        "tries_title": "Too many tries",
        "tries": "Too many wrong links or codes came from your network. Wait a minute, then try again.",
        "away_title": "One moment",
        "away": "The service is not responding right now. Nothing was sent; try again in a moment.",
        "unread_title": "Unreadable form",
        "unread": "This form could not be read. Open the link that you received again.",
        "broken_title": "An error on our side",
        "broken": "Something went wrong on our side. Try again later or, if it persists, give this number to the "
        "facilitator:",
        "mails_title": "Mails that were sent",
        "mails_about": "Here mails do not go out: each becomes a file, and this page shows them. Folder:",
        "mails_none": "There is none yet. Schedule a meeting: its invitations will appear here.",
        "mails_older": "Older ones",
        "mail_from": "From",
        "mail_to": "To",
        "mail_sent": "Sent",
        "mail_on_calendar": "For the calendar",
        "mail_off_calendar": "To be taken off the calendar",
        "mail_what": "What",
        "mail_when": "When",
        "mail_where": "Where",
        "mail_link": "Link",
        "mail_unknown_title": "Unknown mail",
        "mail_unknown": "There is no such mail; perhaps its file was removed.",
    },
}

#: All of them, by language and name.
TEXTS: Mapping[str, Mapping[str, str]] = {locale: {**_OTHERS[locale], **SIGN_IN[locale]} for locale in _OTHERS}
