"""The sentences of an invitation's page, and of the passes that it gives, in both languages."""

from collections.abc import Mapping

INVITATION_TEXTS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "hello": "Bonjour {name}, voici votre invitation.",
        "facilitator": "C’est vous qui animez cette rencontre.",
        "note_taker": "C’est vous qui prenez les notes à cette rencontre.",
        "when": "Quand",
        "when_for_you": "À votre heure",
        "how": "Comment",
        "where": "Lieu",
        "online": "Pour participer en ligne",
        "themes": "Thématiques",
        "lead": "Animation",
        "question": "Viendrez-vous?",
        "accepted": "Vous avez répondu que vous viendrez.",
        "declined": "Vous avez répondu que vous ne pourrez pas venir.",
        "tentative": "Vous avez répondu que vous viendrez peut-être.",
        "confirm": "Un clic de plus, et votre réponse sera donnée.",
        "come": "Je viens",
        "cannot": "Je ne peux pas venir",
        "choose": "Choisissez l’une des deux réponses.",
        "seen": "La personne qui anime verra votre réponse. Vous pouvez la changer ici, par le même lien, jusqu’à la "
        "fin de la rencontre.",
        "newest": "Cette page dit toujours ce qui vaut maintenant, même si un courriel plus ancien disait autre chose.",
        "pass": "Cet appareil vous reconnaîtra quand le sondage s’ouvrira, à la fin de la rencontre : vous n’aurez "
        "pas à y choisir votre nom, et vos réponses resteront anonymes. Si cet appareil n’est pas à vous, dites-le "
        "alors : la page vous le demandera.",
        "begun": "La rencontre a commencé.",
        "room": "Entrer le code affiché dans la salle",
        "cancelled": "Cette rencontre est annulée; elle n’aura pas lieu.",
        "reason": "Raison",
        "closed": "Cette rencontre est terminée. Si votre avis est demandé, il le sera par courriel.",
        "past": "L’heure de cette rencontre est passée; il n’y a plus rien à répondre.",
        "unknown_title": "Lien inconnu",
        "unknown": "Ce lien ne mène à aucune invitation. Ouvrez celui de votre courriel le plus récent, ou vérifiez "
        "que vous l’avez copié en entier. S’il ne mène à rien, écrivez à la personne qui anime votre communauté.",
        "expired_title": "Ce lien n’est plus valable",
        "expired": "La rencontre à laquelle il invitait est passée. Pour la prochaine, une nouvelle invitation vous "
        "parviendra; pour toute question, écrivez à la personne qui anime votre communauté.",
        "answering_as": "Vous êtes {label}, et votre nom sert seulement à ce que chaque personne réponde une fois.",
        "not_me": "Ce n’est pas moi",
        "not_there": "Cet appareil est reconnu, mais votre présence n’est pas encore notée. Demandez à la personne "
        "qui anime de la noter, puis rechargez la page.",
        "mail_title": "Recevez votre lien",
        "mail_why": "Ici, on ne choisit pas le nom sous lequel on répond : chaque personne répond par son propre "
        "lien, et nul ne peut répondre pour une autre. Ouvrez sur cet appareil l’invitation que vous avez reçue par "
        "courriel, puis revenez; ou choisissez votre nom, et votre lien vous sera envoyé.",
        "mail_me": "M’envoyer mon lien",
        "mailed_title": "Regardez vos courriels",
        "mailed": "Si ce nom est le vôtre, votre lien vers le sondage est dans votre boîte de courriel, ou y sera "
        "dans un instant. Regardez aussi parmi les indésirables. Il n’est envoyé qu’une fois.",
    },
    "en": {
        "hello": "Hello {name}, this is your invitation.",
        "facilitator": "You are the facilitator of this meeting.",
        "note_taker": "You take the notes at this meeting.",
        "when": "When",
        "when_for_you": "In your time",
        "how": "How",
        "where": "Where",
        "online": "To join online",
        "themes": "Themes",
        "lead": "Facilitator",
        "question": "Will you come?",
        "accepted": "You answered that you will come.",
        "declined": "You answered that you cannot come.",
        "tentative": "You answered that you may come.",
        "confirm": "One more click, and your answer is given.",
        "come": "I will come",
        "cannot": "I cannot come",
        "choose": "Choose one of the two answers.",
        "seen": "The facilitator will see your answer. You can change it here, by the same link, until the meeting "
        "ends.",
        "newest": "This page always says what holds now, even if an earlier email said something else.",
        "pass": "This device will recognize you when the survey opens at the end of the meeting: you will not have to "
        "choose your name, and your answers will stay anonymous. If this device is not yours, say so then: the page "
        "will ask.",
        "begun": "The meeting has begun.",
        "room": "Enter the code shown in the room",
        "cancelled": "This meeting is cancelled; it will not be held.",
        "reason": "Reason",
        "closed": "This meeting is over. If you are asked for your view, it will be by email.",
        "past": "The time of this meeting has passed; there is nothing left to answer.",
        "unknown_title": "Unknown link",
        "unknown": "This link leads to no invitation. Open the one in your newest email, or check that you copied the "
        "whole of it. If it leads nowhere, write to the facilitator of your community.",
        "expired_title": "This link is no longer valid",
        "expired": "The meeting to which it invited you has passed. You will receive a new invitation to the next "
        "one; if you have a question, write to the facilitator of your community.",
        "answering_as": "You are {label}, and your name is used only so that each person answers once.",
        "not_me": "This is not me",
        "not_there": "This device is recognized, but you are not marked as present yet. Ask the facilitator to do so, "
        "then reload the page.",
        "mail_title": "Get your link",
        "mail_why": "Here nobody chooses the name under which they answer: each person answers by their own link, and "
        "nobody can answer for another. Open on this device the invitation that you received by email, then come "
        "back; or choose your name, and your link will be sent to you.",
        "mail_me": "Email me my link",
        "mailed_title": "Check your email",
        "mailed": "If this name is yours, your link to the survey is in your mailbox, or will be in a moment. Look "
        "among the junk mail, too. It is sent only once.",
    },
}
