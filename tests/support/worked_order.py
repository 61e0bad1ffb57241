"""A real node with one order of two units, brought to any stage of its life."""

from __future__ import annotations

from bodega.core.ledger import DOCK, Goods
from bodega.core.lifecycles import FulfillmentEvent, PrintEvent
from bodega_agent.store import labels, ledger, work
from bodega_agent.store.floor import effects
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support import asks as ask
from support.node_under_test import HubPen

CONTEXT = Context("cmd-1", actor="ana", device="scanner-1")
FO = "FO-1"
GOODS = Goods("SKU-1", 2)
STAGES = ("assigned", "picking", "picked", "packed", "labelled", "shipped")


async def node_with_work(store: Store) -> HubPen:
    """Five units on a shelf, and an order of two of them."""
    hub = HubPen(store)
    await hub.profile()
    sku_id = await hub.sku(1)
    await hub.fulfillment_order(1, (sku_id, 2))

    def stock(tx: Transaction) -> None:
        ledger.move(tx, CONTEXT, "receive", [Goods(sku_id, 5)], target_bin=DOCK)
        ledger.move(tx, CONTEXT, "put_away", [Goods(sku_id, 5)], source_bin=DOCK, target_bin="A-01-01")

    await store.write(stock)
    return hub


def bring_to(
    tx: Transaction, stage: str, fo: str = FO, goods: Goods = GOODS, bin_id: str = "A-01-01"
) -> None:
    """Work on an assigned order of one line until it is at `stage`."""
    steps: dict[str, tuple[ask.Effect, ...]] = {
        "picking": (ask.Claim(fo), ask.Pick(fo, 1, goods, bin_id)),
        "picked": (ask.Advance(fo, FulfillmentEvent.PICKS_DONE),),
        "packed": (ask.Pack(fo, labels.peek_sscc(tx)),),
    }
    for name in STAGES[1 : STAGES.index(stage) + 1]:
        sscc = work.find(tx, fo).sscc
        late: dict[str, tuple[ask.Effect, ...]] = {
            "labelled": (ask.VerifyLabel(fo, sscc),),
            "shipped": (ask.HandOver(fo, sscc),),
        }
        if name == "labelled":
            job = labels.latest_for(tx, sscc)
            assert job is not None
            labels.advance(tx, CONTEXT, job, PrintEvent.SEND)
        for effect in steps.get(name) or late[name]:
            effects.execute(tx, CONTEXT, effect)
