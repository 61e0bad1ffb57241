"""Stories of receiving: what comes is in the book with its scan, and held against what was announced."""

from __future__ import annotations

from pathlib import Path

from support.dock import (
    MILK,
    OAT,
    PALLET,
    RYE,
    announced,
    camera,
    case,
    exceptions,
    line,
    lying,
    milk,
    opened,
    pallet,
)
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.node_under_test import gtin

DOCK = ("DOCK", "in_progress")


async def closed_lines(rig: FloorRig) -> list[tuple[str, str, int, int, int, int]]:
    """The lines of the last receipt that was closed."""
    receipt = (await rig.facts("receipt_advanced"))[-1]
    assert receipt.state == "closed"
    return [(o.sku_id, o.lot, o.expected, o.received, o.damaged, o.held) for o in receipt.lines]


async def test_a_delivery_comes_in_against_its_notice(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("OAT", 24), line("RYE", 1))
        await rig.scan("CMD-RECEIVE")
        shown = await rig.scan("N-1")
        assert shown["detail"][0] == "notice N-1 of Acme: 0 of 25 units"
        assert shown["expect"]["values"] == [gtin(OAT), gtin(RYE)], "a robot knows what to look for"
        await case(rig)
        shown = await case(rig)
        assert shown["detail"] == ["notice N-1 of Acme: 24 of 25 units", "to come: 1 x Rye"]
        shown = await rig.item(RYE)
        assert shown["text"] == "Received 1 x Rye. All announced goods are in. CMD-DONE closes."
        shown = await rig.scan("CMD-DONE")
        assert shown["step"] == "idle"
        assert await closed_lines(rig) == [("OAT", "", 24, 24, 0, 0), ("RYE", "", 1, 1, 0, 0)]
        assert await exceptions(rig) == []
        assert await lying(rig, "OAT") == {DOCK: 24}


async def test_blind_goods_need_no_notice(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await rig.item(RYE)
        shown = await rig.scan("CMD-DONE")
        assert "1 units came in" in shown["text"]
        assert await closed_lines(rig) == [("RYE", "", 0, 1, 0, 0)]
        assert await exceptions(rig) == []


async def test_a_number_counts_what_was_scanned_last_in_its_own_unit(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        assert (await rig.scan("5"))["tone"] == "error", "five of what?"
        await case(rig)
        assert "Received 36 x Oat" in (await rig.scan("4"))["text"], "four cases in all, one was scanned"
        assert (await rig.scan("4"))["tone"] == "error", "they are received already"
        moved = await rig.facts("movement")
        assert [(m.entered[0].quantity, m.entered[0].unit) for m in moved] == [(1, "case"), (3, "case")]
        assert await lying(rig, "OAT") == {DOCK: 48}


async def test_more_than_announced_is_received_and_noted(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("OAT", 10))
        await rig.play("CMD-RECEIVE", "N-1")
        shown = await case(rig)
        assert shown["text"].startswith("Received 12 x Oat. 2 more than announced.")
        shown = await rig.item(RYE)
        assert "Nobody has announced Rye" in shown["text"]
        assert await exceptions(rig) == [("over_receipt", "", 2), ("not_announced", "", 1)]
        await rig.scan("CMD-DONE")
        assert await closed_lines(rig) == [("OAT", "", 10, 12, 0, 0), ("RYE", "", 0, 1, 0, 0)]


async def test_what_does_not_come_is_asked_about_and_may_come_with_another_lorry(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("OAT", 10), line("RYE", 2))
        await rig.play("CMD-RECEIVE", "N-1")
        await rig.item(OAT)
        shown = await rig.scan("CMD-DONE")
        assert (shown["tone"], shown["expect"]["values"]) == ("ask", ["yes", "no"])
        assert "11 announced units have not come" in shown["text"]
        assert (await rig.scan("no"))["step"] == "receive_item"
        await rig.play("CMD-DONE")
        assert (await rig.item(OAT))["step"] == "receive_item", "there it comes, while the question stands"
        await rig.play("CMD-DONE", "yes")
        assert await exceptions(rig) == [
            ("under_receipt", "missing", 8),
            ("under_receipt", "missing", 2),
        ]
        shown = await rig.play("CMD-RECEIVE", "N-1")
        assert shown["detail"][0] == "notice N-1 of Acme: 0 of 10 units", "the rest of it"
        await rig.item(OAT)
        await rig.scan("8")
        await rig.item(RYE)
        await rig.play("2", "CMD-DONE", "CMD-RECEIVE")
        assert "All of notice N-1 has come in already" in (await rig.scan("N-1"))["text"]


async def test_damaged_goods_are_received_and_set_apart(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        assert (await rig.scan("damaged"))["tone"] == "error", "what is damaged?"
        await case(rig)
        shown = await rig.scan("damaged")
        assert shown["text"] == "How many of 12 x Oat are damaged? Type the number."
        assert (await rig.scan("13"))["tone"] == "error"
        await rig.scan("2")
        assert (await rig.scan("damaged"))["tone"] == "error", "the same goods are not damaged twice"
        assert await lying(rig, "OAT") == {DOCK: 10, ("DOCK", "damaged"): 2}
        assert await exceptions(rig) == [("damaged", "", 2)]
        await rig.scan("CMD-DONE")
        assert await closed_lines(rig) == [("OAT", "", 0, 12, 2, 0)]


async def test_goods_on_quality_hold_are_not_for_sale(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await rig.item(RYE)
        assert "on hold" in (await rig.scan("CMD-HOLD"))["text"]
        await rig.scan("CMD-DONE")
        assert await lying(rig, "RYE") == {("DOCK", "non_sellable_other"): 1}
        assert await exceptions(rig) == [("quality_hold", "", 1)]
        assert await closed_lines(rig) == [("RYE", "", 0, 1, 0, 1)]


async def test_lot_and_expiry_are_typed_where_no_code_carries_them(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        shown = await rig.item(MILK)
        assert (shown["tone"], shown["step"]) == ("error", "receive_lot")
        assert "1 to 20" in (await rig.scan("L" * 21))["text"]
        assert (await rig.scan("L42"))["step"] == "receive_expiry"
        assert "is no day" in (await rig.scan("271331"))["text"]
        shown = await rig.scan("270200")
        assert shown["text"].startswith("Received 1 x Milk.")
        await rig.item(MILK)
        assert (await rig.scan("L42"))["step"] == "receive_item", "its expiry is known by now"
        (first, second) = await rig.facts("movement")
        assert [(seen.lot, seen.expiry) for seen in first.lots] == [("L42", "2027-02-28")]
        assert not second.lots
        await rig.item(MILK)
        shown = await rig.scan("CMD-SKIP")
        assert (shown["tone"], shown["step"]) == ("error", "receive_item")
        assert await lying(rig, "MILK") == {DOCK: 2}


async def test_a_code_with_the_lot_answers_the_question_for_it(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await rig.item(MILK)
        assert (await milk(rig, "L1", "270131"))["text"].startswith("Received 1 x Milk.")


async def test_what_has_expired_comes_in_and_never_gets_to_a_shelf(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        assert "has expired: set it apart" in (await milk(rig, "OLD", "200131"))["text"]
        assert await lying(rig, "MILK") == {("DOCK", "expired"): 1}
        assert (await rig.scan("5"))["tone"] == "error", "no more of it by a number"
        assert (await rig.scan("damaged"))["tone"] == "error", "it is set apart already"
        await rig.item(MILK)
        shown = await rig.play("ALSO-OLD", "200131")
        assert "Lot ALSO-OLD has expired" in shown["text"]
        assert await lying(rig, "MILK") == {("DOCK", "expired"): 2}
        assert await exceptions(rig) == [("expired", "", 1), ("expired", "", 1)]


async def test_a_supplier_who_names_lots_is_held_to_them(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("MILK", 1, lot="L1", expiry="2027-01-31"), line("MILK", 1))
        await rig.play("CMD-RECEIVE", "N-1")
        await milk(rig, "L2", "270131")
        await milk(rig, "L1", "270131")
        shown = await milk(rig, "L2")
        assert "1 more than announced" in shown["text"]
        await rig.scan("CMD-DONE")
        assert await closed_lines(rig) == [("MILK", "L1", 1, 1, 0, 0), ("MILK", "L2", 1, 2, 0, 0)]


async def test_an_announced_pallet_comes_in_with_one_scan_and_only_once(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        held = line("MILK", 6, lot="L1", expiry="2027-01-31", sscc=PALLET)
        await announced(rig, held, line("OAT", 24, sscc=PALLET), line("RYE", 1))
        await rig.scan("CMD-RECEIVE")
        shown = await pallet(rig)
        assert f"Pallet {PALLET}: 30 units received." in shown["text"], "the notice was found by it"
        assert shown["detail"][0] == "notice N-1 of Acme: 30 of 31 units"
        assert "has come in already" in (await pallet(rig))["text"]
        assert await lying(rig, "OAT") == {(f"LPN-{PALLET}", "in_progress"): 24}
        await rig.item(RYE)
        await rig.scan("CMD-DONE")
        assert await exceptions(rig) == []


async def test_a_pallet_of_which_too_little_is_known_is_opened(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("MILK", 6, sscc=PALLET))
        await announced(rig, line("CAM", 1, sscc="395011010000000064"), notice_id="N-2")
        await rig.scan("CMD-RECEIVE")
        assert "does not say the lot of Milk" in (await pallet(rig))["text"]
        assert "does not say the serials of Cam" in (await pallet(rig, "395011010000000064"))["text"]
        assert "No notice names pallet" in (await pallet(rig, "395011010000000071"))["text"]
        assert await lying(rig, "MILK") == {}


async def test_loose_goods_get_a_pallet_with_a_number_and_a_label(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        assert (await rig.scan("CMD-FULL"))["tone"] == "error", "no pallet is there"
        shown = await rig.scan("CMD-PACK")
        sscc = shown["detail"][0].removeprefix("onto pallet ")
        await case(rig)
        await camera(rig, "S1")
        assert (await rig.scan("CMD-REPRINT"))["tone"] == "error", "the first one is still to come"
        await rig.printed(sscc)
        assert "Another label" in (await rig.scan("CMD-REPRINT"))["text"]
        await rig.printed(sscc)
        assert await _proven(rig) == [0]
        assert f"Onto pallet {sscc}" in (await pallet(rig, sscc))["text"]
        assert await _proven(rig) == [1], "its label was read"
        states = [
            (label.sscc == sscc, label.copy, label.state) for label in await rig.facts("label_advanced")
        ]
        assert states[-1] == (True, 2, "confirmed")
        await rig.scan("CMD-FULL")
        await rig.item(OAT)
        assert await lying(rig, "OAT") == {(f"LPN-{sscc}", "in_progress"): 12, DOCK: 1}
        next_one = (await rig.scan("CMD-PACK"))["detail"][0]
        assert next_one != f"onto pallet {sscc}", "a number is given once"


async def _proven(rig: FloorRig) -> list[int]:
    """Of every pallet here, whether its label was read."""
    return await rig.store.write(lambda tx: [row[0] for row in tx.execute("SELECT proven FROM load_unit")])


async def test_a_withdrawn_notice_and_one_of_nobody_are_not_received(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("OAT", 1))
        await announced(rig, line("OAT", 1), version=2, withdrawn=True)
        await announced(rig, line("OAT", 9), version=1)
        await rig.scan("CMD-RECEIVE")
        assert "was withdrawn" in (await rig.scan("N-1"))["text"]
        assert (await rig.scan("N-7"))["tone"] == "error"


async def test_a_notice_that_no_receipt_could_tell_is_parked(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, *(line("OAT", 1) for _ in range(251)))
        await announced(rig, line("OAT", 0), notice_id="N-2")
        parked = await rig.store.write(lambda tx: [row[0] for row in tx.execute("SELECT reason FROM parked")])
        assert parked == ["notice N-1 has 251 lines, 250 is the most", "notice N-2 announces 0 units of OAT"]
        await announced(rig, *(line("OAT", 1) for _ in range(250)), notice_id="N-3")
        await rig.scan("CMD-RECEIVE")
        assert (await rig.scan("N-3"))["tone"] == "ok"


async def test_a_receipt_that_was_left_goes_on(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await rig.item(RYE)
        await rig.scan("CMD-CANCEL")
        shown = await rig.scan("CMD-RECEIVE")
        receipt_id = (await rig.facts("receipt_advanced"))[0].receipt_id
        assert f"Receiving goes on: receipt {receipt_id}" in shown["text"]
        await rig.item(RYE)
        await rig.scan("CMD-CANCEL")
        shown = await rig.scan("CMD-RECEIVE", device="scanner-2")
        assert "goes on" not in shown["text"], "it is another one's"
        assert receipt_id in (await rig.scan(receipt_id, device="scanner-2"))["text"], "its name opens it"
        await rig.scan("CMD-DONE", device="scanner-2")
        assert await closed_lines(rig) == [("RYE", "", 0, 2, 0, 0)]


async def test_two_people_unload_one_lorry_until_one_closes_it(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("RYE", 2))
        for device in ("scanner-1", "scanner-2"):
            await rig.play("CMD-RECEIVE", "N-1", device=device)
        await rig.item(RYE)
        shown = await rig.item(RYE, device="scanner-2")
        assert "All announced goods are in" in shown["text"]
        await rig.scan("CMD-DONE")
        late = await rig.item(RYE, device="scanner-2")
        assert (late["tone"], late["step"]) == ("error", "idle")
        assert "was closed meanwhile" in late["text"]
        assert await lying(rig, "RYE") == {DOCK: 2}


async def test_the_receipt_of_a_device_that_is_gone_is_taken_over(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await case(rig)
        rig.present = {"scanner-2"}
        shown = await rig.play("CMD-RESUME", "CMD-ACCEPT", device="scanner-2")
        assert "You go on with receive" in shown["text"]
        assert "Received 12 x Oat" in (await rig.scan("2", device="scanner-2"))["text"], (
            "also with what was scanned"
        )
        await rig.scan("CMD-CANCEL", device="scanner-2")
        assert "goes on" in (await rig.scan("CMD-RECEIVE", device="scanner-2"))["text"], (
            "it is this device's now"
        )


async def _a_delivery(rig: FloorRig) -> None:
    """Against a notice: a pallet, a case too many, one damaged, something missing, and an own pallet."""
    await opened(rig)
    await announced(
        rig, line("OAT", 12), line("MILK", 3, lot="L1", expiry="2027-01-31", sscc=PALLET), line("RYE", 2)
    )
    await rig.play("CMD-RECEIVE", "N-1")
    await pallet(rig)
    await case(rig)
    await rig.play("2", "damaged", "1")
    await rig.scan("CMD-PACK")
    await rig.item(RYE)
    await rig.play("CMD-FULL", "CMD-DONE", "yes")
    assert await lying(rig, "OAT") == {DOCK: 23, ("DOCK", "damaged"): 1}


async def test_a_delivery_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_a_delivery) == 12
