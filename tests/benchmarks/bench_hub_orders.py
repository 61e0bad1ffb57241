"""Orders through HTTP with promise and route, on SQLite and on PostgreSQL: how many a second, and how long one takes.

The hub is a process of its own beside a real broker, its databases sync their disk; three lines an order, 50 nodes that
hold every one of 1,000 SKUs. `orders.create` and `orders.create_pg`: orders/s over 16 connections, beside what the
database commits of as many rows, raw; `orders.create_pg_two`: with two instances of the hub on that database. `_p99`:
milliseconds at 100 orders/s, from when each was due; measured first, while fewer orders are open. Bar: <= 50 ms.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import psycopg
from pysqlite3 import dbapi2
from sqlalchemy.engine import make_url

from benchmarks import hub_rows
from benchmarks.result import Result
from benchmarks.shop import Shop
from benchmarks.sync_parts import Centre, running
from support.postgres import find_binaries, serving

NAME = "controlplane.orders"

NODES = 50
ORDERS = 3_000
PER_S = 100.0
WARM = 200
RAW_COMMITS = 300
# An order of three lines writes so many rows: the order, its lines, its promises, work, decision, event, audit, key.
_ROWS_AN_ORDER = 12
_ROW = b"x" * 200


def run(nodes: int = NODES, orders: int = ORDERS) -> Iterator[Result]:
    """Both databases."""
    with tempfile.TemporaryDirectory(prefix="bench-orders-") as scratch:
        folder = Path(scratch)
        raw = _raw_sqlite(folder)
        yield from asyncio.run(_figures("orders.create", folder / "sqlite", "sqlite", raw, nodes, orders))
        binaries = find_binaries()
        if binaries is None:
            return
        with serving(binaries, durable=True) as server:
            raw = _raw_postgres(server.new_database())
            for name, instances in (("orders.create_pg", 1), ("orders.create_pg_two", 2)):
                database = server.new_database()
                made = _figures(name, folder / name, database, raw, nodes, orders, instances)
                yield from asyncio.run(made)


async def _figures(
    name: str, folder: Path, database: str, raw: float, nodes: int, orders: int, instances: int = 1
) -> list[Result]:
    async with _hub(folder, database, nodes, instances) as (ports, token):
        shop = Shop(ports, token)
        await shop.as_fast_as_it_goes(WARM)
        took_s = await shop.paced(orders, PER_S)
        rate = await shop.as_fast_as_it_goes(orders)
    return [
        Result.against(name, round(rate), "1/s", round(raw)),
        Result(f"{name}_p50", _ms(took_s, 0.50), "ms"),
        Result(f"{name}_p99", _ms(took_s, 0.99), "ms"),
    ]


@asynccontextmanager
async def _hub(
    folder: Path, database: str, nodes: int, instances: int = 1
) -> AsyncIterator[tuple[list[int], str]]:
    """A hub at work on a network; the HTTP port of each instance, and the storefront's token."""
    centre = Centre(folder, [], database, instances=instances)
    hub_rows.build(database, centre.data_dirs[0], nodes)
    async with running(centre):
        token = (centre.data_dirs[0] / "storefront.token").read_text(encoding="ascii").strip()
        yield [_port(data_dir) for data_dir in centre.data_dirs], token


def _port(data_dir: Path) -> int:
    ends = json.loads((data_dir / "endpoints.json").read_text(encoding="utf-8"))
    return int(ends["http"].rpartition(":")[2])


def _ms(sorted_s: list[float], share: float) -> float:
    return round(sorted_s[min(len(sorted_s) - 1, int(len(sorted_s) * share))] * 1e3, 1)


def _raw_sqlite(folder: Path) -> float:
    """Commits a second of as many rows as an order writes, one writer."""
    with closing(dbapi2.connect(folder / "raw.db", isolation_level=None)) as connection:  # type: ignore[attr-defined]  # it has no types
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE raw(id, body)"):
            connection.execute(statement)
        began = time.perf_counter()
        for number in range(RAW_COMMITS):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO raw VALUES (?, ?)", [(number, _ROW)] * _ROWS_AN_ORDER)
            connection.execute("COMMIT")
        return RAW_COMMITS / (time.perf_counter() - began)


def _raw_postgres(database: str) -> float:
    """The same over one connection."""
    url = make_url(database).set(drivername="postgresql")
    with (
        psycopg.connect(url.render_as_string(hide_password=False)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TABLE raw(id BIGINT, body BYTEA)")
        connection.commit()
        began = time.perf_counter()
        for number in range(RAW_COMMITS):
            cursor.executemany("INSERT INTO raw VALUES (%s, %s)", [(number, _ROW)] * _ROWS_AN_ORDER)
            connection.commit()
        return RAW_COMMITS / (time.perf_counter() - began)
