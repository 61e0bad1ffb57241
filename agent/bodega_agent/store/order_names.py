"""What a person calls an order: by the id of the customer's order, or of the work that this node has for it."""

from __future__ import annotations

from bodega_agent.store import work
from bodega_agent.store.transaction import Transaction


def named(tx: Transaction, text: str) -> str:
    """The text, if it is the id of a fulfillment order here, or of a customer's order that one here serves; else ""."""
    row = tx.one(
        "SELECT 1 FROM fulfillment_order WHERE fulfillment_order_id = ?1 UNION ALL"
        " SELECT 1 FROM fulfillment_order WHERE order_id = ?1 LIMIT 1",
        (text,),
    )
    return text if row else ""


def find(tx: Transaction, text: str) -> list[work.WorkOrder]:
    """The fulfillment orders that are meant by that, oldest first."""
    rows = tx.execute(
        "SELECT fulfillment_order_id FROM fulfillment_order WHERE fulfillment_order_id = ?1 OR order_id = ?1"
        " ORDER BY arrived_seq",
        (text,),
    )
    return [work.find(tx, row[0]) for row in list(rows)]
