"""What happens to a node's ledger when another program fills the disk: told once, run on any small disk.

As a script it prints what it saw, as JSON: `full_disk_story.py FOLDER`, FOLDER being the root of a small file
system.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bodega.core.ledger import DOCK, Goods
from bodega.errors import BodegaError
from bodega.v1 import stock_pb2
from bodega_agent.rules.disk import DataClass, Limits
from bodega_agent.services.disk import DiskService
from bodega_agent.store import ledger, promises
from bodega_agent.store.gate import Gate
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.node_under_test import HubPen
from support.small_disk import RealDisk, SmallDisk

KIB = 1024
DISK_BYTES = 8 * KIB * KIB
SCANS_ON_THE_BALLAST = 20
SHELVED = 10
LIMITS = Limits(
    budgets=dict.fromkeys(DataClass, DISK_BYTES),
    ballast_bytes=KIB * KIB,
    drop_below_bytes=2 * KIB * KIB,
    refuse_promises_below_bytes=KIB * KIB,
    physical_only_below_bytes=512 * KIB,
)
FRAMES = ("frames/1.jpg", "frames/2.jpg")


class Node:
    """The parts of a node that meet the disk: its service, the gate, the ledger."""

    def __init__(self, disk: SmallDisk) -> None:
        self.disk = disk
        self.gate = Gate()
        self.service = DiskService(disk.folder, LIMITS, self.gate, free=disk.free)
        self.service.settle()
        self.store = Store(
            disk.folder / "ledger.db",
            node_id="lisbon-01",
            now_ms=lambda: 1,
            verify=lambda *_: True,
            gate=self.gate,
        )
        self.hub = HubPen(self.store)
        self._scans = 0

    async def stock_up(self) -> None:
        """Goods on a shelf, and the right to promise them."""
        await self.hub.profile()
        await self.hub.sku(1)
        await self.hub.write(
            rights_granted=stock_pb2.RightsGranted(transfer_id="T-1", sku_id="SKU-1", quantity=SHELVED)
        )

        def put_away(tx: Transaction) -> None:
            goods, context = [Goods("SKU-1", SHELVED)], Context("shelve", actor="ana")
            ledger.move(tx, context, "receive", goods, target_bin=DOCK)
            ledger.move(tx, context, "put_away", goods, source_bin=DOCK, target_bin="A-01-01")

        await self.store.write(put_away)

    async def scan(self, *, beside: tuple[str, ...] = ()) -> str:
        """A box comes in at the dock; how it ended, and with it what was asked `beside` it."""
        self._scans += 1
        context = Context(f"scan-{self._scans}", actor="ana")

        def receive(tx: Transaction) -> None:
            ledger.move(tx, context, "receive", [Goods("SKU-1", 1)], target_bin=DOCK)

        def promise(tx: Transaction) -> None:
            reservation_id = f"walk-in-{self._scans}"
            promises.reserve(tx, context, reservation_id=reservation_id, sku_id="SKU-1", quantity=1)

        jobs = [receive, *(promise for _ in beside)]
        ended = await asyncio.gather(*(self.store.write(job) for job in jobs), return_exceptions=True)
        return ", ".join(_word(each) for each in ended)

    async def promise(self) -> str:
        """Somebody asks for a promise; how it ended."""
        return (await self.scan(beside=("promise",))).partition(", ")[2]

    async def hear(self) -> str:
        """The hub sends an event; how it ended."""
        try:
            await self.hub.sku(1)
        except BodegaError as error:
            return error.code
        return "done"

    def looks(self) -> dict[str, Any]:
        """The rung, and what lies on the disk."""
        folder = self.disk.folder
        return {
            "rung": str(self.service.rung),
            "ballast": (folder / "ballast").exists(),
            "frames": sum((folder / name).exists() for name in FRAMES),
        }


def _word(ended: object) -> str:
    return ended.code if isinstance(ended, BodegaError) else "done" if ended is None else repr(ended)


async def tell(disk: SmallDisk) -> dict[str, Any]:
    """Roomy, full, scans on the ballast's room, and roomy again; what was seen at each turn."""
    seen: dict[str, Any] = {}
    with disk.under_sqlite():
        node = Node(disk)
        (disk.folder / "frames").mkdir()
        await node.stock_up()
        for name in FRAMES:
            (disk.folder / name).write_bytes(bytes(100 * KIB))
        seen["before"] = {
            **node.looks(),
            "scan": await node.scan(beside=("promise",)),
            "hub": await node.hear(),
        }
        disk.fill()
        seen["full"] = {
            "scan": await node.scan(beside=("promise",)),
            **node.looks(),
            "hub": await node.hear(),
        }
        seen["reason"] = node.gate.closed_because
        seen["on_the_ballast"] = sorted({await node.scan() for _ in range(SCANS_ON_THE_BALLAST)})
        node.service.settle()
        seen["swept"] = node.looks()
        disk.clear()
        await node.service.sweep()
        seen["after"] = {**node.looks(), "promise": await node.promise(), "hub": await node.hear()}
        verified = await node.store.read(Reader.verify)
        stock = await node.store.read(Reader.stock)
        seen["books"] = {
            "ok": verified["ok"],
            "units": sum(row["quantity"] for row in stock),
            "scans": node._scans,
        }
        node.store.close()
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(tell(RealDisk(Path(sys.argv[1]))))))
