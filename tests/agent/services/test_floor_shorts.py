"""When a shelf does not give what the plan says: the reason, another bin or SKU, a part of it, or back to the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodega.core.ledger import Account, Disposition
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.picking_day import exceptions, items, lines_of, order, shop, state_of


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    async with floor_rig(tmp_path) as one:
        yield one


async def _short_twice(rig: FloorRig) -> None:
    """The first bin is empty, the second has one: the rest is sent as another SKU that the order allows."""
    oat, _, soy = await shop(rig)
    await rig.stock(oat, "A-01-01", 3)
    await rig.stock(oat, "A-01-02", 1)
    await rig.stock(soy, "B-02-01", 5)
    await order(rig, 1, {oat: 2}, instead=[soy])
    asked = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT")
    assert asked["text"].startswith("Why does A-01-01 give no Product 1? Say one of: missing, damaged")
    other = await rig.scan("missing")
    assert other["text"] == "A-01-01 is empty. Go to A-01-02."
    await rig.scan("A-01-02")
    await items(rig, 1, 1)
    offered = await rig.scan("CMD-SHORT")
    assert offered["text"] == "Product 1 is missing. Send 1 x Product 3 instead? yes or no."
    there = await rig.scan("yes")
    assert there["text"] == "Product 3 instead of Product 1. Go to B-02-01."
    await rig.scan("B-02-01")
    assert (await items(rig, 3, 1))["step"] == "pack"
    assert await lines_of(rig, "FO-1") == [(oat, 2, 1, 1), (soy, 1, 1, 0)]


async def test_another_bin_comes_first_then_another_sku_through_crashes() -> None:
    assert await lived_through_crashes(_short_twice) == 10


async def test_who_sends_another_sku_tells_the_hub(rig: FloorRig) -> None:
    await _short_twice(rig)
    (told,) = await rig.facts("line_substituted")
    assert (told.line, told.sku_id, told.substitute_sku_id, told.quantity) == (1, "SKU-1", "SKU-3", 1)
    assert await exceptions(rig) == [("short_pick", "missing", 2), ("short_pick", "missing", 1)]


async def test_who_says_no_to_another_sku_sends_a_part(rig: FloorRig) -> None:
    oat, _, soy = await shop(rig)
    await rig.stock(oat, "A-01-01", 1)
    await rig.stock(soy, "B-02-01", 5)
    await order(rig, 1, {oat: 2}, instead=[soy])
    await rig.play("CMD-PICK", "A-01-01")
    await items(rig, 1, 1)
    left = await rig.play("CMD-SHORT", "no")
    assert left["step"] == "pack"
    assert await lines_of(rig, "FO-1") == [(oat, 2, 1, 1)]


async def test_what_others_were_promised_is_not_offered_instead(rig: FloorRig) -> None:
    oat, _, soy = await shop(rig)
    await rig.stock(soy, "B-02-01", 2)
    await order(rig, 1, {oat: 1}, instead=[soy])
    await order(rig, 2, {soy: 2})
    done = await rig.play("CMD-PICK", "CMD-SHORT")
    assert "is short" in done["text"]
    assert await state_of(rig, "FO-1") == "handed_back"


async def test_what_the_substitute_lacks_is_short(rig: FloorRig) -> None:
    oat, _, soy = await shop(rig)
    await rig.stock(soy, "B-02-01", 1)
    await order(rig, 1, {oat: 3}, instead=[soy])
    offered = await rig.play("CMD-PICK", "CMD-SHORT")
    assert "Send 1 x Product 3 instead?" in offered["text"]
    await rig.play("yes", "B-02-01")
    await items(rig, 3, 1)
    assert await lines_of(rig, "FO-1") == [(oat, 3, 0, 3), (soy, 1, 1, 0)]


async def test_damaged_goods_are_set_aside_where_they_lie_and_the_others_are_taken(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 3)
    await order(rig, 1, {oat: 2})
    asked = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "damaged")
    assert asked["expect"]["kind"] == "number"
    still = await rig.scan("1")
    assert still["text"] == "1 x Product 1 in A-01-01 are set aside as damaged. Take 2 x Product 1."
    balances = await rig.balances()
    assert balances[Account(oat, "A-01-01", Disposition.DAMAGED)] == 1
    assert balances[Account(oat, "A-01-01", Disposition.SELLABLE)] == 2
    assert (await items(rig, 1, 2))["step"] == "pack"


async def test_what_has_expired_is_set_aside_and_another_lot_is_taken(rig: FloorRig) -> None:
    await shop(rig)
    milk = await rig.hub.sku(4, lot_tracked=True)
    await rig.stock(milk, "A-01-01", 2, "L1")
    await rig.stock(milk, "B-02-01", 2, "L2")
    await order(rig, 1, {milk: 1})
    shown = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "expired")
    assert shown["text"].endswith("set aside as expired. Go to B-02-01.")
    assert (await rig.balances())[Account(milk, "A-01-01", Disposition.EXPIRED, "L1")] == 2


@pytest.mark.parametrize("reason", ["blocked", "unreadable", "other"])
async def test_a_bin_that_nobody_gets_at_is_passed_by_and_keeps_its_book(rig: FloorRig, reason: str) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 2)
    await rig.stock(oat, "B-02-01", 1)
    await order(rig, 1, {oat: 2})
    other = await rig.play("CMD-PICK", "CMD-SHORT", reason)
    assert other["text"] == "A-01-01 is passed by. Go to B-02-01."
    await rig.scan("B-02-01")
    await items(rig, 1, 1)
    assert (await rig.scan("CMD-SHORT"))["step"] == "pack"
    assert await rig.held("A-01-01", oat) == 2
    assert (await exceptions(rig))[0] == ("short_pick", reason, 2)


async def test_a_word_that_is_no_reason_moves_nothing_and_a_second_look_goes_on(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 2)
    await order(rig, 1, {oat: 1})
    wrong = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "torn")
    assert wrong["tone"] == "error"
    assert wrong["step"] == "pick_short"
    assert (await rig.scan("CMD-PICK"))["step"] == "pick_item"
    assert await exceptions(rig) == []


async def _all_or_nothing(rig: FloorRig) -> None:
    """An order that wants all of it or nothing goes back to the hub with its first missing unit; its goods, too."""
    oat, rye, _ = await shop(rig)
    await rig.stock(oat, "A-01-01", 2)
    await rig.stock(rye, "B-02-01", 1)
    await order(rig, 1, {oat: 2, rye: 1}, ship_complete=True)
    await rig.play("CMD-PICK", "A-01-01")
    await items(rig, 1, 2)
    back = await rig.play("B-02-01", "CMD-SHORT", "missing")
    assert back["step"] == "idle"
    assert "Order FO-1 goes back to the hub." in back["text"]
    await rig.scan("CMD-PUTAWAY")
    await items(rig, 1, 2)
    await rig.play("A-01-01", "CMD-DONE")
    assert await rig.held("A-01-01", oat) == 2
    assert await rig.held("STAGE-FO-1", oat) == 0


async def test_an_order_of_which_all_is_wanted_goes_back_to_the_hub_through_crashes() -> None:
    assert await lived_through_crashes(_all_or_nothing) == 12


async def test_the_hub_hears_what_was_missing_of_an_order_that_comes_back(rig: FloorRig) -> None:
    await _all_or_nothing(rig)
    last = (await rig.facts("fulfillment_advanced"))[-1]
    assert [(line.shipped, line.short) for line in last.lines] == [(2, 0), (0, 1)]
    assert await state_of(rig, "FO-1") == "handed_back"
    assert ("handed_back", "incomplete", 0) in await exceptions(rig)
    assert [task.fulfillment_order_id for task in await rig.facts("task_opened")] == ["FO-1"]


async def test_a_substitute_makes_an_order_whole_that_wants_all_of_it(rig: FloorRig) -> None:
    oat, _, soy = await shop(rig)
    await rig.stock(soy, "B-02-01", 5)
    await order(rig, 1, {oat: 2}, instead=[soy], ship_complete=True)
    assert (await rig.play("CMD-PICK", "CMD-SHORT", "yes"))["step"] == "pick_bin"
    await rig.scan("B-02-01")
    assert (await items(rig, 3, 2))["step"] == "pack"


async def test_goods_that_a_person_refuses_send_a_parcel_back_to_the_hub(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 2)
    await order(rig, 1, {oat: 1})
    back = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "refused")
    assert "goes back to the hub" in back["text"]
    assert await state_of(rig, "FO-1") == "handed_back"
    assert await rig.held("A-01-01", oat) == 2


@pytest.mark.parametrize("method", ["pickup", "locker"])
async def test_goods_that_are_refused_for_a_pickup_are_never_asked_of_another_node(
    rig: FloorRig, method: str
) -> None:
    oat, rye, _ = await shop(rig)
    await rig.stock(oat, "A-01-01", 2)
    await rig.stock(rye, "B-02-01", 2)
    await order(rig, 1, {oat: 1, rye: 1}, method=method)
    on = await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT", "refused")
    assert on["text"] == "Product 1 is refused. Go to B-02-01."
    await rig.scan("B-02-01")
    await items(rig, 2, 1)
    assert await state_of(rig, "FO-1") == "picked"
    assert await lines_of(rig, "FO-1") == [(oat, 1, 0, 1), (rye, 1, 1, 0)]


async def test_another_persons_scan_may_answer_the_question_first(rig: FloorRig) -> None:
    """While one is asked why a bin is empty, another empties it by the book: the first is sent to the next bin."""
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 1)
    await rig.stock(oat, "B-02-01", 1)
    await order(rig, 1, {oat: 1})
    await rig.play("CMD-PICK", "A-01-01", "CMD-SHORT")
    await rig.command(
        {"command": "count", "sku_id": oat, "quantity": 0, "bin_id": "A-01-01", "reason": "count"}
    )
    shown = await rig.scan("missing")
    assert shown["tone"] == "error"
    assert shown["expect"]["values"] == ["B-02-01"]
    assert await rig.held("B-02-01", oat) == 1
