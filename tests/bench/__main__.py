"""``python -m tests.bench``: measure Pratique against its peers on private servers, and print one table."""

import sys

import click
from rich.console import Console

from tests import servers
from tests.bench.environment import private_environment
from tests.bench.measure import Figure, Stuck, show
from tests.bench.parts import FULL, MEASURES, QUICK

console = Console()


@click.command()
@click.option("--only", type=click.Choice([*MEASURES]), help="Measure one of them only.")
@click.option("--quick", is_flag=True, help="Small numbers, one run: shows that all works, and no figure.")
def main(only: str | None, quick: bool) -> None:
    """Measure against peers on private servers, and print a table of ratios.

    The exit code is 0 also where a figure is missed; the table and its last line say so. It is 1 where a side failed.
    """
    if words := servers.why_skipped():
        console.print(words)
        sys.exit(1 if servers.is_compulsory() else 0)
    figures: list[Figure] = []
    has_failed = False
    with console.status("starting RabbitMQ and PostgreSQL") as status, private_environment() as environment:
        setting = environment.versions(environment.empty())
        for name in [only] if only else MEASURES:
            status.update(f"measuring {name}")
            try:
                for figure in MEASURES[name](environment, QUICK if quick else FULL):
                    figures.append(figure)
                    console.print(figure.line(), markup=False, highlight=False, soft_wrap=True)
            except Stuck as error:
                has_failed = True
                console.print(f"[red]{name} could not be measured[/]")
                console.print(str(error), markup=False)
    show(figures, setting, is_whole=not has_failed)
    sys.exit(int(has_failed))


if __name__ == "__main__":
    main()
