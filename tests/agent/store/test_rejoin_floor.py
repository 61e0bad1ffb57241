"""The floor of a node that has lost its disk: what was begun there goes on, and what is done is not done again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bodega.core.ledger import DOCK, Disposition, Goods, Reference
from bodega.core.recipes import Places
from bodega.v1 import floor_pb2
from bodega_agent.rules.floor.receive.against import Came
from bodega_agent.store import ledger, receipts, transfer_orders
from bodega_agent.store.floor.moving import move_as
from bodega_agent.store.transaction import Context, Transaction
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import expecting
from support.controlplane import OPERATOR, PORTO, node_draft
from support.promising import shelve
from support.recovery_world import NODE, RecoveryWorld

RECEIPT = "RCV-1-2"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RecoveryWorld]:
    made = RecoveryWorld(tmp_path)
    yield made
    made.hub.close()


def _who(cmd_id: str) -> Context:
    return Context(cmd_id, actor="ana", device="hh-1")


def _announce(world: RecoveryWorld, units: int) -> None:
    line = floor_pb2.NoticeLine(sku_id="TEA", quantity=units)
    notice = floor_pb2.AdvanceNotice(notice_id="D-1", supplier="Acme", lines=[line])
    world.hub.write(lambda tx: expecting.put_notice(tx, OPERATOR, NODE, notice))


def _take_in(tx: Transaction, cmd_id: str, units: int, damaged: int = 0) -> None:
    """Units come off the lorry, and some of them are set apart."""
    who, why = _who(cmd_id), Reference(reason=RECEIPT)
    ledger.move(tx, who, "receive", [Goods("TEA", units)], target_bin=DOCK, reference=why)
    receipts.count(tx, RECEIPT, "TEA", "", Came(units))
    if damaged:
        places = Places(DOCK, DOCK, Disposition.IN_PROGRESS, Disposition.DAMAGED)
        move_as(tx, who, "change_disposition", Goods("TEA", damaged), places, why)
        receipts.count(tx, RECEIPT, "TEA", "", Came(0, damaged=damaged))


def _lines(tx: Transaction) -> list[tuple[str, int, int, int]]:
    receipt = receipts.find(tx, RECEIPT)
    assert receipt is not None
    return [
        (line.sku_id, line.expected, line.received, line.damaged) for line in receipts.lines_of(tx, receipt)
    ]


async def test_a_delivery_that_was_coming_in_goes_on_at_its_device_with_what_had_come(
    world: RecoveryWorld,
) -> None:
    async with world.node() as store:
        _announce(world, 10)
        await world.sync(store)
        await store.write(lambda tx: receipts.open_receipt(tx, _who("open"), RECEIPT, "D-1"))
        await store.write(lambda tx: _take_in(tx, "first", 4, damaged=1))
        await store.write(lambda tx: _take_in(tx, "second", 2))
        await world.sync(store)
    world.wipe_node()
    world.readmit()
    async with world.node() as store:
        await world.rejoin(store)
    async with world.node() as store:
        await world.sync(store)
        assert await store.write(_lines) == [("TEA", 10, 6, 1)]
        going_on = await store.write(lambda tx: receipts.open_at(tx, "hh-1"))
        assert going_on is not None
        assert (going_on.receipt_id, going_on.notice_id) == (RECEIPT, "D-1")
    assert world.row().diverged_seq == 0


async def test_what_had_come_and_was_closed_is_not_announced_again(world: RecoveryWorld) -> None:
    async with world.node() as store:
        _announce(world, 10)
        await world.sync(store)
        await store.write(lambda tx: receipts.open_receipt(tx, _who("open"), RECEIPT, "D-1"))
        await store.write(lambda tx: _take_in(tx, "first", 4))
        await store.write(lambda tx: receipts.close(tx, _who("close"), RECEIPT))
        await world.sync(store)
    world.wipe_node()
    world.readmit()
    async with world.node() as store:
        await world.rejoin(store)
    async with world.node() as store:
        await world.sync(store)
        assert await store.write(lambda tx: receipts.still_announced(tx, "D-1")) == [("TEA", "", 6)]
        assert await store.write(lambda tx: receipts.open_for(tx, "D-1")) is None


async def test_a_restored_node_learns_what_came_in_after_its_backup(world: RecoveryWorld) -> None:
    async with world.node() as store:
        _announce(world, 10)
        await world.sync(store)
        await store.write(lambda tx: receipts.open_receipt(tx, _who("open"), RECEIPT, "D-1"))
        await store.write(lambda tx: _take_in(tx, "first", 4))
        await world.sync(store)
        copy = world.backup_node()
        await store.write(lambda tx: _take_in(tx, "second", 3, damaged=2))
        await world.sync(store)
    world.restore_node(copy)
    async with world.node() as store:
        await world.rejoin(store, restored=True)
    async with world.node() as store:
        assert await store.write(_lines) == [("TEA", 10, 7, 2)]


async def test_goods_that_a_wiped_node_has_sent_are_not_sent_again(world: RecoveryWorld) -> None:
    line = floor_pb2.NoticeLine(sku_id="TEA", quantity=3)
    porto = node_draft("porto-01", PORTO, number=1)
    world.hub.write(lambda tx: nodes.register_node(tx, OPERATOR, porto))
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 20))
        sent, waiting = (
            world.hub.write(lambda tx: expecting.order_transfer(tx, OPERATOR, NODE, "porto-01", [line]))[0]
            for _ in range(2)
        )
        await world.sync(store)
        shipped = floor_pb2.TransferAdvanced(transfer_id=sent.transfer_id, state="shipped", lines=[line])
        await store.write(lambda tx: tx.append(_who("ship"), transfer_advanced=shipped))
        await world.sync(store)
    world.wipe_node()
    world.readmit()
    async with world.node() as store:
        await world.rejoin(store)
    async with world.node() as store:
        await world.sync(store)
        legs = [
            await store.write(lambda tx, one=one: transfer_orders.find(tx, one.transfer_id))
            for one in (sent, waiting)
        ]
        assert [leg.state for leg in legs if leg] == ["shipped", "ordered"]
