"""Markers of ballots, and sealed answer sheets: two tables that share nothing by which they could be joined.

A marker says that a person's ballot was taken, a sheet what somebody answered. They are written in different
transactions, hold no time, no sequence and no id of one another; a sheet is sealed, with the way by which it came.
Whenever a row is added, others of its survey are written anew with it in random order, so that neither the order of
rows nor the transaction id that PostgreSQL keeps with each (xmin) says which came when. When the survey closes, all of
it is destroyed, with the secret under which the marks were made (docs/decisions/0005, docs/adversary.md).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Table, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.storage.transaction import Transaction
from chassis.storage.types import table_of
from services.evaluation.models.surveys import Base, SurveyKey
from services.evaluation.models.tokens import Channel
from services.evaluation.questions import Answers

REWRITTEN = 50  #: rows written anew with each that is added: any meeting's whole survey, and little work in a large one
_SHEET = "sheet"
_SHEET_BLOCK = 1024  #: bytes; a sheet whose comment is no longer than some 700 characters is as long as any other
_chance = SystemRandom()


class Marker(Base):
    """The mark that a person's ballot was taken; only the survey's secret tells whose."""

    __tablename__ = "marker"
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), primary_key=True)
    mac: Mapped[bytes] = mapped_column(primary_key=True)
    ballot_mark: Mapped[bytes]  # of the ballot that was taken, so that it may be sent once more when it was not heard
    is_cast: Mapped[bool]  # False from taking the ballot until its answers are kept, some milliseconds


class Sheet(Base):
    """One answer sheet, sealed, kept while the survey is open: no member, no instant, no address, no device."""

    __tablename__ = "sheet"
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), primary_key=True)
    mark: Mapped[bytes] = mapped_column(primary_key=True)  # of the spent slip
    box: Mapped[bytes]


@dataclass(frozen=True)
class Filled:
    """A sheet as it is read once, when its survey closes."""

    channel: Channel
    answers: Answers


def keep_sheet(transaction: Transaction, survey_id: UUID, mark: bytes, filled: Filled) -> None:
    """Keep what was answered on the slip of this mark. The caller holds the survey's lock."""
    content = json.dumps({"channel": filled.channel, "answers": filled.answers}, ensure_ascii=False)
    box = transaction.seal.close(_SHEET, survey_id.bytes + content.encode(), _SHEET_BLOCK)
    _insert_shuffled(transaction, table_of(Sheet), "mark", {"survey_id": survey_id, "mark": mark, "box": box})


def keep_marker(transaction: Transaction, survey_id: UUID, mac: bytes, ballot_mark: bytes, *, is_cast: bool) -> None:
    """Keep that somebody's ballot was taken. The caller holds the survey's lock."""
    row = {"survey_id": survey_id, "mac": mac, "ballot_mark": ballot_mark, "is_cast": is_cast}
    _insert_shuffled(transaction, table_of(Marker), "mac", row)


def _insert_shuffled(transaction: Transaction, table: Table, key: str, row: Mapping[str, Any]) -> None:
    """Leave a row among up to 49 others of its survey, all written anew in random order; it replaces one of its key.

    ``key`` is what tells the rows of one survey apart. The caller holds the survey's lock.
    """
    survey_id = row["survey_id"]
    of_survey = table.c.survey_id == survey_id
    some = select(table).where(of_survey, table.c[key] != row[key]).order_by(func.random()).limit(REWRITTEN - 1)
    rows = [dict(each._mapping) for each in transaction.execute(some)]
    gone = [row[key], *(each[key] for each in rows)]
    transaction.execute(delete(table).where(of_survey, table.c[key].in_(gone)))
    rows.append(dict(row))
    _chance.shuffle(rows)
    transaction.insert_many(table, rows)


def read_sheets(transaction: Transaction, survey_id: UUID) -> Sequence[Filled]:
    """Return all answers, in random order."""
    seal, filled = transaction.seal, []
    for box in transaction.scalars(select(Sheet.box).where(Sheet.survey_id == survey_id)):
        content = json.loads(seal.open(_SHEET, box)[len(survey_id.bytes) :])
        filled.append(Filled(Channel(content["channel"]), content["answers"]))
    _chance.shuffle(filled)
    return filled


def count_sheets(session: Session, survey_id: UUID) -> int:
    """Count the sheets. Never told, and never looked at but to find ballots that were taken in vain."""
    return session.scalar(select(func.count()).select_from(Sheet).where(Sheet.survey_id == survey_id)) or 0


def read_markers(session: Session, survey_ids: Sequence[UUID]) -> dict[UUID, dict[bytes, bool]]:
    """The markers of these surveys: whether the answers of each have been kept. Two statements at most.

    A ballot whose answers never came is known by there being fewer sheets than markers. Where they are as many, all
    were kept, also those of which a crash left no word.
    """
    found: dict[UUID, dict[bytes, bool]] = {survey_id: {} for survey_id in survey_ids}
    if not survey_ids:
        return found
    columns = select(Marker.survey_id, Marker.mac, Marker.is_cast).where(Marker.survey_id.in_(survey_ids))
    for survey_id, mac, is_cast in session.execute(columns):
        found[survey_id][mac] = is_cast
    for survey_id, markers in found.items():
        if not all(markers.values()) and count_sheets(session, survey_id) >= len(markers):
            found[survey_id] = dict.fromkeys(markers, True)
    return found


def release_markers(session: Session, survey_id: UUID, markers: Mapping[bytes, bool]) -> set[bytes]:
    """Give back the ballots that were taken in vain, and return the markers that stay.

    Where some of several that a crash left open were kept and some were not, nobody can tell whose: then none is given
    back, since nobody may answer twice.
    """
    open_ones = [mac for mac, is_cast in markers.items() if not is_cast]
    if open_ones and count_sheets(session, survey_id) == len(markers) - len(open_ones):
        session.execute(delete(Marker).where(Marker.survey_id == survey_id, Marker.mac.in_(open_ones)))
        return set(markers) - set(open_ones)
    return set(markers)


def destroy(session: Session, survey_id: UUID) -> None:
    """Leave nothing of who answered what, or at all, and nothing by which a mark could be understood."""
    for table in VOLATILE:
        session.execute(delete(table).where(table.survey_id == survey_id))


#: What is destroyed when a survey closes; small tables, since only open surveys have rows in them.
VOLATILE: tuple[type[Sheet] | type[Marker] | type[SurveyKey], ...] = (Sheet, Marker, SurveyKey)
