"""Sync: a node's day into the hub, lag, bytes on the wire, recovery from kills, and a fleet that comes back at once.

All parts are real: nats-server, the hub and the agents are processes of their own, on SQLite files and a
PostgreSQL server that sync their disk; `sync_*.py` beside this file say what each figure is. Bars: `drain` and
`drain_pg` >= 20,000 events/s; `bytes` <= 80 by movement; `lag_p99` < 1 s; `recover_p99` < 5 s; `storm` < 30 s.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import ledger_rows as rows
from benchmarks import sync_drain, sync_live, sync_recover, sync_storm
from benchmarks.result import Result
from support.postgres import find_binaries, serving

NAME = "sync"

# A node's day: 288,000 events.
DAY_BLOCKS = 576
LAG_S = 60.0
WIRE_S = 60.0
KILLS_OF_EACH = 10


def run() -> Iterator[Result]:
    """One result a figure."""
    with tempfile.TemporaryDirectory(prefix="bench-sync-") as name:
        folder = Path(name)
        yield from drains(folder / "drain", DAY_BLOCKS)
        yield from asyncio.run(sync_live.lag(folder / "lag", LAG_S))
        yield from asyncio.run(sync_live.wire(folder / "wire", WIRE_S))
        yield from asyncio.run(sync_recover.recover(folder / "recover", KILLS_OF_EACH))
        yield from asyncio.run(sync_storm.storm(folder / "storm"))


def drains(folder: Path, blocks: int) -> Iterator[Result]:
    """A node's journal into both databases, and what it takes on the wire."""
    ledger, events = folder / "ledger", blocks * rows.COMMANDS_A_BLOCK
    rows.build(ledger, blocks)
    journal = sync_drain.recorded(ledger)
    raw_stream = asyncio.run(sync_drain.raw_jetstream(folder, journal))
    raw = sync_drain.raw_sqlite(folder, journal)
    drained = asyncio.run(sync_drain.drain(folder / "sqlite", ledger, events, "sqlite"))
    yield from sync_drain.figures("drain", drained, raw, raw_stream)
    yield Result("sync.bytes", round(drained.wire_bytes, 1), "bytes")
    binaries = find_binaries()
    if binaries is None:
        return
    with serving(binaries, durable=True) as server:
        raw = sync_drain.raw_postgres(server.new_database(), journal)
        drained = asyncio.run(sync_drain.drain(folder / "pg", ledger, events, server.new_database()))
    yield from sync_drain.figures("drain_pg", drained, raw, raw_stream)
