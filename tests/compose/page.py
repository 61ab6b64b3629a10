"""Commands of docs/operate.md, as an operator types them."""

import re
from pathlib import Path

#: Read once: the page of one trial stays what it was, whatever is edited meanwhile.
TEXT = (Path(__file__).parents[2] / "docs/operate.md").read_text(encoding="utf-8")


def blocks(heading: str) -> list[str]:
    """Return the blocks of shell commands under a heading, word for word.

    Raises:
        LookupError: there is no such heading, or no command under it.
    """
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", TEXT, re.M | re.S)
    commands = re.findall(r"^```sh\n(.*?)^```", found[1], re.M | re.S) if found else []
    if not commands:
        raise LookupError(f"docs/operate.md has no commands under {heading!r}")
    return commands


def lines(heading: str, which: int = 0) -> list[str]:
    """Return the single commands of one block, without what a comment says of each."""
    return [re.sub(r"\s+#.*", "", line) for line in blocks(heading)[which].splitlines() if line.strip()]


def settings(heading: str) -> list[str]:
    """Return the lines for .env that stand under a heading.

    Raises:
        LookupError: there are none.
    """
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", TEXT, re.M | re.S)
    block = re.search(r"^```ini\n(.*?)^```", found[1], re.M | re.S) if found else None
    if block is None:
        raise LookupError(f"docs/operate.md has no settings under {heading!r}")
    return block[1].splitlines()
