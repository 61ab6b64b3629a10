"""Tables on a terminal, and in a pipe."""

import sys
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table

_WIDE = 240  #: columns in a pipe, where nothing is to be cut


def show(table: Table, instead: str = "") -> None:
    """Print the table, or the sentence if there is one."""
    if instead:
        click.echo(instead)
        return
    is_terminal = sys.stdout.isatty()
    Console(file=sys.stdout, width=None if is_terminal else _WIDE, no_color=not is_terminal).print(table)


def cell(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S %Z")
    if isinstance(value, list | tuple | set | frozenset):
        return " ".join(sorted(str(each) for each in value))
    return str(value)
