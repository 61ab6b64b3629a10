"""Making tokens on the command line: who makes one learns how far it reaches."""

from pathlib import Path

from click.testing import CliRunner

from operations import cli


def create(data: Path, *arguments: str) -> tuple[str, str]:
    """What ``pratique token create`` prints, on standard output and beside it."""
    command = ["--embedded", "--data", str(data), "token", "create", *arguments]
    result = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_the_help_says_that_a_token_reaches_the_whole_network(data: Path) -> None:
    shown, _ = create(data, "--help")
    assert "reaches the whole network: every community" in " ".join(shown.split())


def test_whoever_makes_a_token_is_told_that_it_reaches_all_communities(data: Path) -> None:
    token, words = create(data, "intranet", "--scope", "meetings:read")
    assert token.startswith("prt_")
    assert len(token.split()) == 1  # the token alone, so that a script may take it
    assert "the whole network, all communities" in words
