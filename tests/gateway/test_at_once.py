"""Several who press the button of one link at once: on a real PostgreSQL, where all their transactions are open."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from chassis import settings
from chassis.storage.store import Store, open_store
from gateway.models import SignInLink
from gateway.sessions import SessionStore
from tests.gateway.conftest import ANNE
from tests.harness.waiting import locked_out, until
from tests.servers import Fresh

pytestmark = pytest.mark.real


@pytest.fixture
def opened(fresh: Fresh) -> Iterator[Store]:
    made = open_store(settings.load(fresh.environ()), "gateway")
    yield made
    made.close()


def test_of_three_who_spend_a_link_at_once_one_is_signed_in(opened: Store) -> None:
    sessions = SessionStore(opened)
    token, _ = sessions.create_link(UUID(ANNE))
    with ThreadPoolExecutor() as pool:
        with opened.begin() as held:
            row = hashlib.sha256(token.encode()).hexdigest()
            assert held.get(SignInLink, row, with_for_update=True)
            pressed = [pool.submit(sessions.spend_link, token, "") for _ in range(3)]
            until(lambda: locked_out(opened) == 3)
        outcomes = [each.result() for each in pressed]
    assert sum(each is not None for each in outcomes) == 1
    assert len(sessions.list_live(UUID(ANNE))) == 1
