"""A gateway's store that holds tokens already gets room for links and sessions, on both databases."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from chassis.storage.migrate import migrate
from chassis.storage.store import Store
from chassis.storage.types import CHASSIS_TABLES
from chassis.testing import open_at
from gateway import auth
from gateway.models import Base
from gateway.sessions import SessionStore
from pratique.testing import AT
from tests.gateway.conftest import ANNE

SECRET = "s" * 43
MIGRATIONS = Path("gateway/migrations").absolute()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store without a table."""
    is_real = request.param == "postgresql"
    made = open_at("gateway", request.getfixturevalue("scratch_url") if is_real else f"sqlite:///{tmp_path}/g.sqlite")
    if is_real:
        with made.begin() as session:
            session.execute(text("drop schema public cascade"))
            session.execute(text("create schema public"))
    yield made
    made.close()


def test_a_store_of_the_release_before_keeps_its_tokens_and_lets_people_sign_in(opened: Store, tmp_path: Path) -> None:
    before = tmp_path / "migrations"
    before.mkdir()
    shutil.copy(MIGRATIONS / "0001_tokens.py", before)
    migrate(opened, before)
    with opened.begin() as session:
        values = {"secret": hashlib.sha256(SECRET.encode()).hexdigest(), "at": f"{AT:%Y-%m-%d %H:%M:%S.%f}"}
        session.execute(
            text(
                "insert into api_token (token_id, secret_sha256, name, scopes, created_at)"
                """ values ('0123456789ab', :secret, 'intranet', '["meetings:read"]', :at)"""
            ),
            values,
        )
    migrate(opened, MIGRATIONS)
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


def test_migrations_make_what_the_models_say(opened: Store) -> None:
    migrate(opened, MIGRATIONS)
    ours = {
        "include_name": lambda name, kind, _: kind != "table" or name not in {"pratique_version", "service_version"}
    }
    with opened.begin() as session:
        context = MigrationContext.configure(session.connection(), opts=ours)
        assert compare_metadata(context, [Base.metadata, CHASSIS_TABLES]) == []  # type: ignore[arg-type]  # as alembic documents it
