"""Tables that earlier versions of the schema had: made only on the way from one of those, and read by a migration."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, text

former = sa.MetaData()

# Up to version 4: what an order was promised at the node that had it, and at those that had it before.
reservation = sa.Table(
    "reservation",
    former,
    text("order_id", key=True),
    integer("line", key=True),
    text("node_id"),
    text("sku_id"),
    integer("quantity"),
    integer("posted", default=0),
    integer("voided", default=0),
    text("state"),
)
revoked_reservation = sa.Table(
    "revoked_reservation",
    former,
    text("fulfillment_order_id", key=True),
    integer("line", key=True),
    text("order_id"),
    text("node_id"),
    text("sku_id"),
    integer("quantity"),
    integer("posted"),
    integer("voided"),
    text("state"),
)
