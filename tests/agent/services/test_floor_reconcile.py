"""One bin does not fit: count it, see what could explain the difference, book it; without the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.associates import LEA, LEA_PIN, RUI, RUI_BADGE
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes

A1, A2, B2 = "A-01-01", "A-01-02", "B-02-01"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    """A node with ten of product 1 in A-01-01 and five in B-02-01."""
    async with floor_rig(tmp_path) as opened:
        await _stocked(opened)
        yield opened


async def _stocked(rig: FloorRig) -> None:
    await rig.hub.profile()
    await rig.hub.sku(1)
    await rig.stock("SKU-1", A1, 10)
    await rig.stock("SKU-1", B2, 5)


async def _two_picked_from_the_wrong_bin(rig: FloorRig) -> None:
    """By the book they left B-02-01; the hand took them out of A-01-01."""
    await rig.command({"command": "pick", "sku_id": "SKU-1", "quantity": 2, "bin_id": B2, "to_bin_id": A2})


async def test_a_difference_is_shown_with_the_movement_that_explains_it_and_booked_by_a_yes(
    rig: FloorRig,
) -> None:
    await _two_picked_from_the_wrong_bin(rig)
    await rig.play("CMD-RECONCILE", A1)
    await rig.item(1)
    shown = await rig.play("8", "CMD-DONE")
    assert (shown["step"], shown["tone"]) == ("reconcile_post", "ask")
    assert "Product 1 8, book 10 (-2)" in shown["text"]
    assert "2 left B-02-01 by the book, and may have been taken here" in shown["detail"][0]
    assert await rig.held(A1, "SKU-1") == 10, "nothing is booked before the yes"
    shown = await rig.scan("yes")
    assert (shown["tone"], shown["step"]) == ("ok", "reconcile_bin")
    assert await rig.held(A1, "SKU-1") == 8
    (told,) = await rig.facts("count_advanced")
    assert (told.cause, told.state, told.lines[0].counted, told.lines[0].book) == (
        "reconcile",
        "posted",
        8,
        10,
    )
    (noted,) = await rig.facts("exception_noted")
    assert (noted.kind, noted.bin_id, noted.quantity) == ("reconciled", A1, 2)


async def test_a_bin_that_agrees_is_done_with_its_last_scan(rig: FloorRig) -> None:
    await rig.play("CMD-RECONCILE", A1)
    await rig.item(1)
    shown = await rig.play("10", "CMD-DONE")
    assert "agrees with the book" in shown["text"]
    assert shown["step"] == "reconcile_bin"
    assert await rig.facts("exception_noted") == []


async def test_no_counts_what_differs_once_more(rig: FloorRig) -> None:
    await rig.play("CMD-RECONCILE", A1)
    await rig.item(1)
    shown = await rig.play("8", "CMD-DONE", "no")
    assert "only Product 1" in shown["text"]
    await rig.item(1)
    await rig.play("10", "CMD-DONE")
    assert await rig.held(A1, "SKU-1") == 10


async def test_a_pick_before_the_yes_is_never_deducted_twice(rig: FloorRig) -> None:
    await rig.play("CMD-RECONCILE", A1)
    await rig.item(1)
    await rig.play("8", "CMD-DONE")
    await rig.command({"command": "pick", "sku_id": "SKU-1", "quantity": 3, "bin_id": A1, "to_bin_id": A2})
    shown = await rig.scan("yes")
    assert "moved while you counted" in shown["text"]
    assert await rig.held(A1, "SKU-1") == 7, "the pick, and nothing more"
    await rig.item(1)
    shown = await rig.play("5", "CMD-DONE", "yes")
    assert await rig.held(A1, "SKU-1") == 5, shown["text"]


async def test_what_nobody_scanned_is_shown_as_none(rig: FloorRig) -> None:
    await rig.play("CMD-RECONCILE", A1)
    shown = await rig.scan("CMD-DONE")
    assert "Product 1 0, book 10 (-10)" in shown["text"]
    await rig.scan("CMD-ACCEPT")
    assert await rig.held(A1, "SKU-1") == 0


async def test_goods_that_wait_at_the_dock_by_the_book_may_lie_in_the_bin_already(rig: FloorRig) -> None:
    await rig.command({"command": "receive", "sku_id": "SKU-1", "quantity": 4})
    await rig.play("CMD-RECONCILE", A1)
    await rig.item(1)
    shown = await rig.play("14", "CMD-DONE")
    assert "4 wait at DOCK by the book" in shown["detail"][0]


async def test_a_large_difference_waits_for_a_lead_unless_a_lead_says_yes(rig: FloorRig) -> None:
    await rig.hub.profile(associates=[RUI, LEA])
    await rig.play(RUI_BADGE, "CMD-RECONCILE", A1)
    await rig.item(1)
    shown = await rig.play("1", "CMD-DONE", "yes")
    assert "1 of its lines wait for a lead" in shown["text"]
    shown = await rig.play("CMD-DONE", "CMD-APPROVE")
    assert (shown["tone"], await rig.held(A1, "SKU-1")) == ("error", 10)
    await rig.play("lea", LEA_PIN, "CMD-APPROVE", "yes")
    assert await rig.held(A1, "SKU-1") == 1
    assert (await rig.facts("count_advanced"))[-1].decided_by == "lea"
    await rig.play("CMD-RECONCILE", B2)
    await rig.play("CMD-DONE", "yes")
    assert await rig.held(B2, "SKU-1") == 0


async def _a_bin_is_reconciled(rig: FloorRig) -> None:
    await _stocked(rig)
    await rig.play("CMD-RECONCILE", A1)
    await rig.item(1)
    shown = await rig.play("7", "CMD-DONE", "yes")
    assert shown["tone"] == "ok", shown["text"]
    assert await rig.held(A1, "SKU-1") == 7


async def test_reconciling_survives_a_crash_at_every_scan_and_takes_six_of_them() -> None:
    assert await lived_through_crashes(_a_bin_is_reconciled) == 6
