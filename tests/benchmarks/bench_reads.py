"""Questions to a ledger of a million events: histories, "why is ATP 3?", stock.

`history_quiet` asks for a SKU that no event names, so that the whole journal is searched; the raw limit is one
SQLite statement that looks for the same bytes in all events. `history_busy` asks for the 20 newest events of one of
a thousand SKUs, `explain` for all lines of one, `stock` for everything that lies somewhere. Milliseconds, medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import ledger_rows as rows
from benchmarks.result import Result
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads import atp
from bodega_agent.store.reads.histories import history
from bodega_agent.store.reads.names import Kind

NAME = "reads"

EVENTS = 1_000_000
ROUNDS = 5
QUESTIONS = 50
TODAY = "2026-11-22"
NOBODY = "SKU-NOBODY"


def run(events: int = EVENTS) -> Iterator[Result]:
    """One result a figure."""
    with tempfile.TemporaryDirectory(prefix="bench-reads-") as name:
        folder = Path(name)
        rows.build(folder, events // rows.COMMANDS_A_BLOCK)
        reader = Reader(rows.path_in(folder))
        skus = [f"SKU-{number % rows.SKUS:04}" for number in range(QUESTIONS)]
        raw = [_ms(lambda: _all_at_once(reader)) for _ in range(ROUNDS)]
        quiet = [_ms(lambda: _history(reader, NOBODY)) for _ in range(ROUNDS)]
        yield Result.against("reads.history_quiet", _median(quiet), "ms", _median(raw))
        busy = [_ms(partial(_history, reader, sku_id)) for sku_id in skus]
        yield Result("reads.history_busy", _median(busy), "ms")
        explained = [_ms(partial(_explain, reader, sku_id)) for sku_id in skus]
        yield Result("reads.explain", _median(explained), "ms")
        yield Result("reads.stock", _median([_ms(reader.stock) for _ in range(QUESTIONS)]), "ms")
        reader.close()


def _history(reader: Reader, sku_id: str) -> None:
    found = history(reader, [((Kind.SKU, sku_id),)], limit=20)
    assert bool(found.events) == (sku_id != NOBODY), sku_id


def _all_at_once(reader: Reader) -> None:
    needle = bytes([len(NOBODY)]) + NOBODY.encode()
    assert not reader.rows("SELECT seq FROM journal WHERE instr(body, ?)", needle)


def _explain(reader: Reader, sku_id: str) -> None:
    found = atp.explain(reader, sku_id, TODAY, limit=5)
    assert sum(line.part.units for line in found.lines) == found.standing.available


def _ms(question: Callable[[], object]) -> float:
    begun = time.perf_counter()
    question()
    return (time.perf_counter() - begun) * 1e3


def _median(times_ms: list[float]) -> float:
    return round(statistics.median(times_ms), 2)
