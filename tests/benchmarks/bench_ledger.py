"""The node's ledger: commits, group commit, bulk, growth to five million events, replay, and "what may I sell?".

Ours is the whole way of a command: `Store.write`, its id, the rules, the journal and the balances, answered after
the commit is on the disk. The raw limit is apsw alone inserting the same rows (ledger_rows.py) with the same
pragmas. Both take turns in short blocks, so that a slow minute of the machine hits both; medians are compared.
Bars, for a quiet machine: `commit_p50` ratio <= 2.0; `group_commit` (32 callers at once against one) >= 5;
`bulk` (500 commands a commit) >= 0.4; `growth` (p50 at 5,000,000 events against 10,000) <= 1.2; `replay` (what
`bodega ledger verify` does) >= 100,000 events/s; `atp_p99` <= 1 ms (beside it, reading the sellable units and
nothing else). `bytes` is the file by movement, its limit the events alone.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from benchmarks import ledger_rows as rows
from benchmarks.result import Result
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads import atp
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction

NAME = "ledger"

COMMITS = 3_000
COMMITS_A_BLOCK = 50
CALLERS = 32
GROUP_ROUNDS = 7
COMMANDS_A_CALLER = 60
BULK_COMMITS = 60
COMMANDS_A_BULK_COMMIT = 500
YOUNG_BLOCKS = 10_000 // rows.COMMANDS_A_BLOCK
OLD_BLOCKS = 5_000_000 // rows.COMMANDS_A_BLOCK
ATP_QUESTIONS = 20_000
TODAY = "2026-11-22"

T = TypeVar("T")


def run() -> Iterator[Result]:
    """One result a figure."""
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as name:
        folder = Path(name)
        yield asyncio.run(commit_p50(folder / "commit", COMMITS))
        yield asyncio.run(group_commit(folder / "group", GROUP_ROUNDS, COMMANDS_A_CALLER))
        yield from asyncio.run(bulk(folder / "bulk", BULK_COMMITS))
        young, old = folder / "young", folder / "old"
        rows.build(young, YOUNG_BLOCKS)
        rows.build(old, OLD_BLOCKS)
        yield replay(old)
        yield asyncio.run(growth(young, old, COMMITS))
        yield atp_p99(old, ATP_QUESTIONS)


async def commit_p50(folder: Path, commits: int) -> Result:
    """One command at a time: microseconds from the call to the answer, beside raw apsw."""
    async with opened(folder) as store:
        ours = OneByOne(store)
        raw = rows.RawFile(folder / "raw.db")
        day = rows.day(rows.cmd_ids())
        ours_s: list[float] = []
        raw_s: list[float] = []
        for size in blocks(commits):
            ours_s += await ours.times(size)
            raw_s += [seconds(raw.commit_one, raw.writes(next(day))) for _ in range(size)]
        raw.close()
    return Result.against("ledger.commit_p50", median_us(ours_s), "us", median_us(raw_s))


async def group_commit(folder: Path, rounds: int, commands: int) -> Result:
    """Commands a second with 32 callers at once, beside one caller; medians of rounds that take turns."""
    alone: list[float] = []
    together: list[float] = []
    async with opened(folder) as store:
        ours = OneByOne(store)

        async def caller(asked: list[rows.Asked]) -> None:
            for one in asked:
                await ours.send(one)

        for _ in range(rounds):
            alone.append(1 / statistics.fmean(await ours.times(commands * 4)))
            # Dealt out in the order of the day, so that nobody ships what another has yet to pick.
            asked = [ours.next() for _ in range(CALLERS * commands)]
            begun = time.perf_counter()
            await asyncio.gather(*(caller(asked[number::CALLERS]) for number in range(CALLERS)))
            together.append(CALLERS * commands / (time.perf_counter() - begun))
    return Result.against(
        "ledger.group_commit", round(statistics.median(together)), "1/s", round(statistics.median(alone))
    )


async def bulk(folder: Path, commits: int, commands: int = COMMANDS_A_BULK_COMMIT) -> list[Result]:
    """Commands a second in jobs of many, beside raw apsw; then the file's bytes by movement."""
    async with opened(folder) as store:
        raw = rows.RawFile(folder / "raw.db")
        ids, day = rows.cmd_ids(), rows.day(rows.cmd_ids())
        ours_s: list[float] = []
        raw_s: list[float] = []
        for commit in range(commits):
            asked = [rows.arrived(next(ids), rows.step(commit * commands + n)) for n in range(commands)]

            def job(tx: Transaction, asked: list[rows.Asked] = asked) -> None:
                for one in asked:
                    rows.through_store(tx, one)

            begun = time.perf_counter()
            await store.write(job)
            ours_s.append(time.perf_counter() - begun)
            raw_s.append(seconds(raw.commit_many, raw.together(islice(day, commands))))
        raw.close()
    rate, raw_rate = (round(commands / statistics.median(times)) for times in (ours_s, raw_s))
    movements = commits * commands
    bodies = [row.event[4] for row in islice(rows.day(rows.cmd_ids()), movements)]
    event_bytes = sum(len(body) for body in bodies if isinstance(body, bytes))
    file_bytes = rows.path_in(folder).stat().st_size
    return [
        Result.against("ledger.bulk", rate, "1/s", raw_rate),
        Result.against(
            "ledger.bytes", round(file_bytes / movements), "bytes", round(event_bytes / movements)
        ),
    ]


def replay(folder: Path) -> Result:
    """Events a second through `Reader.verify`, beside reading and hashing them and nothing else."""
    reader = Reader(rows.path_in(folder))
    begun = time.perf_counter()
    report = reader.verify()
    took_s = time.perf_counter() - begun
    reader.close()
    if not report["ok"]:
        raise RuntimeError(f"the file of the benchmark is not a ledger: {report['problem']}")
    events = report["events"]
    return Result.against(
        "ledger.replay", round(events / took_s), "1/s", round(events / seconds(rows.hash_all, folder))
    )


async def growth(young: Path, old: Path, commits: int) -> Result:
    """p50 of a commit in a file with five million events, beside a file with ten thousand."""
    young_s: list[float] = []
    old_s: list[float] = []
    async with opened(young) as young_store, opened(old) as old_store:
        at_young, at_old = OneByOne(young_store, seed=1), OneByOne(old_store, seed=1)
        for size in blocks(commits):
            young_s += await at_young.times(size)
            old_s += await at_old.times(size)
    return Result.against("ledger.growth", median_us(old_s), "us", median_us(young_s))


def atp_p99(folder: Path, questions: int) -> Result:
    """99th percentile of "how many of this SKU may I promise?", in milliseconds, SKU after SKU."""
    rows.promise(folder)
    reader = Reader(rows.path_in(folder))
    ours_s: list[float] = []
    raw_s: list[float] = []
    for number in range(questions):
        sku_id = f"SKU-{number % rows.SKUS:04}"
        ours_s.append(seconds(lambda wanted: atp.standings(reader, TODAY, [wanted]), sku_id))
        raw_s.append(seconds(lambda wanted: rows.sellable_alone(reader.connection, wanted), sku_id))
    reader.close()
    return Result.against("ledger.atp_p99", p99_ms(ours_s), "ms", p99_ms(raw_s))


class OneByOne:
    """Commands of the day for one store, each awaited before the next."""

    def __init__(self, store: Store, seed: int = 0) -> None:
        self._store = store
        self._ids = rows.cmd_ids(seed)
        self._number = 0

    async def times(self, commands: int) -> list[float]:
        """Seconds of each of the next commands, from the call to the answer."""
        times = []
        for _ in range(commands):
            asked = self.next()
            begun = time.perf_counter()
            await self.send(asked)
            times.append(time.perf_counter() - begun)
        return times

    def next(self) -> rows.Asked:
        """The next command, ready to be sent."""
        self._number += 1
        return rows.arrived(next(self._ids), rows.step(self._number - 1))

    async def send(self, asked: rows.Asked) -> None:
        """One command, the whole way."""
        await self._store.write(lambda tx: rows.through_store(tx, asked))


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Store]:
    """The store of a folder, new or not, with a clock that stands still as the one of the raw rows does."""
    store = Store(
        rows.path_in(folder),
        node_id=rows.NODE_ID,
        now_ms=lambda: rows.AT_MS,
        verify=lambda _key, _text: False,
    )
    try:
        yield store
    finally:
        store.close()


def blocks(total: int) -> list[int]:
    """Sizes of the blocks that take turns."""
    whole, rest = divmod(total, COMMITS_A_BLOCK)
    return [COMMITS_A_BLOCK] * whole + [rest] * bool(rest)


def seconds(work: Callable[[T], object], value: T) -> float:
    """How long one call takes."""
    begun = time.perf_counter()
    work(value)
    return time.perf_counter() - begun


def median_us(times_s: list[float]) -> float:
    """The median, in microseconds."""
    return round(statistics.median(times_s) * 1e6, 1)


def p99_ms(times_s: list[float]) -> float:
    """The 99th percentile, in milliseconds."""
    return round(statistics.quantiles(times_s, n=100)[98] * 1e3, 4)
