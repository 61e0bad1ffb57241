"""Stories of quality hold: who has doubts takes goods out of sale where they lie, and who has looked decides."""

from __future__ import annotations

from pathlib import Path

from support.dock import CAM, MILK, RYE, camera, exceptions, lying, milk, opened
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes

SELLABLE, HELD = "sellable_accessible", "non_sellable_other"


async def test_goods_on_a_shelf_are_held_and_released(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.stock("RYE", "C-01", 5)
        await rig.play("CMD-HOLD", "C-01")
        shown = await rig.item(RYE)
        assert shown["step"] == "hold_verdict"
        await rig.play("2", "CMD-HOLD")
        assert await lying(rig, "RYE") == {("C-01", SELLABLE): 3, ("C-01", HELD): 2}
        await rig.item(RYE)
        assert (await rig.scan("4"))["tone"] == "error", "more than lie there of any sort"
        await rig.play("1", "sellable")
        await rig.item(RYE)
        await rig.scan("scrap")
        assert await lying(rig, "RYE") == {("C-01", SELLABLE): 4}
        assert await exceptions(rig) == [("quality_hold", "", 2), ("scrap", "", 1)]


async def test_what_is_released_in_quality_is_put_away(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await rig.item(RYE)
        await rig.play("4", "CMD-HOLD", "4", "CMD-DONE", "CMD-PUTAWAY")
        await rig.item(RYE)
        await rig.play("4", "Q-01", "CMD-DONE", "CMD-HOLD", "Q-01")
        await rig.item(RYE)
        shown = await rig.play("3", "sellable")
        assert "put them away with CMD-PUTAWAY" in shown["text"]
        await rig.play("CMD-DONE", "CMD-PUTAWAY")
        await rig.item(RYE)
        await rig.play("3", "C-01")
        assert await lying(rig, "RYE") == {("Q-01", HELD): 1, ("C-01", SELLABLE): 3}


async def test_what_nobody_may_judge_is_left_alone(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.stock("RYE", "C-01", 1)
        await rig.play("CMD-HOLD", "C-02")
        assert "No Rye is in C-02 by the book" in (await rig.item(RYE))["text"]
        await rig.scan("C-01")
        await rig.item(RYE)
        assert (await rig.scan("sellable"))["tone"] == "error", "it may be sold already"
        assert (await rig.scan("missing"))["tone"] == "error"
        assert await lying(rig, "RYE") == {("C-01", SELLABLE): 1}


async def test_lots_and_serials_are_judged_by_their_names(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await milk(rig, "L1", "270131")
        await milk(rig, "L2", "270131")
        await camera(rig, "S1")
        await camera(rig, "S2")
        await rig.play("CMD-DONE", "CMD-PUTAWAY")
        for lot in ("L1", "L2"):
            await milk(rig, lot)
            await rig.scan("C-01")
        await camera(rig, "S1")
        await camera(rig, "S2")
        await rig.play("C-01", "CMD-DONE", "CMD-HOLD", "C-01")
        assert "2 lots" in (await rig.item(MILK))["text"]
        await milk(rig, "L2")
        await rig.scan("CMD-HOLD")
        assert (await rig.item(CAM))["tone"] == "error", "which one?"
        await camera(rig, "S2")
        assert (await rig.scan("1"))["tone"] == "error", "it is one"
        await rig.scan("damaged")
        held = {
            (a.sku_id, a.lot, a.disposition): n for a, n in (await rig.balances()).items() if a.bin == "C-01"
        }
        assert held[("MILK", "L2", HELD)] == held[("CAM", "", "damaged")] == 1
        row = await rig.store.write(lambda tx: tx.one("SELECT disposition FROM serial WHERE serial = 'S2'"))
        assert row == ("damaged",)


async def _a_doubt(rig: FloorRig) -> None:
    await opened(rig)
    await rig.stock("RYE", "C-01", 5)
    await rig.play("CMD-HOLD", "C-01")
    await rig.item(RYE)
    await rig.scan("CMD-HOLD")
    await rig.item(RYE)
    await rig.play("2", "damaged")
    await rig.scan("CMD-DONE")
    assert await lying(rig, "RYE") == {("C-01", HELD): 3, ("C-01", "damaged"): 2}


async def test_a_hold_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_a_doubt) == 8
