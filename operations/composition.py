"""Composition of a deployment: which class, reactions, tables and migrations belong to each name.

The one place that names all services beside each other. Each is imported when it is first asked for: a process runs
one of them, and nameko, on which their classes stand, is imported after the green patch.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

import gateway
import services.evaluation
import services.meetings
import services.membership
import services.notifications
from chassis.messaging.inbox import Reactions
from chassis.scheduling.due import Handlers

_PACKAGES = {
    "membership": services.membership,
    "meetings": services.meetings,
    "evaluation": services.evaluation,
    "notifications": services.notifications,
    "gateway": gateway,
}


def service_class(name: str) -> Any:
    """Return the nameko class of a service, or of the gateway."""
    match name:
        case "membership":
            from services.membership.service import Membership as found
        case "meetings":
            from services.meetings.service import Meetings as found  # type: ignore[assignment]
        case "evaluation":
            from services.evaluation.service import Evaluation as found  # type: ignore[assignment]
        case "notifications":
            from services.notifications.service import Notifications as found  # type: ignore[assignment]
        case "gateway":
            from gateway.service import Gateway as found  # type: ignore[assignment]
        case _:
            raise _unknown(name)
    return found


def service_classes(names: Iterable[str]) -> list[Any]:
    """Return the nameko classes of these, in their order."""
    return [service_class(name) for name in names]


def reactions_of(name: str) -> Reactions:
    """Return the reactions table of a service: event class -> what it makes the service do."""
    return _tables(name)[0]


def handlers_of(name: str) -> Handlers:
    """Return what a service does when scheduled work is due, by kind."""
    return _tables(name)[1]


def _tables(name: str) -> tuple[Reactions, Handlers]:
    match name:
        case "membership":
            from services.membership.reactions import DUE, REACTIONS
        case "meetings":
            from services.meetings.reactions import DUE, REACTIONS
        case "evaluation":
            from services.evaluation.reactions import DUE, REACTIONS
        case "notifications":
            from services.notifications.reactions import DUE, REACTIONS
        case _:
            raise _unknown(name)
    return REACTIONS, DUE


def metadata_of(name: str) -> MetaData:
    """Return the catalogue of the own tables of a service, or of the gateway."""
    match name:
        case "membership":
            from services.membership.models import Base
        case "meetings":
            from services.meetings.models import Base  # type: ignore[assignment]
        case "evaluation":
            from services.evaluation.models import Base  # type: ignore[assignment]
        case "notifications":
            from services.notifications.models import Base  # type: ignore[assignment]
        case "gateway":
            from gateway.models import Base  # type: ignore[assignment]
        case _:
            raise _unknown(name)
    return Base.metadata


def migrations_of(name: str) -> Path:
    """Return the folder of the migrations of a service's store, or of the gateway's."""
    if name not in _PACKAGES:
        raise _unknown(name)
    return Path(str(_PACKAGES[name].__file__)).parent / "migrations"


def _unknown(name: str) -> LookupError:
    return LookupError(f"there is no service {name!r}")
