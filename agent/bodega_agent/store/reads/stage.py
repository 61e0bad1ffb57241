"""Goods that were picked for an order that is over: they wait to be put back."""

from __future__ import annotations

from bodega.core.lifecycles import FULFILLMENT

# Work that is over, as a list for SQL: final here, or not the node's any more.
ENDED_STATES = "(" + ", ".join(f"'{state}'" for state in sorted(FULFILLMENT.terminal)) + ")"

_NOT_OVER = f"(SELECT fulfillment_order_id FROM fulfillment_order WHERE state NOT IN {ENDED_STATES})"  # noqa: S608  # a constant
# A condition on the rows of `balance`.
LEFT_ON_STAGE = f"bin <> '' AND bin >= 'STAGE-' AND bin < 'STAGE.' AND substr(bin, 7) NOT IN {_NOT_OVER}"
