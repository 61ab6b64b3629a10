"""All that this process logs and prints while a scenario runs; pytest's own ears last no longer than one test."""

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path


class Overheard(logging.Handler):
    """What was logged, kept as records, and what was printed, kept in a file."""

    def __init__(self, printed: Path) -> None:
        super().__init__(logging.NOTSET)
        self._printed, self._records = printed, list[logging.LogRecord]()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._records.append(record)

    @property
    def words(self) -> str:
        """All of it: lines as they are written, and whatever hangs on the records."""
        lines = [f"{self.format(each)}\n{each.getMessage()} {each.__dict__}" for each in self._records]
        return "\n".join([*lines, self._printed.read_text(encoding="utf-8", errors="replace")])


@contextlib.contextmanager
def overheard(folder: Path) -> Iterator[Overheard]:
    """Listen closely to our loggers, to all others, and to both outputs, also where C or a child writes to them."""
    ear = Overheard(folder / "printed")
    levels = {"": logging.INFO, **dict.fromkeys(("pratique", "services", "gateway"), logging.DEBUG)}
    before = {name: logging.getLogger(name).level for name in levels}
    outputs = {number: os.dup(number) for number in (1, 2)}
    with (folder / "printed").open("w", encoding="utf-8") as file:
        for number in outputs:
            os.dup2(file.fileno(), number)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        logging.getLogger().addHandler(ear)
        try:
            with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
                yield ear
        finally:
            logging.getLogger().removeHandler(ear)
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)
            for number, kept in outputs.items():
                os.dup2(kept, number)
                os.close(kept)
