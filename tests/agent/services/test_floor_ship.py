"""Shipping in plain language: carriers, tracking numbers, manifests, handing over, voiding and labelling anew."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bodega.core.lifecycles import PrintEvent
from bodega.errors import InvalidInput, NotFound, Refused
from bodega.v1 import catalogue_pb2 as wire
from bodega_adapters.labels.document import LabelDocument
from bodega_agent.store import labels, work
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Context, Transaction
from support.bodega_command import bodega, write_config
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.packing_place import CARD, RANGES, equip, goods, labelled, packing_place, picked

SHIPPED = "shipped"


async def _place(rig: FloorRig) -> None:
    await packing_place(rig, cartons=())
    await goods(rig)


async def _parcel(rig: FloorRig, number: int, **more: object) -> str:
    await picked(rig, number, **more)
    return await labelled(rig, await rig.scan("CMD-PACK"))


async def _handed(rig: FloorRig, *ssccs: str) -> dict[str, object]:
    for sscc in ssccs:
        shown = await rig.scan(f"00{sscc}", "]C1")
    return shown


async def _day_of_two_carriers(rig: FloorRig) -> None:
    await _place(rig)
    eco = await _parcel(rig, 1)
    late = await _parcel(rig, 2)
    fast = await _parcel(rig, 3, service_class="next_day")
    await rig.scan("CMD-HANDOVER")
    shown = await _handed(rig, eco)
    assert (
        shown["text"]
        == f"Parcel {eco} is handed over. Scan the next parcel of southpost, 1 left, or CMD-MANIFEST."
    )
    assert shown["expect"] == {"kind": "sscc", "values": [late]}
    shown = await _handed(rig, fast)
    assert shown["tone"] == "error"
    assert shown["text"].startswith(f"Parcel {fast} is for northpost, not for southpost. Leave it here.")
    shown = await rig.scan("CMD-MANIFEST")
    assert shown["text"].startswith("southpost of 2027-01-15: 1 on manifest MAN-")
    assert shown["text"].endswith("1 still here. CMD-ACCEPT when the driver has signed.")
    assert shown["detail"] == [late]
    shown = await rig.scan("CMD-ACCEPT")
    assert "is closed with 1 parcel. 1 parcel of southpost stay here." in shown["text"]
    (manifest,) = await rig.facts("manifest_advanced")
    assert (manifest.carrier, manifest.ship_date, list(manifest.parcels)) == (
        "southpost",
        "2027-01-15",
        [eco],
    )
    (noted,) = await rig.facts("exception_noted")
    assert (noted.kind, noted.reference, noted.quantity) == ("left_behind", manifest.manifest_id, 1)


async def test_parcels_leave_on_the_manifest_of_their_carrier_and_what_stays_is_counted() -> None:
    assert await lived_through_crashes(_day_of_two_carriers) == 29


async def test_the_next_parcel_after_a_signed_manifest_begins_another_and_a_number_chooses_of_several(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        eco = [await _parcel(rig, number) for number in (1, 2)]
        fast = await _parcel(rig, 3, service_class="next_day")
        await rig.scan("CMD-HANDOVER")
        await _handed(rig, eco[0])
        await rig.play("CMD-MANIFEST", "CMD-ACCEPT", "CMD-HANDOVER")
        await _handed(rig, eco[1])
        await rig.play("CMD-DONE", "CMD-HANDOVER")
        await _handed(rig, fast)
        shown = await rig.play("CMD-DONE", "CMD-MANIFEST")
        assert shown["text"] == "Which manifest? Type its number."
        assert [row.split(",")[0] for row in shown["detail"]] == [
            "1: northpost of 2027-01-15",
            "2: southpost of 2027-01-15",
        ]
        assert (await rig.scan("3"))["text"].startswith("There is no 3 in the list.")
        assert (await rig.scan("2"))["text"].startswith("southpost")
        await rig.scan("CMD-ACCEPT")
        closed = await rig.facts("manifest_advanced")
        assert [list(one.parcels) for one in closed] == [[eco[0]], [eco[1]]]
        assert len({one.manifest_id for one in closed}) == 2
        assert (await rig.scan("CMD-MANIFEST"))["text"].startswith("northpost"), "the only one that is open"


async def test_nothing_is_on_a_manifest_before_a_parcel_is_handed_over(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        assert (await rig.scan("CMD-MANIFEST"))["text"].startswith(
            "No manifest is open: hand parcels over first."
        )


async def test_the_carriers_own_barcode_is_as_good_as_the_sscc(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        await picked(rig, 1, service_class="next_day")
        sscc = (await rig.scan("CMD-PACK"))["expect"]["sscc"]
        await rig.printed(sscc)
        assert (await rig.scan("RA473124829PT"))["text"].startswith("Parcel of order FO-1 is labelled.")
        shown = await rig.play("CMD-HANDOVER", "RA473124829PT")
        assert shown["text"].startswith(f"Parcel {sscc} is handed over.")


async def test_the_service_that_the_order_names_is_taken_and_else_the_cheapest_that_is_soon_enough(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        named = await _parcel(rig, 1, carrier_service="NEXT")
        cheap = await _parcel(rig, 2, carrier_service="a service that nobody offers")
        parcels = {one.sscc: one for one in await rig.facts("parcel_advanced")}
        assert (parcels[named].carrier, parcels[named].tracking_number) == ("northpost", "RA473124829PT")
        assert (parcels[cheap].carrier, parcels[cheap].tracking_number) == ("southpost", "900000000010")


async def test_a_carrier_without_numbers_left_is_passed_over_and_one_without_a_range_needs_none(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, cartons=(), ranges=(*RANGES[:1], _last_one("southpost")))
        await goods(rig)
        carriers = []
        for number in (1, 2):
            await _parcel(rig, number)
        await packing_place(rig, cartons=(), ranges=())
        await _parcel(rig, 3)
        carriers = [(one.carrier, one.tracking_number) for one in await rig.facts("parcel_advanced")]
        assert carriers == [
            ("southpost", "900000000010"),
            ("northpost", "RA473124829PT"),
            ("southpost", ""),
        ]


def _last_one(carrier: str) -> wire.TrackingRange:
    return wire.TrackingRange(
        carrier=carrier, scheme="mod10", prefix="9", first_number=1, last_number=1, digits=10
    )


async def test_a_parcel_that_no_carrier_takes_is_closed_and_a_person_is_told(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, cartons=(), card=CARD[1:])
        await goods(rig)
        await picked(rig, 1, service_class="same_day")
        shown = await rig.scan("CMD-PACK")
        assert shown["tone"] == "ask"
        assert "No carrier of the rate card takes it: tell the shift lead." in shown["text"]
        (noted,) = await rig.facts("exception_noted")
        assert (noted.kind, noted.reference) == ("no_carrier", "FO-1")


async def test_the_label_of_a_parcel_with_a_carrier_has_its_name_number_and_weight(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig)
        await goods(rig)
        await picked(rig, 1)
        await rig.scan("CMD-PACK")
        for number in (2, 1, 1):
            await rig.item(number)
        sscc = (await rig.play("BOX-S", "2470"))["expect"]["sscc"]
        job = await rig.store.write(lambda tx: labels.latest_for(tx, sscc))
        assert job is not None
        label = LabelDocument.from_bytes(job.document)
        shown = {name: label.line(name) for name in ("carrier", "service", "tracking_number", "weight")}
        assert label.kind == "carrier"
        assert shown == {
            "carrier": "southpost",
            "service": "ECO",
            "tracking_number": "900000000010",
            "weight": "2.470 kg",
        }


@pytest.mark.parametrize("method", ["pickup", "locker"])
async def test_a_parcel_that_a_customer_fetches_has_no_carrier_and_is_given_to_none(
    tmp_path: Path, method: str
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        sscc = await _parcel(rig, 1, method=method)
        (parcel,) = await rig.facts("parcel_advanced")
        assert parcel.carrier == ""
        await rig.scan("CMD-HANDOVER")
        assert (await _handed(rig, sscc))["text"].startswith(
            f"Parcel {sscc} may not go: the customer comes for it."
        )


async def _opened_again(rig: FloorRig) -> None:
    await _place(rig)
    first = await _parcel(rig, 1)
    await rig.scan("CMD-VOID")
    shown = await rig.scan(f"00{first}", "]C1")
    assert shown["text"].startswith(f"Why is parcel {first} void: torn, unreadable, no-room, damaged")
    assert (await rig.scan("new"))["text"].startswith("'new' is no reason here.")
    shown = await rig.scan("no-room")
    assert shown["text"].startswith(
        f"Parcel {first} is void. Take its label off and throw it away. All picked."
    )
    assert await rig.held("STAGE-FO-1", "OAT") == 2
    second = await labelled(rig, await rig.scan("CMD-PACK"))
    parcels = await rig.facts("parcel_advanced")
    assert [(one.sscc, one.state, one.reason) for one in parcels] == [
        (first, "closed", ""),
        (first, "voided", "no-room"),
        (second, "closed", ""),
    ]
    assert parcels[0].tracking_number != parcels[2].tracking_number, "a number is never given twice"
    await rig.scan("CMD-HANDOVER")
    assert (await _handed(rig, first))["text"].startswith(f"Parcel {first} is void: take this label off")
    assert (await _handed(rig, second))["tone"] == "ok"
    order = await rig.store.write(lambda tx: work.find(tx, "FO-1"))
    assert order.state == SHIPPED


async def test_a_void_parcel_is_packed_anew_under_new_numbers_and_its_old_label_goes_nowhere() -> None:
    assert await lived_through_crashes(_opened_again) == 17


async def test_with_a_torn_label_the_box_stays_closed_and_only_a_new_label_comes(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig)
        await goods(rig)
        await picked(rig, 1)
        await rig.scan("CMD-PACK")
        for number in (2, 1, 1):
            await rig.item(number)
        first = await labelled(rig, await rig.play("BOX-S", "2470"))
        await rig.scan("CMD-VOID")
        await rig.scan(f"00{first}", "]C1")
        shown = await rig.scan("torn")
        second = shown["expect"]["sscc"]
        assert shown["step"] == "label"
        assert second != first
        parcel = (await rig.facts("parcel_advanced"))[-1]
        assert (parcel.sscc, parcel.carton_id, parcel.weight_g) == (second, "BOX-S", 2_470)
        assert parcel.tracking_number == "900000000027"


async def test_a_parcel_is_voided_at_the_label_too_and_another_devices_parcel_becomes_ones_own(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        await picked(rig, 1)
        sscc = (await rig.scan("CMD-PACK"))["expect"]["sscc"]
        assert (await rig.scan("CMD-VOID"))["step"] == "void_reason"
        assert (await rig.scan("CMD-CANCEL"))["step"] == "idle"
        await rig.play("CMD-VOID", device="scanner-2")
        await rig.scan(f"00{sscc}", "]C1", device="scanner-2")
        assert (await rig.scan("wrong-item", device="scanner-2"))["step"] == "pack"
        jobs = [(job.sscc, job.state) for job in await rig.facts("label_advanced")]
        assert jobs == [(sscc, "queued"), (sscc, "voided")], (
            "a label that is still in the queue is not printed"
        )
        assert (await rig.scan("CMD-PICK"))["text"] == "No order waits. Ready. Scan what to do."


async def test_what_has_left_is_not_opened_and_what_is_none_of_ours_neither(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        sscc = await _parcel(rig, 1)
        await rig.scan("CMD-HANDOVER")
        await _handed(rig, sscc)
        await rig.play("CMD-DONE", "CMD-VOID")
        shown = await rig.scan(f"00{sscc}", "]C1")
        assert shown["text"].startswith(f"Parcel {sscc} can not be opened any more: it is shipped.")
        shown = await rig.scan("00395260640000000005", "]C1")
        assert shown["text"].startswith("Parcel 395260640000000005 is none of this node's.")


async def test_a_cancelled_parcel_is_void_with_its_slip_and_its_numbers(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        equip(rig, slips=True)
        await picked(rig, 1)
        sscc = (await rig.scan("CMD-PACK"))["expect"]["sscc"]
        await rig.hub.cancel(1)
        parcels = [(one.sscc, one.state, one.reason) for one in await rig.facts("parcel_advanced")]
        assert parcels == [(sscc, "closed", ""), (sscc, "voided", "cancelled")]
        jobs = [(job.print_job_id, job.state) for job in await rig.facts("label_advanced")]
        assert jobs[2:] == [(f"{sscc}-1", "voided"), (f"{sscc}-slip-1", "voided")]


async def test_without_a_parcel_number_nothing_is_closed_and_nothing_is_lost(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await packing_place(rig, last_serial=1)
        await goods(rig)
        for number in (1, 2):
            await picked(rig, number)
            await rig.scan("CMD-PACK")
            for item in (2, 1, 1):
                await rig.item(item)
            closed = await rig.play("BOX-S", "2470")
            if number == 1:
                await labelled(rig, closed)
        assert closed["text"].startswith("The node has no parcel numbers left.")
        await packing_place(rig)
        assert (await rig.scan("2470"))["step"] == "label"


async def test_a_carriers_own_label_is_printed_beside_the_parcels_own_and_one_at_a_time(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        sscc = await _parcel(rig, 1)
        who = Context("carrier-1", actor="technician")
        with pytest.raises(InvalidInput):
            await rig.store.write(lambda tx: labels.queue_carrier_label(tx, who, sscc, b"no picture"))
        job = await rig.store.write(lambda tx: labels.queue_carrier_label(tx, who, sscc, b"%PDF-1.4"))
        assert (job.print_job_id, job.paper) == (f"{sscc}-carrier-1", labels.Paper.CARRIER)
        assert LabelDocument.from_bytes(job.document).content == b"%PDF-1.4"
        with pytest.raises(Refused):
            await rig.store.write(lambda tx: labels.queue_carrier_label(tx, who, sscc, b"%PDF-1.4"))
        with pytest.raises(NotFound):
            await rig.store.write(lambda tx: labels.queue_carrier_label(tx, who, "0" * 18, b"%PDF-1.4"))
        own = await rig.store.write(lambda tx: labels.latest_for(tx, sscc))
        assert own is not None
        assert own.state == "confirmed", "the parcel's own label is none of its business"


async def test_a_slip_in_doubt_is_printed_again_as_it_was_and_counts_as_no_label_in_doubt(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        equip(rig, slips=True)
        sscc = await _parcel(rig, 1)
        who = Context("slip-1", actor="technician")

        def doubt(tx: Transaction) -> labels.PrintJob:
            for event in (PrintEvent.SEND, PrintEvent.LOSE_TRACK):
                slip = labels.latest_for(tx, sscc, labels.Paper.SLIP)
                assert slip is not None
                labels.advance(tx, who, slip, event)
            return labels.reprint(tx, who, sscc, "not there", labels.Paper.SLIP)

        assert (await rig.store.read(Reader.counts))["labels_unknown"] == 0
        again = await rig.store.write(doubt)
        slip = LabelDocument.from_bytes(again.document)
        assert (again.print_job_id, slip.kind) == (f"{sscc}-slip-2", "packing-slip")
        assert slip.values["items"] == ("1 x CUP  Cup", "2 x OAT  Oat")


async def test_manifests_are_read_from_the_ledger_by_command(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _place(rig)
        gone, here = await _parcel(rig, 1), await _parcel(rig, 2)
        await rig.scan("CMD-HANDOVER")
        await _handed(rig, gone)
        await rig.scan("CMD-DONE")
        config = write_config(tmp_path)
        (row,) = await _answer(config, "ls", "--open")
        expected = {"carrier": "southpost", "ship_date": "2027-01-15", "parcels": 1, "still_here": 1}
        assert {name: row[name] for name in expected} == expected
        shown = await _answer(config, "show", row["manifest_id"])
        assert [line["sscc"] for line in shown["lines"]] == [gone]
        assert shown["lines"][0]["tracking_number"] == "900000000010"
        assert [one["sscc"] for one in await _answer(config, "waiting")] == [here]
        await rig.play("CMD-MANIFEST", "CMD-ACCEPT")
        assert await _answer(config, "ls", "--open") == []
        told = await asyncio.to_thread(bodega, config, "manifest", "show", row["manifest_id"])
        assert f"{row['manifest_id']} of southpost for 2027-01-15, closed" in told.stdout
        missing = await asyncio.to_thread(bodega, config, "manifest", "show", "MAN-9")
        assert "bodega manifest ls" in missing.stderr


async def _answer(config: Path, *words: str) -> Any:
    done = await asyncio.to_thread(bodega, config, "manifest", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
