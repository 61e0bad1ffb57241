"""Stories of replenishing: the emptiest pick face first, and of reserve what expires first."""

from __future__ import annotations

from pathlib import Path

from bodega.v1 import catalogue_pb2
from support.dock import BINS, CAM, MILK, OAT, RYE, camera, exceptions, lying, milk, opened
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.node_under_test import gtin

SELLABLE = "sellable_accessible"


def face(bin_id: str, sku_id: str, below: int = 2, to: int = 4) -> catalogue_pb2.Bin:
    return catalogue_pb2.Bin(
        bin_id=bin_id, walk_order=20, kind="pick_face", fixed_sku_id=sku_id, refill_below=below, refill_to=to
    )


async def test_a_pick_face_is_refilled_from_reserve(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        assert "No pick face needs anything" in (await rig.scan("CMD-REPLENISH"))["text"]
        await rig.stock("OAT", "F-OAT", 3)
        await rig.stock("OAT", "R-01", 24)
        shown = await rig.scan("CMD-REPLENISH")
        assert shown["text"] == "F-OAT needs 7 x Oat. Go to R-01 and scan it."
        assert shown["expect"]["values"] == ["R-01"]
        assert (await rig.scan("C-01"))["tone"] == "error", "nothing of it lies there"
        shown = await rig.scan("R-01")
        assert (shown["text"], shown["expect"]["values"]) == (
            "Take 7 x Oat: scan one, then the number.",
            [gtin(OAT)],
        )
        assert (await rig.item(RYE))["tone"] == "error"
        await rig.item(OAT)
        shown = await rig.scan("7")
        assert shown["text"] == "Put 7 x Oat into F-OAT and scan it."
        assert (await rig.scan("A-01"))["tone"] == "error"
        assert await lying(rig, "OAT") == {("F-OAT", SELLABLE): 3, ("R-01", SELLABLE): 24}
        shown = await rig.scan("F-OAT")
        assert shown["text"].startswith("7 x Oat is in F-OAT. It is full.")
        assert await lying(rig, "OAT") == {("F-OAT", SELLABLE): 10, ("R-01", SELLABLE): 17}
        assert "No pick face needs anything" in (await rig.scan("CMD-REPLENISH"))["text"]


async def test_it_is_refilled_from_two_bins_if_one_has_too_little(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.stock("OAT", "R-01", 4)
        await rig.stock("OAT", "R-02", 3)
        shown = await rig.play("CMD-REPLENISH")
        assert shown["expect"]["values"] == ["R-01"], "none has enough: the fuller one"
        await rig.scan("R-01")
        await rig.item(OAT)
        shown = await rig.play("4", "F-OAT")
        assert shown["text"].endswith("F-OAT needs 6 x Oat. Go to R-02 and scan it.")
        await rig.scan("R-02")
        await rig.item(OAT)
        shown = await rig.play("3", "F-OAT")
        assert "Nothing more is in reserve for F-OAT." in shown["text"]
        assert await lying(rig, "OAT") == {("F-OAT", SELLABLE): 7}


async def test_the_emptiest_face_comes_first_and_nobody_doubles_it(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig, (*BINS, face("F-RYE", "RYE")))
        await rig.stock("OAT", "F-OAT", 3)
        await rig.stock("OAT", "R-01", 9)
        await rig.stock("RYE", "R-01", 9)
        assert "F-RYE needs 4" in (await rig.scan("CMD-REPLENISH"))["text"]
        assert "F-OAT needs 7" in (await rig.scan("CMD-REPLENISH", device="scanner-2"))["text"]
        assert "No pick face" in (await rig.scan("CMD-REPLENISH", device="scanner-3"))["text"]


async def test_one_face_is_not_emptied_for_another(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig, (*BINS, face("F-OAT-2", "OAT")))
        await rig.stock("OAT", "F-OAT", 10)
        assert "No pick face needs anything" in (await rig.scan("CMD-REPLENISH"))["text"]
        await rig.stock("OAT", "R-01", 1)
        shown = await rig.scan("CMD-REPLENISH")
        assert shown["expect"]["values"] == ["R-01"]
        await rig.scan("R-01")
        await rig.item(OAT)
        shown = await rig.scan("F-OAT-2")
        assert "Nothing more is in reserve" in shown["text"]


async def test_what_expires_first_is_taken_first_and_what_has_expired_never(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig, (*BINS, face("F-MILK", "MILK")))
        for bin_id, lot, expiry in (
            ("C-01", "LATE", "2028-06-30"),
            ("R-02", "SOON", "2027-12-31"),
            ("R-01", "OLD", "2026-01-31"),
        ):
            goods = {"sku_id": "MILK", "quantity": 3, "lot": lot}
            await rig.command({"command": "receive", "expiry": expiry, **goods})
            await rig.command({"command": "put_away", "to_bin_id": bin_id, **goods})
        shown = await rig.scan("CMD-REPLENISH")
        assert shown["expect"]["values"] == ["R-02"]
        await rig.scan("R-02")
        assert (await milk(rig, "OLD"))["tone"] == "error"
        assert (await milk(rig, "LATE"))["tone"] == "error", "that lot is not here by the book"
        await milk(rig, "SOON")
        assert (await rig.scan("9"))["tone"] == "error", "by the book only three are here"
        shown = await rig.play("3", "F-MILK")
        assert shown["expect"]["values"] == ["C-01"], "the rest of another lot"
        await rig.scan("C-01")
        await rig.item(MILK)
        await rig.scan("F-MILK")
        assert await lying(rig, "MILK") == {
            ("F-MILK", SELLABLE): 4,
            ("C-01", SELLABLE): 2,
            ("R-01", SELLABLE): 3,
        }


async def test_a_reserve_bin_that_lacks_goods_is_counted_and_another_is_tried(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.stock("OAT", "R-01", 20)
        await rig.stock("OAT", "R-02", 30)
        await rig.play("CMD-REPLENISH", "R-01")
        await rig.item(OAT)
        shown = await rig.scan("CMD-SHORT")
        assert shown["text"] == "R-01 will be counted. Put 1 x Oat into F-OAT and scan it."
        shown = await rig.scan("F-OAT")
        assert shown["expect"]["values"] == ["R-02"], "nobody is sent to the empty bin again"
        assert await exceptions(rig) == [("short_replenish", "", 19)]
        (task,) = await rig.facts("task_opened")
        assert (task.kind, task.bin_id, task.sku_id) == ("count", "R-01", "OAT")
        shown = await rig.play("R-02", "CMD-SHORT")
        assert "Nothing more is in reserve" in shown["text"]


async def test_goods_that_left_reserve_meanwhile_are_not_moved_twice(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.stock("OAT", "R-01", 10)
        await rig.play("CMD-REPLENISH", "R-01")
        await rig.item(OAT)
        await rig.scan("10")
        await rig.command(
            {"command": "move", "from_bin_id": "R-01", "to_bin_id": "A-01", "sku_id": "OAT", "quantity": 5}
        )
        shown = await rig.scan("F-OAT")
        assert (shown["tone"], shown["step"]) == ("error", "idle")
        assert await lying(rig, "OAT") == {("R-01", SELLABLE): 5, ("A-01", SELLABLE): 5}


async def test_units_with_serials_are_taken_one_by_one(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig, (*BINS, face("F-CAM", "CAM", to=2)))
        await rig.command({"command": "receive", "sku_id": "CAM", "quantity": 2, "serials": ["S1", "S2"]})
        await rig.command(
            {
                "command": "put_away",
                "sku_id": "CAM",
                "quantity": 2,
                "serials": ["S1", "S2"],
                "to_bin_id": "R-01",
            }
        )
        await rig.play("CMD-REPLENISH", "R-01")
        assert (await rig.item(CAM))["tone"] == "error", "which one?"
        await camera(rig, "S1")
        assert "in your hand already" in (await camera(rig, "S1"))["text"]
        assert (await rig.scan("2"))["tone"] == "error"
        await camera(rig, "S2")
        await rig.scan("F-CAM")
        rows = await rig.store.write(lambda tx: list(tx.execute("SELECT serial, bin FROM serial")))
        assert dict(rows) == {"S1": "F-CAM", "S2": "F-CAM"}


async def test_a_face_that_the_hub_takes_away_is_let_go(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await opened(rig)
        await rig.stock("OAT", "R-01", 10)
        await rig.play("CMD-REPLENISH", "R-01")
        await opened(rig, [one for one in BINS if one.bin_id != "F-OAT"])
        shown = await rig.item(OAT)
        assert (shown["tone"], shown["step"]) == ("error", "idle")


async def _a_refill(rig: FloorRig) -> None:
    await opened(rig)
    await rig.stock("OAT", "R-01", 4)
    await rig.stock("OAT", "R-02", 12)
    await rig.play("CMD-REPLENISH", "R-01")
    await rig.item(OAT)
    await rig.play("CMD-SHORT", "F-OAT", "R-02")
    await rig.item(OAT)
    await rig.play("9", "F-OAT")
    assert await lying(rig, "OAT") == {("F-OAT", SELLABLE): 10, ("R-01", SELLABLE): 3, ("R-02", SELLABLE): 3}


async def test_a_refill_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_a_refill) == 9
