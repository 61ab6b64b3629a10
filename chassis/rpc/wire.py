"""The writer that both ends of RPC use, and errors on the wire, which cross by name."""

from collections.abc import Mapping
from typing import Any

from chassis import green
from chassis.messaging import broker
from chassis.storage.store import StoreAway
from pratique.errors import DomainError, InternalError, Unavailable

SEALED = "application/octet-stream"
_NO_BROKER = "The broker does not answer; try again in a moment."


class Writer:
    """Sends on a consumer's connection, one message at a time, in bounded time."""

    def __init__(self, is_mandatory: bool) -> None:
        self._is_mandatory = is_mandatory  #: a message for which there is no queue comes back
        self._one_at_a_time = green.Semaphore()
        self.channel: Any = None

    def send(self, routing_key: str, body: bytes, timeout_s: float, **properties: Any) -> None:
        """Hand one sealed message to the broker.

        Raises:
            Unavailable: there is no connection, or it took nothing within ``timeout_s``; the connection is cut.
        """
        with self._one_at_a_time:
            channel = self.channel
            if channel is None or channel.connection is None:  # perhaps lost while others sent
                raise Unavailable(_NO_BROKER)
            message = channel.prepare_message(body, None, SEALED, "binary", {}, {"delivery_mode": 1} | properties)
            to: dict[str, Any] = {"routing_key": routing_key, "mandatory": self._is_mandatory}
            try:
                with broker.time_limit(channel.connection.client, timeout_s):
                    channel.basic_publish(message, broker.RPC.name, **to)
            except broker.BROKER_ERRORS as error:
                raise Unavailable(_NO_BROKER) from error


def pack(error: BaseException | None) -> dict[str, Any] | None:
    """An error as it crosses: by name, in nameko's form. What is not ours crosses without its text."""
    if error is None:
        return None
    if isinstance(error, StoreAway):
        error = Unavailable("A store does not answer; try again in a moment.")
    if isinstance(error, DomainError):
        name, args = type(error).__name__, [error.message, error.fields]
    else:
        name, args = "InternalError", ["Something went wrong inside; the log of the service says what."]
    return {"exc_type": name, "exc_path": f"pratique.errors.{name}", "exc_args": args, "value": args[0]}


def unpack(error: Mapping[str, Any]) -> Exception:
    kind = DomainError.registry.get(str(error.get("exc_type")))
    if kind is None:
        return InternalError(str(error.get("value")))
    try:
        message, fields = error["exc_args"]
        return kind(str(message), {str(pointer): str(words) for pointer, words in fields.items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        return InternalError(str(error.get("value")))


def body_of(message: Any) -> bytes:
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body)
