"""The sentences of the pages by which people sign in and out, in both languages."""

from collections.abc import Mapping

SIGN_IN: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "sign_in_title": "Connexion",
        "sign_in_about": "Nous vous envoyons un lien par courriel. Il n’y a pas de mot de passe.",
        "sign_in_email": "Votre adresse de courriel",
        "sign_in_email_hint": "Celle à laquelle vous recevez nos invitations.",
        "sign_in_email_wrong": "Écrivez une adresse de courriel, par exemple amina@example.org.",
        "sign_in_send": "M’envoyer un lien",
        "sign_in_not_needed": "Pour répondre à un sondage, il n’est pas nécessaire de se connecter.",
        "sign_in_sent_title": "Regardez vos courriels",
        "sign_in_sent": "Si cette adresse est inscrite chez nous, un lien vient d’y être envoyé :",
        "sign_in_sent_open": "Ouvrez-le dans les quinze minutes, dans le navigateur où vous voulez vous connecter. Il "
        "sert une seule fois.",
        "sign_in_none_title": "Rien reçu?",
        "sign_in_none": "Attendez une minute et regardez dans les courriels indésirables. Vérifiez l’adresse "
        "ci-dessus; peut-être une autre est-elle inscrite pour vous. La personne qui anime ou coordonne votre "
        "communauté peut le voir. Une même adresse reçoit au plus trois liens par quart d’heure.",
        "sign_in_again": "Demander un lien de connexion",
        "sign_in_confirm_title": "Se connecter",
        "sign_in_confirm": "Appuyez sur le bouton pour vous connecter dans ce navigateur. Le lien sera alors utilisé.",
        "sign_in_button": "Me connecter",
        "sign_in_shared": "Sur un appareil que d’autres utilisent, pensez à vous déconnecter en partant.",
        "sign_in_spent_title": "Ce lien ne sert plus",
        "sign_in_spent": "Un lien de connexion sert une seule fois, pendant quinze minutes. Celui-ci a déjà servi, il "
        "a expiré, ou il n’a pas été copié en entier. Demandez-en un autre : il arrive en un instant.",
        "sign_in_tries_title": "Trop de demandes",
        "sign_in_tries": "Trop de liens ont été demandés depuis votre réseau. Attendez dix minutes, puis réessayez. Un "
        "lien déjà reçu fonctionne toujours.",
        "visit_over_title": "Votre connexion a pris fin",
        "visit_over": "Rien n’a été changé. Connectez-vous de nouveau, revenez à la page, puis recommencez.",
        "visit_nobody_title": "Compte inconnu",
        "visit_nobody": "Nous ne connaissons plus personne sous ce compte; toutes ses connexions ont pris fin. Si "
        "c’est une erreur, écrivez à la personne qui coordonne votre communauté.",
        "visit_forged_title": "Rien n’a été changé",
        "visit_forged": "Ce formulaire ne vient pas de nos pages, ou d’une connexion qui a pris fin. Si vous n’avez "
        "rien envoyé vous-même, un autre site a essayé de le faire à votre place : il n’a pas réussi. Sinon, ouvrez la "
        "page de nouveau, puis recommencez.",
        "visit_forbidden_title": "Votre rôle n’ouvre pas cette page",
        "visit_forbidden": "Rien n’a été changé. Ce rôle n’est pas le vôtre, ou il a pris fin. Si vous en avez besoin, "
        "demandez-le à la personne qui coordonne la communauté.",
        "visit_lost_title": "Page introuvable",
        "visit_lost": "Il n’y a rien ici, ou il n’y a plus rien. Rien n’a été changé.",
        "visit_stale_title": "Quelqu’un a été plus rapide",
        "visit_stale": "Cela a changé entre-temps, et rien n’a été enregistré de votre envoi. Ouvrez la page de "
        "nouveau pour voir où en sont les choses, puis recommencez s’il le faut.",
        "visit_away_title": "Un instant",
        "visit_away": "Le service ne répond pas pour le moment. Revenez en arrière et réessayez dans un instant.",
        "visit_refused_title": "Demande refusée",
        "visit_refused": "Cela n’a pas pu être enregistré. Revenez en arrière, vérifiez ce que vous avez écrit, puis "
        "réessayez.",
        "visit_home": "Aller à mon accueil",
        "home_title": "Mon accueil",
        "home_roles": "Mes rôles",
        "home_communities": "Mes communautés",
        "home_nothing": "Vous êtes en ligne, mais vous n’appartenez à aucune communauté et n’avez aucun rôle. Écrivez "
        "à la personne qui coordonne votre communauté : elle peut vous y inscrire.",
        "sign_out": "Me déconnecter",
        "sign_out_everywhere": "Me déconnecter partout",
        "account_title": "Mes connexions",
        "account_about": "Voici où vous êtes en ligne. Une connexion dure au plus trente jours, et quatorze sans "
        "visite. Vous en voyez une qui n’est pas la vôtre? Déconnectez-vous partout.",
        "account_here": "ici même",
        "account_browser": "Un navigateur",
        "account_since": "depuis le",
        "account_seen": "vu le",
        "account_end": "Mettre fin à cette connexion",
        "role_network_admin": "Administration du réseau",
        "role_coordinator": "Coordination",
        "role_facilitator": "Animation",
        "role_note_taker": "Prise de notes",
        "role_evaluator": "Évaluation",
        "role_resource_person": "Personne-ressource",
        "role_org_contact": "Contact d’un organisme",
    },
    "en": {
        "sign_in_title": "Sign in",
        "sign_in_about": "We send you a link by email. There is no password.",
        "sign_in_email": "Your email address",
        "sign_in_email_hint": "The one at which you receive our invitations.",
        "sign_in_email_wrong": "Type an email address, such as amina@example.org.",
        "sign_in_send": "Send me a link",
        "sign_in_not_needed": "You do not need to sign in to answer a survey.",
        "sign_in_sent_title": "Check your email",
        "sign_in_sent": "If we know this address, a link has just been sent to it:",
        "sign_in_sent_open": "Open it within fifteen minutes, in the browser in which you want to sign in. It works "
        "once.",
        "sign_in_none_title": "Nothing received?",
        "sign_in_none": "Wait a minute, and look among your junk mail. Check the address above; perhaps we have "
        "another one for you. Whoever facilitates or coordinates your community can see which. One address receives at "
        "most three links in a quarter of an hour.",
        "sign_in_again": "Ask for a sign-in link",
        "sign_in_confirm_title": "Sign in",
        "sign_in_confirm": "Press the button to sign in, in this browser. The link is used up by that.",
        "sign_in_button": "Sign in",
        "sign_in_shared": "On a device that others use, remember to sign out when you leave.",
        "sign_in_spent_title": "This link no longer works",
        "sign_in_spent": "A sign-in link works once, for fifteen minutes. This one was used already, has expired, or "
        "was not copied whole. Ask for another one: it takes a moment.",
        "sign_in_tries_title": "Too many requests",
        "sign_in_tries": "Too many links were asked for from your network. Wait ten minutes, then try again. A link "
        "that you already received still works.",
        "visit_over_title": "You are signed out",
        "visit_over": "Your session has ended; nothing was changed. Sign in again, go back to the page, then try once "
        "more.",
        "visit_nobody_title": "Unknown account",
        "visit_nobody": "We no longer know anybody by this account; you were signed out everywhere. If that is a "
        "mistake, write to whoever coordinates your community.",
        "visit_forged_title": "Nothing was changed",
        "visit_forged": "This form does not come from our pages, or comes from a session that has ended. If you sent "
        "nothing yourself, another site tried to do so in your place, and failed. Otherwise open the page again, then "
        "try once more.",
        "visit_forbidden_title": "Your role does not open this page",
        "visit_forbidden": "Nothing was changed. This role is not yours, or it has ended. If you need it, ask whoever "
        "coordinates the community.",
        "visit_lost_title": "Page not found",
        "visit_lost": "There is nothing here, or no longer. Nothing was changed.",
        "visit_stale_title": "Somebody was faster",
        "visit_stale": "This has changed meanwhile, and nothing that you sent was saved. Open the page again to see "
        "how things stand, then try once more if need be.",
        "visit_away_title": "One moment",
        "visit_away": "The service is not responding right now. Go back, and try again in a moment.",
        "visit_refused_title": "Request refused",
        "visit_refused": "This could not be saved. Go back, check what you typed, then try again.",
        "visit_home": "Go to my home page",
        "home_title": "My home page",
        "home_roles": "My roles",
        "home_communities": "My communities",
        "home_nothing": "You are signed in, but you belong to no community and have no role. Write to whoever "
        "coordinates your community: they can add you to it.",
        "sign_out": "Sign out",
        "sign_out_everywhere": "Sign out everywhere",
        "account_title": "Where I am signed in",
        "account_about": "This is where you are signed in. A session lasts thirty days at most, and fourteen without a "
        "visit. Do you see one that is not yours? Sign out everywhere.",
        "account_here": "right here",
        "account_browser": "A browser",
        "account_since": "since",
        "account_seen": "last seen",
        "account_end": "End this session",
        "role_network_admin": "Network administrator",
        "role_coordinator": "Coordinator",
        "role_facilitator": "Facilitator",
        "role_note_taker": "Note taker",
        "role_evaluator": "Evaluator",
        "role_resource_person": "Resource person",
        "role_org_contact": "Contact of an organization",
    },
}
