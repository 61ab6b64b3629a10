"""A visit: a page in one state, the way to it, and what is promised of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.person import Person
from tests.browser.site import Site

SMALL, LARGE = 10_000, 40_000  #: bytes: pages of surveys, rooms and members; all others


@dataclass(frozen=True)
class Visit:
    """A page in one state: the way to it, and what is promised of it."""

    name: str
    route: tuple[str, str] | None  #: method and template; None where no route answers
    arrive: Callable[[Person, Site], None]
    status: int = 200
    most_bytes: int = SMALL
    has_script: bool = False
    is_alone: bool = False  #: whether it is a page of the gateway to which no service answers

    def origin(self, site: Site) -> str:
        """Return where the page is found."""
        return site.alone if self.is_alone else site.origin

    def __str__(self) -> str:
        """Return its name, by which tests and pictures are called."""
        return self.name


def signed_in(role: str, path: str | Callable[[Site], str]) -> Callable[[Person, Site], None]:
    """Return the way to a page of whoever has this role."""

    def arrive(person: Person, site: Site) -> None:
        site.sign_in(person.window, role)
        person.open(f"{path if isinstance(path, str) else path(site)}?lang={person.window.locale}")

    return arrive


def sending_nothing(arrive: Callable[[Person, Site], None]) -> Callable[[Person, Site], None]:
    """Return the way to what the last form of a page answers when it is sent as it stands."""

    def send(person: Person, site: Site) -> None:
        arrive(person, site)
        person.press(is_checked=False)

    return send
