"""What the writer takes for granted to be quick is checked by the file, and never changes an answer.

It remembers how many units it has brought somewhere at least, and takes the ids behind a new one for new.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bodega.core.commands import decode
from bodega.core.deadline import BootTime
from bodega.core.ledger import DOCK, Account, Disposition, Goods, Posting
from bodega.errors import BodegaError, Refused, Unavailable
from bodega.v1 import stock_pb2
from bodega_agent.store import ledger, pending, rights
from bodega_agent.store.commands import run
from bodega_agent.store.pending import Pending
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.command_bodies import PHYSICAL, PROMISES
from support.long_run import by_length
from support.node_under_test import opened_store
from support.small_ledger import stock_catalogue

Json = dict[str, Any]
Job = Callable[[Transaction], Any]
SHELF = "A-01"


async def together(store: Store, *jobs: Job) -> list[Any]:
    """Answers or errors of jobs that share a commit: they queue up while the writer is busy."""
    busy = asyncio.Event()
    release = asyncio.get_running_loop().create_future()

    def hold(_tx: Transaction) -> None:
        store._loop.call_soon_threadsafe(busy.set)
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(release, 30), store._loop).result()

    first = asyncio.ensure_future(store.write(hold))
    await busy.wait()
    waiting = [store._writer.submit(job) for job in jobs]
    release.set_result(None)
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


def _command(command: str, cmd_id: str, **fields: Any) -> Job:
    body = {"command": command, "cmd_id": cmd_id, "sku_id": "PLAIN", **fields}
    return lambda tx: run(tx, Context(cmd_id, actor="ana"), decode(body))


def _receive(cmd_id: str, quantity: int) -> Job:
    return _command("receive", cmd_id, quantity=quantity)


def _put_away(cmd_id: str, quantity: int) -> Job:
    return _command("put_away", cmd_id, quantity=quantity, to_bin_id=SHELF)


async def _books(store: Store) -> tuple[dict[str, int], list[Json]]:
    """Units by bin, and open discrepancies; the ledger must be sound."""
    report = await store.read(Reader.verify)
    assert report["ok"], report
    rows = await store.read(lambda reader: reader.rows("SELECT bin, quantity FROM balance WHERE bin <> ''"))
    found = await store.read(lambda reader: reader.rows("SELECT bin, difference FROM discrepancy"))
    return {row["bin"]: row["quantity"] for row in rows}, found


async def test_goods_taken_before_they_came_are_found_though_they_come_within_the_same_commit(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        await store.write(stock_catalogue)
        await store.write(_receive("r1", 1))
        await together(store, _put_away("p1", 5), _receive("r2", 5))
        units, found = await _books(store)
        assert units == {DOCK: 5, SHELF: 5}
        assert found == [{"bin": DOCK, "difference": 4}]


async def test_goods_that_came_before_within_the_same_commit_count_before_they_are_written(
    tmp_path: Path,
) -> None:
    def receive(tx: Transaction) -> None:
        # The first event of all asks the file a question, and so has what waits written.
        for sku_id in ("OTHER", "PLAIN"):
            ledger.move(tx, Context("r"), "receive", [Goods(sku_id, 5)], target_bin=DOCK)

    def put_away(tx: Transaction) -> None:
        ledger.move(tx, Context("p"), "put_away", [Goods("PLAIN", 3)], source_bin=DOCK, target_bin=SHELF)

    with opened_store(tmp_path) as store:
        await together(store, receive, put_away, put_away)
        units, found = await _books(store)
        assert units == {DOCK: 5, SHELF: 6}
        assert found == [{"bin": DOCK, "difference": 1}]


async def test_a_command_that_comes_again_behind_a_new_one_gets_its_stored_result(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store, capture_logs() as logs:
        await store.write(stock_catalogue)
        first = await store.write(_receive("again", 5))
        answers = await together(store, _receive("new", 1), _receive("again", 5), _receive("newer", 1))
        assert answers[1] == first
        assert [answer["seqs"] for answer in answers] == [[2], [1], [3]]
        assert (await _books(store))[0] == {DOCK: 7}
        assert not [entry for entry in logs if entry["log_level"] == "error"], "nothing has failed"


async def test_one_job_of_many_commands_finds_out_too_which_of_them_it_knows(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await store.write(stock_catalogue)
        before = await store.write(_receive("again", 5))
        answers = await store.write(lambda tx: [_receive("new", 1)(tx), _receive("again", 5)(tx)])
        assert answers[1] == before
        assert (await _books(store))[0] == {DOCK: 6}


async def test_a_part_that_may_fail_by_itself_looks_every_id_up(tmp_path: Path) -> None:
    """Its failure is lived with, so a guess must not be what makes it."""

    def refuse_the_second_time(tx: Transaction) -> Json:
        if tx.one("SELECT 1 FROM meta WHERE key = 'done'"):
            raise Refused("it is done already")
        tx.put("done", 1)
        return {"done": 1}

    def in_parts(tx: Transaction) -> list[str]:
        answers = []
        _receive("new", 1)(tx)
        for cmd_id in ("newer", "again"):
            try:
                with tx.all_or_nothing():
                    work = refuse_the_second_time if cmd_id == "again" else _receive("newer", 1)
                    tx.once(cmd_id, {"id": cmd_id}, lambda work=work: work(tx))
                answers.append("done")
            except BodegaError as error:
                answers.append(error.message)
        return answers

    with opened_store(tmp_path) as store:
        await store.write(stock_catalogue)
        await store.write(lambda tx: tx.once("again", {"id": "again"}, lambda: refuse_the_second_time(tx)))
        assert await store.write(in_parts) == ["done", "done"]


@pytest.mark.parametrize("fault", [apsw.FullError, apsw.IOError])
async def test_a_disk_that_fails_at_the_second_try_is_what_the_callers_hear_of(
    tmp_path: Path, fault: type[apsw.Error]
) -> None:
    tries: list[int] = []

    def fail_at_the_second_try(_tx: Transaction) -> None:
        tries.append(1)
        if len(tries) == 2:
            raise fault("the disk fails")

    with opened_store(tmp_path) as store:
        await store.write(stock_catalogue)
        first = await store.write(_receive("again", 5))
        answers = await together(store, fail_at_the_second_try, _receive("new", 1), _receive("again", 5))
        assert [type(answer) for answer in answers] == [Unavailable] * 3
        assert await store.write(_receive("again", 5)) == first
        assert (await _books(store))[0] == {DOCK: 5}


async def test_goods_that_vanish_behind_the_writers_back_are_still_scanned(tmp_path: Path) -> None:
    """A scan is never refused, whatever somebody did to the file; that the file is wrong, `verify` says."""
    with opened_store(tmp_path) as store:
        await store.write(stock_catalogue)
        await store.write(_receive("r1", 5))
        other = apsw.Connection(str(tmp_path / "ledger.db"))
        other.execute("UPDATE balance SET quantity = 2 WHERE bin = ?", (DOCK,))
        other.close()
        answer = await store.write(_put_away("p1", 4))
        assert [found["difference"] for found in answer["discrepancies"]] == [2]
        assert not (await store.read(Reader.verify))["balances_ok"]


async def test_what_is_rolled_back_was_never_there(tmp_path: Path) -> None:
    def receive_and_fail(tx: Transaction) -> None:
        _receive("r1", 50)(tx)
        raise Refused("changed my mind")

    with opened_store(tmp_path) as store:
        await store.write(stock_catalogue)
        with pytest.raises(Refused):
            await store.write(receive_and_fail)
        answer = await store.write(_put_away("p1", 5))
        assert [found["difference"] for found in answer["discrepancies"]] == [5]


def test_balances_are_remembered_up_to_the_bound_and_then_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "BALANCES_REMEMBERED_MAX", 2)
    waiting = Pending()
    accounts = [Account("SKU-1", bin_id, Disposition.SELLABLE) for bin_id in ("A", "B", "C")]
    for account in accounts[:2]:
        waiting.post([Posting(account, 3), Posting(Account("SKU-1", external="supplier"), -3)])
    assert [waiting.units_at_least.get(account, 0) for account in accounts] == [3, 3, 0]
    waiting.post([Posting(accounts[0], -3), Posting(accounts[1], 3)])
    assert dict(waiting.units_at_least) == {accounts[1]: 6}, "a place that is empty takes no room"
    waiting.post([Posting(accounts[1], -2), Posting(accounts[0], 1), Posting(accounts[2], 1)])
    assert not waiting.units_at_least


def test_in_the_midst_of_a_movement_an_account_may_be_below_zero() -> None:
    waiting, account = Pending(), Account("SKU-1", SHELF, Disposition.SELLABLE)
    waiting.post([Posting(account, -3), Posting(account, 5)])
    assert waiting.units_at_least[account] == 2


async def test_lines_of_one_command_that_take_from_one_place_are_summed(tmp_path: Path) -> None:
    line = {"sku_id": "PLAIN", "quantity": 2}
    body = {"command": "put_away", "cmd_id": "p", "lines": [line, line], "to_bin_id": SHELF}
    with opened_store(tmp_path) as store:
        await store.write(stock_catalogue)
        await store.write(_receive("r1", 1))
        await store.write(lambda tx: tx.pending.forget())
        # Of the three that are there, two are known: enough for one line, not for both.
        await store.write(_receive("r2", 2))
        await store.write(_sent(body))
        units, found = await _books(store)
        assert units == {SHELF: 4}
        assert found == [{"bin": DOCK, "difference": 1}]


_PLAIN = st.fixed_dictionaries({"sku_id": st.just("PLAIN"), "quantity": st.integers(1, 4)})
_FREQUENT = st.one_of(
    _PLAIN.map(lambda line: {**line, "command": "receive"}),
    _PLAIN.map(lambda line: {**line, "command": "put_away", "to_bin_id": "A-01"}),
    _PLAIN.map(lambda line: {**line, "command": "pick", "bin_id": "A-01", "to_bin_id": "A-02"}),
)
_BODIES = st.one_of(_FREQUENT, _FREQUENT, *PHYSICAL.values(), *PROMISES.values())
_SENT = st.builds(lambda body, number: {**body, "cmd_id": f"c{number}"}, _BODIES, st.integers(1, 12))
_GRANTED = stock_pb2.RightsGranted(transfer_id="G", sku_id="PLAIN", quantity=5)
_BATCHES = st.lists(st.lists(_SENT, min_size=1, max_size=6), min_size=1, max_size=5)


def _sent(body: Json) -> Job:
    return lambda tx: run(tx, Context("unused", actor="ana"), decode(body))


def _as_told(answer: object) -> object:
    return (type(answer), answer.message, answer.faults) if isinstance(answer, BodegaError) else answer


async def _day(folder: Path, batches: Sequence[Sequence[Json]], *, shared: bool) -> tuple[list[Any], ...]:
    """Answers, and all that the file says in the end."""
    answers: list[Any] = []
    with opened_store(folder, now_ms=lambda: 1, clock=lambda: BootTime("boot", 1)) as store:
        await store.write(stock_catalogue)
        await store.write(lambda tx: rights.take(tx, Context("hub"), _GRANTED))
        for batch in batches:
            if shared:
                answers += await together(store, *map(_sent, batch))
                continue
            for body in batch:
                # Nothing is remembered of the one before.
                await store.write(lambda tx: tx.pending.forget())
                answers += await asyncio.gather(store.write(_sent(body)), return_exceptions=True)
        report = await store.read(Reader.verify)
        assert report["ok"], report
        tables = [
            await store.read(lambda reader, table=table: reader.rows(f"SELECT * FROM {table}"))
            for table in ("journal", "command", "balance", "serial", "discrepancy", "reservation")
        ]
    return [_as_told(answer) for answer in answers], *tables


@settings(max_examples=by_length(60, 2_000), deadline=None)
@given(_BATCHES)
def test_commands_in_any_batches_come_out_as_each_alone_and_looked_up(batches: list[list[Json]]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        together_ = asyncio.run(_day(Path(one), batches, shared=True))
        apart = asyncio.run(_day(Path(other), batches, shared=False))
    assert together_ == apart
