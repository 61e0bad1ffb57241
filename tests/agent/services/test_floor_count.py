"""Counting bins on the floor: blind, again where it differs much, approved by a lead; picks meanwhile are known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bodega.v1 import journal_pb2
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.node_under_test import gtin

OTHER = "scanner-2"
A1, A2, B2 = "A-01-01", "A-01-02", "B-02-01"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    """A node with ten of product 1 in A-01-01."""
    async with floor_rig(tmp_path) as opened:
        await stocked(opened)
        yield opened


async def stocked(rig: FloorRig, units: int = 10) -> str:
    await rig.hub.profile()
    oat = await rig.hub.sku(1)
    await rig.stock(oat, A1, units)
    return oat


async def counted(rig: FloorRig, units: int, *, device: str = "scanner-1") -> dict[str, Any]:
    """Product 1, so many in all, and CMD-DONE."""
    await rig.item(1, device=device)
    return await rig.play(str(units), "CMD-DONE", device=device)


async def states(rig: FloorRig) -> list[tuple[str, list[tuple[int, int]]]]:
    """Every word of the counts in order: (state, [(counted, book)])."""
    told = await rig.facts("count_advanced")
    return [(fact.state, [(line.counted, line.book) for line in fact.lines]) for fact in told]


async def test_the_plan_leads_through_the_bins_in_walking_order_and_each_is_counted_once(
    rig: FloorRig,
) -> None:
    shown = await rig.scan("CMD-COUNT")
    assert shown["expect"]["values"] == [A1]
    shown = await rig.scan(A1)
    assert shown["expect"]["kind"] == "item"
    shown = await counted(rig, 10)
    assert shown["expect"]["values"] == [A2], shown["text"]
    await rig.play(A2, "CMD-DONE", B2, "CMD-DONE")
    assert "No bin is due" in (await rig.prompt())["text"]
    assert [state for state, _ in await states(rig)] == ["posted"] * 3
    assert (await rig.facts("count_advanced"))[0].cause == "plan"


async def test_nobody_who_counts_is_told_what_the_book_says(rig: FloorRig) -> None:
    await rig.command({"command": "count", "sku_id": "SKU-1", "bin_id": A1, "quantity": 137})
    for text in ("CMD-COUNT", A1, "9520000000000", "CMD-COUNT"):
        shown = await rig.scan(text)
        assert "137" not in shown["text"] + " ".join(shown["detail"])
    shown = await counted(rig, 40)
    assert "again" in shown["text"]
    assert "137" not in shown["text"] + " ".join(shown["detail"])


async def test_a_small_difference_is_booked_at_once(rig: FloorRig) -> None:
    await rig.play("CMD-COUNT", A1)
    await counted(rig, 9)
    assert await rig.held(A1, "SKU-1") == 9
    assert await states(rig) == [("posted", [(9, 10)])]


async def test_each_scan_adds_one_and_a_number_says_how_many_in_all(rig: FloorRig) -> None:
    await rig.play("CMD-COUNT", A1)
    await rig.item(1)
    assert "2 x Product 1" in (await rig.item(1))["text"]
    assert "9 x Product 1" in (await rig.scan("9"))["text"]
    assert "10 x Product 1" in (await rig.item(1))["text"]
    await rig.scan("CMD-DONE")
    assert await states(rig) == [("posted", [(10, 10)])]


async def test_a_large_difference_is_counted_again_and_the_recount_has_the_whole_difference_to_explain(
    rig: FloorRig,
) -> None:
    """Held against the book, and not against the first count: else it would always show a variance of 0."""
    await rig.play("CMD-COUNT", A1)
    shown = await counted(rig, 4)
    assert (shown["step"], shown["tone"]) == ("count_item", "ask")
    assert await rig.held(A1, "SKU-1") == 10, "nothing is booked by the first count"
    shown = await counted(rig, 4)
    assert "1 of its lines wait for a lead" in shown["text"]
    assert await rig.held(A1, "SKU-1") == 10
    assert await states(rig) == [("waits_for_recount", [(4, 10)]), ("waits_for_approval", [(4, 10)])]


async def test_a_recount_that_finds_the_rest_books_what_is_left_of_the_difference(rig: FloorRig) -> None:
    await rig.play("CMD-COUNT", A1)
    await counted(rig, 4)
    await counted(rig, 9)
    assert await rig.held(A1, "SKU-1") == 9
    assert await states(rig) == [("waits_for_recount", [(4, 10)]), ("posted", [(9, 10)])]


async def waiting(rig: FloorRig, units: int = 4) -> None:
    """A count of `units` that waits for a lead."""
    await rig.play("CMD-COUNT", A1)
    await counted(rig, units)
    await counted(rig, units)
    await rig.scan("CMD-DONE")


async def test_a_lead_sees_both_counts_and_books_the_difference(rig: FloorRig) -> None:
    await waiting(rig)
    shown = await rig.scan("CMD-APPROVE")
    assert "Product 1 4, the book has 10 (-6)" in shown["text"]
    assert "counted 4, 4" in shown["detail"][0]
    shown = await rig.scan("yes")
    assert (shown["tone"], shown["step"]) == ("ok", "idle")
    assert await rig.held(A1, "SKU-1") == 4
    assert (await rig.facts("count_advanced"))[-1].decided_by == "associate"


async def test_a_lead_who_says_no_has_it_counted_again(rig: FloorRig) -> None:
    await waiting(rig)
    await rig.play("CMD-APPROVE", "no")
    assert await rig.held(A1, "SKU-1") == 10
    shown = await rig.scan("CMD-COUNT")
    assert shown["expect"]["values"] == [A1]
    shown = await rig.scan(A1)
    assert "only Product 1" in shown["text"]


async def test_a_pick_between_count_and_approval_is_not_deducted_twice(rig: FloorRig) -> None:
    """Six are missing; two of the four that are there are picked meanwhile: two are left."""
    await waiting(rig)
    await rig.hub.fulfillment_order(1, ("SKU-1", 2))
    await rig.play("CMD-PICK", A1)
    await rig.item(1)
    await rig.item(1)
    await rig.play("CMD-CANCEL", "CMD-APPROVE", "yes")
    assert await rig.held(A1, "SKU-1") == 2


async def test_a_short_pick_between_count_and_approval_has_taken_the_missing_ones_out_already(
    rig: FloorRig,
) -> None:
    """The picker says that the shelf is empty: its book is at zero. Six less than zero is no number of units."""
    await waiting(rig)
    await rig.hub.fulfillment_order(1, ("SKU-1", 5))
    await rig.play("CMD-PICK", A1)
    for _ in range(4):
        await rig.item(1)
    await rig.play("CMD-SHORT", "missing", "CMD-CANCEL")
    assert await rig.held(A1, "SKU-1") == 0
    await rig.command(
        {"command": "adjust", "sku_id": "SKU-1", "bin_id": A1, "difference": 8, "reason": "found"}
    )
    await rig.scan("CMD-APPROVE")
    shown = await rig.scan("yes")
    assert "changed since" in shown["text"]
    assert await rig.held(A1, "SKU-1") == 8, "nothing was booked by the old count"
    assert (await states(rig))[-1][0] == "rejected"


async def test_goods_picked_while_they_are_counted_are_counted_again(rig: FloorRig) -> None:
    await rig.hub.fulfillment_order(1, ("SKU-1", 3))
    await rig.play("CMD-PICK", A1, device=OTHER)
    await rig.play("CMD-COUNT", A1)
    for _ in range(3):
        await rig.item(1, device=OTHER)
    shown = await counted(rig, 10)
    assert "moved while you counted" in shown["text"]
    assert "pick -1 for FO-1" in shown["text"]
    assert await rig.held(A1, "SKU-1") == 7, "the pick's own movements, and nothing more"
    await counted(rig, 7)
    assert await rig.held(A1, "SKU-1") == 7
    assert (await states(rig))[-1] == ("posted", [(7, 7)])
    assert len(await rig.facts("conflict_found")) == 1
    assert [task.kind for task in await rig.facts("task_opened")] == ["count"]
    assert len(await rig.facts("task_closed")) == 1


async def test_a_count_that_is_left_goes_on_and_knows_what_was_picked_since(rig: FloorRig) -> None:
    """Refreshing a count while a pick is open must not deduct the pick twice."""
    await rig.play("CMD-COUNT", A1)
    await rig.item(1)
    await rig.play("10", "CMD-CANCEL")
    await rig.hub.fulfillment_order(1, ("SKU-1", 2))
    await rig.play("CMD-PICK", A1)
    await rig.item(1)
    await rig.item(1)
    shown = await rig.play("CMD-CANCEL", "CMD-COUNT")
    assert shown["step"] == "count_item"
    shown = await rig.scan("CMD-DONE")
    assert "moved while you counted" in shown["text"]
    await counted(rig, 8)
    assert await rig.held(A1, "SKU-1") == 8
    assert (await states(rig))[-1] == ("posted", [(8, 8)])


async def test_what_nobody_has_scanned_is_asked_for_before_it_is_taken_as_gone(rig: FloorRig) -> None:
    await rig.hub.sku(2)
    await rig.stock("SKU-2", A1, 1)
    await rig.play("CMD-COUNT", A1)
    shown = await counted(rig, 10)
    assert "only Product 2" in shown["text"]
    assert await rig.held(A1, "SKU-2") == 1
    await rig.scan("CMD-DONE")
    assert await rig.held(A1, "SKU-2") == 0


async def test_a_later_count_overtakes_what_waits_for_a_lead(rig: FloorRig) -> None:
    await waiting(rig)
    await rig.play("CMD-COUNT", A1)
    await counted(rig, 10)
    assert (await states(rig))[-2:] == [("rejected", [(4, 10)]), ("posted", [(10, 10)])]
    assert "No count waits" in (await rig.play("CMD-DONE", "CMD-APPROVE"))["text"]
    assert await rig.held(A1, "SKU-1") == 10


async def test_the_hub_s_doubt_leads_there_first_and_is_about_one_line(rig: FloorRig) -> None:
    await rig.hub.sku(2)
    await rig.stock("SKU-2", B2, 5)
    await rig.stock("SKU-1", B2, 5)
    await rig.play("CMD-COUNT", A1)
    await counted(rig, 10)
    await rig.play(A2, "CMD-DONE", B2)
    await rig.item(2)
    await rig.play("5")
    await counted(rig, 5)
    place = journal_pb2.CountWanted.Place(bin_id=B2, sku_id="SKU-2")
    await rig.hub.write(count_wanted=journal_pb2.CountWanted(divergence_id="D-1", places=[place]))
    shown = await rig.play("CMD-DONE", "CMD-COUNT")
    assert shown["expect"]["values"] == [B2]
    assert "digest" in shown["detail"][0]
    shown = await rig.scan(B2)
    assert "only Product 2" in shown["text"]
    assert (await rig.item(1))["tone"] == "error", "another line was not asked for"
    await rig.play("5", "CMD-DONE")
    assert [fact.divergence_id for fact in await rig.facts("task_closed")] == ["D-1"]
    assert (await rig.facts("count_advanced"))[-1].cause == "digest"


async def test_a_short_pick_leads_the_next_counter_to_its_bin(rig: FloorRig) -> None:
    await rig.stock("SKU-1", B2, 3)
    await rig.hub.fulfillment_order(1, ("SKU-1", 1))
    shown = await rig.scan("CMD-PICK")
    bin_id = shown["expect"]["values"][0]
    await rig.play(bin_id, "CMD-SHORT", "missing", "CMD-CANCEL")
    shown = await rig.scan("CMD-COUNT")
    assert shown["expect"]["values"] == [bin_id]
    assert "discrepancy" in shown["detail"][0]
    await rig.scan(bin_id)
    await rig.play("0", "CMD-DONE")
    assert len(await rig.facts("discrepancy_closed")) == 1


async def test_a_place_without_a_label_is_begun_by_a_word(rig: FloorRig) -> None:
    await rig.command({"command": "receive", "sku_id": "SKU-1", "quantity": 4})
    place = journal_pb2.CountWanted.Place(bin_id="DOCK", sku_id="SKU-1")
    await rig.hub.write(count_wanted=journal_pb2.CountWanted(divergence_id="D-1", places=[place]))
    bin_first = await rig.scan("CMD-COUNT")
    assert bin_first["expect"]["values"] == [A1], "bins are nearer than the dock"
    shown = await rig.scan("CMD-SKIP")
    assert shown["expect"]["values"] == ["CMD-ACCEPT"]
    await rig.play("CMD-ACCEPT", "3", "CMD-DONE")
    assert await rig.held("DOCK", "SKU-1") == 3


async def test_two_people_do_not_count_one_bin_at_once_but_a_bin_that_was_left_is_begun_anew(
    rig: FloorRig,
) -> None:
    await rig.play("CMD-COUNT", A1)
    await rig.scan("CMD-COUNT", device=OTHER)
    shown = await rig.scan(A1, device=OTHER)
    assert shown["tone"] == "error"
    assert "is being counted at scanner-1" in shown["text"]
    await rig.scan("CMD-CANCEL")
    await rig.scan(A1, device=OTHER)
    await counted(rig, 10, device=OTHER)
    shown = await rig.scan("CMD-COUNT")
    assert shown["step"] == "count_bin", "it was counted by somebody else"
    assert await states(rig) == [("posted", [(10, 10)])]


async def test_units_with_serials_are_counted_one_by_one(rig: FloorRig) -> None:
    await rig.hub.sku_of("CAM", 7, serial_tracked=True)
    for serial in ("S1", "S2", "S3"):
        await rig.command(
            {"command": "receive", "sku_id": "CAM", "quantity": 1, "serials": [serial], "bin_id": "DOCK"}
        )
        await rig.command(
            {"command": "put_away", "sku_id": "CAM", "quantity": 1, "serials": [serial], "to_bin_id": A2}
        )
    await rig.play("CMD-COUNT", A2)
    code = f"\x1d01{gtin(7)}21"
    await rig.scan(f"{code}S1", "]C1")
    assert (await rig.scan(f"{code}S1", "]C1"))["tone"] == "error"
    assert (await rig.scan("3"))["tone"] == "error", "a number names no unit"
    await rig.scan(f"{code}S3", "]C1")
    await rig.scan("CMD-DONE")
    assert await rig.held(A2, "CAM") == 2


async def test_goods_on_hold_in_the_bin_stay_on_hold(rig: FloorRig) -> None:
    await rig.command(
        {
            "command": "change_disposition",
            "sku_id": "SKU-1",
            "quantity": 3,
            "bin_id": A1,
            "to_disposition": "damaged",
        }
    )
    await rig.play("CMD-COUNT", A1)
    await counted(rig, 9)
    by_disposition = {a.disposition: n for a, n in (await rig.balances()).items() if a.bin == A1}
    assert by_disposition == {"sellable_accessible": 6, "damaged": 3}


async def _a_count_with_a_recount_and_an_approval(rig: FloorRig) -> None:
    oat = await stocked(rig)
    await rig.play("CMD-COUNT", A1)
    await counted(rig, 3)
    await counted(rig, 3)
    await rig.play("CMD-SKIP", "CMD-DONE", "CMD-APPROVE")
    shown = await rig.scan("CMD-ACCEPT")
    assert shown["tone"] == "ok", shown["text"]
    assert await rig.held(A1, oat) == 3


async def test_a_count_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_a_count_with_a_recount_and_an_approval) == 12
