"""A real node's store with a small catalogue, and a hub's pen to write events for it.

The hub's events go through `Store.apply_down`, as the ones from the network do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bodega.core.chain import link
from bodega.core.deadline import BootTime
from bodega.core.sync import Head
from bodega.v1 import catalogue_pb2, journal_pb2, orders_pb2, stock_pb2
from bodega_adapters.framing.check_digit import gs1_check_digit
from bodega_agent.store.clock import boot_time
from bodega_agent.store.inbound import Applied
from bodega_agent.store.store import Store

BINS = ("A-01-01", "A-01-02", "B-02-01")


def gtin(number: int) -> str:
    """A valid GTIN-14 from a small number."""
    body = f"0952123{number:06d}"
    return body + str(gs1_check_digit(body))


def scan_text(number: int) -> str:
    """The EAN-13 of that GTIN, as a scanner sends it."""
    return gtin(number)[1:]


class HubPen:
    """Writes hub events in order and applies them to a node's store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._head = Head()
        self._versions = itertools.count(1)

    async def write(self, **fact: Any) -> Applied:
        """One event of the hub."""
        body = journal_pb2.HubEvent(cmd_id=f"hub-{self._head.seq + 1}", at_ms=1, **fact).SerializeToString()
        return await self.write_bytes(body)

    async def write_bytes(self, body: bytes) -> Applied:
        """One event as bytes, such as a newer hub would send."""
        heard: list[Applied] = []

        async def hear(applied: Applied) -> None:
            heard.append(applied)

        self._head = Head(1, self._head.seq + 1, link(self._head.hash, body))
        before, self._store.on_hub_events = self._store.on_hub_events, hear
        await self._store.apply_down([(self._head.seq, body)], self._head)
        self._store.on_hub_events = before
        await before(heard[0])
        return heard[0]

    async def profile(
        self, *, last_serial: int = 9_999, associates: Sequence[catalogue_pb2.Associate] = ()
    ) -> None:
        """Bins, an SSCC range, and who signs in."""
        await self.write(
            node_profile=catalogue_pb2.NodeProfile(
                node_id="lisbon-01",
                name="Lisbon",
                ship_from=["Bodega Lisbon", "Rua Augusta 1"],
                sscc_range=catalogue_pb2.SsccRange(
                    extension=3, company_prefix="9521234", first_serial=1, last_serial=last_serial
                ),
                bins=[catalogue_pb2.Bin(bin_id=b, walk_order=i) for i, b in enumerate(BINS, start=1)],
                associates=associates,
                version=next(self._versions),
            )
        )

    async def sku(self, number: int, *, lot_tracked: bool = False, owner: str = "") -> str:
        """A SKU whose GTIN is `gtin(number)`; returns its id."""
        sku_id = f"SKU-{number}"
        await self.write(
            sku=catalogue_pb2.Sku(
                sku_id=sku_id,
                name=f"Product {number}",
                gtins=[gtin(number)],
                owner=owner,
                lot_tracked=lot_tracked,
                version=next(self._versions),
            )
        )
        return sku_id

    async def sku_of(self, sku_id: str, number: int, **facts: Any) -> str:
        """A SKU with more to it than `sku` says: units, lots, serials, expiry, parts."""
        sku = catalogue_pb2.Sku(sku_id=sku_id, name=sku_id.title(), gtins=[gtin(number)], **facts)
        sku.version = next(self._versions)
        await self.write(sku=sku)
        return sku_id

    async def fulfillment_order(self, number: int, *lines: tuple[str, int], fencing_token: int = 1) -> str:
        """Work for the node: (sku_id, quantity) per line; returns its id."""
        fulfillment_order_id = f"FO-{number}"
        await self.write(
            fulfillment_order=orders_pb2.FulfillmentOrder(
                fulfillment_order_id=fulfillment_order_id,
                order_id=f"ORD-{number}",
                lines=[
                    orders_pb2.OrderLine(line=i, sku_id=sku_id, quantity=quantity)
                    for i, (sku_id, quantity) in enumerate(lines, start=1)
                ],
                recipient=orders_pb2.Recipient(name="Ana Ribeiro", address=["Rua do Ouro 2"], country="PT"),
                carrier_service="parcel",
                fencing_token=fencing_token,
            )
        )
        return fulfillment_order_id

    async def grant(self, sku_id: str, quantity: int, transfer_id: str = "R-1") -> None:
        """The right to promise so many units."""
        granted = stock_pb2.RightsGranted(transfer_id=transfer_id, sku_id=sku_id, quantity=quantity)
        await self.write(rights_granted=granted)

    async def recall(self, sku_id: str, quantity: int, transfer_id: str = "R-2") -> None:
        """Ask for rights back."""
        wanted = stock_pb2.RightsWanted(transfer_id=transfer_id, sku_id=sku_id, quantity=quantity)
        await self.write(rights_wanted=wanted)

    async def cancel(self, number: int) -> None:
        """Stop that work."""
        await self.write(
            cancel_requested=journal_pb2.CancelRequested(
                fulfillment_order_id=f"FO-{number}", order_id=f"ORD-{number}", asked_by="channel"
            )
        )


@contextmanager
def opened_store(
    folder: Path,
    *,
    node_id: str = "lisbon-01",
    now_ms: Callable[[], int] | None = None,
    clock: Callable[[], BootTime] = boot_time,
) -> Iterator[Store]:
    """A store in `folder`, closed at the end; its wall clock, if none is given, counts milliseconds up from 1."""
    ticks = itertools.count(1)
    store = Store(
        folder / "ledger.db",
        node_id=node_id,
        now_ms=now_ms or (lambda: next(ticks)),
        verify=lambda signature, _text: signature == b"the hub's",
        clock=clock,
    )
    try:
        yield store
    finally:
        store.close()
