"""The statements that bring orders of version 4 into parts: each was one part, whatever nodes it was given to."""

from __future__ import annotations

# What left counts before all; a cancel that asked nobody is the hub's own word; else the newest assignment says it.
_PART_STATE = """
SELECT o.order_id, 1,
  CASE
    WHEN EXISTS (SELECT 1 FROM fulfillment_order f WHERE f.order_id = o.order_id AND f.state = 'shipped')
    THEN 'shipped'
    WHEN EXISTS (SELECT 1 FROM fulfillment_order f WHERE f.order_id = o.order_id AND f.state = 'collected')
    THEN 'collected'
    WHEN o.state = 'cancelled' THEN 'cancelled'
    ELSE (
      SELECT CASE
        WHEN f.state = 'staged' THEN 'ready_for_pickup'
        WHEN f.state = 'expired' THEN 'not_collected'
        WHEN f.state = 'short' THEN 'unfulfillable'
        WHEN f.state IN ('assigned', 'handed_back', 'cancelled') THEN f.state
        ELSE 'in_fulfillment' END
      FROM fulfillment_order f WHERE f.order_id = o.order_id ORDER BY f.fencing_token DESC LIMIT 1)
  END,
  o.updated_at_ms
FROM orders o
"""
_NEWEST = "(SELECT max(g.fencing_token) FROM fulfillment_order g WHERE g.order_id = f.order_id)"
# The assignment that is said to have shipped what the order's lines count: the newest that has, else the newest.
_LEFT = "f.order_id AND g.state IN ('shipped', 'collected')"
_SHIPPER = f"coalesce({_NEWEST.replace('f.order_id', _LEFT)}, {_NEWEST})"
_PROMISES = """
INSERT INTO fulfillment_line (fulfillment_order_id, line, node_id, sku_id, quantity, posted, voided, state, shipped,
  short, superseded)
SELECT f.fulfillment_order_id, p.line, p.node_id, p.sku_id, p.quantity, p.posted, p.voided, p.state,
  CASE WHEN f.fencing_token = {shipper} THEN l.shipped ELSE 0 END, {short}, {superseded}
FROM {table} p
JOIN fulfillment_order f ON {joined}
JOIN order_line l ON l.order_id = f.order_id AND l.line = p.line
"""

INTO_PARTS = (
    "INSERT INTO order_part (order_id, part, state, changed_at_ms)" + _PART_STATE,
    "INSERT INTO part_line (order_id, part, line, quantity) SELECT order_id, 1, line, quantity FROM order_line",
    _PROMISES.format(
        table="reservation",
        shipper=_SHIPPER,
        short="l.short",
        superseded="false",
        joined=f"f.order_id = p.order_id AND f.fencing_token = {_NEWEST}",
    ),
    _PROMISES.format(
        table="revoked_reservation",
        shipper=_SHIPPER,
        short="0",
        superseded="true",
        joined="f.fulfillment_order_id = p.fulfillment_order_id",
    ),
    "UPDATE orders SET cancel_asked = true WHERE state = 'cancel_requested'",
    "DROP TABLE reservation",
    "DROP TABLE revoked_reservation",
)
