"""Packing in plain language: what goes into the box, which box, what it weighs, and what goes wrong on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.core.ledger import COUNT, DAMAGE, Account, parcel_place
from bodega.v1 import fleet_pb2
from bodega_agent.rules.floor.scans import WeightArrived
from bodega_agent.store import work
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.node_under_test import gtin
from support.packing_place import CARTONS, equip, goods, labelled, order, packing_place, picked


async def _at_the_box(rig: FloorRig) -> None:
    await packing_place(rig)
    await goods(rig)
    await picked(rig, 1)


async def _one_parcel(rig: FloorRig) -> None:
    await _at_the_box(rig)
    shown = await rig.scan("CMD-PACK")
    assert shown["text"] == "Put 1 x Cup into the box and scan each."
    await rig.item(2)
    await rig.item(1)
    shown = await rig.scan("2")
    assert shown["text"] == "2 x Oat in the box. Pack it into BOX-S and scan the box."
    assert shown["expect"]["values"] == ["BOX-S", "BOX-L"]
    assert shown["detail"] == ["pad Cup: it breaks"]
    shown = await rig.scan("BOX-S")
    assert shown["text"] == "BOX-S. Weigh the closed box and type the grams."
    closed = await rig.scan("2470")
    assert closed["text"].startswith(
        "2470 g. The parcel is closed. It goes with southpost ECO. Stick the label"
    )
    sscc = await labelled(rig, closed)
    assert await rig.held(parcel_place(sscc), "OAT") == 2
    (parcel,) = await rig.facts("parcel_advanced")
    assert (parcel.sscc, parcel.fulfillment_order_id, parcel.state) == (sscc, "FO-1", "closed")
    assert (parcel.carton_id, parcel.weight_g, parcel.expected_weight_g) == ("BOX-S", 2_470, 2_460)
    assert (parcel.carrier, parcel.service, parcel.price_minor) == ("southpost", "ECO", 300)
    assert parcel.tracking_number == "900000000010"


async def test_a_parcel_is_seen_boxed_weighed_closed_and_labelled_and_survives_a_crash_at_every_scan() -> (
    None
):
    assert await lived_through_crashes(_one_parcel) == 13


async def test_what_does_not_belong_into_the_box_is_said_and_nothing_is_counted(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _at_the_box(rig)
        await rig.hub.sku_of("TEA", 3)
        await rig.scan("CMD-PACK")
        shown = await rig.item(3)
        assert shown["tone"] == "error"
        assert shown["text"].startswith("Tea does not belong to this order: lay it aside. Put 1 x Cup")
        await rig.item(2)
        shown = await rig.item(2)
        assert shown["text"].startswith("1 are too many: 0 are missing.")
        assert shown["expect"] == {
            "kind": "item",
            "values": [gtin(1)],
            "sku_id": "OAT",
            "quantity": 2,
            "fulfillment_order_id": "FO-1",
        }
        await rig.item(1)
        assert (await rig.scan("9"))["text"].startswith("9 can not be: 1 more are missing.")


async def test_a_lot_and_a_serial_that_were_not_picked_do_not_go_into_the_box(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig)
        await rig.hub.sku_of("MED", 5, lot_tracked=True)
        await rig.hub.sku_of("CAM", 6, serial_tracked=True)
        await rig.stock("MED", "A-01-01", 2, "L1")
        for serial in ("S-1", "S-2"):
            await rig.command({"command": "receive", "sku_id": "CAM", "quantity": 1, "serials": [serial]})
            goods_ = {"sku_id": "CAM", "quantity": 1, "serials": [serial], "to_bin_id": "A-01-02"}
            await rig.command({"command": "put_away", **goods_})
        await order(rig, 1, ("MED", 1), ("CAM", 1))
        med, cam = f"01{gtin(5)}10", f"01{gtin(6)}21"
        await rig.play("CMD-PICK", "A-01-01")
        await rig.scan(f"{med}L1", "]C1")
        await rig.scan("A-01-02")
        await rig.scan(f"{cam}S-1", "]C1")
        await rig.scan("CMD-PACK")
        assert (await rig.scan(f"{med}L2", "]C1"))["text"].startswith("Lot L2 is not lot L1.")
        assert (await rig.scan(f"{cam}S-2", "]C1"))["text"].startswith("S-2 was not picked for this order")
        await rig.scan(f"{cam}S-1", "]C1")
        assert (await rig.scan(f"{cam}S-1", "]C1"))["text"].startswith("S-1 is in the box already.")
        assert (await rig.scan(f"{med}L1", "]C1"))["step"] == "pack_carton"


async def test_what_the_camera_has_passed_need_not_be_scanned_again(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _at_the_box(rig)
        await rig.store.write(lambda tx: work.set_camera(tx, "FO-1", 1, "pass"))
        await rig.scan("CMD-PACK")
        assert (await rig.item(2))["step"] == "pack_carton", "the two oat milks were seen by the camera"


@pytest.mark.parametrize(
    ("reason", "kind", "account"),
    [
        ("missing", "short_pack", COUNT),
        ("damaged", "short_pack", DAMAGE),
        ("wrong-item", "wrong_item_packed", COUNT),
    ],
)
async def test_what_can_not_go_leaves_the_stage_with_a_reason_and_the_rest_goes(
    tmp_path: Path, reason: str, kind: str, account: str
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _at_the_box(rig)
        await rig.play("CMD-PACK")
        await rig.item(2)
        await rig.item(1)
        shown = await rig.scan("CMD-SHORT")
        assert shown["detail"] == ["1 x Oat"]
        assert (await rig.scan("yes"))["text"].startswith("'yes' is no reason here.")
        shown = await rig.scan(reason)
        assert shown["text"].startswith("The rest goes without it. Pack it into BOX-S")
        assert await rig.held("STAGE-FO-1", "OAT") == 1
        assert (await rig.balances())[Account("OAT", external=account)] == 1
        (noted,) = await rig.facts("exception_noted")
        assert (noted.kind, noted.reason, noted.sku_id, noted.quantity) == (kind, reason, "OAT", 1)
        order = await rig.store.write(lambda tx: work.find(tx, "FO-1"))
        assert [(line.picked, line.short) for line in order.lines] == [(1, 1), (1, 0)]


@pytest.mark.parametrize("all_or_nothing", [False, True])
async def test_an_order_of_which_nothing_can_go_or_not_all_goes_back_to_the_hub(
    tmp_path: Path, *, all_or_nothing: bool
) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig)
        await goods(rig)
        await picked(rig, 1, ship_complete=all_or_nothing)
        await rig.scan("CMD-PACK")
        if all_or_nothing:
            await rig.item(2)
        shown = await rig.play("CMD-SHORT", "missing")
        assert shown["text"].startswith("Order FO-1 goes back to the head office.")
        order = await rig.store.write(lambda tx: work.find(tx, "FO-1"))
        assert order.state == "handed_back"
        opened = await rig.facts("task_opened")
        assert [task.kind for task in opened] == (["put_back"] if all_or_nothing else [])
        assert await rig.held("STAGE-FO-1", "CUP") == (1 if all_or_nothing else 0)


async def _in_the_box(rig: FloorRig) -> None:
    await _at_the_box(rig)
    await rig.scan("CMD-PACK")
    for number in (2, 1, 1):
        await rig.item(number)


async def test_when_no_box_of_the_list_holds_it_a_person_takes_one_of_their_own(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, cartons=CARTONS[:1])
        await goods(rig)
        await order(rig, 1, ("OAT", 4))
        await rig.play("CMD-PICK", "A-01-01")
        for _ in range(4):
            await rig.item(1)
        await rig.scan("CMD-PACK")
        await rig.item(1)
        shown = await rig.scan("4")
        assert shown["text"].endswith(
            "No box of the list holds it. Take a box of your own and scan CMD-OVERRIDE."
        )
        assert shown["expect"]["values"] == ["CMD-OVERRIDE"]
        await rig.scan("CMD-OVERRIDE")
        closed = await rig.scan("4400")
        assert closed["step"] == "label"
        (parcel,) = await rig.facts("parcel_advanced")
        assert (parcel.carton_id, parcel.weight_g, parcel.expected_weight_g) == ("", 4_400, 0)


async def test_a_box_that_does_not_hold_it_by_the_book_is_asked_about_and_then_believed(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        small = (CARTONS[1], type(CARTONS[0])(carton_id="X-1", length_mm=100, width_mm=100, height_mm=100))
        await packing_place(rig, cartons=small)
        await goods(rig)
        await picked(rig, 1)
        await rig.scan("CMD-PACK")
        for number in (2, 1, 1):
            await rig.item(number)
        shown = await rig.scan("X-1")
        assert shown["tone"] == "ask"
        assert shown["text"].startswith(
            "X-1 does not hold it: 2500 ml do not go into 1000 ml. Scan another box"
        )
        assert (await rig.scan("CMD-OVERRIDE"))["text"].startswith("X-1. Weigh the closed box")
        (noted,) = await rig.facts("exception_noted")
        assert noted.kind == "carton_overridden"


async def test_a_weight_that_is_not_that_of_the_contents_is_looked_into_before_the_parcel_closes(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _in_the_box(rig)
        await rig.scan("BOX-S")
        shown = await rig.scan("1420")
        assert shown["tone"] == "ask"
        assert shown["text"].startswith("It weighs 1420 g and should weigh about 2460 g. Look into it")
        await rig.crash()
        assert "should weigh about 2460 g" in (await rig.prompt())["text"], "also after a restart"
        assert (await rig.scan("CMD-PACK"))["text"].startswith("Weigh the closed box")
        await rig.scan("1420")
        assert (await rig.scan("CMD-ACCEPT"))["text"].startswith("1420 g. The parcel is closed.")
        (noted,) = await rig.facts("exception_noted")
        assert (noted.kind, noted.reference) == ("weight_accepted", "FO-1")


async def test_a_scale_is_asked_after_the_box_is_scanned_and_its_word_closes_the_parcel(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        equip(rig, scale=True)
        asked = []
        rig.service.on_weigh = asked.append
        await _in_the_box(rig)
        assert not asked
        assert (await rig.scan("BOX-S"))["text"] == "BOX-S. Put it on the scale; or type the grams."
        assert [one.fulfillment_order_id for one in asked] == ["FO-1"]
        device = asked[0].device
        await rig.service.tell(device, WeightArrived("FO-1", 0, "it does not come to rest"))
        assert (await rig.prompt())["step"] == "pack_weigh"
        await rig.scan("CMD-PACK")
        assert len(asked) == 2
        await rig.service.tell(device, WeightArrived("FO-9", 2_470))
        assert (await rig.prompt())["step"] == "pack_weigh", "the weight of another parcel closes nothing"
        await rig.service.tell(device, WeightArrived("FO-1", 2_470))
        assert (await rig.prompt())["step"] == "label"


async def test_a_node_without_cartons_closes_at_once_and_one_that_always_looks_does_not(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, cartons=())
        await goods(rig)
        await picked(rig, 1)
        closed = await rig.scan("CMD-PACK")
        assert closed["text"].startswith("The parcel is closed. It goes with southpost ECO.")
        await labelled(rig, closed)
        await rig.store.write(lambda tx: tx.put("settings", _always_looks()))
        await picked(rig, 2)
        await rig.scan("CMD-PACK")
        for number in (2, 1):
            assert (await rig.item(number))["step"] == "pack_item"
        assert (await rig.item(1))["step"] == "label", "the last item closes the parcel"


def _always_looks() -> bytes:
    return fleet_pb2.DesiredState(settings={"pack.verify": "always"}).SerializeToString()


async def test_a_packing_slip_is_queued_where_there_is_a_printer_for_it(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, cartons=())
        equip(rig, slips=True)
        await goods(rig)
        await picked(rig, 1)
        sscc = (await rig.scan("CMD-PACK"))["expect"]["sscc"]
        jobs = await rig.facts("label_advanced")
        assert [job.print_job_id for job in jobs] == [f"{sscc}-1", f"{sscc}-slip-1"]
