"""Tables of orders that were moved between nodes, and of what people at the centre have set aside."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.columns import integer, metadata, text

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

# Rules that a person at the centre has set aside. `boot_id` and `expires_at_ms` are of the clock that it expires by.
hub_override = sa.Table(
    "hub_override",
    metadata,
    text("override_id", key=True),
    text("kind"),
    text("subject"),
    text("effect"),
    text("reason"),
    text("actor"),
    text("state"),
    integer("opened_at_ms"),
    text("boot_id"),
    integer("expires_at_ms"),
    integer("expires_after_ms"),
    integer("ended_at_ms", default=0),
    text("ended_by", default=""),
)
sa.Index(
    "hub_override_open",
    hub_override.c.subject,
    hub_override.c.kind,
    sqlite_where=hub_override.c.state == "open",
    postgresql_where=hub_override.c.state == "open",
)
