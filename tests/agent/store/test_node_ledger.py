"""The node's ledger on a real file: it records, adds up, explains itself, and can not be rewritten."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import pytest

from bodega.codec import parse_node_event
from bodega.core.ledger import DOCK, Goods
from bodega.errors import IdempotencyMismatch, InvalidInput, SchemaTooNew
from bodega_agent.store import ledger
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Context, Transaction
from support.node_under_test import HubPen, opened_store


def _context(number: int = 1) -> Context:
    return Context(f"cmd-{number}", actor="ana", device="scanner-1")


def _receive_and_put_away(tx: Transaction) -> None:
    ledger.move(tx, _context(1), "receive", [Goods("SKU-1", 5)], target_bin=DOCK)
    ledger.move(tx, _context(2), "put_away", [Goods("SKU-1", 5)], source_bin=DOCK, target_bin="A-01-01")


async def test_goods_received_and_put_away_stand_in_their_bin_and_the_journal_verifies(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        await store.write(_receive_and_put_away)

        stock = await store.read(Reader.stock)
        assert [(row["bin"], row["sku_id"], row["disposition"], row["quantity"]) for row in stock] == [
            ("A-01-01", "SKU-1", "sellable_accessible", 5)
        ]
        assert await store.read(Reader.verify) == {
            "ok": True,
            "events": 2,
            "from_seq": 1,
            "archives": 0,
            "first_bad_seq": None,
            "balances_ok": True,
            "problem": "",
            "notes": [],
        }


async def test_a_unit_in_hand_that_the_book_does_not_hold_is_found_and_never_refused(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await store.write(_receive_and_put_away)
        await store.write(
            lambda tx: ledger.move(
                tx, _context(3), "pick", [Goods("SKU-1", 7)], source_bin="A-01-01", target_bin="STAGE-FO-1"
            )
        )

        events = await store.read(lambda reader: reader.journal())
        facts = [row["fact"] for row in events]
        assert facts == ["movement", "movement", "movement", "discrepancy_opened"]
        discrepancy = parse_node_event(events[-1]["body"]).discrepancy_opened
        assert (discrepancy.bin_id, discrepancy.difference, discrepancy.reason) == ("A-01-01", 2, "found")
        assert (await store.read(Reader.verify))["ok"]


async def test_the_journal_can_not_be_changed_or_shortened(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await store.write(_receive_and_put_away)

        def change(tx: Transaction) -> None:
            tx.execute("UPDATE journal SET body = x'00' WHERE seq = 1")

        def shorten(tx: Transaction) -> None:
            tx.execute("DELETE FROM journal WHERE seq = 2")

        for attempt in (change, shorten):
            with pytest.raises(apsw.ConstraintError, match="append-only"):
                await store.write(attempt)
        assert (await store.read(Reader.verify))["ok"]


@pytest.mark.parametrize(
    ("tampering", "problem"),
    [
        ("UPDATE journal SET body = body || x'00' WHERE seq = 1", "event 1 does not hash"),
        ("DELETE FROM journal WHERE seq = 1", "event 1 is missing"),
        (
            "UPDATE balance SET quantity = quantity + 1 WHERE bin = 'A-01-01'",
            "the balance of SKU-1 in A-01-01 is 6, its events add up to 5",
        ),
    ],
)
async def test_tampering_behind_our_back_is_named(tmp_path: Path, tampering: str, problem: str) -> None:
    with opened_store(tmp_path) as store:
        await store.write(_receive_and_put_away)
    raw = apsw.Connection(str(tmp_path / "ledger.db"))
    raw.execute("DROP TRIGGER journal_is_append_only_update; DROP TRIGGER journal_is_append_only_delete")
    raw.execute(tampering)
    raw.close()

    reader = Reader(tmp_path / "ledger.db")
    report = reader.verify()
    reader.close()
    assert not report["ok"]
    assert problem in report["problem"]


async def test_commands_that_wait_together_share_a_commit_and_one_failure_takes_no_other_with_it(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:

        async def receive(number: int) -> int:
            goods = Goods("SKU-1", -1 if number == 7 else number)
            return await store.write(
                lambda tx: ledger.move(tx, _context(number), "receive", [goods], target_bin=DOCK)
            )

        results = await asyncio.gather(*(receive(number) for number in range(1, 21)), return_exceptions=True)

        failures = [result for result in results if isinstance(result, BaseException)]
        assert len(failures) == 1
        assert isinstance(failures[0], InvalidInput)
        stock = await store.read(Reader.stock)
        assert stock[0]["quantity"] == sum(range(1, 21)) - 7
        assert (await store.read(Reader.verify))["events"] == 19


async def test_the_same_command_id_gives_the_stored_result_and_another_body_is_an_error(
    tmp_path: Path,
) -> None:
    with opened_store(tmp_path) as store:
        done: list[int] = []

        def command(body: str) -> object:
            def work(tx: Transaction) -> dict[str, object]:
                def once() -> dict[str, object]:
                    done.append(1)
                    return {"n": len(done)}

                return tx.once("cmd-1", {"body": body}, once)

            return store.write(work)

        assert await command("a") == {"n": 1}
        assert await command("a") == {"n": 1}
        with pytest.raises(IdempotencyMismatch):
            await command("b")
        assert done == [1]


async def test_a_ledger_of_a_newer_bodega_is_refused(tmp_path: Path) -> None:
    with opened_store(tmp_path):
        pass
    raw = apsw.Connection(str(tmp_path / "ledger.db"))
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(SchemaTooNew, match="version 99"), opened_store(tmp_path):
        pass


async def test_a_ledger_of_another_node_is_refused(tmp_path: Path) -> None:
    with opened_store(tmp_path, node_id="lisbon-01"):
        pass
    with (
        pytest.raises(InvalidInput, match="belongs to node 'lisbon-01'"),
        opened_store(tmp_path, node_id="porto-01"),
    ):
        pass


@pytest.mark.parametrize(
    "unknown",
    [b"\xfa\x3f\x03abc", b"\xff\xff\xff"],
    ids=["field 1023, which no version that we know has", "no message at all"],
)
async def test_a_hub_event_that_is_not_understood_is_parked_byte_for_byte_and_stalls_nothing(
    tmp_path: Path, unknown: bytes
) -> None:
    with opened_store(tmp_path) as store:
        hub = HubPen(store)
        await hub.write_bytes(unknown)
        sku_id = await hub.sku(1)

        parked = await store.write(lambda tx: list(tx.execute("SELECT seq, body FROM parked")))
        assert parked == [(1, unknown)]
        assert (await store.down_head()).seq == 2
        assert await store.write(lambda tx: tx.one("SELECT name FROM sku WHERE sku_id = ?", (sku_id,)))
