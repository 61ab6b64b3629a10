"""Two who ask at once: on a real PostgreSQL, where both transactions are open."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis import settings
from chassis.storage.store import Store, open_store
from chassis.storage.transaction import Transaction
from pratique.errors import Conflict
from pratique.events.membership import Locale
from pratique.requests.membership import PutMember
from services.membership.models import Member
from tests.harness.waiting import locked_out, until
from tests.membership.conftest import ask
from tests.servers import Fresh

pytestmark = pytest.mark.real


@pytest.fixture
def opened(fresh: Fresh) -> Iterator[Store]:
    made = open_store(settings.load(fresh.environ()), "membership")
    yield made
    made.close()


def put(session: Transaction, number: int, email: str, if_version: int | None = None) -> None:
    ask(
        session,
        PutMember,
        member_id=UUID(int=number),
        name="Personne",
        email=email,
        locale=Locale.FR,
        timezone="America/Toronto",
        if_version=if_version,
    )


def put_alone(opened: Store, number: int, email: str, if_version: int | None = None) -> None:
    with opened.begin() as session:
        put(session, number, email, if_version)


@pytest.mark.parametrize("version", [None, 1], ids=["recorded", "changed"])
def test_of_two_who_take_one_address_at_once_one_gets_it(opened: Store, version: int | None) -> None:
    if version:
        for number in (1, 2):
            put_alone(opened, number, f"n{number}@example.org")
    with ThreadPoolExecutor(1) as threads:
        with opened.begin() as session:
            put(session, 1, "une@example.org", version)
            session.flush()
            second = threads.submit(put_alone, opened, 2, "UNE@example.org", version)
            until(lambda: locked_out(opened))
        with pytest.raises(Conflict, match="Another person has this address"):
            second.result()

    with opened.begin() as session:
        owners = session.scalars(select(Member.member_id).where(Member.email_key == "une@example.org")).all()
    assert owners == [UUID(int=1)]
