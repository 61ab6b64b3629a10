"""Slows down whoever guesses: failed codes and links are counted by address, right ones never."""

import ipaddress
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from werkzeug.wrappers import Request

from pratique import clock
from pratique.errors import TooManyTries

FAILURES = 10  #: wrong codes, links or ballots from one address in one WINDOW; a whole room sits behind one address
WINDOW = timedelta(minutes=1)
ADDRESSES = 10_000  #: remembered at once; the one that failed longest ago is forgotten first


class Tries:
    """Remembers in memory, for a minute, which addresses guessed wrong. Nothing of it is stored or logged."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, deque[datetime]] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._failed)

    def check(self, address: str) -> None:
        """Let an address pass that has not failed too often.

        Raises:
            TooManyTries: ten failures in the last minute.
        """
        failed = self._failed.get(address)
        if failed and self._recent(failed) >= FAILURES:
            raise TooManyTries("Too many wrong codes or links from your address; wait a minute, then try again.")

    def fail(self, address: str) -> None:
        """Count one failure of this address."""
        failed = self._failed.setdefault(address, deque(maxlen=FAILURES))
        failed.append(clock.now())
        self._failed.move_to_end(address)
        while len(self._failed) > ADDRESSES:
            self._failed.popitem(last=False)

    @staticmethod
    def _recent(failed: deque[datetime]) -> int:
        while failed and clock.now() - failed[0] >= WINDOW:
            failed.popleft()
        return len(failed)


def client_address(request: Request, trusted_proxies: int) -> str:
    """Where the request comes from: an IPv4 address, or the /64 of an IPv6 one, of which a household has the whole.

    X-Forwarded-For can be written by anyone; of it only as many entries count, from the right, as there are
    proxies of our own.
    """
    address = request.remote_addr or ""
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if trusted_proxies and forwarded:
        address = forwarded[-min(trusted_proxies, len(forwarded))]
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
