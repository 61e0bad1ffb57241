"""`make bench BENCH=ledger`, small: what it holds side by side is the same work, and every figure comes out."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path

import apsw
import pytest

from benchmarks import bench_ledger as bench
from benchmarks import ledger_rows as rows
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Transaction

TABLES = ("journal", "command", "balance")
COMMANDS = 2 * rows.COMMANDS_A_BLOCK
SEED = 7


def _content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    content = {table: sorted(connection.execute(f"SELECT * FROM {table}")) for table in TABLES}
    connection.close()
    return content


async def _through_store(folder: Path) -> None:
    asked = list(map(rows.arrived, rows.cmd_ids(SEED), map(rows.step, range(COMMANDS))))

    def work(tx: Transaction) -> None:
        for one in asked:
            rows.through_store(tx, one)

    async with bench.opened(folder) as store:
        await store.write(work)


def _raw_one_by_one(folder: Path) -> None:
    raw = rows.RawFile(rows.path_in(folder))
    for made in islice(rows.day(rows.cmd_ids(SEED)), COMMANDS):
        raw.commit_one(raw.writes(made))
    raw.close()


def _raw_together(folder: Path) -> None:
    raw = rows.RawFile(rows.path_in(folder))
    raw.commit_many(raw.together(islice(rows.day(rows.cmd_ids(SEED)), COMMANDS)))
    raw.close()


def test_the_store_the_raw_limit_and_the_builder_write_exactly_the_same_rows(tmp_path: Path) -> None:
    asyncio.run(_through_store(tmp_path / "ours"))
    _raw_one_by_one(tmp_path / "one")
    _raw_together(tmp_path / "many")
    rows.build(tmp_path / "built", COMMANDS // rows.COMMANDS_A_BLOCK, seed=SEED)

    ours = _content(rows.path_in(tmp_path / "ours"))
    assert {table: len(found) for table, found in ours.items()} == {
        "journal": COMMANDS,
        "command": COMMANDS,
        "balance": 3 * 2 * rows.LIVES_SIDE_BY_SIDE,
    }
    for other in ("one", "many", "built"):
        assert _content(rows.path_in(tmp_path / other)) == ours


def test_a_built_ledger_verifies_and_a_broken_one_gives_no_figure(tmp_path: Path) -> None:
    rows.build(tmp_path, 1)
    result = bench.replay(tmp_path)
    assert (result.name, result.unit) == ("ledger.replay", "1/s")

    raw = apsw.Connection(str(rows.path_in(tmp_path)))
    raw.execute("UPDATE balance SET quantity = quantity + 1 WHERE bin <> '' AND sku_id = 'SKU-0001'")
    raw.close()
    with pytest.raises(RuntimeError, match="is not a ledger"):
        bench.replay(tmp_path)


def test_every_figure_comes_out_of_a_small_run_and_leaves_a_sound_ledger(tmp_path: Path) -> None:
    young, old = tmp_path / "young", tmp_path / "old"
    rows.build(young, 1)
    rows.build(old, 2)
    figures = [
        asyncio.run(bench.commit_p50(tmp_path / "commit", 60)),
        asyncio.run(bench.group_commit(tmp_path / "group", 1, 5)),
        *asyncio.run(bench.bulk(tmp_path / "bulk", 2, 50)),
        asyncio.run(bench.growth(young, old, 60)),
        bench.atp_p99(old, 200),
    ]

    assert [figure.name for figure in figures] == [
        "ledger.commit_p50",
        "ledger.group_commit",
        "ledger.bulk",
        "ledger.bytes",
        "ledger.growth",
        "ledger.atp_p99",
    ]
    for folder in ("commit", "group", "bulk", "young", "old"):
        reader = Reader(rows.path_in(tmp_path / folder))
        assert reader.verify()["ok"]
        reader.close()
