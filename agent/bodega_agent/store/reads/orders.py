"""What the node was asked to ship, as `bodega orders` lists it: open work as it is released, then what is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bodega_agent.store.reads.stage import OPEN_STATES

if TYPE_CHECKING:
    from bodega_agent.store.reader import Reader

Json = dict[str, Any]

_ORDERS = f"""
SELECT fulfillment_order_id, order_id, state, device, sscc, due_ms, placed_at_ms, service_class, method, ship_complete,
       batch FROM fulfillment_order WHERE (?1 = '' OR state = ?1) AND (?2 = '' OR fulfillment_order_id = ?2)
ORDER BY state NOT IN {OPEN_STATES},
  CASE WHEN state IN {OPEN_STATES} THEN due_ms END, CASE WHEN state IN {OPEN_STATES} THEN tier END,
  CASE WHEN state IN {OPEN_STATES} THEN placed_at_ms END, arrived_seq
"""  # noqa: S608  # a constant
_LINES = """
SELECT line, sku_id, quantity, picked, short, camera, substitute_of FROM fulfillment_line
WHERE fulfillment_order_id = ? ORDER BY line
"""
_TOTES = "SELECT tote_id FROM tote WHERE fulfillment_order_id = ? ORDER BY tote_id"


def orders(reader: Reader, *, state: str = "", fulfillment_order_id: str = "") -> list[Json]:
    """Fulfillment orders with lines and totes; each filter that is not empty counts. `due_ms`: see `pick.release`."""
    found = reader.rows(_ORDERS, state, fulfillment_order_id)
    for order in found:
        order["lines"] = reader.rows(_LINES, order["fulfillment_order_id"])
        order["totes"] = [row["tote_id"] for row in reader.rows(_TOTES, order["fulfillment_order_id"])]
        order["ship_complete"] = bool(order["ship_complete"])
    return found
