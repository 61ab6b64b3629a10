"""Causation: from what event or act follows what a transaction does."""

from sqlalchemy.orm import Session

from pratique.event import Cause, Event


def cause_of(session: Session, because: Event | Cause | None = None) -> Cause | None:
    """From what follows what this session does now, or did ``because`` of one of its events; None if from nothing yet.

    Raises:
        KeyError: ``because`` is none of the events that this session reacts to.
    """
    if isinstance(because, Cause):
        return because
    causes: dict[int, Cause] = session.info.get("causes", {})
    return causes[id(because)] if because else session.info.get("cause") or session.info.get("act")
