"""Making tokens on the command line: who makes one learns how far it reaches."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from operations import cli

COMMUNITY = "6d1f0f0e-6a52-4d6e-9d2b-0d4b7b9e3a11"


def create(data: Path, *arguments: str) -> tuple[str, str]:
    """What ``pratique token create`` prints, on standard output and beside it."""
    command = ["--embedded", "--data", str(data), "token", "create", *arguments]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_the_help_says_how_to_limit_a_token(data: Path) -> None:
    shown, _ = create(data, "--help")
    assert "Without one it reaches the whole network." in " ".join(shown.split())


def test_whoever_makes_a_token_is_told_that_it_reaches_all_communities(data: Path) -> None:
    token, words = create(data, "intranet", "--scope", "meetings:read")
    assert token.startswith("prt_")
    assert len(token.split()) == 1  # the token alone, so that a script may take it
    assert "the whole network, all communities" in words


def test_whoever_makes_a_token_of_a_role_for_one_community_is_told_so_and_finds_it_in_the_list(data: Path) -> None:
    _, words = create(data, "region", "--role", "coordinator", "--community", COMMUNITY)
    listed = CliRunner().invoke(cli, ["--embedded", "--data", str(data), "token", "list"]).stdout

    assert "these communities: 1" in words
    assert "coordinator" in listed
    assert COMMUNITY in listed


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--role", "queen"),
        ("--scope", "*", "--community", COMMUNITY),
        ("--role", "network_admin", "--community", COMMUNITY),
    ],
)
def test_a_token_that_cannot_be_is_refused_in_a_sentence(data: Path, arguments: tuple[str, ...]) -> None:
    command = ["--embedded", "--data", str(data), "token", "create", "x", *arguments]
    result = CliRunner().invoke(cli, command)

    assert result.exit_code == 1
    assert result.stderr.strip().endswith(".")
