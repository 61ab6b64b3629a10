"""The round that an operator makes."""

import dataclasses
import json

import click
from rich.markup import escape
from rich.table import Table

from operations import settings_of
from operations.health_checks import check_health
from operations.show import show


@click.command()
@click.option("--gateway", default="", metavar="URL", help="Where the gateway listens, if not where the settings say.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_context
def doctor(ctx: click.Context, gateway: str, as_json: bool) -> None:
    """Say what is reachable, what lags, and what to do about it. Exit code 1 if something is wrong.

    Looks at every store that is set (reachable, migrated, what waits in its outbox, dead letters, what is overdue),
    the broker and each queue, who listens there that our code did not let in, the mail server and the gateway. Changes
    nothing.

    \b
    pratique doctor
    pratique doctor --json
    pratique doctor --gateway http://gateway:8000
    """
    findings = check_health(settings_of(ctx), gateway.rstrip("/"))
    is_well = all(finding.is_well for finding in findings)
    if as_json:
        rows = [dataclasses.asdict(finding) for finding in findings]
        click.echo(json.dumps({"is_well": is_well, "findings": rows}, indent=2))
    else:
        table = Table("", "what", "how it is", "what to do")
        for finding in findings:
            mark = "ok" if finding.is_well else "[bold red]WRONG[/]"
            table.add_row(mark, *map(escape, (finding.subject, finding.words, finding.hint)))
        show(table)
    ctx.exit(0 if is_well else 1)
