"""Stories of putting away: the node says where, a person may know better, and says why."""

from __future__ import annotations

from pathlib import Path

from bodega.v1 import catalogue_pb2
from support.dock import (
    OAT,
    PALLET,
    PEAS,
    RYE,
    announced,
    camera,
    case,
    exceptions,
    line,
    lying,
    opened,
    pallet,
)
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes

SELLABLE = "sellable_accessible"


async def received(rig: FloorRig, *goods: tuple[int, int]) -> None:
    """(product, units) come in blind, and the person turns to put-away."""
    await rig.scan("CMD-RECEIVE")
    for product, units in goods:
        await rig.item(product)
        if units > 1:
            await rig.scan(str(units))
    await rig.play("CMD-DONE", "CMD-PUTAWAY")


async def where(rig: FloorRig, product: int, number: int = 1) -> list[str]:
    """Which bin is suggested for so many; they stay in the hand."""
    shown = await rig.item(product)
    if number > 1:
        shown = await rig.scan(str(number))
    return shown["expect"]["values"]


async def test_goods_go_to_their_fixed_bin_as_far_as_it_takes_them(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await received(rig, (OAT, 22))
        assert await where(rig, OAT, 10) == ["F-OAT"]
        assert (await rig.scan("F-OAT"))["text"].startswith("10 x Oat is in F-OAT.")
        assert await where(rig, OAT, 11) == ["A-01"], "it is full: a bin of its velocity class"
        await rig.scan("A-01")
        assert await where(rig, OAT) == ["A-01"], "where the same lies already"
        assert await lying(rig, "OAT") == {
            ("F-OAT", SELLABLE): 10,
            ("A-01", SELLABLE): 11,
            ("DOCK", "in_progress"): 1,
        }


async def test_slow_goods_go_to_slow_bins_with_room(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await received(rig, (RYE, 20))
        assert await where(rig, RYE) == ["C-01"]
        await rig.scan("CMD-CANCEL")
        await rig.stock("OAT", "C-01", 1)
        await rig.scan("CMD-PUTAWAY")
        assert await where(rig, RYE, 6) == ["C-02"], "six half litres fit into three litres"
        assert (await rig.scan("7"))["expect"]["values"] != ["C-02"]
        await rig.play("4", "C-02")
        assert await where(rig, RYE, 2) == ["C-02"], "two litres are taken, one is left"
        assert (await rig.scan("3"))["expect"]["values"] != ["C-02"]


async def test_frozen_goods_lie_with_the_frozen(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await received(rig, (PEAS, 2))
        assert await where(rig, PEAS) == ["COLD-1"]
        shown = await rig.scan("C-01")
        assert (shown["tone"], shown["step"]) == ("error", "putaway_reason")
        assert shown["text"].startswith("C-01 is ambient, not frozen. Why C-01?")
        assert (await lying(rig, "PEAS")) == {("DOCK", "in_progress"): 2}, "nothing has moved yet"
        assert (await rig.scan("sellable"))["tone"] == "error", "that is no reason"
        await rig.scan("COLD-1")
        assert await exceptions(rig) == []
        await rig.item(PEAS)
        shown = await rig.play("C-01", "blocked")
        assert "1 x Peas is in C-01" in shown["text"]
        assert await exceptions(rig) == [("bin_overridden", "blocked", 1)]


async def test_between_bins_that_suit_alike_a_person_chooses_freely(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await received(rig, (RYE, 2))
        assert await where(rig, RYE) == ["C-01"]
        assert "is in C-02" in (await rig.scan("C-02"))["text"]
        await rig.item(RYE)
        assert (await rig.scan("A-01"))["step"] == "putaway_reason", "fast bins are for fast goods"
        assert (await rig.scan("Q-01"))["text"].startswith("Q-01 is for quality.")


async def test_where_people_here_want_it_comes_before_all(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.store.write(
            lambda tx: tx.execute("INSERT INTO local_field VALUES ('sku', 'OAT', 'home_bin', 'R-02')")
        )
        await received(rig, (OAT, 1))
        assert await where(rig, OAT) == ["R-02"]


async def test_when_no_bin_suits_a_person_decides(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig, (catalogue_pb2.Bin(bin_id="T-01", capacity_ml=100),))
        await received(rig, (RYE, 1))
        shown = await rig.item(RYE)
        assert shown["text"] == "Put 1 x Rye into a bin and scan the bin."
        shown = await rig.play("T-01", "other")
        assert "is in T-01" in shown["text"]
        assert await exceptions(rig) == [("bin_overridden", "other", 1)]


async def test_what_is_set_apart_goes_to_quality_and_is_told_from_the_good(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        await rig.item(RYE)
        await rig.play("5", "damaged", "2", "CMD-DONE", "CMD-PUTAWAY")
        shown = await rig.item(RYE)
        assert (shown["step"], shown["expect"]["values"]) == ("putaway_which", ["sellable", "damaged"])
        assert (await rig.scan("expired"))["tone"] == "error"
        shown = await rig.scan("damaged")
        assert shown["expect"]["values"] == ["Q-01"]
        assert (await rig.scan("3"))["tone"] == "error", "only two are damaged"
        await rig.play("2", "Q-01")
        shown = await rig.item(RYE)
        assert shown["step"] == "putaway_bin", "all that waits now is good"
        await rig.play("3", "C-01")
        assert await lying(rig, "RYE") == {("Q-01", "damaged"): 2, ("C-01", SELLABLE): 3}


async def test_a_pallet_is_put_away_as_a_whole(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await announced(rig, line("OAT", 12, sscc=PALLET), line("RYE", 4, sscc=PALLET))
        await rig.scan("CMD-RECEIVE")
        await pallet(rig)
        await rig.play("CMD-DONE", "CMD-PUTAWAY")
        shown = await pallet(rig)
        assert shown["text"].startswith(f"Put 16 x pallet {PALLET} into ")
        assert (await rig.scan("3"))["tone"] == "error", "a pallet is not counted here"
        await rig.scan("R-01")
        assert await lying(rig, "OAT") == {("R-01", SELLABLE): 12}
        assert await lying(rig, "RYE") == {("R-01", SELLABLE): 4}
        assert (await pallet(rig))["tone"] == "error", "nothing is on it any more"


async def test_units_with_serials_leave_a_pallet_by_their_names(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        shown = await rig.scan("CMD-PACK")
        sscc = shown["detail"][0].removeprefix("onto pallet ")
        await camera(rig, "S1")
        await camera(rig, "S2")
        await rig.play("CMD-DONE", "CMD-PUTAWAY")
        await camera(rig, "S2")
        await rig.scan("C-01")
        await pallet(rig, sscc)
        await rig.scan("C-02")
        rows = await rig.store.write(lambda tx: list(tx.execute("SELECT serial, bin FROM serial")))
        assert dict(rows) == {"S1": "C-02", "S2": "C-01"}
        assert not await rig.facts("discrepancy_opened")


async def test_pallets_with_good_and_bad_goods_are_opened(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.scan("CMD-RECEIVE")
        sscc = (await rig.scan("CMD-PACK"))["detail"][0].removeprefix("onto pallet ")
        await case(rig)
        await rig.play("damaged", "1", "CMD-DONE", "CMD-PUTAWAY")
        assert "set apart" in (await pallet(rig, sscc))["text"]
        await rig.item(OAT)
        await rig.play("damaged", "Q-01")
        assert (await pallet(rig, sscc))["step"] == "putaway_bin"


async def _a_morning(rig: FloorRig) -> None:
    """A case to the shelf, a wrong bin with a reason, something damaged to quality."""
    await opened(rig)
    await rig.scan("CMD-RECEIVE")
    await case(rig)
    await rig.play("damaged", "1", "CMD-DONE", "CMD-PUTAWAY")
    await rig.item(OAT)
    await rig.play("sellable", "8", "F-OAT")
    await rig.item(OAT)
    await rig.play("sellable", "3", "COLD-1", "no-room")
    await rig.item(OAT)
    await rig.play("Q-01", "CMD-DONE")
    assert await lying(rig, "OAT") == {
        ("F-OAT", SELLABLE): 8,
        ("COLD-1", SELLABLE): 3,
        ("Q-01", "damaged"): 1,
    }


async def test_put_away_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_a_morning) == 18
