"""Goods that were picked for an order that is over: they wait to be put back."""

from __future__ import annotations

# A condition on the rows of `balance`. Orders that are over are final here, or not the node's any more.
LEFT_ON_STAGE = (
    "bin <> '' AND bin >= 'STAGE-' AND bin < 'STAGE.' AND substr(bin, 7) NOT IN"
    " (SELECT fulfillment_order_id FROM fulfillment_order WHERE state NOT IN ('shipped', 'cancelled', 'short'))"
)
