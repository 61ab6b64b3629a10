"""One log line per fact, as JSON for machines or text for people; passwords and tokens are masked in both.

Each line carries the context that was ``bound`` around it: the service, and where they are known the request, the event
and the correlation id that all shares which follows from one act. Nothing is bound around the answers to a survey.
"""

import functools
import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

REQUEST_ID = "request_id"  #: a fact to bind: which HTTP request it was that started this
_MASK = "***"
_SECRET_KEY = re.compile(r"password|secret|token|authorization|cookie|dsn", re.IGNORECASE)
_SECRETS = (
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/]+(?=@)", re.IGNORECASE),  # scheme://user:password@
    re.compile(r"(?P<keep>\bbearer\s+)[^\s,;\"']+", re.IGNORECASE),
    re.compile(r"(?P<keep>\bpr[ts]_)[\w.-]+"),  # bearer tokens, and cookies of sessions
    re.compile(r"(?P<keep>\b(?:token|password|secret)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;]+", re.IGNORECASE),
)
#: What stands in every text in which one of them finds something; most texts are done with it alone.
_HINT = re.compile(r"://|bearer|pr[ts]_|token|password|secret", re.IGNORECASE)


class Ids(list[dict[str, str]]):
    """Ids and names of types, in which there is no secret: to look for one would cost more than all else of a line."""


def configure(log_format: str = "json", stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """From here on the whole process logs to ``stream`` (standard output by default) in this format: json or text.

    What libraries and our own modules log by ``logging`` passes the same way.
    """
    enrich: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    if log_format == "text":
        render = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=enrich,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask,
            render,
        ],
    )
    structlog.configure(
        processors=[*enrich, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells each step of each migration


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Within the block each log line of this green thread carries these fields; those that are None it leaves out."""
    known = {name: str(value) for name, value in fields.items() if value is not None}
    with structlog.contextvars.bound_contextvars(**known):
        yield


def bound_fact(name: str) -> str | None:
    """Return the fact of this name that is bound here, None if there is none."""
    fact: str | None = structlog.contextvars.get_contextvars().get(name)
    return fact


def mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The log line without passwords in URLs, bearer tokens, and values under names that say that they are secret."""
    return {key: _MASK if _is_secret(key) else masked(value) for key, value in event.items()}


@functools.lru_cache(maxsize=1024)
def _is_secret(key: str) -> bool:
    """Return whether a name says that its value is secret; there are few names, in many lines."""
    return _SECRET_KEY.search(key) is not None


def masked(value: Any) -> Any:
    """The value with every secret in its texts replaced; lists, tuples and mappings are searched through."""
    if isinstance(value, str):
        if not _HINT.search(value):
            return value
        for pattern in _SECRETS:
            value = pattern.sub(rf"\g<keep>{_MASK}", value)
        return value
    if isinstance(value, Ids):
        return value
    if isinstance(value, dict):
        return mask(None, "", value)
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return value if isinstance(value, bool | int | float | None) else masked(str(value))
