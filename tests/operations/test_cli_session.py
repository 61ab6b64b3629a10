"""Sessions on the command line: where a person is signed in, and the end of all of it."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from chassis.storage.store import Store
from gateway.sessions import SessionStore
from operations import cli

ANNE, BODO = UUID(int=10), UUID(int=11)


@pytest.fixture
def sessions(data: Path) -> Any:
    """The sessions of the embedded mode's gateway, in which nobody is signed in."""
    opened = Store("gateway", f"sqlite:///{data / 'gateway.sqlite'}")
    yield SessionStore(opened)
    opened.close()


def session(data: Path, *arguments: str) -> str:
    """What ``pratique session`` prints."""
    result = CliRunner().invoke(cli, ["--embedded", "--data", str(data), "session", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_where_a_person_is_signed_in_is_listed_without_what_opens_it(data: Path, sessions: Any) -> None:
    cookie = sessions.begin(ANNE, "Firefox, Linux")
    sessions.begin(BODO, "Safari, iPhone")
    shown = session(data, "list", str(ANNE))
    assert ("Firefox" in shown, "iPhone" in shown, cookie.split("_", 2)[2] in shown) == (True, False, False)


def test_ending_them_signs_that_person_out_everywhere_and_nobody_else(data: Path, sessions: Any) -> None:
    cookies = [sessions.begin(each, "") for each in (ANNE, ANNE, BODO)]
    token, _ = sessions.create_link(ANNE)
    assert "2 sessions are over" in session(data, "end", str(ANNE))
    assert [sessions.find(each) is not None for each in cookies] == [False, False, True]
    assert not sessions.is_link(token)
    assert "sessions.ended" in audit(data)


def audit(data: Path) -> str:
    """What ``pratique audit list`` prints of the gateway."""
    arguments = ["--embedded", "--data", str(data), "audit", "list", "--service", "gateway", "--json"]
    return CliRunner().invoke(cli, arguments, catch_exceptions=False).output


def test_of_nobody_there_is_nothing_to_list(data: Path, sessions: Any) -> None:
    assert "signed in nowhere" in session(data, "list", str(ANNE))
