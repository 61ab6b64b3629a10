"""French texts are set as French is: what precedes « ? » or follows a quotation mark never begins a line."""

import re
from pathlib import Path

import pytest

from tests.repository.source import PACKAGES, ROOT, name_of, sources, texts

LOOSE = re.compile(r"[^\W\d_] [?!;:»]|« ")
TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
MAILS = sorted((ROOT / "services" / "notifications" / "templates").glob("*.jinja"))
PAGES = sorted((ROOT / "gateway" / "pages" / "templates").glob("*"))


def test_no_text_in_code_has_an_ordinary_space_before_a_high_sign() -> None:
    found = [
        f"{name_of(path)}:{line} {text[:60]!r}"
        for path in sources(*PACKAGES)
        for line, text in texts(path)
        if LOOSE.search(text)
    ]
    assert found == []


@pytest.mark.parametrize("path", [*MAILS, *PAGES], ids=name_of)
def test_no_template_has_an_ordinary_space_before_a_high_sign(path: Path) -> None:
    assert LOOSE.findall(TAGS.sub("x", path.read_text(encoding="utf-8"))) == []
