"""Who took a ballot, and what was answered: two tables that share nothing by which they could be joined.

A marker says that a person took a ballot, a response what somebody answered. They are written in different
transactions, hold no time, no sequence and no id of one another; whenever a row is added, others of its survey are
written anew with it in random order, so that neither the order of rows nor the transaction id that PostgreSQL keeps
with each (xmin) says which came when.

What remains to an operator while a survey is open: whoever holds its secret can tell who took a ballot; whoever looks
at the tables again after each single answer, reads the write-ahead log, or reads dead row versions before VACUUM has
removed them, sees answers come one by one and may match them with what they know of the room. When the survey closes,
secret, markers, invitations and the marks of spent ballots are destroyed and all answers are written anew; then only
such earlier copies could tell.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from random import SystemRandom
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Table, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from pratique import store
from pratique.events.membership import Locale
from services.evaluation.models.surveys import Base, Invitation
from services.evaluation.models.tokens import Channel
from services.evaluation.questions import Answers

SCATTERED = 50  #: rows written anew with each that is added: any meeting's whole survey, and little work in a large one
_chance = SystemRandom()


class Marker(Base):
    """That a person, known only to whoever has the survey's secret, took a ballot."""

    __tablename__ = "marker"
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), primary_key=True)
    mac: Mapped[bytes] = mapped_column(primary_key=True)


class Response(Base):
    """What somebody answered: no member, no instant, no address, no device."""

    __tablename__ = "response"
    id: Mapped[UUID] = mapped_column(primary_key=True)  # random, never from a clock
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"), index=True)
    answered_on: Mapped[date]
    channel: Mapped[Channel]
    locale: Mapped[Locale]
    answers: Mapped[Answers] = mapped_column(store.COLUMN_TYPES[dict[str, Any]])
    ballot_mac: Mapped[bytes | None] = mapped_column(unique=True)  # None once the survey is closed


def scatter(session: Session, key: InstrumentedAttribute[Any], row: Mapping[str, Any]) -> None:
    """Add a row among up to 49 others of its survey, all written anew in random order.

    ``key`` is what tells the rows of one survey apart. The caller holds the survey's lock.
    """
    table: Table = key.class_.__table__
    name, survey_id = key.key, row["survey_id"]
    of_survey = table.c.survey_id == survey_id
    some = select(table).where(of_survey).order_by(func.random()).limit(SCATTERED - 1)
    rows = [dict(each._mapping) for each in session.execute(some)]
    if rows:
        session.execute(delete(table).where(of_survey, table.c[name].in_([each[name] for each in rows])))
    rows.append(dict(row))
    _chance.shuffle(rows)
    store.insert_many(session, table, rows)


def seal(session: Session, survey_id: UUID) -> Sequence[Mapping[str, Any]]:
    """Leave a survey's answers in random order under new ids, and nothing that says who was asked or took a ballot.

    Returns the answers.
    """
    table = Response.metadata.tables[Response.__tablename__]
    rows = [dict(each._mapping) for each in session.execute(select(table).where(table.c.survey_id == survey_id))]
    session.execute(delete(Response).where(Response.survey_id == survey_id))
    _chance.shuffle(rows)
    for row in rows:
        row.update(id=uuid4(), ballot_mac=None)
    store.insert_many(session, table, rows)
    session.execute(delete(Marker).where(Marker.survey_id == survey_id))
    session.execute(delete(Invitation).where(Invitation.survey_id == survey_id))
    return rows
