"""``python -m tests.browser.screenshots [folder]``: a picture of every page in every look, and a page that shows them.

Into var/screenshots, unless a folder is named. The pages are those that the tests visit. The few that README shows are
taken first, small, into docs/pictures.
"""

import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path

from markupsafe import Markup

from tests.browser.chromium import DEVICES, LAPTOP, LOCALES, PHONE, SCHEMES, Device, chromium
from tests.browser.person import Person
from tests.browser.site import Site, site
from tests.browser.visit import Visit
from tests.browser.visits import VISITS
from tests.browser.window import Windows
from tests.servers import HOME
from tests.servers.find import why_no_browser

FOLDER = HOME / "var" / "screenshots"
#: What README shows.
PICTURES = (("survey", PHONE), ("meeting-under-way", PHONE), ("wall", LAPTOP), ("network-all", LAPTOP))
_PAGE = Markup(  # our own words
    """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Pages of Pratique</title><style>
body {{ font: 1rem/1.4 system-ui, sans-serif; margin: 2rem; color: #17211f; background: #e7e6e1 }}
section {{ display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start }}
figure {{ margin: 0 }} figcaption {{ font-size: .85rem }}
img {{ height: 24rem; max-width: 40rem; object-fit: cover; object-position: top; border: 1px solid #99a09e }}
</style></head><body><h1>Pages of Pratique</h1>{}</body></html>
"""
)
_SECTION = Markup("<h2>{}</h2><section>{}</section>")
_FIGURE = Markup(
    '<figure><a href="{0}"><img src="{0}" alt="{1}" loading="lazy"></a><figcaption>{1}</figcaption></figure>'
)


def take_few(windows: Windows, network: Site, folder: Path) -> None:
    """Take the pictures that README shows: what is seen at first, in English and in the light."""
    folder.mkdir(exist_ok=True)
    for name, device in PICTURES:
        with windows.lend(network.origin, "en", device) as opened:
            next(each for each in VISITS if each.name == name).arrive(Person(opened), network)
            (folder / f"{name}.webp").write_bytes(opened.picture())


def take(visit: Visit, locale: str, device: Device, windows: Windows, network: Site, folder: Path) -> list[Path]:
    """Take pictures of a page, light and dark, and return their files."""
    with windows.lend(visit.origin(network), locale, device) as opened:
        visit.arrive(Person(opened), network)
        taken = []
        for scheme in SCHEMES:
            opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            taken.append(folder / f"{visit}.{locale}.{device.name}.{scheme}.png")
            opened.page.screenshot(path=taken[-1], full_page=True)
        return taken


def show(pictures: dict[str, list[Path]]) -> str:
    """Return the page that shows pictures, by the name of what they show."""
    sections = [
        _SECTION.format(
            name, Markup("").join(_FIGURE.format(each.name, " · ".join(each.stem.split(".")[1:])) for each in taken)
        )
        for name, taken in pictures.items()
    ]
    return str(_PAGE.format(Markup("").join(sections)))


def main(folder: Path) -> int:
    """Take all pictures anew; return the exit code."""
    if words := why_no_browser():
        print(words, file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pictures: dict[str, list[Path]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="pratique-site-") as data,
        chromium() as browser,
        site(Path(data)) as network,
    ):
        windows = Windows(browser)
        take_few(windows, network, HOME / "docs" / "pictures")
        for visit in VISITS:
            print(visit, flush=True)
            pictures[visit.name] = [
                picture
                for locale, device in product(LOCALES, DEVICES)
                for picture in take(visit, locale, device, windows, network, folder)
            ]
    (folder / "index.html").write_text(show(pictures), encoding="utf-8")
    print(f"{sum(map(len, pictures.values()))} pictures: {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER))
