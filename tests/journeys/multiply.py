"""Makes a large network of a small one that a scenario filled, by copying its rows under new ids."""

from collections.abc import Container
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import sql

from tests.servers import Servers
from tests.servers.database import ADMIN

COLUMNS = """
select c.relname, a.attname, t.typname,
       exists (select from pg_index i where i.indrelid = c.oid and i.indisunique and a.attnum = any(i.indkey))
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
where c.relkind = 'r' and c.relname not like '%_version'
order by c.relname, a.attnum
"""
IS_ID = "similar to '[0-9a-f-]+' and length({0}) = 36"
STEP = 1_000_000  #: between the numbers of one copy and those of the next


def multiply(servers: Servers, url: str, rows: int, but: Container[str] = ()) -> dict[str, int]:
    """Let each table that holds anything hold about ``rows`` rows, ``but`` these; returns how many there are in each.

    The planner knows of them.

    Copy k of a row has its ids mapped by k, wherever they stand, so that copies belong together as the originals do.
    """
    address = servers.database.url(ADMIN, url.rpartition("/")[2]).replace("+psycopg2", "")
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("set session_replication_role = replica")  # copies are written in any order
        cursor.execute(COLUMNS)
        columns: dict[str, list[Any]] = {}
        for table, *column in cursor.fetchall():
            columns.setdefault(table, []).append(column)
        counts = {table: _copy(cursor, table, columns[table], 0 if table in but else rows) for table in columns}
        cursor.execute("vacuum analyze")
    return counts


def _copy(cursor: Any, table: str, columns: list[Any], rows: int) -> int:
    name = sql.Identifier(table)
    cursor.execute(sql.SQL("select count(*) from {}").format(name))
    count: int = cursor.fetchone()[0]
    copies = max(0, rows // count - 1) if count else 0
    names = sql.SQL(", ").join(sql.Identifier(column) for column, _, _ in columns)
    values = sql.SQL(", ").join(_value(*column) for column in columns)
    statement = sql.SQL("insert into {} ({}) select {} from {}, generate_series(1, {}) k")
    cursor.execute(statement.format(name, names, values, name, sql.Literal(copies)))
    return count * (copies + 1)


def _value(column: str, kind: str, is_unique: bool) -> sql.Composable:
    """What a copy has in this column: new ids, and something new where nothing may stand twice."""
    patterns = {
        "uuid": "md5({0}::text || k)::uuid",
        "varchar": f"case when {{0}} {IS_ID} then md5({{0}} || k)::uuid::text else {{0}} end",
    }
    if is_unique:
        patterns |= {
            "bytea": "decode(md5({0}::text || k), 'hex')",
            "int8": f"{{0}} + k::int8 * {STEP}",
            "varchar": patterns["varchar"].replace("else {0}", "else left(md5({0} || k), length({0}))"),
        }
    return sql.SQL(patterns.get(kind, "{0}")).format(sql.Identifier(column))
