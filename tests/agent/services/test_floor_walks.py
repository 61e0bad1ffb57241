"""Several orders in one walk: by urgency, in a batch, on a cart with totes; and what one walk does to another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodega.v1 import catalogue_pb2
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.picking_day import items, lines_of, obey, order, profile, shop, state_of

# Of the rig's clock: 2027-01-15, a Friday, 8:00 UTC.
NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    async with floor_rig(tmp_path) as one:
        yield one


def carrier(service: str, hour: int) -> catalogue_pb2.CarrierService:
    return catalogue_pb2.CarrierService(service=service, carrier="northpost", cut_off_minute=hour * 60)


async def begun(rig: FloorRig) -> str:
    """The order that CMD-PICK gives, and that is then left again."""
    shown = await rig.scan("CMD-PICK")
    text: str = shown["expect"]["fulfillment_order_id"]
    return text


async def test_the_lorry_that_leaves_first_is_picked_for_first_then_the_promise_then_age(
    rig: FloorRig,
) -> None:
    services = [carrier("NOON", 12), carrier("EVENING", 18)]
    oat, *_ = await shop(rig, carrier_services=services)
    await rig.stock(oat, "A-01-01", 9)
    placed = {"placed_at_ms": NOW_MS}
    await order(rig, 1, {oat: 1}, carrier_service="EVENING", placed_at_ms=NOW_MS - HOUR_MS)
    await order(rig, 2, {oat: 1}, carrier_service="EVENING", **placed)
    await order(rig, 3, {oat: 1}, carrier_service="EVENING", service_class="same_day", **placed)
    await order(rig, 4, {oat: 1}, carrier_service="NOON", **placed)
    await order(rig, 5, {oat: 1}, carrier_service="EVENING", ship_by_ms=NOW_MS + HOUR_MS, **placed)
    await order(rig, 6, {oat: 1}, method="pickup", **placed)
    taken = []
    for _ in range(6):
        taken.append((await rig.play("CMD-PICK", "A-01-01"))["expect"]["fulfillment_order_id"])
        await items(rig, 1, 1)
        await rig.play("CMD-CANCEL")
        await rig.store.write(
            lambda tx: tx.execute("UPDATE fulfillment_order SET device = '' WHERE state = 'picked'")
        )
    assert taken == ["FO-5", "FO-6", "FO-4", "FO-3", "FO-1", "FO-2"]


async def test_when_a_carrier_comes_earlier_from_now_on_what_waits_for_it_is_more_urgent(
    rig: FloorRig,
) -> None:
    oat, *_ = await shop(rig, carrier_services=[carrier("A", 12), carrier("B", 18)])
    await order(rig, 1, {oat: 1}, carrier_service="A")
    await order(rig, 2, {oat: 1}, carrier_service="B")
    await profile(rig, version=2, carrier_services=[carrier("A", 12), carrier("B", 9)])
    assert await begun(rig) == "FO-2"


async def _batch(rig: FloorRig) -> None:
    """Two orders share the oats of a bin; each gets what it asked for, the first that was released first."""
    oat, rye, _ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await rig.stock(rye, "B-02-01", 9)
    await order(rig, 1, {oat: 2})
    await order(rig, 2, {oat: 3, rye: 1})
    begun = await rig.play("CMD-BATCH")
    assert begun["detail"][0] == "2 orders: 5 x Product 1"
    await rig.scan("A-01-01")
    await items(rig, 1, 5)
    await rig.scan("B-02-01")
    done = await items(rig, 2, 1)
    assert done["step"] == "idle"
    assert "packing bench" in done["text"]
    assert await rig.held("STAGE-FO-1", oat) == 2
    assert await rig.held("STAGE-FO-2", oat) == 3
    assert [await state_of(rig, name) for name in ("FO-1", "FO-2")] == ["picked", "picked"]


async def test_a_batch_is_taken_at_once_and_each_order_gets_its_own_through_crashes() -> None:
    assert await lived_through_crashes(_batch) == 9


async def test_the_orders_of_a_batch_are_packed_one_by_one(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _batch(rig)
        assert (await rig.scan("CMD-PICK"))["step"] == "pack"
        await rig.scan("CMD-CANCEL")
        assert (await rig.scan("CMD-BATCH"))["text"].startswith("No order waits.")


async def test_one_order_alone_in_a_batch_goes_on_to_be_packed(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 1)
    await order(rig, 1, {oat: 1})
    assert (await obey(rig, await rig.scan("CMD-BATCH")))["step"] == "pack"


async def test_what_a_batch_lacks_the_last_released_goes_without(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 3)
    await order(rig, 1, {oat: 2})
    await order(rig, 2, {oat: 2})
    await rig.play("CMD-BATCH", "A-01-01")
    await items(rig, 1, 3)
    await rig.scan("CMD-SHORT")
    assert await lines_of(rig, "FO-1") == [(oat, 2, 2, 0)]
    assert await lines_of(rig, "FO-2") == [(oat, 2, 1, 1)]


async def _cart(rig: FloorRig) -> None:
    """Two totes on a cart: each unit is scanned into the tote of its order."""
    oat, rye, _ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await rig.stock(rye, "B-02-01", 9)
    await order(rig, 1, {oat: 2, rye: 1})
    await order(rig, 2, {oat: 1})
    asked = await rig.scan("CMD-CART")
    assert asked["expect"]["fulfillment_order_id"] == "FO-1"
    ready = await rig.play("TOTE-1", "TOTE-2")
    assert ready["text"].endswith("The cart is ready. Go to A-01-01.")
    await rig.scan("A-01-01")
    into = await items(rig, 1, 2)
    assert into["text"] == "Picked 1 x Product 1. Put 2 x Product 1 into TOTE-1 and scan it."
    wrong = await rig.scan("TOTE-2")
    assert wrong["tone"] == "error"
    assert wrong["text"].startswith("TOTE-2 holds goods of order FO-2, not of FO-1. Put it into TOTE-1.")
    await rig.scan("TOTE-1")
    await items(rig, 1, 1)
    await rig.play("TOTE-2", "B-02-01")
    await items(rig, 2, 1)
    done = await rig.scan("TOTE-1")
    assert done["step"] == "idle"
    assert await rig.held("STAGE-FO-1", oat) == 2
    assert await rig.held("STAGE-FO-2", oat) == 1
    assert [await state_of(rig, name) for name in ("FO-1", "FO-2")] == ["picked", "picked"]


async def test_a_cart_fills_each_tote_with_one_order_through_crashes() -> None:
    assert await lived_through_crashes(_cart) == 13


async def test_a_tote_that_holds_goods_is_no_empty_one_until_its_order_is_packed(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _cart(rig)
        await order(rig, 3, {"SKU-1": 1})
        refused = await rig.play("CMD-CART", "TOTE-2")
        assert refused["tone"] == "error"
        assert refused["text"].startswith("TOTE-2 holds goods of order FO-2. Take an empty one.")
        await rig.play("CMD-CANCEL", "CMD-PICK", "CMD-PACK", "CMD-CANCEL")
        again = await rig.play("CMD-CART", "TOTE-1")
        assert again["tone"] == "ok", again["text"]


async def test_a_full_tote_gets_a_second_one_beside_it(rig: FloorRig) -> None:
    oat, rye, _ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await order(rig, 1, {oat: 3})
    await order(rig, 2, {rye: 1})
    await rig.play("CMD-CART", "TOTE-1", "TOTE-2", "A-01-01")
    await items(rig, 1, 1)
    assert (await rig.scan("TOTE-1"))["text"].startswith("TOTE-1 is the tote of order FO-1.")
    await items(rig, 1, 2)
    stranger = await rig.scan("TOTE-3")
    assert stranger["text"].startswith("TOTE-3 is no tote of order FO-1. Put it into TOTE-1")
    asked = await rig.scan("CMD-FULL")
    assert asked["step"] == "pick_full"
    assert (await rig.scan("TOTE-2"))["tone"] == "error"
    assert (await rig.scan("TOTE-1"))["text"].startswith("TOTE-1 is of this order already.")
    bound = await rig.scan("TOTE-3")
    assert bound["text"].startswith("TOTE-3 is for order FO-1 now.")
    assert bound["step"] == "pick_bin"


async def test_more_than_an_order_wants_never_goes_into_its_tote_though_another_wants_it(
    rig: FloorRig,
) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await order(rig, 1, {oat: 2})
    await order(rig, 2, {oat: 2})
    await rig.play("CMD-CART", "TOTE-1", "TOTE-2", "A-01-01")
    await items(rig, 1, 1)
    refused = await rig.scan("3")
    assert refused["text"].startswith("3 are too many.")
    assert await rig.held("STAGE-FO-2", oat) == 0


async def test_an_order_alone_may_have_a_tote_too(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await order(rig, 1, {oat: 1})
    await order(rig, 2, {oat: 1})
    bound = await rig.play("CMD-PICK", "TOTE-7")
    assert bound["text"].startswith("TOTE-7 is for order FO-1 now.")
    refused = await rig.play("CMD-PICK", "TOTE-7", device="scanner-2")
    assert refused["text"].startswith("TOTE-7 holds goods of order FO-1, not of FO-2. Take an empty one.")


async def test_a_batch_has_no_totes(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await order(rig, 1, {oat: 1})
    await order(rig, 2, {oat: 1})
    for word in ("TOTE-1", "CMD-FULL"):
        assert "This batch has no totes" in (await rig.play("CMD-BATCH", word))["text"]


async def test_a_cart_whose_device_is_gone_is_taken_over_with_all_its_orders(rig: FloorRig) -> None:
    oat, rye, _ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await rig.stock(rye, "B-02-01", 9)
    await order(rig, 1, {oat: 1})
    await order(rig, 2, {rye: 1})
    await rig.play("CMD-CART", "TOTE-1", "TOTE-2", "A-01-01")
    await items(rig, 1, 1)
    rig.present = ("scanner-2",)
    asked = await rig.scan("CMD-CART", device="scanner-2")
    assert asked["step"] == "take_over"
    assert asked["text"].startswith("Order FO-1 was begun")
    taken = await rig.scan("CMD-ACCEPT", device="scanner-2")
    assert taken["text"] == "2 orders are yours now. Go to B-02-01."
    lost = await rig.scan("TOTE-1")
    assert lost["tone"] == "error"


async def test_a_cancel_takes_one_order_out_of_the_walk_and_the_others_go_on(rig: FloorRig) -> None:
    oat, rye, _ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await rig.stock(rye, "B-02-01", 9)
    await order(rig, 1, {oat: 2})
    await order(rig, 2, {rye: 1})
    await rig.play("CMD-CART", "TOTE-1", "TOTE-2", "A-01-01")
    await items(rig, 1, 1)
    await rig.hub.cancel(1)
    await rig.service.work_cancelled("FO-1")
    shown = await rig.prompt()
    assert shown["expect"]["values"] == ["B-02-01"]
    assert (await obey(rig, shown))["step"] == "idle"
    assert [await state_of(rig, name) for name in ("FO-1", "FO-2")] == ["cancelled", "picked"]


async def test_who_leaves_a_walk_goes_on_with_it_whatever_word_is_scanned(rig: FloorRig) -> None:
    oat, *_ = await shop(rig)
    await rig.stock(oat, "A-01-01", 9)
    await order(rig, 1, {oat: 1})
    await order(rig, 2, {oat: 1})
    await rig.play("CMD-BATCH", "A-01-01")
    await items(rig, 1, 1)
    for word in ("CMD-PICK", "CMD-BATCH", "CMD-CART"):
        shown = await rig.play("CMD-CANCEL", word)
        assert shown["expect"]["values"] == ["A-01-01"], word
        assert shown["expect"]["fulfillment_order_id"] == "FO-2"
