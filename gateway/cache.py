"""Cache of what was looked up a moment ago: believed for five seconds, then read anew."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from chassis import clock

Key = TypeVar("Key")
Kept = TypeVar("Kept")

BELIEVED_FOR = timedelta(seconds=5)  #: a token, session or role that ends elsewhere shuts every door within it
SIZE = 1000  #: entries; the least recently read is forgotten first


class Cache(Generic[Key, Kept]):
    """What a function reads by key, asked of it at most once in five seconds for each key."""

    def __init__(self, read: Callable[[Key], Kept | None]) -> None:
        """``read`` returns None for what there is not; that is not remembered."""
        self._read = read
        self._seen: OrderedDict[Key, tuple[datetime, Kept]] = OrderedDict()

    def get(self, key: Key) -> Kept | None:
        """Return what there is under this key, as it was at most five seconds ago."""
        now = clock.now()
        if (seen := self._seen.get(key)) and timedelta(0) <= now - seen[0] < BELIEVED_FOR:
            return seen[1]
        found = self._read(key)
        if found is None:
            self.forget(key)
        else:
            self._seen[key] = now, found
            self._seen.move_to_end(key)
            if len(self._seen) > SIZE:
                self._seen.popitem(last=False)
        return found

    def forget(self, key: Key) -> None:
        """Read this anew when it is asked for next."""
        self._seen.pop(key, None)
