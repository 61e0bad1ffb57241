"""At the shelf: how many, not now, another lot, and whether the bin is empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.floor_rig import GS1_128, FloorRig, floor_rig, lived_through_crashes
from support.node_under_test import gtin
from support.picking_day import exceptions, items, order, settings, shop, state_of


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    async with floor_rig(tmp_path) as one:
        yield one


async def _typed(rig: FloorRig) -> None:
    """One unit is scanned, and how many there are in all is typed."""
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await order(rig, 1, {oat: 5})
    early = await rig.play("CMD-PICK", "A-01-01", "3")
    assert early["text"].startswith("Scan the item first")
    await items(rig, 1, 1)
    assert (await rig.scan("9"))["text"].startswith("9 are too many.")
    assert (await rig.scan("3"))["text"] == "Picked 2 x Product 1. Take 2 x Product 1."
    assert (await rig.scan("3"))["text"].startswith("3 are picked already.")
    assert (await rig.scan("5"))["step"] == "pack"
    assert await rig.held("STAGE-FO-1", oat) == 5


async def test_one_scan_and_a_number_are_as_good_as_many_scans_through_crashes() -> None:
    assert await lived_through_crashes(_typed) == 8


async def test_units_with_numbers_of_their_own_are_scanned_one_by_one(rig: FloorRig) -> None:
    await shop(rig)
    cam = await rig.hub.sku_of("CAM", 7, serial_tracked=True)
    for serial in ("S1", "S2"):
        await rig.command({"command": "receive", "sku_id": cam, "quantity": 1, "serials": [serial]})
    await rig.command(
        {"command": "put_away", "sku_id": cam, "quantity": 2, "serials": ["S1", "S2"], "to_bin_id": "A-01-01"}
    )
    await order(rig, 1, {cam: 2})
    await rig.play("CMD-PICK", "A-01-01")
    await rig.scan(f"01{gtin(7)}21S1", GS1_128)
    assert "every unit has its own code" in (await rig.scan("2"))["text"]


async def _skipped(rig: FloorRig) -> None:
    """A line that can not be had now comes at the end of the walk, and is not gone."""
    oat, rye, soy = await shop(rig)
    for sku_id, bin_id in ((oat, "A-01-01"), (rye, "A-01-02"), (soy, "B-02-01")):
        await rig.stock(sku_id, bin_id, 5)
    await order(rig, 1, {oat: 1, rye: 1, soy: 1})
    assert (await rig.play("CMD-PICK", "CMD-SKIP"))["expect"]["values"] == ["A-01-02"]
    assert (await rig.play("A-01-02", "CMD-SKIP"))["expect"]["values"] == ["B-02-01"]
    await rig.scan("B-02-01")
    assert (await items(rig, 3, 1))["expect"]["values"] == ["A-01-01"]
    await rig.scan("A-01-01")
    assert (await items(rig, 1, 1))["expect"]["values"] == ["A-01-02"]
    last = await rig.scan("CMD-SKIP")
    assert last["tone"] == "error"
    assert last["text"].startswith("That is all that is left.")
    await rig.scan("A-01-02")
    await items(rig, 2, 1)
    assert await state_of(rig, "FO-1") == "picked"


async def test_a_skipped_line_goes_to_the_end_of_the_walk_and_not_away_through_crashes() -> None:
    assert await lived_through_crashes(_skipped) == 11


async def _milk(rig: FloorRig) -> str:
    await shop(rig)
    milk = await rig.hub.sku(4, lot_tracked=True)
    await rig.stock(milk, "A-01-01", 3, "L1")
    await rig.stock(milk, "A-01-01", 3, "L2")
    await order(rig, 1, {milk: 2})
    return milk


async def test_another_lot_is_taken_when_a_person_says_so(rig: FloorRig) -> None:
    milk = await _milk(rig)
    assert (await rig.play("CMD-PICK", "A-01-01"))["text"].endswith("of lot L1.")
    changed = await rig.scan("CMD-LOT")
    assert changed["text"] == "Lot L2 instead of L1. Take 2 x Product 4 of lot L2."
    await items(rig, 4, 2)
    lots = {account.lot: n for account, n in (await rig.balances()).items() if account.bin == "STAGE-FO-1"}
    assert lots == {"L2": 2}
    assert await rig.held("A-01-01", milk) == 4
    assert await exceptions(rig) == [("lot_changed", "", 2)]


async def test_a_lot_that_the_book_does_not_have_here_is_taken_only_when_a_person_says_so(
    rig: FloorRig,
) -> None:
    await _milk(rig)
    label = f"01{gtin(4)}10L9"
    await rig.play("CMD-PICK", "A-01-01")
    refused = await rig.scan(label, GS1_128)
    assert refused["text"].startswith("Lot L9 is not lot L1.")
    await rig.scan("CMD-LOT")
    assert (await rig.scan(label, GS1_128))["text"].startswith("Picked 1 x Product 4.")
    assert len(await rig.facts("discrepancy_opened")) == 1


async def test_goods_without_lots_have_no_other_lot(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 3)
    await order(rig, 1, {oat: 1})
    assert "has no lots here" in (await rig.play("CMD-PICK", "A-01-01", "CMD-LOT"))["text"]


async def _last_unit(rig: FloorRig) -> None:
    """Who takes the last unit of a pick face by the book looks whether it is empty: one more lies there."""
    oat, *_ = await shop(rig, faces=["A-01-01"])
    await rig.stock(oat, "A-01-01", 2)
    await order(rig, 1, {oat: 2})
    await rig.play("CMD-PICK", "A-01-01")
    asked = await items(rig, 1, 2)
    assert asked["step"] == "pick_zero"
    assert asked["text"].endswith("Is A-01-01 empty of Product 1 now? yes, or how many are left.")
    assert (await rig.scan("no"))["tone"] == "error"
    done = await rig.scan("1")
    assert done["step"] == "pack"
    assert await rig.held("A-01-01", oat) == 1


async def test_who_takes_the_last_unit_counts_what_is_left_through_crashes() -> None:
    assert await lived_through_crashes(_last_unit) == 6


async def test_a_zero_check_is_a_count(rig: FloorRig) -> None:
    await _last_unit(rig)
    (count,) = await rig.facts("count_advanced")
    assert (count.cause, count.state, count.bin_id) == ("zero_check", "posted", "A-01-01")
    assert [(line.counted, line.book) for line in count.lines] == [(1, 0)]
    assert await exceptions(rig) == [("zero_check", "found", 1)]


async def test_an_empty_bin_is_confirmed_with_a_word(rig: FloorRig) -> None:
    oat, *_ = await shop(rig, faces=["A-01-01"])
    await rig.stock(oat, "A-01-01", 1)
    await order(rig, 1, {oat: 1})
    await rig.play("CMD-PICK", "A-01-01")
    await items(rig, 1, 1)
    assert (await rig.scan("yes"))["text"].startswith("A-01-01 is empty.")
    assert [one.lines[0].counted for one in await rig.facts("count_advanced")] == [0]
    assert await exceptions(rig) == []


async def test_what_is_left_serves_the_order_that_had_given_the_bin_up(rig: FloorRig) -> None:
    oat, *_ = await shop(rig, faces=["A-01-01"])
    await rig.stock(oat, "A-01-01", 1)
    await order(rig, 1, {oat: 2})
    await rig.play("CMD-PICK", "A-01-01")
    await items(rig, 1, 1)
    assert (await rig.scan("4"))["expect"]["values"] == ["A-01-01"]


@pytest.mark.parametrize(
    ("where", "faces", "asks"),
    [("off", ["A-01-01"], False), ("pick_faces", [], False), ("all", [], True)],
)
async def test_where_it_is_asked_is_a_setting(
    rig: FloorRig, where: str, faces: list[str], asks: bool
) -> None:
    oat, *_ = await shop(rig, faces=faces)
    await settings(rig, pick_zero_check=where)
    await rig.stock(oat, "A-01-01", 1)
    await order(rig, 1, {oat: 1})
    await rig.play("CMD-PICK", "A-01-01")
    assert ((await items(rig, 1, 1))["step"] == "pick_zero") is asks


async def test_goods_that_come_meanwhile_answer_the_question(rig: FloorRig) -> None:
    oat, *_ = await shop(rig, faces=["A-01-01"])
    await rig.stock(oat, "A-01-01", 1)
    await order(rig, 1, {oat: 1})
    await rig.play("CMD-PICK", "A-01-01")
    await items(rig, 1, 1)
    await rig.stock(oat, "A-01-01", 5)
    assert (await rig.prompt())["step"] == "pack"
