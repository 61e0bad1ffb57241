"""Goods between nodes on the floor: pick, ship, receive, and what differs; also when the hub's word has not come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bodega.v1 import floor_pb2, stock_pb2
from support.floor_rig import FloorRig, floor_rig, lived_through_crashes

OTHER = "scanner-2"
HERE, THERE = "lisbon-01", "porto-01"
A1, A2, B2 = "A-01-01", "A-01-02", "B-02-01"
STANDS, ROAD = "TRANSFER-T-1", "in_transit:T-1"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[FloorRig]:
    """A node with five of product 1 in A-01-01."""
    async with floor_rig(tmp_path) as opened:
        await _stocked(opened)
        yield opened


async def _stocked(rig: FloorRig) -> None:
    await rig.hub.profile()
    await rig.hub.sku(1)
    await rig.hub.sku(2)
    await rig.stock("SKU-1", A1, 5)


async def ordered(rig: FloorRig, units: int = 3, *, arrives: bool = False, transfer_id: str = "T-1") -> None:
    ends = (THERE, HERE) if arrives else (HERE, THERE)
    lines = [floor_pb2.NoticeLine(sku_id="SKU-1", quantity=units)]
    await rig.hub.write(
        transfer_ordered=floor_pb2.TransferOrdered(
            transfer_id=transfer_id, from_node_id=ends[0], to_node_id=ends[1], lines=lines
        )
    )


async def on_the_road(rig: FloorRig) -> int:
    return sum(units for account, units in (await rig.balances()).items() if account.external == ROAD)


async def states(rig: FloorRig) -> list[tuple[str, int]]:
    told = await rig.facts("transfer_advanced")
    return [(fact.state, sum(line.quantity for line in fact.lines)) for fact in told]


async def test_what_the_hub_has_ordered_is_picked_and_shipped(rig: FloorRig) -> None:
    await ordered(rig)
    shown = await rig.scan("CMD-SEND")
    assert shown["expect"] == {"kind": "transfer", "values": ["T-1"]}
    shown = await rig.scan("T-1")
    assert shown["expect"]["values"] == [A1]
    assert (await rig.scan(B2))["tone"] == "error"
    await rig.scan(A1)
    assert (await rig.item(2))["tone"] == "error", "product 2 is not wanted"
    await rig.item(1)
    assert await rig.held(STANDS, "SKU-1") == 1
    shown = await rig.scan("3")
    assert shown["expect"]["values"] == ["CMD-DONE"]
    assert (await rig.held(STANDS, "SKU-1"), await on_the_road(rig)) == (3, 0)
    shown = await rig.scan("CMD-DONE")
    assert "is under way: 3 units to porto-01" in shown["text"]
    assert (await rig.held(STANDS, "SKU-1"), await on_the_road(rig)) == (0, 3)
    assert await states(rig) == [("picking", 0), ("shipped", 3)]
    shipped = [fact for fact in await rig.facts("movement") if fact.command == "transfer_out"]
    assert [fact.final for fact in shipped] == [True], "the hub hears that nothing follows"
    assert "No transfer is to be sent" in (await rig.scan("CMD-SEND"))["text"]


async def test_too_many_are_not_taken(rig: FloorRig) -> None:
    await ordered(rig)
    await rig.play("CMD-SEND", "T-1", A1)
    await rig.item(1)
    assert (await rig.scan("4"))["tone"] == "error"
    assert await rig.held(STANDS, "SKU-1") == 1


async def test_what_no_bin_holds_is_sent_short_and_its_bin_is_to_be_counted(rig: FloorRig) -> None:
    await ordered(rig)
    await rig.play("CMD-SEND", "T-1", A1)
    await rig.item(1)
    shown = await rig.scan("CMD-SHORT")
    assert "2 x Product 1 can not be sent" in shown["text"]
    await rig.scan("CMD-DONE")
    assert (await states(rig))[-1] == ("shipped", 1)
    assert [(fact.kind, fact.quantity) for fact in await rig.facts("exception_noted")] == [
        ("short_transfer", 2)
    ]
    assert [fact.bin_id for fact in await rig.facts("discrepancy_opened")] == [A1]


async def test_a_shelf_that_is_empty_leads_to_the_next_one(rig: FloorRig) -> None:
    await rig.stock("SKU-1", B2, 5)
    await ordered(rig)
    await rig.play("CMD-SEND", "T-1")
    shown = await rig.scan("CMD-SHORT")
    assert shown["expect"]["values"] == [B2]


async def test_nothing_at_all_is_told_too(rig: FloorRig) -> None:
    await rig.command({"command": "count", "sku_id": "SKU-1", "bin_id": A1, "quantity": 0})
    await ordered(rig)
    shown = await rig.play("CMD-SEND", "T-1", "CMD-SHORT")
    assert "Nothing of T-1 can be sent" in shown["text"]
    await rig.scan("CMD-DONE")
    assert (await states(rig))[-1] == ("shipped", 0)


async def test_a_transfer_that_was_left_goes_on_at_its_device_or_is_taken_by_its_label(rig: FloorRig) -> None:
    await ordered(rig)
    await rig.play("CMD-SEND", "T-1", A1)
    await rig.item(1)
    await rig.scan("CMD-CANCEL")
    shown = await rig.scan("CMD-SEND")
    assert "Going on with T-1" in shown["text"]
    await rig.play("CMD-SEND", "T-1", device=OTHER)
    shown = await rig.scan(A1)
    assert "not yours to send any more" in shown["text"]
    await rig.scan(A1, device=OTHER)
    await rig.item(1, device=OTHER)
    shown = await rig.item(1, device=OTHER)
    assert shown["step"] == "send_ready"


async def test_a_transfer_of_other_nodes_is_nothing_for_this_one(rig: FloorRig) -> None:
    await rig.hub.write(
        transfer_ordered=floor_pb2.TransferOrdered(
            transfer_id="T-9", from_node_id=THERE, to_node_id="faro-01"
        )
    )
    assert "No transfer is to be sent" in (await rig.scan("CMD-SEND"))["text"]


async def test_what_arrives_is_stock_on_the_dock_at_once(rig: FloorRig) -> None:
    await ordered(rig, 3, arrives=True)
    shown = await rig.scan("CMD-ARRIVE")
    assert shown["expect"] == {"kind": "transfer", "values": ["T-1"]}
    shown = await rig.scan("T-1")
    assert "Transfer T-1 from porto-01." in shown["text"]
    await rig.item(1)
    assert (await rig.held("DOCK", "SKU-1"), await on_the_road(rig)) == (1, -1)
    await rig.scan("3")
    shown = await rig.scan("CMD-DONE")
    assert "is received: 3 units on the dock" in shown["text"]
    assert await states(rig) == [("receiving", 0), ("received", 3)]
    assert await rig.facts("exception_noted") == []


async def test_what_differs_from_the_order_is_said_before_the_end(rig: FloorRig) -> None:
    await ordered(rig, 3, arrives=True)
    await rig.play("CMD-ARRIVE", "T-1")
    await rig.item(1)
    await rig.item(2)
    shown = await rig.scan("CMD-DONE")
    assert "2 x Product 1 missing" in shown["text"]
    assert "1 x Product 2 more than ordered" in shown["text"]
    await rig.scan("no")
    await rig.item(1)
    await rig.play("CMD-DONE", "yes")
    noted = [(fact.kind, fact.sku_id, fact.quantity) for fact in await rig.facts("exception_noted")]
    assert sorted(noted) == [("over_transfer", "SKU-2", 1), ("under_transfer", "SKU-1", 1)]
    assert (await states(rig))[-1] == ("received", 3)


async def test_damaged_goods_stay_at_the_dock_and_are_not_put_away(rig: FloorRig) -> None:
    await ordered(rig, 2, arrives=True)
    await rig.play("CMD-ARRIVE", "T-1")
    await rig.item(1)
    await rig.item(1)
    shown = await rig.scan("damaged")
    assert "1 x Product 1 is damaged" in shown["text"]
    at_dock = {a.disposition: n for a, n in (await rig.balances()).items() if a.bin == "DOCK"}
    assert at_dock == {"in_progress": 1, "damaged": 1}
    assert (await rig.scan("damaged"))["tone"] == "error", "one scan is damaged once"


async def test_a_transfer_that_the_node_has_not_heard_of_is_received_all_the_same(rig: FloorRig) -> None:
    """The WAN was cut when it was ordered: the goods are here, and the hub's word comes later."""
    shown = await rig.play("CMD-ARRIVE", "T-1")
    assert shown["tone"] == "ask"
    assert "has not heard of a transfer T-1" in shown["text"]
    await rig.scan("CMD-ACCEPT")
    await rig.item(1)
    await rig.item(1)
    await ordered(rig, 3, arrives=True)
    shown = await rig.scan("CMD-DONE")
    assert "1 x Product 1 missing" in shown["text"]
    await rig.scan("CMD-DONE")
    assert (await states(rig))[-1] == ("received", 2)


async def test_the_node_takes_over_the_hub_s_close_of_what_never_came(rig: FloorRig) -> None:
    await ordered(rig, 3, arrives=True)
    await rig.play("CMD-ARRIVE", "T-1")
    await rig.item(1)
    await rig.play("CMD-DONE", "yes")
    line = stock_pb2.TransferLine(sku_id="SKU-1", in_transit=3)
    await rig.hub.write(
        transfer_closed=stock_pb2.TransferClosed(transfer_id="T-1", lines=[line], reason="both")
    )
    (settled,) = await rig.facts("transfer_settled")
    assert (settled.missing, settled.surplus) == (2, 0)


async def _there_and_here(rig: FloorRig) -> None:
    """One transfer leaves, another one comes."""
    await _stocked(rig)
    await ordered(rig, 2)
    await ordered(rig, 2, arrives=True, transfer_id="T-2")
    await rig.play("CMD-SEND", "T-1", A1)
    await rig.item(1)
    await rig.play("2", "CMD-DONE", "CMD-ARRIVE", "T-2")
    await rig.item(1)
    shown = await rig.play("CMD-DONE", "yes")
    assert shown["step"] == "idle", shown["text"]
    assert (await on_the_road(rig), await rig.held("DOCK", "SKU-1")) == (2, 1)


async def test_transfers_survive_a_crash_at_every_scan() -> None:
    assert await lived_through_crashes(_there_and_here) == 11
