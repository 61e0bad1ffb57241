"""Tables of what nodes say of their floors, newest word of each thing, and of what the hub tells them to expect.

Lines are JSON lists of objects with the names of the protocol's messages. People are named by id only.
"""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import boolean, integer, metadata, text

# Deliveries of suppliers as they came in; `notice_id` is empty for a blind one, `opened_seq` the event that began it.
receipt = sa.Table(
    "receipt",
    metadata,
    text("node_id", key=True),
    text("receipt_id", key=True),
    text("notice_id"),
    text("state"),
    text("lines"),
    text("device"),
    integer("opened_seq"),
    integer("changed_at_ms"),
)

# Deliveries that a node was told to expect.
advance_notice = sa.Table(
    "advance_notice",
    metadata,
    text("node_id", key=True),
    text("notice_id", key=True),
    text("supplier"),
    text("lines"),
    integer("expected_at_ms"),
    integer("version"),
    boolean("withdrawn"),
    integer("changed_at_ms"),
)

# Something went otherwise than it should: one row per event.
floor_exception = sa.Table(
    "floor_exception",
    metadata,
    text("node_id", key=True),
    integer("epoch", key=True),
    integer("seq", key=True),
    text("kind"),
    text("reason"),
    text("reference"),
    text("bin_id"),
    text("sku_id"),
    text("lot"),
    integer("quantity"),
    text("actor"),
    integer("at_ms"),
)
sa.Index(
    "floor_exception_by_kind", floor_exception.c.node_id, floor_exception.c.kind, floor_exception.c.at_ms
)

# Whether each person is at work, and where they were seen last.
shift = sa.Table(
    "shift",
    metadata,
    text("node_id", key=True),
    text("associate_id", key=True),
    text("state"),
    text("signed_by"),
    text("device"),
    integer("changed_at_ms"),
)

parcel = sa.Table(
    "parcel",
    metadata,
    text("node_id", key=True),
    text("sscc", key=True),
    text("fulfillment_order_id"),
    text("state"),
    text("carton_id"),
    integer("weight_g"),
    integer("expected_weight_g"),
    text("carrier"),
    text("service"),
    text("tracking_number"),
    integer("price_minor"),
    text("currency"),
    text("reason"),
    integer("changed_at_ms"),
)
sa.Index("parcel_by_work", parcel.c.fulfillment_order_id)

# `parcels`: SSCCs in the order of handover.
manifest = sa.Table(
    "manifest",
    metadata,
    text("node_id", key=True),
    text("manifest_id", key=True),
    text("carrier"),
    text("ship_date"),
    text("state"),
    text("parcels"),
    integer("changed_at_ms"),
)

pickup = sa.Table(
    "pickup",
    metadata,
    text("node_id", key=True),
    text("fulfillment_order_id", key=True),
    text("state"),
    text("bin_id"),
    integer("changed_at_ms"),
)

# Goods that customers send back. "expected" until a node says more; `expected` is what the hub has agreed to.
customer_return = sa.Table(
    "customer_return",
    metadata,
    text("node_id", key=True),
    text("return_id", key=True),
    text("order_id"),
    text("fulfillment_order_id"),
    text("state"),
    text("lines"),
    text("expected", default="[]"),
    integer("changed_at_ms"),
)
sa.Index("customer_return_newest", customer_return.c.changed_at_ms, customer_return.c.return_id)

# What customers should get money back for, as the node that took the goods says.
refund = sa.Table(
    "refund",
    metadata,
    text("node_id", key=True),
    text("return_id", key=True),
    text("order_id"),
    text("lines"),
    integer("at_ms"),
)

floor_count = sa.Table(
    "floor_count",
    metadata,
    text("node_id", key=True),
    text("count_id", key=True),
    text("bin_id"),
    text("cause"),
    text("state"),
    text("lines"),
    text("decided_by"),
    integer("changed_at_ms"),
)

# Transfers that the hub has ordered, and how far each end is with them.
transfer_order = sa.Table(
    "transfer_order",
    metadata,
    text("transfer_id", key=True),
    text("from_node_id"),
    text("to_node_id"),
    text("lines"),
    integer("ordered_at_ms"),
)
transfer_progress = sa.Table(
    "transfer_progress",
    metadata,
    text("transfer_id", key=True),
    text("node_id", key=True),
    text("state"),
    text("lines"),
    integer("changed_at_ms"),
)

# Lines that are served by another SKU, as the order allows; one row per event.
line_substitution = sa.Table(
    "line_substitution",
    metadata,
    text("node_id", key=True),
    integer("epoch", key=True),
    integer("seq", key=True),
    text("fulfillment_order_id"),
    integer("line"),
    text("sku_id"),
    text("substitute_sku_id"),
    integer("quantity"),
    integer("at_ms"),
)
sa.Index("line_substitution_by_work", line_substitution.c.fulfillment_order_id)

FLOOR_TABLES = (
    receipt,
    advance_notice,
    floor_exception,
    shift,
    parcel,
    manifest,
    pickup,
    customer_return,
    refund,
    floor_count,
    transfer_order,
    transfer_progress,
    line_substitution,
)
