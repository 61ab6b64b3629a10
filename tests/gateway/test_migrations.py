"""A gateway's store that holds tokens already gets room for links and sessions, on both databases."""

import hashlib
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.storage.store import Store
from gateway import auth
from gateway.sessions import SessionStore
from pratique.testing import AT
from tests.gateway.conftest import ANNE
from tests.harness.migrations import migrate_to, open_empty

SECRET = "s" * 43


@pytest.fixture
def opened(empty_url: str) -> Iterator[Store]:
    """A store without a table."""
    with open_empty("gateway", empty_url) as made:
        yield made


def test_a_store_of_the_release_before_keeps_its_tokens_and_lets_people_sign_in(opened: Store) -> None:
    migrate_to(opened, "0001")
    with opened.begin() as session:
        values = {"secret": hashlib.sha256(SECRET.encode()).hexdigest(), "at": f"{AT:%Y-%m-%d %H:%M:%S.%f}"}
        session.execute(
            text(
                "insert into api_token (token_id, secret_sha256, name, scopes, created_at)"
                """ values ('0123456789ab', :secret, 'intranet', '["meetings:read"]', :at)"""
            ),
            values,
        )
    migrate_to(opened)
    token = f"prt_0123456789ab_{SECRET}"
    assert auth.TokenStore(opened).authenticate(f"Bearer {token}").may("meetings:read", is_of_network=True)
    assert auth.TokenStore(opened).authenticate(f"Bearer {token}").name == "intranet"
    sessions = SessionStore(opened)
    link, expires_at = sessions.create_link(UUID(ANNE), "/account")
    assert expires_at > AT
    begun = sessions.spend_link(link, "Firefox, Linux")
    assert begun is not None
    assert sessions.spend_link(link, "Firefox, Linux") is None
    found = sessions.find(begun[0])
    assert (begun[1], str(found and found.member_id)) == ("/account", ANNE)
    assert sessions.end_all(UUID(ANNE)) == 1
    assert SessionStore(opened).find(begun[0]) is None
