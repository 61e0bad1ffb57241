"""What no way from a scanner to a prompt can be faster than: a frame through a pseudo-terminal, and a raw commit."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from pathlib import Path

from benchmarks import ledger_rows as rows
from bodega.limits import SCAN_BYTES_MAX
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from support.node_under_test import scan_text

RAW_COMMITS = 1_000


async def raw_limits(path: Path, *, a_second: float) -> tuple[list[float], list[float]]:
    """Milliseconds of a frame through a bare pseudo-terminal, and of single commits, at the pace of all scanners."""
    raw, day = rows.RawFile(path), rows.day(rows.cmd_ids())
    device = SimulatedScanner()
    reader = os.open(device.path, os.O_RDONLY | os.O_NOCTTY)
    wire_ms, commit_ms = [], []
    for _ in range(RAW_COMMITS):
        writes = raw.writes(next(day))
        begun_s = time.perf_counter()
        device.scan(scan_text(1), "]E0")
        os.read(reader, SCAN_BYTES_MAX)
        read_s = time.perf_counter()
        raw.commit_one(writes)
        commit_ms.append((time.perf_counter() - read_s) * 1000)
        wire_ms.append((read_s - begun_s) * 1000)
        await asyncio.sleep(1 / a_second)
    os.close(reader)
    device.close()
    raw.close()
    return wire_ms, commit_ms


def p99(values: list[float]) -> float:
    """The 99th percentile, to microseconds."""
    return round(statistics.quantiles(values, n=100)[98], 3)


def median(values: list[float]) -> float:
    """The median, to microseconds."""
    return round(statistics.median(values), 3)
