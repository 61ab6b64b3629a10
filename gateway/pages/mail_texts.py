"""The sentences around a mail as it was sent, in the embedded mode, by name, in English."""

from collections.abc import Mapping

from gateway.pages.texts import texts_of
from pratique.events.membership import Locale
from words.catalogue import N_

_NAMED: Mapping[str, str] = {
    "as_sent": N_("As a mail program shows it"),
    "as_text": N_("As plain text"),
    "headers": N_("Headers"),
    "calendar": N_("Calendar entry as sent"),
    "reply_to": N_("Reply to"),
    "others": N_("Other mails"),
}
#: All of them, by language and name.
MAIL_TEXTS: Mapping[str, Mapping[str, str]] = {locale.value: texts_of(_NAMED, locale) for locale in Locale}
