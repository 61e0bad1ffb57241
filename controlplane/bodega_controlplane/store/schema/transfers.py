"""Tables of goods on their way from node to node, as the journals of the nodes say."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import boolean, integer, metadata, text

# A transfer and how far it is (`bodega.core.transfers`); `told_node` settles its difference, `told_why` it is over.
transfer = sa.Table(
    "transfer",
    metadata,
    text("transfer_id", key=True),
    text("state"),
    integer("opened_at_ms"),
    integer("changed_at_ms"),
    text("told_node", default=""),
    text("told_why", default=""),
    text("conflict_id", default=""),
)
sa.Index("transfer_newest", transfer.c.opened_at_ms, transfer.c.transfer_id)

# Who takes part, whether it has said that nothing follows, and its last event.
transfer_side = sa.Table(
    "transfer_side",
    metadata,
    text("transfer_id", key=True),
    text("node_id", key=True),
    boolean("final"),
    integer("epoch"),
    integer("last_seq"),
)

# What each node says of each kind of goods: sums of its movements.
transfer_goods = sa.Table(
    "transfer_goods",
    metadata,
    text("transfer_id", key=True),
    text("node_id", key=True),
    text("sku_id", key=True),
    text("lot", key=True),
    text("owner", key=True),
    integer("shipped"),
    integer("received"),
    integer("written_off"),
)
