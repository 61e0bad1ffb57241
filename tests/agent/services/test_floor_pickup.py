"""Pickups and lockers in plain language: staged, asked for with a code, handed over, refused, given back to stock."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodega.core.deadline import BootTime
from bodega.core.ledger import CUSTOMER
from bodega.errors import Refused
from bodega_agent.store.expiry import expire_due
from bodega_agent.store.reader import Reader
from support.associates import LEA_PIN, PEOPLE, RUI_BADGE
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes
from support.pickup_story import CODE, order, pack, ready, set_up, stage


async def states(rig: FloorRig) -> dict[str, str]:
    """Where each order stands."""
    return {row["fulfillment_order_id"]: row["state"] for row in await rig.store.read(Reader.orders)}


async def told(rig: FloorRig) -> list[tuple[str, str]]:
    """What the hub hears of pickups: (state, place)."""
    return [(fact.state, fact.bin_id) for fact in await rig.facts("pickup_advanced")]


async def kinds(rig: FloorRig) -> list[str]:
    """Exceptions that were noted, by kind."""
    return [fact.kind for fact in await rig.facts("exception_noted")]


async def _fetched(rig: FloorRig) -> None:
    await set_up(rig)
    sscc, place = await ready(rig)
    assert (await rig.play("CMD-COLLECT", "ORD-1"))["step"] == "collect_code"
    shown = await rig.scan(CODE)
    assert shown["text"].endswith(f"Fetch the parcel from {place} and scan its label.")
    await rig.parcel(sscc)
    await rig.scan("CMD-DONE")
    assert await states(rig) == {"FO-1": "collected"}
    assert await told(rig) == [("staged", place), ("collected", place)]
    assert sum(n for a, n in (await rig.balances()).items() if a.external == CUSTOMER) == 2


async def test_a_parcel_is_staged_the_hub_is_told_and_the_customer_gets_it_for_the_code(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await _fetched(rig)
        assert (await rig.store.read(Reader.verify))["ok"]


async def test_it_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_fetched) > 10


async def test_a_locker_holds_one_parcel_and_the_next_is_led_to_a_free_one(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        _, first = await ready(rig, 1)
        await order(rig, 2, "OAT", 1)
        sscc = await pack(rig, 1)
        shown = await rig.scan("CMD-STAGE")
        shown = await rig.parcel(sscc)
        assert (first, shown["expect"]["values"]) == ("LOCKER-1", ["LOCKER-2"])
        assert "holds the parcel of FO-1" in (await rig.scan("LOCKER-1"))["text"]
        assert "no locker place" in (await rig.scan("A-01-01"))["text"]
        assert (await rig.scan("LOCKER-2"))["tone"] == "ok"
        await order(rig, 3, "OAT", 1)
        await rig.scan("CMD-DONE")
        third = await pack(rig, 1)
        await rig.scan("CMD-STAGE")
        assert "Every locker place is taken" in (await rig.parcel(third))["text"]


async def test_a_pickup_goes_to_the_counter_where_many_may_wait(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await ready(rig, 1, method="pickup")
        _, place = await ready(rig, 2, method="pickup")
        assert place == "COUNTER"
        shown = await rig.play("CMD-COLLECT", "COUNTER")
        assert (shown["tone"], shown["step"]) == ("error", "collect_find")
        assert "2 parcels" in shown["text"]
        assert (await rig.scan("FO-2"))["step"] == "collect_code"


async def test_a_parcel_for_the_carrier_is_not_staged_and_one_for_a_customer_is_moved_if_need_be(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await order(rig, 1, "OAT", 1, method="parcel")
        by_carrier = await pack(rig, 1)
        await rig.scan("CMD-STAGE")
        assert "CMD-HANDOVER" in (await rig.parcel(by_carrier))["text"]
        await rig.scan("CMD-DONE")
        sscc, _ = await ready(rig, 2)
        await rig.scan("CMD-STAGE")
        assert "It waits in LOCKER-1 now." in (await rig.parcel(sscc))["text"]
        await rig.scan("LOCKER-2")
        assert await told(rig) == [("staged", "LOCKER-1"), ("staged", "LOCKER-2")]
        shown = await rig.play("CMD-DONE", "CMD-COLLECT", "LOCKER-2")
        assert "waits in LOCKER-2" in shown["text"]


async def test_wrong_codes_are_counted_over_devices_and_restarts_until_a_person_must_look(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        sscc, _ = await ready(rig)
        await rig.play("CMD-COLLECT", "FO-1")
        assert "4 tries left" in (await rig.scan("0000"))["detail"]
        assert (await rig.play("1111", "2222"))["tone"] == "ask"
        await rig.crash()
        await rig.play("CMD-COLLECT", "FO-1", "3333", device="scanner-2")
        locked = await rig.scan("4444", device="scanner-2")
        assert locked["expect"]["values"] == ["CMD-APPROVE"]
        assert (await rig.scan(CODE, device="scanner-2"))["tone"] == "error"
        shown = await rig.scan("CMD-APPROVE")
        assert shown["step"] == "collect_hand"
        await rig.parcel(sscc)
        assert await states(rig) == {"FO-1": "collected"}
        assert await kinds(rig) == ["wrong_pickup_code"] * 5 + ["pickup_without_code"]


async def test_where_people_sign_in_only_a_lead_hands_over_without_the_code(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig, people=PEOPLE)
        await rig.scan(RUI_BADGE)
        sscc, _ = await ready(rig)
        shown = await rig.play("CMD-COLLECT", "FO-1", "CMD-APPROVE")
        assert (shown["tone"], shown["step"]) == ("error", "collect_code")
        assert "Only a lead may do that." in shown["text"]
        shown = await rig.play("CMD-SIGNOUT", "lea", LEA_PIN)
        assert (shown["tone"], shown["step"]) == ("ok", "collect_code")
        assert await kinds(rig) == [], "neither name nor PIN is a try"
        assert (await rig.scan("CMD-APPROVE"))["step"] == "collect_hand"
        await rig.parcel(sscc)
        assert await states(rig) == {"FO-1": "collected"}


async def test_cold_goods_wait_in_a_cold_place(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig, cold="chilled")
        await order(rig, 1, "OAT", 1)
        sscc = await pack(rig, 1)
        await rig.scan("CMD-STAGE")
        assert (await rig.parcel(sscc))["expect"]["values"] == ["LOCKER-2"]
        assert "LOCKER-1 is no chilled locker place" in (await rig.scan("LOCKER-1"))["text"]
        assert (await rig.scan("LOCKER-2"))["tone"] == "ok"


async def test_a_label_scanned_in_the_codes_place_is_no_try_and_no_code_is_ever_kept(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        sscc, _ = await ready(rig)
        await rig.play("CMD-COLLECT", "FO-1")
        assert (await rig.parcel(sscc))["tone"] == "error"
        await rig.play("97531", CODE)
        assert await kinds(rig) == ["wrong_pickup_code"]
    assert b"97531" not in b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))


async def test_another_customers_parcel_is_never_handed_over(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        sscc, _ = await ready(rig, 1)
        other, _ = await ready(rig, 2)
        await rig.play("CMD-COLLECT", "FO-1", CODE)
        assert (await rig.parcel(other))["tone"] == "error"
        assert set((await states(rig)).values()) == {"staged"}
        await rig.parcel(sscc)
        assert await states(rig) == {"FO-1": "collected", "FO-2": "staged"}


async def _refused(rig: FloorRig) -> None:
    await set_up(rig)
    await ready(rig)
    await rig.play("CMD-COLLECT", "LOCKER-1", CODE, "refused", "CMD-DONE", "CMD-PUTAWAY")
    await rig.item(1)
    await rig.item(1)
    await rig.scan("A-01-01")
    assert await rig.held("A-01-01", "OAT") == 10
    assert await states(rig) == {"FO-1": "cancelled"}
    assert (await told(rig))[-1] == ("refused", "LOCKER-1")


async def test_what_the_customer_refuses_is_put_back_like_a_cancelled_order(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await _refused(rig)
        assert await kinds(rig) == ["pickup_refused"]


async def test_a_refusal_survives_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_refused) > 10


async def test_a_parcel_that_is_not_in_its_place_is_noted_and_nothing_moves(tmp_path: Path) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await ready(rig)
        shown = await rig.play("CMD-COLLECT", "FO-1", CODE, "missing")
        assert (shown["tone"], shown["step"]) == ("ask", "collect_hand")
        assert await kinds(rig) == ["pickup_missing"]


async def test_what_nobody_fetches_in_time_goes_back_to_stock_by_the_boot_time_clock(tmp_path: Path) -> None:
    now = [BootTime("boot-a", 1_000)]
    async with floor_rig(tmp_path) as rig:
        rig.clock = lambda: now[0]
        await rig.crash()
        await set_up(rig)
        await ready(rig, hold_ms=60_000)
        now[0] = BootTime("boot-a", 60_999)
        assert await rig.store.write(expire_due) == 0
        now[0] = BootTime("boot-b", 5)  # a reboot: what was left begins anew
        assert await rig.store.write(expire_due) == 0
        now[0] = BootTime("boot-b", 60_004)
        assert await rig.store.write(expire_due) == 0
        now[0] = BootTime("boot-b", 60_005)
        assert await rig.store.write(expire_due) == 1
        assert await rig.store.write(expire_due) == 0

        assert await states(rig) == {"FO-1": "expired"}
        assert (await told(rig))[-1] == ("expired", "LOCKER-1")
        put_back = [task["units"] if "units" in task else task["quantity"] for task in await _tasks(rig)]
        assert put_back == [2]
        assert "was not fetched in time" in (await rig.play("CMD-COLLECT", "FO-1"))["text"]
        await rig.play("CMD-DONE", "CMD-PUTAWAY")
        await rig.item(1)
        await rig.item(1)
        await rig.scan("A-01-01")
        assert await rig.held("A-01-01", "OAT") == 10
        assert await _tasks(rig) == []
        assert (await rig.store.read(Reader.verify))["ok"]


async def _tasks(rig: FloorRig) -> list[dict[str, object]]:
    return await rig.store.read(Reader.tasks)


async def test_a_customer_at_the_counter_while_it_expires_is_told_and_gets_nothing(tmp_path: Path) -> None:
    now = [BootTime("boot-a", 0)]
    async with floor_rig(tmp_path) as rig:
        rig.clock = lambda: now[0]
        await rig.crash()
        await set_up(rig)
        sscc, _ = await ready(rig, hold_ms=1_000)
        await rig.play("CMD-COLLECT", "FO-1", CODE)
        now[0] = BootTime("boot-a", 1_000)
        await rig.store.write(expire_due)
        shown = await rig.parcel(sscc)
        assert (shown["tone"], shown["step"]) == ("error", "idle")
        assert "is expired meanwhile" in shown["text"]


async def test_the_locker_of_an_expired_parcel_may_be_used_again_and_says_what_still_stands_there(
    tmp_path: Path,
) -> None:
    now = [BootTime("boot-a", 0)]
    async with floor_rig(tmp_path) as rig:
        rig.clock = lambda: now[0]
        await rig.crash()
        await set_up(rig)
        await ready(rig, 1, hold_ms=1_000)
        now[0] = BootTime("boot-a", 1_000)
        await rig.store.write(expire_due)
        await order(rig, 2, "OAT", 1)
        sscc = await pack(rig, 1)
        await rig.scan("CMD-STAGE")
        assert (await rig.parcel(sscc))["expect"]["values"] == ["LOCKER-2"], "an empty one comes first"
        assert "Take the parcel of FO-1 out" in (await rig.scan("LOCKER-1"))["text"]


async def test_no_carrier_takes_what_a_customer_fetches_not_even_by_a_command_of_the_office(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await order(rig, 1, "OAT", 1)
        sscc = await pack(rig, 1)
        with pytest.raises(Refused, match="waits for its customer"):
            await rig.command({"command": "ship", "sscc": sscc})
        assert await states(rig) == {"FO-1": "labelled"}


async def test_a_parcel_that_waits_by_the_hubs_word_alone_gets_its_time_anew_and_its_tries_counted(
    tmp_path: Path,
) -> None:
    """After a wiped disk the node knows that it waits, and not where."""
    now = [BootTime("boot-a", 0)]
    async with floor_rig(tmp_path) as rig:
        rig.clock = lambda: now[0]
        await rig.crash()
        await set_up(rig)
        await ready(rig, hold_ms=1_000)
        await rig.store.write(lambda tx: [tx.execute("DELETE FROM pickup"), tx.put("boot_id", "")])
        await rig.store.write(expire_due)
        shown = await rig.play("CMD-COLLECT", "FO-1")
        assert "nobody has said where" in shown["text"]
        assert "4 tries left" in (await rig.scan("0000"))["detail"]
        now[0] = BootTime("boot-a", 1_000)
        assert await rig.store.write(expire_due) == 1
        assert await states(rig) == {"FO-1": "expired"}


async def test_a_cancel_of_the_hub_unpacks_what_waits_and_comes_too_late_for_what_was_fetched(
    tmp_path: Path,
) -> None:
    async with floor_rig(tmp_path) as rig:
        await set_up(rig)
        await ready(rig, 1)
        await rig.hub.cancel(1)
        assert await states(rig) == {"FO-1": "cancelled"}
        assert await rig.held("STAGE-FO-1", "OAT") == 2
        assert "is cancelled" in (await rig.play("CMD-COLLECT", "FO-1"))["text"]
        await rig.scan("CMD-DONE")
        sscc = await pack_and_collect(rig)
        await rig.hub.cancel(2)
        assert (await states(rig))["FO-2"] == "collected", sscc
        (late,) = await rig.facts("cancel_came_too_late")
        assert late.ship_seq > 0, "it names the event by which the parcel left"


async def pack_and_collect(rig: FloorRig) -> str:
    """Order 2 is staged and fetched."""
    await order(rig, 2, "OAT", 1)
    sscc = await pack(rig, 1)
    await stage(rig, sscc)
    await rig.play("CMD-COLLECT", "FO-2", CODE)
    await rig.parcel(sscc)
    return sscc
