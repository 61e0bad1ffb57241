"""Tables of orders: what was asked for, what was promised for it, who works on it, and why they do."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import boolean, integer, metadata, text

# `recipient` is personal data and `pickup` holds a secret: neither is read but to be given to a node. `node_id` is that
# of the first part that has one, for lists; `backorder` and `not_before_ms` are the terms on which the order waits,
# `parts_max` how many nodes it may be split over when it is placed.
orders = sa.Table(
    "orders",
    metadata,
    text("order_id", key=True),
    text("channel"),
    text("reference"),
    text("state"),
    text("node_id", default=""),
    integer("placed_at_ms"),
    integer("updated_at_ms"),
    text("recipient"),
    text("service_class", default="standard"),
    text("method", default="parcel"),
    boolean("ship_complete"),
    integer("ship_by_ms", default=0),
    text("pickup", default=""),
    boolean("cancel_asked"),
    boolean("backorder"),
    integer("not_before_ms", default=0),
    integer("parts_max", default=1),
)
sa.Index("orders_newest", orders.c.placed_at_ms, orders.c.order_id)
sa.Index("orders_by_state", orders.c.state, orders.c.placed_at_ms, orders.c.order_id)
# What a channel asks: its newest ones, and what has changed.
orders_of_channel = sa.Index("orders_of_channel", orders.c.channel, orders.c.placed_at_ms, orders.c.order_id)
orders_changed = sa.Index("orders_changed", orders.c.channel, orders.c.updated_at_ms, orders.c.order_id)
# What upkeep asks every second: orders that go on and have a time to leave by. As text, because both databases know an
# index of some rows again only by its own words.
TO_LEAVE = (
    "ship_by_ms > 0 AND state IN ('confirmed', 'in_fulfillment', 'ready_for_pickup', 'handed_back', 'backordered', "
    "'preordered')"
)
orders_to_leave = sa.Index(
    "orders_to_leave", orders.c.ship_by_ms, sqlite_where=sa.text(TO_LEAVE), postgresql_where=sa.text(TO_LEAVE)
)

# What the customer asked for, and after it the components of kits: `kit_line` is the line of the kit, which is itself
# asked of no node.
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
    integer("kit_line", default=0),
)

# What one node at a time is asked for; `state` is a PartState, since `changed_at_ms`.
order_part = sa.Table(
    "order_part",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
    integer("part", key=True),
    text("state"),
    integer("changed_at_ms"),
)
_OPEN_PARTS = order_part.c.state.in_(["assigned", "backordered", "handed_back", "preordered"])
sa.Index("order_part_open", order_part.c.state, sqlite_where=_OPEN_PARTS, postgresql_where=_OPEN_PARTS)

part_line = sa.Table(
    "part_line",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
    integer("part", key=True),
    integer("line", key=True),
    integer("quantity"),
)

# One row per assignment of a part; the highest token of a part is in force. Events are named as conflicts name them.
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
    integer("part", default=1),
    text("carrier_service", default=""),
)

# What an assignment was asked for and promised, line by line, and what its node says of it. Where the part was given
# to another node (`superseded`), the units stay reserved until the old one has said that it stopped, or shipped: it
# may be out of touch, and may ship them.
fulfillment_line = sa.Table(
    "fulfillment_line",
    metadata,
    sa.Column(
        "fulfillment_order_id",
        sa.Text,
        sa.ForeignKey("fulfillment_order.fulfillment_order_id"),
        primary_key=True,
    ),
    integer("line", key=True),
    text("node_id"),
    text("sku_id"),
    integer("quantity"),
    integer("posted", default=0),
    integer("voided", default=0),
    text("state"),
    integer("shipped", default=0),
    integer("short", default=0),
    boolean("superseded"),
)
sa.Index(
    "fulfillment_line_pending",
    fulfillment_line.c.sku_id,
    fulfillment_line.c.node_id,
    sqlite_where=fulfillment_line.c.state == "pending",
    postgresql_where=fulfillment_line.c.state == "pending",
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

# Up to version 4, why an order went from one node to another; `fencing_token` is that of the new assignment. Since then
# `routing_decision` says it.
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
