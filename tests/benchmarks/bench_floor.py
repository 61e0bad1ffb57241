"""The floor: from a scan to its prompt in a store of five million events, and a whole shift of 500 orders.

`floor.scan_to_prompt_*`: a real agent without a hub, on a store of 5,000,000 events and 200,000 shipped orders
(`floor_rows`); eight seeded associates (the demo's) with a scanner each on a pseudo-terminal take goods in, put them
away, pick, pack, label and hand over, each with a pause of HANDS_S after a beep. The clock starts before the frame is
written and stops when the screen's answer is heard on the control socket, so both wires count. Beside it: raw apsw
commits of one movement with the same pragmas at the same pace in the same run, and, as the limit of `growth`, the
median in a store of 10,000 events. Bar, for a quiet machine: `scan_to_prompt_p99` <= 30 ms.

`floor.shift`: orders a second of `bodega demo --orders 500 --nodes 1 --associates 8`, from the first step of the first
order to the last of the last, with its wrong scans, empty shelves, printer in trouble, cut and kill; broker, centre,
agent and associates share this machine. Its limit: the orders a second that raw commits alone would allow, one for
each event that an order leaves. A broken rule, a refused right scan or a taken wrong one fails the run.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks import floor_rows
from benchmarks import ledger_rows as rows
from benchmarks.result import Result
from benchmarks.scan_limits import median, p99, raw_limits
from bodega_agent.demo.associate import Associate
from bodega_agent.demo.bench import PRINTER, Bench, set_up
from bodega_agent.demo.folder import run_folder
from bodega_agent.demo.handheld import Handheld, ask
from bodega_agent.demo.patience import until
from bodega_agent.demo.processes import Child, Recipe
from bodega_agent.demo.run import run as run_demo
from bodega_agent.demo.scenario import make_plan
from bodega_agent.demo.world import python_module
from support.bodega_command import write_config

NAME = "floor"

ASSOCIATES = 8
HANDS_S = 0.25
ORDERS = 200
SHIFT_ORDERS = 500
SEED = 1
EVENTS_YOUNG, EVENTS_OLD = 10_000, 5_000_000
RAW_COMMITS = 2_000
PATIENCE_S = 600.0


def run() -> Iterator[Result]:
    """One result a figure."""
    young_ms = asyncio.run(_worked(EVENTS_YOUNG))[0]
    old_ms, raw_ms = asyncio.run(_worked(EVENTS_OLD))
    yield Result.against("floor.scan_to_prompt_p99", p99(old_ms), "ms", p99(raw_ms))
    yield Result.against("floor.scan_to_prompt_p50", median(old_ms), "ms", median(raw_ms))
    yield Result.against("floor.scan_to_prompt_growth", median(old_ms), "ms", median(young_ms))
    yield from shift(SHIFT_ORDERS)


async def _worked(events: int) -> tuple[list[float], list[float]]:
    """Milliseconds of every scan of a day's work on a store of so many events, and of raw commits at that pace."""
    with tempfile.TemporaryDirectory(prefix="bench-floor-") as name:
        folder = Path(name)
        await asyncio.to_thread(floor_rows.build, folder, events // rows.COMMANDS_A_BLOCK, ORDERS)
        bench = await set_up(folder, watched=False, scanners=ASSOCIATES)
        bench.shelves.bins = floor_rows.stock(folder)
        try:
            async with running(folder, bench) as socket:
                took_ms = await _work(bench, socket)
        finally:
            await bench.close()
        _, raw_ms = await raw_limits(folder / "raw.db", a_second=ASSOCIATES / HANDS_S)
    return took_ms, raw_ms


async def _work(bench: Bench, socket: Path) -> list[float]:
    catalogue = floor_rows.products()
    people = [
        Associate(
            bench,
            Handheld(name, scanner, socket, hands_s=HANDS_S),
            catalogue,
            random.Random(SEED + number),  # slips of the hand, not a secret
            NoRegrets(),
        )
        for number, (name, scanner) in enumerate(bench.scanners.items())
    ]
    for number, person in enumerate(people):
        person.deliver(floor_rows.intakes()[number::ASSOCIATES])
    gc.collect()
    # The clock runs in this process, and a walk through what it has loaded takes 20 ms.
    gc.disable()
    work = asyncio.gather(*(person.work() for person in people))
    try:
        await until("every order to leave", lambda: _all_left(socket, work), seconds=PATIENCE_S)
        for person in people:
            person.go_home()
        await work
    finally:
        gc.enable()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    wrong = [
        said
        for person in people
        for said in person.notes.wrong_scans_taken + person.notes.right_scans_refused
    ]
    if wrong or len(bench.printer.labels) != ORDERS:
        raise RuntimeError(f"{len(bench.printer.labels)} labels of {ORDERS} were printed; {wrong[:3]}")
    return [seconds * 1000 for person in people for seconds in person.handheld.took_s]


async def _all_left(socket: Path, work: asyncio.Future[list[None]]) -> bool:
    if work.done():
        work.result()
    return not await ask(socket, "tasks")


class NoRegrets:
    """Customers who never cancel."""

    def unit_in_hand(self, order_id: str) -> None:
        """Nothing to do."""

    def parcel_gone(self, order_id: str) -> None:
        """Nothing to do."""


@asynccontextmanager
async def running(folder: Path, bench: Bench) -> AsyncIterator[Path]:
    """The agent with these devices and no hub, once its check of the file is over; its control socket."""
    scanners = "".join(
        f'[[scanners]]\nname = "{name}"\ndriver = "serial"\noptions = {{ port = "{scanner.path}" }}\n'
        for name, scanner in bench.scanners.items()
    )
    printer = (
        f'[printer]\nname = "{PRINTER}"\ndriver = "zpl-tcp"\n'
        f'options = {{ host = "{bench.printer.host}", port = {bench.printer.port} }}\n'
    )
    config = write_config(folder, extra=scanners + printer)
    argv = python_module("bodega_agent.cli", "run", "--config", str(config))
    agent = Child(Recipe("agent", argv, folder / "agent.log"), folder)
    socket = folder / "control.sock"

    async def is_checked() -> bool:
        status = await ask(socket, "status")
        return "running" not in status["ledger"]["quick_check"]

    try:
        await agent.start()
        await until("the check of the file to end", is_checked, seconds=PATIENCE_S)
        yield socket
    finally:
        await agent.stop()


def shift(orders: int) -> Iterator[Result]:
    """A whole shift beside broker and centre."""
    plan = make_plan(orders=orders, nodes=1, seed=SEED, associates=ASSOCIATES)
    with run_folder(keep=False) as folder:
        report = asyncio.run(run_demo(plan, folder, stay=False)).report
        raw_s = _raw_commits_s(folder.root / "raw.db")
    if not report["ok"]:
        raise RuntimeError(f"the shift broke a rule: {report['broken']}")
    an_order = report["events_total"] / report["orders_placed"]
    limit = 1 / statistics.median(raw_s) / an_order
    orders_a_second = report["orders_placed"] * 1000 / report["shift_ms"]
    yield Result.against("floor.shift", round(orders_a_second, 1), "1/s", round(limit, 1))


def _raw_commits_s(path: Path) -> list[float]:
    """Seconds of single commits as fast as they go."""
    raw, day = rows.RawFile(path), rows.day(rows.cmd_ids())
    took_s = []
    for _ in range(RAW_COMMITS):
        writes = raw.writes(next(day))
        begun_s = time.perf_counter()
        raw.commit_one(writes)
        took_s.append(time.perf_counter() - begun_s)
    raw.close()
    return took_s
