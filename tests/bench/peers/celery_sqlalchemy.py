"""The peer for the evening: Celery, a task per closing and a task per recipient, with SQLAlchemy.

Set as Celery's documentation asks for work that must not be lost: quorum queues, late acknowledgement, confirms, no
result backend. Run with ``celery worker --concurrency 2``, prefork; as a module it puts the closings into the queue.
"""

import json
import os
import smtplib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import worker_process_init
from sqlalchemy import create_engine, insert
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.orm import Session, sessionmaker

from chassis.messaging.inbox import INBOX
from chassis.messaging.outbox import EVENT_LOG, OUTBOX
from tests.bench.peers import letters

app = Celery("evening", broker=os.environ["BENCH_BROKER_URL"])
app.conf.update(
    task_default_queue="bench",
    task_default_queue_type="quorum",
    task_default_exchange_type="topic",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
)
engine = create_engine(os.environ["BENCH_STORE_URL"])
sessions = sessionmaker(engine, expire_on_commit=False)


@worker_process_init.connect
def begin(**_: Any) -> None:
    """Connections are not shared with the parent process."""
    engine.dispose(close=False)


@app.task
def close_meeting(closing: dict[str, Any]) -> None:
    with sessions.begin() as session:
        seen = insert_or(INBOX).values(event_id=UUID(closing["id"]), at=datetime.now(UTC)).on_conflict_do_nothing()
        if session.execute(seen.returning(INBOX.c.event_id)).first() is None:
            return
        written = letters.written(closing)
        for table, rows in written.rows:
            session.execute(insert(table), rows)
        announce(session, written.log)
    for id in written.message_ids:
        send_mail.delay(str(id))


@app.task(autoretry_for=(OSError, smtplib.SMTPException), retry_backoff=True)
def send_mail(message_id: str) -> None:
    with sessions.begin() as session:
        found = session.execute(letters.waiting(UUID(message_id))).first()
        if found is None:
            return
        letters.post(os.environ["BENCH_SMTP_URL"], letters.letter(*found))
        session.execute(letters.settled(found[0]))


def announce(session: Session, log: list[dict[str, Any]]) -> None:
    seqs = session.scalars(insert(EVENT_LOG).returning(EVENT_LOG.c.seq), log)
    session.execute(insert(OUTBOX), [{"seq": seq} for seq in seqs])


if __name__ == "__main__":
    from tests.bench.peers.celery_sqlalchemy import close_meeting as task  # under its own name, not __main__

    for body in Path(os.environ["BENCH_BODIES"]).read_bytes().splitlines():
        task.delay(json.loads(body))
