"""What the pages name exists: files, verbs, events, routes, scopes, dependencies, tables."""

import ast
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from werkzeug.routing import Map
from werkzeug.routing.exceptions import RoutingException

import chassis.runtime.tables  # noqa: F401  (completes CHASSIS_TABLES)
from chassis.settings import SERVICES, STORES
from chassis.storage.types import CHASSIS_TABLES
from gateway.app import ROUTES
from gateway.auth import SCOPES
from operations import cli, composition, docs
from tests.repository.source import ROOT, name_of, sources

PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
EVENTS = {event.__name__: event for event in docs.all_events()}
#: What exists only while it runs, or where it is deployed.
MADE = (".venv", "var", "backup", "secrets", ".env")
LARGEST_PICTURE = 60_000  #: bytes; whoever reads README loads all of them
each_page = pytest.mark.parametrize("page", PAGES, ids=name_of)
URLS = Map([route.rule() for route in ROUTES]).bind("localhost")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def named(page: Path) -> set[str]:
    """What stands between backquotes, outside blocks of code."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S)))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as hosts of repositories make them."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        path, _, anchor = target.partition("#")
        if path.startswith("https://"):
            continue
        found = (page.parent / path) if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_the_readme_shows_small_pictures_and_no_other_is_kept() -> None:
    shown = re.findall(r"!\[[^\]]{20,}\]\((docs/pictures/[^)]+)\)", text_of(ROOT / "README.md"))
    kept = {name_of(each): each.stat().st_size for each in (ROOT / "docs" / "pictures").iterdir()}
    assert sorted(shown) == sorted(kept)
    assert max(kept.values()) < LARGEST_PICTURE


@each_page
def test_every_path_exists(page: Path) -> None:
    known = {path.name for path in ROOT.iterdir()}
    for name in named(page):
        path = name.rstrip("/").split("{")[0].split("<")[0].rstrip("/")
        first = path.split("/")[0]
        if "/" in name and first in known and first not in MADE and re.fullmatch(r"[\w./-]+", path):
            assert (ROOT / path).exists() or list((ROOT / path).parent.glob(f"{Path(path).name}*")), name


@each_page
def test_every_verb_of_make_exists(page: Path) -> None:
    verbs = re.findall(r"^([a-z]+):.*##", text_of(ROOT / "Makefile"), re.M)
    for line in re.findall(r"(?:`|^)(?:PRATIQUE_\w+=\S+ )?make ((?:[a-z]+ ?)+)", text_of(page), re.M):
        assert set(line.split()) <= set(verbs), line


@each_page
def test_every_verb_of_pratique_exists(page: Path) -> None:
    """Down to the last one that is named: ``pratique dead list``."""
    for line in re.findall(r"(?:`|^|\(|bin/)pratique ((?:--embedded )?[a-z ]+)", text_of(page), re.M):
        command: click.Command = cli
        for word in line.removeprefix("--embedded ").split():
            if not isinstance(command, click.Group):
                break
            found = command.get_command(click.Context(command), word)
            assert found, line
            command = found


@each_page
def test_every_route_and_scope_exists(page: Path) -> None:
    some_id = "6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11"
    text = re.sub(r"/\$\(ask [^)]*\)", "/$each", text_of(page))  # an id that the shell asks for
    for path in re.findall(r"(/v1/[^\s;`\"')?…]+)", text):
        concrete = re.sub(
            r"\$\(.*|\$?\{?\$?\w*(?:_id|COMMUNITY|MEETING|LAST|SURVEY|BALLOT|OTHER|each)\}?", some_id, path
        )
        try:
            allowed = URLS.allowed_methods(concrete.rstrip("/.,"))
        except RoutingException:
            allowed = []
        assert list(allowed), path
    for scope in re.findall(r"\b((?:membership|meetings|surveys|messages|metrics):[a-z]+)\b", text_of(page)):
        assert scope in SCOPES, scope


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("[here](nowhere.md)", test_every_link_leads_somewhere),
        ("[here](#nowhere)", test_every_link_leads_somewhere),
        ("`docs/nowhere.md`", test_every_path_exists),
        ("`make tea`", test_every_verb_of_make_exists),
        ("PRATIQUE_HTTP_PORT=1 make tea", test_every_verb_of_make_exists),
        ("`pratique dead tea`", test_every_verb_of_pratique_exists),
        (".venv/bin/pratique --embedded tea", test_every_verb_of_pratique_exists),
        ("ask $URL/v1/meetings/$MEETING/tea", test_every_route_and_scope_exists),
        ("`meetings:tea`", test_every_route_and_scope_exists),
    ],
)
def test_a_spoilt_page_is_found_out(text: str, check: Callable[[Path], None], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{text}\n", encoding="utf-8")

    with pytest.raises(AssertionError):
        check(page)


def test_every_event_and_whoever_reacts_stands_in_the_table_of_the_readme() -> None:
    for service in SERVICES:
        (row,) = re.findall(rf"^\| \[{service}\]\(.*$", text_of(ROOT / "README.md"), re.M)
        _, _, _, publishes, reacts_to, _ = row.split("|")
        openly, _, privately = publishes.partition("*privately*")
        mine = {name: event for name, event in EVENTS.items() if event.publisher == service}
        reactions = composition.reactions_of(service)
        assert words(openly) == {name for name, event in mine.items() if not event.is_private}
        assert words(privately) == {name for name, event in mine.items() if event.is_private}
        assert words(reacts_to) == {event.__name__ for event in reactions}


def words(cell: str) -> set[str]:
    """The events that a cell names."""
    return set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", cell))


def test_every_table_is_in_the_glossary_and_no_other() -> None:
    own = [composition.metadata_of(name) for name in STORES]
    tables = {table for each in own for table in each.tables} | set(CHASSIS_TABLES.tables)

    glossary = re.findall(r"^\| [^|`]+ `(\w+)` \|", text_of(ROOT / "docs/glossary.md"), re.M)
    assert sorted(glossary) == sorted(tables)


def test_every_dependency_has_its_sentence() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    extras = project["project"]["optional-dependencies"].values()
    direct = [
        *project["project"]["dependencies"],
        *project["build-system"]["requires"],
        *(x for e in extras for x in e),
    ]
    page = text_of(ROOT / "docs/decisions/0008-dependencies.md")
    names = [re.split(r"[^\w-]", each)[0] for each in direct]
    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []


def test_decisions_are_numbered_and_have_their_four_parts() -> None:
    assert [page.name[:4] for page in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    for page in DECISIONS:
        text = text_of(page)
        assert text.startswith(f"# {page.name[:4]} ")
        parts = re.findall(r"^\*\*(Context|Decision|Consequences|Rejected)\.\*\*", text, re.M)
        assert parts == ["Context", "Decision", "Consequences", "Rejected"], page.name
        assert len(text.splitlines()) <= 60, "one page"


def test_every_decision_that_the_code_names_exists() -> None:
    numbers = {page.name[:4] for page in DECISIONS}
    for path in sources("pratique", "services", "gateway", "tests"):
        assert set(re.findall(r"docs/decisions/(\d{4})", text_of(path))) <= numbers, path


def test_every_weakness_of_nameko_that_a_comment_names_is_told() -> None:
    """Comments refer to them by number, W1 and so on."""
    told = set(re.findall(r"\bW\d+\b", text_of(DECISIONS[0])))
    for path in sources("pratique"):
        assert set(re.findall(r"\bW\d+\b", text_of(path))) <= told, path


STEP = re.compile(r"`([\w/]+\.py)`((?:,? `\w+`)*)")


def test_the_page_that_follows_one_event_names_what_exists() -> None:
    page = text_of(ROOT / "docs/from-a-close-to-a-mail.md")
    named = [(path, name) for path, names in STEP.findall(page) for name in re.findall(r"`(\w+)`", names)]

    assert len(named) > 30
    for path, name in named:
        tree = ast.parse(text_of(ROOT / path))
        names = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
        assigned = {each.id for each in names if isinstance(each.ctx, ast.Store)}
        defined = {each.name for each in ast.walk(tree) if isinstance(each, ast.ClassDef | ast.FunctionDef)}
        assert name in assigned | defined, f"{path} has no {name}"
