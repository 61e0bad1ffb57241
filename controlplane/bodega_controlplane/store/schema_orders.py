"""Tables of orders: what was asked for, what was promised for it, who works on it, and why they do."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.columns import boolean, integer, metadata, text

# `recipient` is personal data and `pickup` holds a secret: neither is read but to be given to a node.
orders = sa.Table(
    "orders",
    metadata,
    text("order_id", key=True),
    text("channel"),
    text("reference"),
    text("state"),
    sa.Column("node_id", sa.Text, sa.ForeignKey("node.node_id"), nullable=False),
    integer("placed_at_ms"),
    integer("updated_at_ms"),
    text("recipient"),
    text("service_class", default="standard"),
    text("method", default="parcel"),
    boolean("ship_complete"),
    integer("ship_by_ms", default=0),
    text("pickup", default=""),
)
sa.Index("orders_newest", orders.c.placed_at_ms, orders.c.order_id)
sa.Index("orders_by_state", orders.c.state, orders.c.placed_at_ms, orders.c.order_id)
# What a channel asks: its newest ones, and what has changed.
orders_of_channel = sa.Index("orders_of_channel", orders.c.channel, orders.c.placed_at_ms, orders.c.order_id)
orders_changed = sa.Index("orders_changed", orders.c.channel, orders.c.updated_at_ms, orders.c.order_id)

order_line = sa.Table(
    "order_line",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
    integer("line", key=True),
    text("sku_id"),
    integer("quantity"),
    integer("shipped", default=0),
    integer("short", default=0),
    text("substitutes", default="[]"),
)

# One row per assignment; the highest token of an order is in force. Events are named as conflicts name them.
fulfillment_order = sa.Table(
    "fulfillment_order",
    metadata,
    text("fulfillment_order_id", key=True),
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), nullable=False, index=True),
    sa.Column("node_id", sa.Text, sa.ForeignKey("node.node_id"), nullable=False),
    text("state"),
    integer("fencing_token"),
    text("sscc"),
    integer("updated_at_ms"),
    text("assigned_event", default=""),
    text("revoked_event", default=""),
    text("shipped_event", default=""),
)

reservation = sa.Table(
    "reservation",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
    integer("line", key=True),
    text("node_id"),
    text("sku_id"),
    integer("quantity"),
    integer("posted", default=0),
    integer("voided", default=0),
    text("state"),
)
sa.Index(
    "reservation_pending",
    reservation.c.sku_id,
    reservation.c.node_id,
    sqlite_where=reservation.c.state == "pending",
    postgresql_where=reservation.c.state == "pending",
)

route_decision = sa.Table(
    "route_decision",
    metadata,
    text("order_id", key=True),
    text("node_id"),
    text("rule"),
    text("candidates"),
    integer("decided_at_ms"),
)

# What was promised at a node whose work was taken away. The units stay reserved there until that node has said that
# it stopped, or shipped: it may be out of touch, and may ship them.
revoked_reservation = sa.Table(
    "revoked_reservation",
    metadata,
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
sa.Index(
    "revoked_reservation_pending",
    revoked_reservation.c.sku_id,
    revoked_reservation.c.node_id,
    sqlite_where=revoked_reservation.c.state == "pending",
    postgresql_where=revoked_reservation.c.state == "pending",
)

# Why an order went from one node to another; `fencing_token` is that of the new assignment.
reassignment = sa.Table(
    "reassignment",
    metadata,
    text("order_id", key=True),
    integer("fencing_token", key=True),
    text("from_node_id"),
    text("node_id"),
    text("rule"),
    text("reason"),
    text("decided_by"),
    text("candidates"),
    integer("decided_at_ms"),
)

# Assignments of orders that another node has shipped: to be revoked. A row is there until that is done.
work_to_stop = sa.Table(
    "work_to_stop",
    metadata,
    text("fulfillment_order_id", key=True),
    text("reason"),
)
