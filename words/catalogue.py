"""The catalogue of sentences: English as it stands in the code, French from ``fr.po`` (gettext)."""

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment

from pratique.events.membership import Locale

FRENCH = Path(__file__).parent / "fr.po"


class Sentences:
    """The sentences of one language. By custom it is called ``_``, so that sentences are found in the code."""

    def __init__(self, locale: Locale, translations: gettext.NullTranslations) -> None:
        self.locale = locale
        self.gettext, self.ngettext = translations.gettext, translations.ngettext
        self.pgettext, self.npgettext = translations.pgettext, translations.npgettext

    def __call__(self, sentence: str, /, **values: object) -> str:
        """Return the sentence in this language. ``%(name)s`` in it is a value; a percent sign is written ``%%``."""
        return self.gettext(sentence) % values

    def counted(self, one: str, many: str, num: int, /, **values: object) -> str:
        """Return what is said of this number, which stands in the sentence as ``%(num)s``."""
        return self.ngettext(one, many, num) % {"num": num, **values}


def N_(sentence: str) -> str:
    """Return the sentence as it is: a mark for one that a table holds and that is translated where it is shown."""
    return sentence


@cache
def sentences(locale: Locale) -> Sentences:
    """Return the sentences of a language; the file is read once."""
    return Sentences(locale, _read(FRENCH) if locale is Locale.FR else gettext.NullTranslations())


def say_in(templates: Environment, locale: Locale) -> None:
    """Let these templates say their sentences in this language: ``_("…")``, ``{% trans %}…{% endtrans %}``."""
    _ = sentences(locale)
    templates.add_extension("jinja2.ext.i18n")
    templates.install_gettext_callables(  # type: ignore[attr-defined]  # what the extension adds
        _.gettext, _.ngettext, newstyle=True, pgettext=_.pgettext, npgettext=_.npgettext
    )


def _read(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale="fr_CA")
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
