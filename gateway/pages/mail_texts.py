"""The sentences around a mail as it was sent, in the embedded mode, in both languages."""

from collections.abc import Mapping

MAIL_TEXTS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "as_sent": "Tel que le montre une messagerie",
        "as_text": "En texte seul",
        "headers": "En-têtes",
        "calendar": "Entrée de calendrier telle qu’envoyée",
        "reply_to": "Répondre à",
        "others": "Autres courriels",
    },
    "en": {
        "as_sent": "As a mail program shows it",
        "as_text": "As plain text",
        "headers": "Headers",
        "calendar": "Calendar entry as sent",
        "reply_to": "Reply to",
        "others": "Other mails",
    },
}
