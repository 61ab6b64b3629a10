"""Sealed RPC messages: each bound to its service, its request and its deadline.

A request names inside its box which method of which service it asks, until when it may be run, and which answer
belongs to it. So whoever holds a copy can read nothing of it, send it to nobody else, and not send it again later; and
an answer counts for its own question only.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from chassis.sealing import Seal

BLOCK = 8192  #: bytes to a multiple of which both are padded, so that their length does not tell which method it is
SKEW_S = 2.0  #: by so much the clocks of two machines may differ
_ASKED, _ANSWERED = "rpc", "rpc answer"


class Unopened(Exception):
    """These bytes are no request to us, or no answer; the message says what is wrong, and nothing of what they hold."""


class RpcRequest(NamedTuple):
    """One question, as its service reads it."""

    method: str
    id: str  #: the answer names it too
    payload: Mapping[str, Any]
    actor: str | None  #: who is acting, by name
    request_id: str | None = None  #: for logs, of the HTTP request that asks; none where it is about a survey's answers
    authority: Mapping[str, Any] | None = None  #: what the actor may do, and who they are


def close_request(seal: Seal, service: str, request: RpcRequest, timeout_s: float) -> bytes:
    """The box of a request, which its service runs within ``timeout_s`` or not at all."""
    told = request._asdict() | {"service": service, "until": time.time() + timeout_s}
    return seal.close(_ASKED, _encoded(told), BLOCK)


def open_request(seal: Seal, service: str, body: bytes) -> RpcRequest:
    """The request in a box.

    Raises:
        Unopened: it was sealed by another key, altered, asked of another service, or its time is over.
    """
    told = _opened(seal, _ASKED, body)
    if told.pop("service", None) != service:
        raise Unopened("it was asked of another service")
    if not told.pop("until", 0) > time.time() - SKEW_S:
        raise Unopened("its time was over, or the clocks of two machines differ by seconds")
    return RpcRequest(**{name: told.get(name) for name in RpcRequest._fields})  # type: ignore[arg-type]  # whoever has the key fills them


def close_answer(seal: Seal, id: str, result: Any, error: Mapping[str, Any] | None) -> bytes:
    """The box of the answer to the request of this id.

    Raises:
        TypeError, ValueError: the result is no JSON.
    """
    return seal.close(_ANSWERED, _encoded({"id": id, "result": result, "error": error}), BLOCK)


def open_answer(seal: Seal, body: bytes) -> dict[str, Any]:
    """The answer in a box: ``id`` of its request, ``result`` and ``error``.

    Raises:
        Unopened: it was sealed by another key, or altered.
    """
    return _opened(seal, _ANSWERED, body)


def _encoded(told: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON, so that a long comment in French is hardly longer than one in English."""
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _opened(seal: Seal, purpose: str, body: bytes) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(seal.open(purpose, body))  # whoever has the key sends nothing but objects
    except ValueError as error:
        words = "it was altered, or sealed by another key: is PRATIQUE_SEAL_KEY the same in every process?"
        raise Unopened(words) from error
    return told
