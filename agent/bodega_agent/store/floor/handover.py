"""Handing over: facts and effects."""

from __future__ import annotations

from bodega.core.ledger import Reference, parcel_place
from bodega.core.lifecycles import FulfillmentEvent
from bodega_agent.rules.floor.handover.effects import HandOver
from bodega_agent.rules.floor.handover.facts import HandoverFacts, Parcel
from bodega_agent.rules.floor.scans import SsccScan
from bodega_agent.store import ledger, work
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction


def facts(look: Look) -> HandoverFacts:
    """The parcel that was scanned, if the node knows it."""
    if not isinstance(look.scan, SsccScan):
        return HandoverFacts()
    order = work.find_by_sscc(look.tx, look.scan.sscc)
    parcel = Parcel(look.scan.sscc, order.fulfillment_order_id, order.state) if order else None
    return HandoverFacts(parcel=parcel)


def _hand_over(tx: Transaction, context: Context, effect: HandOver) -> None:
    place = parcel_place(effect.sscc)
    reference = Reference(effect.fulfillment_order_id, effect.sscc)
    ledger.move(tx, context, "ship", work.staged_goods(tx, place), source_bin=place, reference=reference)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.HAND_OVER)


DOES: Doers = {HandOver: _hand_over}
