"""What the node may promise of a SKU, read from the tables: the same rows for a command and for a reader."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from bodega.core.promise import Hold, NodeStanding, held_back
from bodega.core.rights import OwnRights


class Asked(Protocol):
    """A `Transaction`, or a connection that only reads."""

    def execute(self, sql: str, values: tuple[Any, ...], /) -> Iterable[tuple[Any, ...]]:
        """The rows of one statement."""
        ...


# An expiry is the last day on which a unit may be sold (GS1 General Specifications, AI 17).
_SELLABLE = """
SELECT b.lot, sum(b.quantity) FROM balance b LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot
WHERE b.sku_id = ?1 AND b.external = '' AND b.disposition = 'sellable_accessible'
  AND (coalesce(l.expiry, '') = '' OR l.expiry >= ?2 OR EXISTS (
    SELECT 1 FROM rule_override o
    WHERE o.sku_id = b.sku_id AND o.state = 'open' AND o.rule = 'expired' AND o.lot IN ('', b.lot)))
GROUP BY b.lot
"""
# From the SKU's own open lines to their orders (CROSS JOIN keeps that way round). The index's condition is written as
# SQLite turns it, with the lone column first: the other way round it is never used.
_HUB_RESERVED = """
SELECT coalesce(sum(l.quantity - l.picked - l.short), 0) FROM fulfillment_line l
CROSS JOIN fulfillment_order f USING (fulfillment_order_id)
WHERE l.sku_id = ?1 AND l.quantity > l.picked + l.short AND f.state IN ('assigned', 'picking')
"""
_RIGHTS = """
SELECT coalesce((SELECT held FROM rights WHERE sku_id = ?1), 0), coalesce((
  SELECT sum(quantity - posted - voided) FROM reservation WHERE sku_id = ?1 AND state = 'pending'), 0)
"""
_HOLDS = "SELECT lot, quantity FROM rule_override WHERE sku_id = ?1 AND state = 'open' AND rule = 'hold'"


def standing(rows: Asked, sku_id: str, today: str) -> NodeStanding:
    """What of a SKU the node may promise, and why; `today` (ISO 8601) tells which lots have expired."""
    sellable: dict[str, int] = {row[0]: row[1] for row in rows.execute(_SELLABLE, (sku_id, today))}
    ((hub_reserved,),) = rows.execute(_HUB_RESERVED, (sku_id,))
    rights = own_rights(rows, sku_id)
    holds = [Hold(*row) for row in rows.execute(_HOLDS, (sku_id,))]
    return NodeStanding(
        sellable=sum(sellable.values()),
        hub_reserved=hub_reserved,
        local_reserved=rights.promised,
        rights_held=rights.held,
        held_back=held_back(holds, sellable),
    )


def own_rights(rows: Asked, sku_id: str) -> OwnRights:
    """The node's rights to a SKU, and how many of them stand behind pending reservations."""
    (row,) = rows.execute(_RIGHTS, (sku_id,))
    return OwnRights(*row)
