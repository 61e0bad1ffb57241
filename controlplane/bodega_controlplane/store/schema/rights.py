"""Tables of the promises that nodes make by themselves, and of the rights that they make them from."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, text

# What of each SKU the hub must not promise at a node, because the node may. The key begins with what promises ask for.
node_rights = sa.Table(
    "node_rights",
    metadata,
    text("sku_id", key=True),
    text("node_id", key=True),
    integer("held"),
    integer("in_flight"),
    integer("wanted"),
    sqlite_with_rowid=False,
)

# Grants and recalls; `settled` is what the node said that it took or gave.
rights_transfer = sa.Table(
    "rights_transfer",
    metadata,
    text("transfer_id", key=True),
    text("kind"),
    text("node_id"),
    text("sku_id"),
    integer("quantity"),
    integer("settled", default=0),
    text("state"),
    integer("asked_at_ms"),
    integer("settled_at_ms", default=0),
)

# Promises that nodes have made by themselves.
node_reservation = sa.Table(
    "node_reservation",
    metadata,
    text("node_id", key=True),
    text("reservation_id", key=True),
    text("sku_id"),
    integer("quantity"),
    integer("posted"),
    integer("voided"),
    text("state"),
    text("reference"),
    integer("changed_at_ms"),
    integer("expires_after_ms", default=0),
)
sa.Index(
    "node_reservation_pending",
    node_reservation.c.sku_id,
    node_reservation.c.node_id,
    sqlite_where=node_reservation.c.state == "pending",
    postgresql_where=node_reservation.c.state == "pending",
)
