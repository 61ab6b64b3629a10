"""Extraction of the sentences that code and templates say, and the upkeep of ``fr.po``."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from words.catalogue import FRENCH

ROOT = Path(__file__).parents[1]
ROOMS = ("words", "services", "gateway", "operations")  #: where sentences are said
PLURALS = "nplurals=2; plural=(n > 1);"
_KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "counted": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_TEMPLATES = (".html", ".txt", ".jinja")


class Sentence(NamedTuple):
    """A sentence of the code: what gettext tells sentences apart by."""

    context: str | None
    forms: str | tuple[str, ...]  #: singular and plural where it counts


def said(root: Path = ROOT) -> dict[Sentence, list[str]]:
    """Return the sentences of all rooms, and in which files each stands."""
    found: dict[Sentence, list[str]] = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix == ".py" or path.suffix in _TEMPLATES:
                for sentence in _of_file(path):
                    found.setdefault(sentence, []).append(path.relative_to(root).as_posix())
    return found


def read_french(path: Path = FRENCH) -> Catalog:
    """Return the French catalogue."""
    return read_po(BytesIO(path.read_bytes() if path.exists() else b""), locale="fr_CA")


def renewed(former: Catalog, sentences: dict[Sentence, list[str]]) -> bytes:
    """Return ``fr.po`` with a place for each new sentence and none for those that nobody says any more."""
    catalogue = Catalog(locale="fr_CA")
    catalogue.mime_headers = [("Plural-Forms", PLURALS)]  # Babel would ask for the form of a million too
    for sentence in sorted(sentences, key=lambda each: (str(each.forms), each.context or "")):
        first = sentence.forms if isinstance(sentence.forms, str) else sentence.forms[0]
        known = former.get(first, sentence.context)
        is_same = known is not None and (known.id == sentence.forms)
        string = known.string if known is not None and is_same else None
        catalogue.add(sentence.forms, string, context=sentence.context)
    written = BytesIO()
    write_po(written, catalogue, width=100, omit_header=True)
    return (_HEAD + written.getvalue().decode()).encode()


def _of_file(path: Path) -> Iterator[Sentence]:
    method: Any = "python" if path.suffix == ".py" else babel_extract
    options = {} if path.suffix == ".py" else {"silent": "false"}
    found = extract(method, BytesIO(path.read_bytes()), keywords=_KEYWORDS, options=options)
    for _line, message, _comments, context in found:
        forms = tuple(message) if isinstance(message, list | tuple) else message
        if forms:
            yield Sentence(context, forms)


_HEAD = f"""# The French of pages and mails. `python -m words` makes a place for each new sentence of the code.
msgid ""
msgstr ""
"Language: fr_CA\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {PLURALS}\\n"

"""
