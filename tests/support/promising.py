"""A node that may promise: goods on its shelf, rights from the hub, a clock in the test's hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bodega.codec import parse_node_event
from bodega.core.deadline import BootTime
from bodega.core.ledger import DOCK, Goods
from bodega.core.promise import NodeStanding
from bodega_agent.store import ledger, promises
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.node_under_test import HubPen

SHELF = "A-01-01"
WHO = Context("cmd-1", actor="ana", device="till-1")


@dataclass
class Clocks:
    """A wall clock and a monotonic one that a test turns; `advance` lets time pass on both."""

    wall_ms: int = 1_800_000_000_000
    boot: BootTime = field(default_factory=lambda: BootTime("boot-1", 1_000))

    def now_ms(self) -> int:
        """The wall clock."""
        return self.wall_ms

    def clock(self) -> BootTime:
        """The monotonic clock."""
        return self.boot

    def advance(self, ms: int) -> None:
        """Time passes."""
        self.wall_ms += ms
        self.boot = BootTime(self.boot.boot_id, self.boot.ms + ms)

    def reboot(self) -> None:
        """The monotonic clock begins again, at a boot of another name."""
        self.boot = BootTime(f"{self.boot.boot_id}+", 10)


def shelve(tx: Transaction, sku_id: str, quantity: int, lot: str = "") -> None:
    """Receive and put away."""
    goods = [Goods(sku_id, quantity, lot)]
    ledger.move(tx, WHO, "receive", goods, target_bin=DOCK)
    ledger.move(tx, WHO, "put_away", goods, source_bin=DOCK, target_bin=SHELF)


async def able_to_promise(store: Store, *, rights: int, shelf: int, sku_id: str = "SKU-1") -> HubPen:
    """Goods on the shelf and the right to promise them; the hub's pen, to go on writing with."""
    pen = HubPen(store)
    await store.write(lambda tx: shelve(tx, sku_id, shelf))
    if rights:
        await pen.grant(sku_id, rights)
    return pen


async def reserve(
    store: Store, reservation_id: str, quantity: int, sku_id: str = "SKU-1", expires_after_ms: int = 0
) -> dict[str, Any]:
    """Promise units."""
    return await store.write(
        lambda tx: promises.reserve(
            tx,
            WHO,
            reservation_id=reservation_id,
            sku_id=sku_id,
            quantity=quantity,
            expires_after_ms=expires_after_ms,
        )
    )


async def post(
    store: Store, reservation_id: str, quantity: int, *, final: bool = True, bin_id: str = SHELF
) -> dict[str, Any]:
    """Hand goods over for a reservation."""
    goods = Goods("SKU-1", quantity)
    return await store.write(
        lambda tx: promises.post(
            tx, WHO, reservation_id=reservation_id, goods=goods, bin_id=bin_id, final=final
        )
    )


async def release(store: Store, reservation_id: str) -> dict[str, Any]:
    """Give a promise back."""
    return await store.write(lambda tx: promises.release(tx, WHO, reservation_id=reservation_id))


async def standing(store: Store, sku_id: str = "SKU-1") -> NodeStanding:
    """What the node may promise of a SKU."""
    return await store.write(lambda tx: promises.standing(tx, sku_id, tx.today()))


async def facts(store: Store, after: int = 0) -> list[tuple[str, Any]]:
    """(name, message) of every fact after a sequence, oldest first."""
    events = [parse_node_event(row.body) for row in await store.events_after(after, 1_000)]
    named = [(str(event.WhichOneof("fact")), event) for event in events]
    return [(name, getattr(event, name)) for name, event in named]
