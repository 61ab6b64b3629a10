"""Commands of docs/operate.md, as an operator types them."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/operate.md"


def blocks(heading: str) -> list[str]:
    """Return the blocks of shell commands under a heading, word for word.

    Raises:
        LookupError: there is no such heading, or no command under it.
    """
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    commands = re.findall(r"^```sh\n(.*?)^```", found[1], re.M | re.S) if found else []
    if not commands:
        raise LookupError(f"docs/operate.md has no commands under {heading!r}")
    return commands


def lines(heading: str, which: int = 0) -> list[str]:
    """Return the single commands of one block, without what a comment says of each."""
    return [re.sub(r"\s+#.*", "", line) for line in blocks(heading)[which].splitlines() if line.strip()]
