"""The audit: who changed roles, memberships, tokens, integrators, closed meetings and dead letters."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from chassis import clock, settings
from chassis.storage import audit as records
from chassis.storage.store import Store
from operations import settings_of
from operations.show import cell, show


@click.group()
def audit() -> None:
    """Show who changed what. Nobody can change these records; each is kept for 24 months."""


@audit.command("list")
@click.option("--service", type=click.Choice(settings.STORES), help="Only of this store; the gateway's has tokens.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), metavar="DATE",
              help="From this day or instant on, in UTC; the last 30 days if you do not say.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="The latest, of each.")
@click.option("--json", "as_json", is_flag=True, help="For machines: one object on each line.")
@click.pass_context
def list_(ctx: click.Context, service: str | None, since: datetime | None, limit: int, as_json: bool) -> None:
    """List what was done, by whom, to what, with what was before and after; oldest first.

    \b
    pratique audit list
    pratique audit list --service membership --since 2026-03-01 --json
    """
    after = since.replace(tzinfo=UTC) if since else clock.now() - timedelta(days=30)
    chosen = settings_of(ctx)
    names = [service] if service else [name for name in settings.STORES if name in chosen.store_urls]
    found = [row for name in names for row in _read(name, chosen.store_url(name), after, limit)]
    found.sort(key=lambda row: str(row["at"]))
    if as_json:
        for row in found:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    table = Table("at", "store", "who", "what", "to", "before", "after")
    for row in found:
        table.add_row(*(escape(_shown(value)) for value in row.values()))
    show(table, "Nothing was recorded." if not found else "")


def _read(name: str, url: str, since: datetime, limit: int) -> list[dict[str, Any]]:
    opened = Store(name, url, pool_size=1)
    try:
        with opened.begin() as session:
            rows = records.list_records(session, since, limit)
    finally:
        opened.close()
    own = ("actor", "action", "subject", "before", "after")
    return [{"at": row.at.isoformat(), "store": name} | {key: getattr(row, key) for key in own} for row in rows]


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else cell(value)
