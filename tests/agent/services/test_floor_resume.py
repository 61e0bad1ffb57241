"""Work that was left in the middle goes on: after a restart, at another device, or with somebody else."""

from __future__ import annotations

from pathlib import Path

from bodega_agent.store.floor.resume import HANDS_ON
from bodega_agent.store.transaction import Transaction
from support.associates import ANA_BADGE, PEOPLE, RUI_BADGE
from support.floor_rig import DEVICE, FloorRig, floor_rig, lived_through_crashes
from support.node_under_test import BINS

OTHER = "scanner-2"


async def stocked(rig: FloorRig, *, people: bool = True) -> None:
    await rig.hub.profile(associates=PEOPLE if people else ())
    await rig.hub.sku(1)
    await rig.stock("SKU-1", BINS[0], 5)
    await rig.hub.fulfillment_order(1, ("SKU-1", 2))


async def test_after_a_restart_the_first_prompt_says_where_one_is(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PICK", BINS[0])
        await rig.crash()
        shown = await rig.prompt()
        assert shown["text"] == "You are in pick. Take 2 x Product 1."


async def test_the_same_person_goes_on_at_another_device_in_the_middle_of_a_pick(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PICK", BINS[0])
        await rig.item(1)
        shown = await rig.scan(ANA_BADGE, device=OTHER)
        assert shown["text"] == "Hello, Ana. You were in pick at scanner-1. CMD-RESUME goes on with it here."
        shown = await rig.scan("CMD-RESUME", device=OTHER)
        assert shown["text"] == "You were in pick at scanner-1. CMD-ACCEPT goes on with it here."
        assert shown["detail"] == ["order FO-1", BINS[0]]
        shown = await rig.scan("CMD-ACCEPT", device=OTHER)
        assert (shown["text"], shown["step"]) == ("You go on with pick. Take 1 x Product 1.", "pick_item")
        assert (await rig.item(1, device=OTHER))["step"] == "pack"
        assert await rig.held("STAGE-FO-1", "SKU-1") == 2
        first = rig.board.current(DEVICE)
        assert first is not None
        assert first["step"] == "idle", "the first device is free again, and shows it"


async def test_what_a_device_that_is_gone_was_at_is_taken_over_by_somebody_else(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-RECEIVE")
        await rig.item(1)
        rig.present = (OTHER,)
        shown = await rig.scan(RUI_BADGE, device=OTHER)
        assert "Ana was in receive at scanner-1, which is gone: CMD-RESUME" in shown["detail"]
        shown = await rig.play("CMD-RESUME", "CMD-ACCEPT", device=OTHER)
        assert shown["step"] == "receive_item"
        await rig.item(1, device=OTHER)
        assert (await rig.actors())[-1] == ("rui", OTHER)


async def test_what_somebody_left_at_a_device_without_signing_in_again_is_offered_too(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PUTAWAY", "CMD-SIGNOUT")
        await rig.scan(RUI_BADGE, device=OTHER)
        shown = await rig.scan("CMD-RESUME", device=OTHER)
        assert shown["text"] == "Ana has left putaway at scanner-1. CMD-ACCEPT goes on with it here."


async def test_nobody_takes_what_somebody_is_at(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PICK")
        await rig.scan(RUI_BADGE, device=OTHER)
        shown = await rig.scan("CMD-RESUME", device=OTHER)
        assert shown["text"].startswith("No work was left in the middle.")


async def test_an_offer_ends_when_its_person_comes_back(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PICK", "CMD-SIGNOUT")
        await rig.play(RUI_BADGE, "CMD-RESUME", device=OTHER)
        await rig.scan(ANA_BADGE)
        shown = await rig.scan("CMD-ACCEPT", device=OTHER)
        assert (shown["tone"], shown["step"]) == ("error", "idle")
        assert shown["text"].startswith("Somebody is at that work again.")


async def test_several_offers_come_one_after_the_other(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig, people=False)
        await rig.scan("CMD-RECEIVE", device="a")
        await rig.scan("CMD-HANDOVER", device="b")
        shown = await rig.scan("CMD-RESUME")
        assert shown["expect"]["values"] == ["CMD-ACCEPT", "CMD-SKIP"]
        assert "receive at a," in shown["text"]
        assert "handover at b," in (await rig.scan("CMD-SKIP"))["text"]
        assert "receive at a," in (await rig.scan("CMD-SKIP"))["text"]
        assert (await rig.play("CMD-SKIP", "CMD-ACCEPT"))["step"] == "handover"
        assert (await rig.play("CMD-DONE", "CMD-RESUME", "CMD-ACCEPT"))["step"] == "receive_item"


async def test_work_that_the_hub_cancelled_while_it_lay_still_is_not_resumed(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PICK")
        await rig.scan(ANA_BADGE, device=OTHER)
        await rig.hub.cancel(1)
        shown = await rig.play("CMD-RESUME", "CMD-ACCEPT", device=OTHER)
        assert shown["step"] == "idle"
        assert "Order FO-1 is not yours to work on any more." in shown["text"]


async def test_whatever_a_flow_keeps_by_device_is_handed_on(tmp_path: Path) -> None:
    """Where a device is, and which scans it has sent, is its own; all else must find the one that goes on with it."""
    own = {"floor_session", "device_counter"}
    async with floor_rig(tmp_path) as rig:

        def job(tx: Transaction) -> set[str]:
            tables = [row[0] for row in tx.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            by_device = {
                name
                for name in tables
                if any(column[1] == "device" for column in tx.execute(f"PRAGMA table_info({name})"))
            }
            said: list[str] = []
            really, tx.execute = tx.execute, lambda sql, values=(): said.append(sql) or really(sql, values)
            for hand_on in HANDS_ON:
                hand_on(tx, "from", "to")
            tx.execute = really
            return {
                name
                for name in by_device - own
                if not any(f"UPDATE {name} SET device" in sql for sql in said)
            }

        assert await rig.store.write(job) == set()


async def test_a_take_over_with_a_crash_at_every_scan() -> None:
    async def story(rig: FloorRig) -> None:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PICK", BINS[0])
        await rig.item(1)
        await rig.play(ANA_BADGE, "CMD-RESUME", "CMD-ACCEPT", device=OTHER)
        await rig.item(1, device=OTHER)
        await rig.scan("CMD-PACK", device=OTHER)

    assert await lived_through_crashes(story) == 9


async def test_work_that_was_cancelled_while_the_agent_was_down_is_said_once_and_the_next_scan_counts(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await stocked(rig)
        await rig.play(ANA_BADGE, "CMD-PICK", BINS[0])
        await rig.item(1)
        await rig.hub.cancel(1)
        await rig.crash()
        shown = await rig.prompt()
        assert shown["text"] == "Order FO-1 is not yours to work on any more. Ready. Scan what to do."
        assert (shown["step"], shown["tone"]) == ("idle", "ask")
        shown = await rig.scan("CMD-PUTAWAY")
        assert (shown["step"], shown["tone"]) == ("putaway_item", "ok")
