"""What somebody with the network's seal key reads, who knows the source: each box is tried for every purpose."""

import base64
from collections.abc import Iterable
from typing import Any

from tests.adversary import mentions


class Opener:
    """Opens whatever the network has ever sealed."""

    def __init__(self, seal: Any, purposes: Iterable[str]) -> None:
        self._seal, self._purposes = seal, sorted(purposes)

    def __call__(self, body: bytes) -> Any:
        """The bytes as JSON, with every box in them opened."""
        return self._deeply(_read(self._open(body)))

    def _deeply(self, value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {"box"} and isinstance(value["box"], str):
                return _read(self._open(base64.b64decode(value["box"])))
            return {key: self._deeply(each) for key, each in value.items()}
        return [self._deeply(each) for each in value] if isinstance(value, list) else value

    def _open(self, box: bytes) -> bytes:
        for purpose in self._purposes if self._seal else ():
            try:
                return bytes(self._seal.open(purpose, box))
            except Exception:  # noqa: BLE001  (each refusal says only: not this purpose)
                continue
        return box


def _read(content: bytes) -> Any:
    """JSON, also where an id stands before it; the bytes as text where there is none."""
    for begin in (0, *(place for place, sign in enumerate(content[:64]) if sign in b"{[")):
        if isinstance(read := mentions.plain(content[begin:]), dict | list):
            return read
    return content.hex()


def purposes_of(seal: Any) -> set[str]:
    """For what this seal has closed boxes so far in this process."""
    return set(getattr(seal, "_boxes", ())) if seal else set()
