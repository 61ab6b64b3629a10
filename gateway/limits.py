"""Rate limits: on guessing room codes, by address, so that whoever is right always passes (docs/decisions/0019); and on
asking for sign-in links, so that nobody's mailbox is filled (docs/decisions/0023).

Links, ballots and cookies carry proofs of 128 bits or more; nobody guesses one, and nothing counts them.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from werkzeug.wrappers import Request

from chassis import clock
from chassis.settings import Network
from pratique.errors import NotFound, TooManyTries

WINDOW = timedelta(minutes=1)  #: begins with the first wrong code of an address
WRONG_TOLD = 20  #: wrong codes of one address in a window that are answered 404; those beyond are looked up, but 429
LOOKED_UP = 600  #: wrong codes of one address in a window, beyond which no code is looked up that is not known there
KNOWN_FOR = timedelta(hours=1)  #: a code that was right from an address passes from there whatever others guess
REMEMBERED = 10_000  #: addresses that guessed wrong, and codes that were right; the oldest is forgotten first

_WORDS = "Too many wrong codes came from your network; wait a minute, then try again."


@dataclass
class _Window:
    """What is counted since ``began``; of wrong codes, those being looked up count until they turn out right."""

    began: datetime
    wrong: int = 0


class RateLimiter:
    """Remembers in memory which addresses guessed wrong, and which codes they got right. Nothing is stored or logged.

    It knows no person, and of a request that was right no more than its address and code, for an hour.
    """

    def __init__(self) -> None:
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._right: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of addresses and codes that are remembered."""
        return len(self._windows) + len(self._right)

    @contextmanager
    def attempt(self, address: str, room_code: str) -> Iterator[None]:
        """Within the block the code is looked up; NotFound says that it was wrong.

        Raises:
            TooManyTries: it was wrong, as were 20 before it in this minute; or 600 were, and it was not looked up.
        """
        key = (address, _as_meant(room_code))
        window = self._window(address)
        if window.wrong >= LOOKED_UP and not self._is_known(key):
            raise TooManyTries(_WORDS)
        window.wrong += 1
        is_wrong = False
        try:
            yield
            self._remember(key)
        except NotFound as error:
            is_wrong = True
            if window.wrong > WRONG_TOLD:
                raise TooManyTries(_WORDS) from error
            raise
        finally:
            window.wrong -= not is_wrong
            if not window.wrong and self._windows.get(address) is window:
                del self._windows[address]

    def _window(self, address: str) -> _Window:
        window, now = self._windows.get(address), clock.now()
        if window is None or not timedelta(0) <= now - window.began < WINDOW:
            window = self._windows[address] = _Window(now)
            self._windows.move_to_end(address)
            if len(self._windows) > REMEMBERED:
                self._windows.popitem(last=False)
        return window

    def _is_known(self, key: tuple[str, str]) -> bool:
        right_at = self._right.get(key)
        return right_at is not None and timedelta(0) <= clock.now() - right_at < KNOWN_FOR

    def _remember(self, key: tuple[str, str]) -> None:
        now = clock.now()
        self._right[key] = now
        self._right.move_to_end(key)
        while len(self._right) > REMEMBERED or now - next(iter(self._right.values())) >= KNOWN_FOR:
            self._right.popitem(last=False)


class Allowance:
    """Remembers in memory how often each key took something in its present window, and refuses what is too much."""

    def __init__(self, most: int, window: timedelta) -> None:
        """``window`` begins with the first of each key."""
        self._most, self._window = most, window
        self._taken: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of keys that are remembered."""
        return len(self._taken)

    def take(self, key: str) -> bool:
        """Count one more; return whether that is still allowed."""
        now = clock.now()
        began, taken = self._taken.get(key, (now, 0))
        if not timedelta(0) <= now - began < self._window:
            began, taken = now, 0
        self._taken[key] = began, min(taken + 1, self._most + 1)
        if not taken:
            self._taken.move_to_end(key)
            if len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)
        return taken < self._most


def client_address(request: Request, trusted_proxies: Sequence[Network]) -> str:
    """Return the origin of the request: an IPv4 address, or the /64 of an IPv6 one, of which a household has the whole.

    X-Forwarded-For can be written by anyone. From the right, an entry is believed while whoever wrote it, the hop
    before it, is in a network of our own proxies.
    """
    hop = _address(request.remote_addr or "")
    entries = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    while entries and hop is not None and any(hop in network for network in trusted_proxies):
        hop = _address(entries.pop())
    if hop is None:
        return "unknown"
    return str(ipaddress.ip_network((hop, 64), strict=False)) if hop.version == 6 else str(hop)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        known = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (known.ipv4_mapped or known) if isinstance(known, ipaddress.IPv6Address) else known


def _as_meant(room_code: str) -> str:
    """The code without what people write between its characters, and in capitals."""
    return "".join([each for each in room_code[:64] if each.isalnum()]).upper()
