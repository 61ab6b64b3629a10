"""Help, confidentiality and accessibility: from every page, in both languages, and true."""

import pytest

from tests.gateway.conftest import Gate, make_gate, parsed

PAGES = ("/help", "/privacy", "/accessibility")


def words(gate: Gate, path: str, locale: str) -> str:
    response = gate.ask("GET", f"{path}?lang={locale}", headers={"Authorization": None})
    assert response.status_code == 200
    return " ".join("".join(parsed(response).find("body/main").itertext()).split())


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_each_page_is_there_for_everyone_and_asks_nobody(gate: Gate, path: str, locale: str) -> None:
    response = gate.ask("GET", f"{path}?lang={locale}", headers={"Authorization": None})
    page = parsed(response)
    assert (response.status_code, page.get("lang")) == (200, locale)
    assert page.find("head/title").text == f"{page.find('body/main/h1').text} · Pratique"
    assert len(response.data) < 10_000
    assert "Set-Cookie" not in response.headers
    assert gate.peer.asked == []


@pytest.mark.parametrize("path", ["/", "/s/tok-1", "/r/K7MQ2P", "/nothing"])
def test_every_page_leads_to_them(open_survey: Gate, path: str) -> None:
    response = open_survey.ask("GET", path, headers={"Accept": "text/html"})
    links = {each.get("href") for each in parsed(response).iter("a")}
    assert {f"{each}?lang=fr" for each in PAGES} <= links


def test_the_promise_names_the_numbers_of_this_network(store) -> None:
    gate = make_gate(store, k_scores=8, k_comments=12)
    told = words(gate, "/privacy", "en")
    assert "Nothing from fewer than 8 answers." in told
    assert "from 12 answers on" in told
    assert "Rien de moins de 8 réponses." in words(gate, "/privacy", "fr")


def test_the_promise_says_what_remains() -> None:
    """What docs/adversary.md says with the same force."""
    from tests.repository.source import ROOT

    page = (ROOT / "docs" / "adversary.md").read_text(encoding="utf-8")
    for told in ("watches them while people answer", "ninety days", "give away its author"):
        assert told in " ".join(page.split())
        assert told in (ROOT / "gateway" / "pages" / "templates" / "privacy.html").read_text(encoding="utf-8")
