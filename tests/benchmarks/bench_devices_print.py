"""From a command to the first byte at the printer: a real ledger, the print service and the ZPL driver over TCP.

The clock starts when the write that queues the job is committed, and stops when the first byte of the job is read at a
raw socket server in a process of its own, which answers status at once. In between: the job is read from the ledger
and rendered, the driver connects and asks the status (no byte goes to a printer that says that it is not ready), and
`sent` is made durable. The raw limit, in the same run and on the same disk: an append with fsync, a TCP connection, and
one byte that is read. Bar: `print.first_byte_p99` <= 20 ms. `to_confirmed` is the time until the job is confirmed.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.print_peer import be_a_printer
from benchmarks.result import Result
from bodega.core.lifecycles import PrintState
from bodega_adapters.registry import open_printer
from bodega_agent.services.printing import PrintService
from bodega_agent.services.stations import Station
from bodega_agent.store import labels, work
from bodega_agent.store.store import Store
from support.node_under_test import opened_store
from support.worked_order import CONTEXT, FO, bring_to, node_with_work

NAME = "devices.print"

JOBS = 500
WARM_UP = 20
PERCENTILE = 99
_FSYNC_BYTES = 4096


def run() -> Iterator[Result]:
    """Milliseconds, p99 and median."""
    with tempfile.TemporaryDirectory(prefix="bench-print-") as name:
        yield from asyncio.run(_measure(Path(name)))


async def _measure(folder: Path) -> list[Result]:
    async with _printing(folder) as (store, service, stamps, port):
        first_byte, confirmed, raw = await _jobs(
            store, service, stamps, lambda: _raw(folder / "raw", port, stamps)
        )
    return [
        Result.against("print.first_byte_p99", _p99(first_byte), "ms", _p99(raw)),
        Result.against("print.first_byte_p50", _p50(first_byte), "ms", _p50(raw)),
        Result("print.to_confirmed_p99", _p99(confirmed), "ms"),
    ]


@asynccontextmanager
async def _printing(folder: Path) -> AsyncIterator[tuple[Store, PrintService, Connection, int]]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    printer = multiprocessing.get_context("spawn").Process(target=be_a_printer, args=(theirs,), daemon=True)
    printer.start()
    port = ours.recv()
    with opened_store(folder) as store:
        await node_with_work(store)
        await store.write(lambda tx: bring_to(tx, "packed"))
        driver = open_printer("zpl-tcp", "bench", {"host": "127.0.0.1", "port": port})
        settled.clear()
        service = PrintService(store, [Station(driver)], _changed)
        task = asyncio.create_task(service.run())
        try:
            yield store, service, ours, port
        finally:
            task.cancel()
            await asyncio.wait({task})
            printer.kill()


settled = asyncio.Event()


async def _changed(_order: str, _sscc: str, state: PrintState) -> None:
    if state is not PrintState.CONFIRMED:
        raise RuntimeError(f"a job is {state}, and not confirmed")
    settled.set()


async def _jobs(
    store: Store, service: PrintService, stamps: Connection, limit: Callable[[], float]
) -> tuple[list[float], list[float], list[float]]:
    """Each job is one more counted copy of the same label, asked for when the one before is confirmed.

    The raw limit is measured between jobs, so that both meet the same machine.
    """
    first_byte, confirmed, raw = [], [], []
    sscc = (await store.write(lambda tx: work.find(tx, FO))).sscc
    await settled.wait()
    stamps.recv()
    for number in range(WARM_UP + JOBS):
        settled.clear()
        await store.write(lambda tx: labels.reprint(tx, CONTEXT, sscc, "measured"))
        begun = time.monotonic()
        service.wake()
        await settled.wait()
        ended = time.monotonic()
        arrived = stamps.recv()
        floor = limit()
        if number >= WARM_UP:
            first_byte.append((arrived - begun) * 1000)
            confirmed.append((ended - begun) * 1000)
            raw.append(floor)
    return first_byte, confirmed, raw


def _raw(path: Path, port: int, stamps: Connection) -> float:
    begun = time.monotonic()
    with path.open("ab") as file:
        file.write(b"x" * _FSYNC_BYTES)
        file.flush()
        os.fsync(file.fileno())
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"^XA^XZ")
        arrived = float(stamps.recv())
    return (arrived - begun) * 1000


def _p99(times_ms: list[float]) -> float:
    return round(statistics.quantiles(times_ms, n=100)[PERCENTILE - 1], 3)


def _p50(times_ms: list[float]) -> float:
    return round(statistics.median(times_ms), 3)
