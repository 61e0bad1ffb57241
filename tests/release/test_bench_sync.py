"""`make bench BENCH=sync`, small: every figure comes out of real processes, and what drains arrives whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bench_sync as bench
from benchmarks import ledger_rows as rows
from benchmarks import sync_drain, sync_live, sync_recover, sync_storm
from support.postgres import find_binaries

pytestmark = [pytest.mark.system]


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a figure waits for so that the machine is quiet adds nothing to a test."""
    monkeypatch.setattr(sync_drain, "SETTLE_S", 0.0)
    monkeypatch.setattr(sync_live, "SETTLE_S", 0.0)
    monkeypatch.setattr(sync_recover, "BETWEEN_S", 0.0)


def test_a_small_day_drains_into_every_database_that_is_there(tmp_path: Path) -> None:
    figures = list(bench.drains(tmp_path, blocks=2))

    names = ["sync.drain", "sync.drain_to_jetstream", "sync.bytes"]
    if find_binaries() is not None:
        names += ["sync.drain_pg", "sync.drain_pg_to_jetstream"]
    assert [figure.name for figure in figures] == names
    assert all(figure.value > 0 for figure in figures)


async def test_what_the_raw_stream_carries_is_what_the_node_would_send(tmp_path: Path) -> None:
    rows.build(tmp_path / "ledger", 1)
    journal = sync_drain.recorded(tmp_path / "ledger")
    assert [one.seq for one in journal] == list(range(1, rows.COMMANDS_A_BLOCK + 1))
    assert await sync_drain.raw_jetstream(tmp_path, journal) > 0


async def test_every_lag_is_told_and_none_is_before_the_commit(tmp_path: Path) -> None:
    middle, last = await sync_live.lag(tmp_path, seconds=1.0, nodes=2, events_per_s=40)
    assert (middle.name, last.name) == ("sync.lag_p50", "sync.lag_p99")
    assert 0 < middle.value <= last.value


async def test_bytes_are_told_by_hour_and_by_event(tmp_path: Path) -> None:
    idle, calm, busy = await sync_live.wire(tmp_path, seconds=2.0)
    assert [one.name for one in (idle, calm, busy)] == [
        "sync.bytes_idle_hour",
        "sync.bytes_live_1",
        "sync.bytes_live_20",
    ]
    assert busy.value > 0


async def test_each_part_is_killed_and_all_is_current_again(tmp_path: Path) -> None:
    figures = await sync_recover.recover(tmp_path, rounds=1)
    assert [one.name for one in figures] == [
        "sync.recover_p99",
        *(f"sync.recover_{kind}_max" for kind in sync_recover.RESTART_S),
    ]
    assert figures[0].value == max(one.value for one in figures[1:])


async def test_a_small_storm_ends_with_all_current(tmp_path: Path) -> None:
    figures = await sync_storm.storm(tmp_path, nodes=6, processes=2, backlog=5, away_s=0.2)
    assert [one.name for one in figures] == ["sync.storm", "sync.storm_rate"]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert sync_live.percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert sync_live.percentile([float(one) for one in range(1, 201)], 99) == 198.0
    assert sync_live.percentile([7.0], 99) == 7.0
