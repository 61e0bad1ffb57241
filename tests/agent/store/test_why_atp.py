"""Why is ATP 3? The lines add up, and under each line stand the events that made it, all of them if asked."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bodega.core.ledger import DOCK, Goods
from bodega.errors import BodegaError, NotFound
from bodega.v1 import stock_pb2
from bodega_agent.store import ledger, promises, rights
from bodega_agent.store.reader import Reader
from bodega_agent.store.reads import atp
from bodega_agent.store.reads.atp import Explanation, Line
from bodega_agent.store.transaction import Context, Transaction
from support.node_under_test import HubPen, opened_store

TODAY = "2026-11-22"
EVERYTHING = 10_000
_numbers = itertools.count(1)


def _who() -> Context:
    return Context(f"cmd-{next(_numbers)}", actor="ana", device="scanner-1")


def _shelve(tx: Transaction, units: int, lot: str = "") -> None:
    goods = [Goods("SKU-1", units, lot=lot)]
    ledger.move(tx, _who(), "receive", goods, target_bin=DOCK)
    ledger.move(tx, _who(), "put_away", goods, source_bin=DOCK, target_bin="A-01-01")


def _pick(tx: Transaction, units: int) -> None:
    ledger.move(tx, _who(), "pick", [Goods("SKU-1", units)], source_bin="A-01-01", target_bin="STAGE-FO-9")


def _grant(tx: Transaction, units: int) -> None:
    transfer = f"T-{next(_numbers)}"
    rights.take(tx, _who(), stock_pb2.RightsGranted(transfer_id=transfer, sku_id="SKU-1", quantity=units))


def _recall(tx: Transaction, units: int) -> None:
    transfer = f"T-{next(_numbers)}"
    rights.give_back(tx, _who(), stock_pb2.RightsWanted(transfer_id=transfer, sku_id="SKU-1", quantity=units))


def _reserve(tx: Transaction, units: int, name: str = "") -> None:
    reservation_id = name or f"R-{next(_numbers)}"
    promises.reserve(tx, _who(), reservation_id=reservation_id, sku_id="SKU-1", quantity=units)


def _hand_over(tx: Transaction, units: int) -> None:
    row = tx.one("SELECT reservation_id FROM reservation WHERE state = 'pending' LIMIT 1")
    if row:
        goods = Goods("SKU-1", units)
        promises.post(tx, _who(), reservation_id=row[0], goods=goods, bin_id="A-01-01", final=units % 2 == 0)


def _hold(tx: Transaction, units: int) -> None:
    promises.open_override(
        tx,
        _who(),
        override_id=f"O-{next(_numbers)}",
        rule="hold",
        sku_id="SKU-1",
        quantity=units,
        reason="photo shoot",
        expires_after_ms=60_000,
    )


def _line(found: Explanation, word: str) -> Line:
    return next(line for line in found.lines if line.part.word == word)


def _seqs(line: Line) -> list[int]:
    return [entry.told.seq for entry in line.entries if entry.told]


async def test_why_is_atp_3(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        hub = HubPen(store)
        await hub.sku(1)
        await hub.fulfillment_order(1, ("SKU-1", 4))
        for job in (
            lambda tx: _shelve(tx, 12),
            lambda tx: _shelve(tx, 2, lot="OLD"),
            lambda tx: tx.execute("INSERT INTO lot VALUES ('SKU-1', 'OLD', '2026-11-21')") and None,
            lambda tx: _grant(tx, 9),
            lambda tx: _reserve(tx, 2, "R-1"),
            lambda tx: _hold(tx, 3),
        ):
            await store.write(job)
        found = await store.read(lambda reader: atp.explain(reader, "SKU-1", TODAY, limit=5))

    assert found.standing.available == 3
    assert {line.part.word: line.part.units for line in found.lines} == {
        "sellable": 12,
        "hub_reserved": -4,
        "local_reserved": -2,
        "shortfall": 0,
        "held_back": -3,
        "no_right": 0,
    }
    assert [(entry.units, entry.told and entry.told.seq) for entry in _line(found, "sellable").entries] == [
        (2, 4),
        (12, 2),
    ]
    assert _line(found, "sellable").notes == ("2 of lot OLD expired on 2026-11-21 and are not sellable",)
    assert (
        "FO-1 of order ORD-1 is assigned: 4 asked, 0 picked" in _line(found, "hub_reserved").entries[0].text
    )
    assert _seqs(_line(found, "no_right")) == [5]
    assert _seqs(_line(found, "local_reserved")) == [6]
    assert _seqs(_line(found, "held_back")) == [7]


async def test_a_line_shows_its_newest_events_and_says_what_the_older_ones_made(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).sku(1)
        for units in (5, 3, 2):
            await store.write(lambda tx, units=units: _shelve(tx, units))
        found = await store.read(lambda reader: atp.explain(reader, "SKU-1", TODAY, limit=2))
    line = _line(found, "sellable")
    assert [entry.units for entry in line.entries] == [2, 3]
    assert (line.of, line.older) == (10, 5)


async def test_the_search_ends_where_the_shelf_was_last_empty(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).sku(1)
        for job in (lambda tx: _shelve(tx, 5), lambda tx: _pick(tx, 5), lambda tx: _shelve(tx, 2)):
            await store.write(job)
        found = await store.read(lambda reader: atp.explain(reader, "SKU-1", TODAY, limit=EVERYTHING))
    assert [entry.units for entry in _line(found, "sellable").entries] == [2]


async def test_a_shelf_that_differs_from_the_book_is_a_doubt_beside_the_answer(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).sku(1)
        await store.write(lambda tx: _pick(tx, 2))
        found = await store.read(lambda reader: atp.explain(reader, "SKU-1", TODAY, limit=5))
    assert [(entry.units, entry.told and entry.told.seq) for entry in found.doubts.entries] == [(2, 2)]


async def test_a_sku_that_nobody_has_heard_of_is_not_found(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        for ask in (
            lambda reader: atp.explain(reader, "TYPO", TODAY, limit=5),
            lambda reader: atp.standings(reader, TODAY, ["TYPO"]),
        ):
            with pytest.raises(NotFound, match="TYPO"):
                await store.read(ask)


async def test_the_list_has_every_sku_that_is_known_or_lies_here_and_each_row_adds_up(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).sku(2)
        await store.write(lambda tx: _shelve(tx, 5))
        await store.write(lambda tx: _grant(tx, 3))
        rows = await store.read(lambda reader: atp.standings(reader, TODAY))
    assert [row["sku_id"] for row in rows] == ["SKU-1", "SKU-2"]
    assert (rows[0]["on_hand"], rows[0]["available"]) == (5, 3)
    outside = {"sku_id", "name", "on_hand", "available"}
    for row in rows:
        assert sum(units for word, units in row.items() if word not in outside) == row["available"]


async def test_rights_left_after_a_handing_over_are_those_granted_less_those_spent(tmp_path: Path) -> None:
    with opened_store(tmp_path) as store:
        await HubPen(store).sku(1)
        for job, units in ((_shelve, 9), (_grant, 7), (_reserve, 4), (_hand_over, 3)):
            await store.write(lambda tx, job=job, units=units: job(tx, units))
        found = await store.read(lambda reader: atp.explain(reader, "SKU-1", TODAY, limit=EVERYTHING))
    assert _line(found, "no_right").of == 4
    assert [entry.units for entry in _line(found, "no_right").entries] == [-3, 7]
    assert [entry.units for entry in _line(found, "sellable").entries] == [-3, 9]


JOBS: list[Callable[[Transaction, int], None]] = [
    _shelve, _pick, _grant, _recall, _reserve, _hand_over, _hold,
]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(JOBS), st.integers(1, 9)), max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_all_events_together_make_every_figure_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Callable[[Transaction, int], None], int]]
) -> None:

    folder = tmp_path_factory.mktemp("node")

    async def play() -> None:
        with opened_store(folder) as store:
            hub = HubPen(store)
            await hub.sku(1)
            await hub.fulfillment_order(1, ("SKU-1", 2), ("SKU-1", 1))
            for job, units in steps:
                try:
                    await store.write(lambda tx, job=job, units=units: job(tx, units))
                except BodegaError:
                    continue

    asyncio.run(play())
    reader = Reader(folder / "ledger.db")
    found = atp.explain(reader, "SKU-1", TODAY, limit=EVERYTHING)
    reader.close()
    assert sum(line.part.units for line in found.lines) == found.standing.available
    assert _line(found, "no_right").of == found.standing.rights_held
    for line in found.lines:
        assert line.older == 0, line
        if line.part.word in {"sellable", "hub_reserved", "local_reserved"}:
            assert line.of == line.part.units
