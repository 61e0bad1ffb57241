"""Stock is shown by any mix of SKU, bin, lot, disposition and owner, and every view sums to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import fields
from itertools import combinations
from pathlib import Path

import pytest

from bodega.core.ledger import DOCK, Goods, LotSeen, stage_of
from bodega.core.recipes import Book, Places, book
from bodega_agent.store import ledger
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads import stock
from bodega_agent.store.reads.stock import GROUPS, StockFilter
from bodega_agent.store.transaction import Context, Transaction
from support.node_under_test import HubPen, opened_store

WHO = Context("cmd-1", actor="ana")


def _goods_of_two_brands(tx: Transaction) -> None:
    for lot, quantity, owner in (("L1", 5, ""), ("L2", 7, ""), ("L1", 2, "ACME")):
        oats = Goods("OAT", quantity, lot=lot, owner=owner)
        ledger.move(tx, WHO, "receive", [oats], target_bin=DOCK)
        ledger.move(tx, WHO, "put_away", [oats], source_bin=DOCK, target_bin="A-01-01")
    tx.execute("INSERT INTO lot(sku_id, lot, expiry) VALUES ('OAT', 'L2', '2026-12-01')")
    phones = Goods("PHONE", 2, serials=("S1", "S2"))
    ledger.move(tx, WHO, "receive", [phones], target_bin=DOCK)
    ledger.move(
        tx, WHO, "pick", [Goods("OAT", 1, lot="L1")], source_bin="B-02-01", target_bin=stage_of("FO-1")
    )


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("node")

    async def fill() -> None:
        with opened_store(folder) as store:
            await store.write(_goods_of_two_brands)

    asyncio.run(fill())
    reader = Reader(folder / "ledger.db")
    yield reader
    reader.close()


def _units(rows: list[dict[str, object]]) -> int:
    return sum(int(str(row["quantity"])) for row in rows)


@pytest.mark.parametrize(
    ("wanted", "units"),
    [
        (StockFilter(), 17),
        (StockFilter(sku_id="OAT"), 15),
        (StockFilter(bin_id=DOCK), 2),
        (StockFilter(lot="L1"), 8),
        (StockFilter(disposition="in_progress"), 3),
        (StockFilter(owner="ACME"), 2),
        (StockFilter(sku_id="OAT", lot="L1", disposition="sellable_accessible", bin_id="A-01-01"), 7),
        (StockFilter(sku_id="PHONE", lot="L1"), 0),
    ],
)
def test_filters_combine(node: Reader, wanted: StockFilter, units: int) -> None:
    assert _units(node.stock(wanted)) == units


@pytest.mark.parametrize("groups", [group for n in (1, 2, 5) for group in combinations(GROUPS, n)])
def test_whatever_stock_is_summed_by_the_sum_stays(node: Reader, groups: tuple[str, ...]) -> None:
    rows = stock.summed(node, StockFilter(sku_id="OAT"), groups)
    assert _units(rows) == 15
    keys = [tuple(row[GROUPS[group]] for group in groups) for row in rows]
    assert len(set(keys)) == len(keys)


def test_every_way_to_filter_is_a_way_to_group(node: Reader) -> None:
    assert len(GROUPS) == len(fields(StockFilter))


def test_lots_come_with_the_soonest_expiry_first_and_the_unknown_last(node: Reader) -> None:
    lots = stock.lots(node)
    assert [(row["lot"], row["expiry"], row["sellable"], row["on_hand"]) for row in lots] == [
        ("L2", "2026-12-01", 7, 7),
        ("L1", "", 7, 8),
    ]


def test_a_serial_number_is_found_wherever_it_is_and_only_there(node: Reader) -> None:
    (found,) = stock.serials(node, "S1")
    assert (found["sku_id"], found["bin"], found["external"]) == ("PHONE", DOCK, "")
    assert [row["serial"] for row in stock.serials(node)] == ["S1", "S2"]
    assert stock.serials(node, "S1", StockFilter(sku_id="OAT")) == []
    assert stock.serials(node, "S9") == []


def test_a_unit_that_has_left_the_node_is_told_by_where_it_went(tmp_path: Path) -> None:
    async def leave() -> None:
        with opened_store(tmp_path) as store:

            def work(tx: Transaction) -> None:
                phone = Goods("PHONE", 1, serials=("S1",))
                for command, source, target in (("receive", "", DOCK), ("put_away", DOCK, "A-01-01")):
                    ledger.move(tx, WHO, command, [phone], source_bin=source, target_bin=target)
                ledger.move(tx, WHO, "post", [phone], source_bin="A-01-01")

            await store.write(work)

    asyncio.run(leave())
    reader = Reader(tmp_path / "ledger.db")
    (found,) = stock.serials(reader, "S1")
    listed = stock.serials(reader)
    reader.close()
    assert (found["bin"], found["external"]) == ("", "customer")
    assert listed == [], "it is not in the node any more"


def test_open_differences_are_listed_until_they_are_closed(node: Reader) -> None:
    (found,) = stock.discrepancies(node)
    assert (found["bin"], found["sku_id"], found["lot"], found["difference"]) == ("B-02-01", "OAT", "L1", 1)
    assert found["at_ms"] is not None
    assert stock.discrepancies(node, StockFilter(bin_id="A-01-01")) == []


async def test_stock_has_the_names_of_the_catalogue(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        sku_id = await HubPen(store).sku(1)
        await store.write(
            lambda tx: ledger.move(tx, WHO, "receive", [Goods(sku_id, 1)], target_bin=DOCK) and None
        )
        (row,) = await store.read(Reader.stock)
        assert row["name"] == "Product 1"


def test_a_learned_expiry_is_shown_with_its_lot(tmp_path: Path) -> None:
    async def learn() -> None:
        with opened_store(tmp_path) as store:

            def work(tx: Transaction) -> None:
                booked = book("receive", [Goods("OAT", 1, lot="L7")], Book({}), Places("", DOCK)).movement
                seen = (LotSeen("OAT", "L7", "2027-03-31"),)
                ledger.record(
                    tx, WHO, type(booked)(booked.command, booked.biz_step, booked.postings, lots=seen)
                )

            await store.write(work)

    asyncio.run(learn())
    reader = Reader(tmp_path / "ledger.db")
    (row,) = stock.lots(reader)
    reader.close()
    assert (row["expiry"], row["sellable"], row["on_hand"]) == ("2027-03-31", 0, 1)
