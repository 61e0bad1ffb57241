"""A node that begins a new epoch still knows what is announced, and what has come of it."""

from __future__ import annotations

from pathlib import Path

from bodega.core.ledger import Goods
from bodega.v1 import floor_pb2
from bodega_agent.rules.floor.receive.against import Came
from bodega_agent.store import ledger, notices, receipts
from bodega_agent.store.transaction import Context, Transaction
from support.promising import shelve
from support.recovery_world import RecoveryWorld

WHO = Context("unload", actor="ana", device="scanner-1")


def _notice(version: int, quantity: int) -> floor_pb2.AdvanceNotice:
    lines = [floor_pb2.NoticeLine(sku_id="TEA", quantity=quantity)]
    return floor_pb2.AdvanceNotice(notice_id="N-1", supplier="Acme", version=version, lines=lines)


def _unload(tx: Transaction) -> str:
    notices.put_notice(tx, _notice(7, 10))
    receipt_id = receipts.next_id(tx)
    receipts.open_receipt(tx, WHO, receipt_id, "N-1")
    ledger.move(tx, WHO, "receive", [Goods("TEA", 4)], target_bin="DOCK")
    receipts.count(tx, receipt_id, "TEA", "", Came(4))
    return receipt_id


async def test_a_restored_node_goes_on_with_its_deliveries_and_hears_of_them_anew(tmp_path: Path) -> None:
    world = RecoveryWorld(tmp_path)
    async with world.node() as store:
        await store.write(lambda tx: shelve(tx, "TEA", 10))
        await world.sync(store)
        receipt_id = await store.write(_unload)
        copy = world.backup_node()
        await world.sync(store)
    world.restore_node(copy)
    async with world.node() as store:
        await world.rejoin(store, restored=True)

    def look(tx: Transaction) -> list[tuple[int, int]]:
        open_one = receipts.open_at(tx, "scanner-1")
        assert open_one is not None
        assert open_one.receipt_id == receipt_id
        return [(line.expected, line.received) for line in receipts.lines_of(tx, open_one)]

    async with world.node() as store:
        assert await store.write(look) == [(10, 4)]
        await store.write(lambda tx: notices.put_notice(tx, _notice(1, 6)))
        assert await store.write(look) == [(6, 4)], "a hub that went back is believed, whatever its version"
        assert (await store.write(receipts.next_id)).startswith("RCV-2-"), "no number is given twice"
    world.hub.close()
