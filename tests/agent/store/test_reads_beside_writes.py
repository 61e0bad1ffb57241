"""Reads never block the writer: commits go on under a long question, and every answer is of one moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bodega.core.ledger import DOCK, Goods
from bodega_agent.store import ledger
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads import atp, stock
from bodega_agent.store.reads.histories import Search
from bodega_agent.store.reads.stock import StockFilter
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.bodega_command import answer, write_config
from support.node_under_test import opened_store

WHO = Context("cmd-1", actor="ana")
TODAY = "2026-11-22"
UNITS = 100
# What a file in memory would not wait for: the log of the journal would grow without end.
A_SYNC_S = 0.002
# More than SQLite gathers in a WAL before it checkpoints (1,000 pages of 4 KiB).
WAL_BYTES = 4 * 1024 * 1024
PADDING_BYTES = 512 * 1024


def _fill(tx: Transaction) -> None:
    goods = [Goods("OAT", UNITS)]
    ledger.move(tx, WHO, "receive", goods, target_bin=DOCK)
    ledger.move(tx, WHO, "put_away", goods, source_bin=DOCK, target_bin="A")


def _there_and_back(tx: Transaction) -> None:
    """Three moves after which everything lies as before; in between it does not."""
    for source, target in (("A", "B"), ("B", "C"), ("C", "A")):
        ledger.move(tx, WHO, "move", [Goods("OAT", 7)], source_bin=source, target_bin=target)


async def _grow(store: Store, wal: Path) -> int:
    """Commit three times as much as is checkpointed at once; the WAL's size then."""
    for _ in range(3 * WAL_BYTES // PADDING_BYTES):

        def work(tx: Transaction) -> None:
            _there_and_back(tx)
            tx.put("padding", bytes(PADDING_BYTES))

        await store.write(work)
    return wal.stat().st_size


async def test_commits_go_on_under_a_long_question_and_the_wal_is_used_again_after_it(tmp_path: Path) -> None:
    wal = tmp_path / "ledger.db-wal"
    with opened_store(tmp_path) as store:
        await store.write(_fill)
        slow = Reader(tmp_path / "ledger.db")
        with slow.snapshot():
            before = slow.head()
            grown = await _grow(store, wal)
            assert grown > 2 * WAL_BYTES, "nothing may be taken out of the WAL under a reader"
            assert (await store.read(Reader.head)).seq > before.seq
            assert slow.head() == before, "the question still sees its own moment"
        slow.close()
        after = await _grow(store, wal)
        assert after <= grown + WAL_BYTES, "the WAL is used again from its start"


@asynccontextmanager
async def _busy(store: Store) -> AsyncIterator[None]:
    """Writes with no more pause than a disk makes, as long as the block lasts."""
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            await store.write(_there_and_back)
            await asyncio.sleep(A_SYNC_S)

    writers = [asyncio.create_task(write()) for _ in range(4)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*writers)


async def test_every_answer_is_of_one_moment_whatever_is_written_meanwhile(tmp_path: Path) -> None:
    def ask() -> None:
        reader = Reader(tmp_path / "ledger.db")
        heads = set()
        for _ in range(60):
            assert sum(row["quantity"] for row in reader.stock()) == UNITS
            assert [row["quantity"] for row in stock.summed(reader, StockFilter(), ["sku"])] == [UNITS]
            (row,) = atp.standings(reader, TODAY)
            assert row["on_hand"] == row["sellable"] == UNITS
            found = atp.explain(reader, "OAT", TODAY, limit=3)
            assert found.lines[0].of == found.lines[0].part.units == UNITS
            heads.add(reader.head().seq)
        reader.close()
        assert len(heads) > 1, "nothing was written meanwhile"

    with opened_store(tmp_path) as store:
        await store.write(_fill)
        async with _busy(store):
            await asyncio.to_thread(ask)


async def test_a_command_in_its_own_process_reads_a_node_that_writes(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    with opened_store(tmp_path) as store:
        await store.write(_fill)
        async with _busy(store):
            for _ in range(2):
                rows = await asyncio.to_thread(answer, config, "stock")
                assert sum(row["quantity"] for row in rows) == UNITS


async def test_a_history_holds_no_snapshot_between_its_windows(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await store.write(_fill)
        reader = Reader(tmp_path / "ledger.db")
        windows = Search(reader, []).windows()
        next(windows)
        await store.write(_there_and_back)
        assert reader.head().seq == 5, "what was committed between two windows is seen"
        assert not reader.connection.in_transaction
        reader.close()
