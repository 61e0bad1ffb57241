"""The writer's promises to its callers: answered after the commit, nobody falls with a neighbour, nothing in doubt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import pytest

from bodega.core.ledger import DOCK, Account, Disposition, Goods, Posting
from bodega.errors import InvalidInput, Unavailable
from bodega.limits import COMMANDS_PER_COMMIT_MAX, COMMANDS_WAITING_MAX, PENDING_EVENTS_MAX
from bodega_agent.store import ledger, standing
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.node_under_test import opened_store


def _receive(tx: Transaction, units: int = 1) -> int:
    return ledger.move(tx, Context("c", actor="ana"), "receive", [Goods("SKU-1", units)], target_bin=DOCK)


async def _verified_events(store: Store) -> int:
    report = await store.read(Reader.verify)
    assert report["ok"], report
    return int(report["events"])


@pytest.mark.parametrize("neighbours", [0, 3])
async def test_a_job_that_fails_after_it_wrote_leaves_nothing_alone_or_beside_others(
    tmp_path: Path, neighbours: int
) -> None:
    def write_and_fail(tx: Transaction) -> None:
        _receive(tx)
        tx.put("down_seq", 99)
        raise InvalidInput("changed my mind")

    with opened_store(tmp_path) as store:
        answers = await asyncio.gather(
            store.write(write_and_fail),
            *(store.write(_receive) for _ in range(neighbours)),
            return_exceptions=True,
        )
        assert isinstance(answers[0], InvalidInput)
        assert answers[1:] == list(range(1, neighbours + 1))
        assert await store.write(_receive) == neighbours + 1
        assert await _verified_events(store) == neighbours + 1
        assert await store.write(lambda tx: tx.get("down_seq")) is None


async def test_a_job_that_ends_with_stop_iteration_is_answered_and_so_are_its_neighbours(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        answers = await asyncio.gather(
            store.write(lambda _tx: next(iter(()))), store.write(_receive), return_exceptions=True
        )
        assert isinstance(answers[0], RuntimeError)
        assert answers[1] == 1


async def test_who_stops_waiting_does_not_undo_the_work_and_the_others_are_answered(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        gone = asyncio.ensure_future(store.write(_receive))
        stays = asyncio.ensure_future(store.write(_receive))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == 2
        assert await _verified_events(store) == 2


async def test_callers_that_come_together_share_commits_up_to_the_bound(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        heads: list[int] = []
        store._writer._on_commit = heads.append
        await asyncio.gather(*(store.write(_receive) for _ in range(COMMANDS_PER_COMMIT_MAX + 1)))
        # The writer may be quick and begin with the first; it never takes more than the bound.
        sizes = [head - before for before, head in zip([0, *heads], heads, strict=False)]
        assert sum(sizes) == COMMANDS_PER_COMMIT_MAX + 1
        assert max(sizes) <= COMMANDS_PER_COMMIT_MAX
        assert len(sizes) <= 3


async def test_too_many_that_wait_are_refused_at_once_and_the_others_are_done(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        held = asyncio.Event()
        release = asyncio.get_running_loop().create_future()

        def hold(_tx: Transaction) -> None:
            store._loop.call_soon_threadsafe(held.set)
            asyncio.run_coroutine_threadsafe(asyncio.wait_for(release, 30), store._loop).result()

        first = asyncio.ensure_future(store.write(hold))
        await held.wait()
        waiting = [store._writer.submit(lambda _tx: 1) for _ in range(COMMANDS_WAITING_MAX)]
        with pytest.raises(Unavailable, match="wait for the disk"):
            await store.write(lambda _tx: 1)
        release.set_result(None)
        await first
        assert sum(await asyncio.gather(*waiting)) == COMMANDS_WAITING_MAX


async def test_an_account_that_comes_to_zero_has_no_row_and_a_bin_never_goes_below(tmp_path: Path) -> None:
    bin_account = Account("SKU-1", bin=DOCK, disposition=Disposition.IN_PROGRESS)
    outside = Account("SKU-1", external="supplier")

    def rows(tx: Transaction) -> list[tuple[object, ...]]:
        return sorted(tx.execute("SELECT bin, external, quantity FROM balance"))

    with opened_store(tmp_path) as store:
        await store.write(lambda tx: tx.pending.post([Posting(outside, -2), Posting(bin_account, 2)]))
        assert await store.write(rows) == [("", "supplier", -2), (DOCK, "", 2)]
        for units in (3, 1_000):
            with pytest.raises(apsw.ConstraintError, match="CHECK"):
                await store.write(lambda tx, units=units: tx.pending.post([Posting(bin_account, -units)]))
        await store.write(lambda tx: tx.pending.post([Posting(bin_account, -2), Posting(outside, 2)]))
        assert await store.write(rows) == []
        with pytest.raises(apsw.ConstraintError, match="CHECK"):
            await store.write(lambda tx: tx.pending.post([Posting(bin_account, -1)]))


async def test_what_may_be_promised_reads_the_open_lines_of_the_sku_and_no_others(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        plan = await store.write(
            lambda tx: [
                row[3] for row in tx.execute(f"EXPLAIN QUERY PLAN {standing._HUB_RESERVED}", ("SKU-1",))
            ]
        )
        assert plan[0] == "SEARCH l USING INDEX fulfillment_line_open (sku_id=?)"


@pytest.mark.parametrize("fault", [apsw.FullError, apsw.IOError])
async def test_what_a_failing_disk_left_unwritten_is_not_written_by_the_next_commit(
    tmp_path: Path, fault: type[apsw.Error]
) -> None:
    def write_until_the_disk_fails(tx: Transaction) -> None:
        _receive(tx, 5)
        raise fault("the disk fails before anything is flushed")

    with opened_store(tmp_path) as store:
        assert await store.write(_receive) == 1
        with pytest.raises(Unavailable):
            await store.write(write_until_the_disk_fails)
        assert await store.write(_receive) == 2
        assert await _verified_events(store) == 2
        stock = await store.read(Reader.stock)
        assert [row["quantity"] for row in stock] == [2]


async def test_a_job_with_more_events_than_wait_in_memory_is_written_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    def moves(tx: Transaction, number: int) -> None:
        for one in range(number):
            ledger.move(tx, Context(f"c-{one}"), "receive", [Goods("SKU-1", 1)], target_bin=DOCK)

    def refused(tx: Transaction) -> None:
        moves(tx, PENDING_EVENTS_MAX + 1)
        assert list(tx.peek("SELECT count(*) FROM journal", ())) == [(PENDING_EVENTS_MAX,)]
        raise InvalidInput("after a part of it was written")

    with opened_store(tmp_path) as store:
        with pytest.raises(InvalidInput):
            await store.write(refused)
        assert (await store.read(Reader.head)).seq == 0
        for number in (PENDING_EVENTS_MAX, PENDING_EVENTS_MAX + 1):
            await store.write(lambda tx, number=number: moves(tx, number))
        assert (await store.read(Reader.head)).seq == 2 * PENDING_EVENTS_MAX + 1
        assert (await store.read(Reader.verify))["ok"]
