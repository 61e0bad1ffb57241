"""Packing: effects. Its facts are those of picking."""

from __future__ import annotations

from bodega.core.lifecycles import FulfillmentEvent
from bodega_agent.rules.floor.pack.effects import Pack, Reprint, VerifyLabel
from bodega_agent.store import labels, work
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.transaction import Context, Transaction


def _pack(tx: Transaction, context: Context, effect: Pack) -> None:
    labels.pack(tx, context, effect.fulfillment_order_id, effect.sscc)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.PACK)


def _verify_label(tx: Transaction, context: Context, effect: VerifyLabel) -> None:
    labels.scan_back(tx, context, effect.sscc)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.VERIFY_LABEL)


def _reprint(tx: Transaction, context: Context, effect: Reprint) -> None:
    labels.reprint(tx, context, effect.sscc, effect.reason)


DOES: Doers = {Pack: _pack, VerifyLabel: _verify_label, Reprint: _reprint}
