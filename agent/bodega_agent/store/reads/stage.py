"""Goods that were picked for an order that is over: they wait to be put back."""

from __future__ import annotations

from bodega.core.lifecycles import FULFILLMENT, FulfillmentState

# Work that is not over, as a list for SQL; what else there is, is final here, or not the node's any more. Asked so, and
# not by what is over, the index on the state leads past years of ended orders.
OPEN_STATES = (
    "(" + ", ".join(f"'{state}'" for state in FulfillmentState if state not in FULFILLMENT.terminal) + ")"
)

_NOT_OVER = f"(SELECT fulfillment_order_id FROM fulfillment_order WHERE state IN {OPEN_STATES})"  # noqa: S608  # a constant
# A condition on the rows of `balance`.
LEFT_ON_STAGE = f"bin <> '' AND bin >= 'STAGE-' AND bin < 'STAGE.' AND substr(bin, 7) NOT IN {_NOT_OVER}"
