"""Pages in a real browser: what people see, whether everyone can use it, and what they live through in it.

Playwright's loop and green threads do not go together, so these tests run in a pytest of their own, without green
threads: ``pytest tests/browser``. With other folders named beside it they are skipped; ``make test`` knows that.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

_FOLDER = Path(__file__).parent


def _is_alone(arguments: Sequence[str]) -> bool:
    """Return whether these arguments of pytest name files or folders, and none that is not here."""
    paths = [Path(each.partition("::")[0]).resolve() for each in arguments if not each.startswith("-")]
    named = [each for each in paths if each.exists() and each.suffix in ("", ".py")]
    return bool(named) and all(_FOLDER in (each, *each.parents) for each in named)


#: Whether this process runs nothing but these tests.
IS_ALONE = _is_alone(sys.argv[1:])
