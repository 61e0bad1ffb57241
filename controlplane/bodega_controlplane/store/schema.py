"""Every table of the control plane, once, for SQLite and for PostgreSQL.

Journal and audit are append-only: triggers abort UPDATE and DELETE. `stock` is the replica of the nodes'
balance tables, so it holds external accounts too and has no rows of zero units. Times are milliseconds
since 1970-01-01 UTC, quantities base units, hashes 32 bytes; lists and maps are JSON text.
"""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.columns import boolean as _bool
from bodega_controlplane.store.columns import integer as _int
from bodega_controlplane.store.columns import metadata
from bodega_controlplane.store.columns import octets as _bytes
from bodega_controlplane.store.columns import text as _text
from bodega_controlplane.store.schema_rights import node_reservation, node_rights, rights_transfer
from bodega_controlplane.store.schema_sync import broker_stream, down_waiting, refused_envelope, telemetry

__all__ = [
    "broker_stream",
    "down_waiting",
    "metadata",
    "node_reservation",
    "node_rights",
    "refused_envelope",
    "rights_transfer",
    "telemetry",
]

SCHEMA_VERSION = 3

meta = sa.Table("meta", metadata, _text("key", key=True), _text("value"))

node = sa.Table(
    "node",
    metadata,
    _text("node_id", key=True),
    _text("name"),
    sa.Column("latitude", sa.Float(53), nullable=False),
    sa.Column("longitude", sa.Float(53), nullable=False),
    _bytes("profile"),
    _int("profile_version"),
    _int("epoch"),
    _int("applied_seq"),
    _bytes("applied_hash"),
    _int("head_seq"),
    _int("down_epoch"),
    _int("down_seq"),
    _bytes("down_hash"),
    _int("down_applied_seq"),
    _int("last_contact_ms"),
    _text("boot_nonce"),
    _text("health"),
    _int("desired_generation"),
    _text("desired_settings"),
    _int("reported_generation"),
    _text("reported"),
    _int("diverged_seq", default=0),
    _int("refused", default=0),
    _int("foreign_ms", default=0),
)

journal = sa.Table(
    "journal",
    metadata,
    _text("node_id", key=True),
    _int("epoch", key=True),
    _int("seq", key=True),
    _text("cmd_id"),
    _text("fact"),
    _int("at_ms"),
    _int("committed_ms"),
    _bytes("body"),
    _bytes("hash"),
    sqlite_with_rowid=False,
)

# Events that this version could not apply: a newer fact, or one that breaks a rule. Kept for a later version.
parked_event = sa.Table(
    "parked_event",
    metadata,
    _text("node_id", key=True),
    _int("epoch", key=True),
    _int("seq", key=True),
    _text("reason"),
    sqlite_with_rowid=False,
)

# The key begins with what promises ask for; no other index holds the quantity, so a change of it writes one
# row and nothing else.
stock = sa.Table(
    "stock",
    metadata,
    _text("sku_id", key=True),
    _text("disposition", key=True),
    _text("external", key=True),
    _text("node_id", key=True),
    _text("bin", key=True),
    _text("lot", key=True),
    _text("owner", key=True),
    _int("quantity"),
    sqlite_with_rowid=False,
)
sa.Index("stock_listing", stock.c.node_id, stock.c.bin, stock.c.sku_id, stock.c.lot)
sa.Index(
    "stock_zero",
    stock.c.node_id,
    sqlite_where=stock.c.quantity == 0,
    postgresql_where=stock.c.quantity == 0,
)

sku = sa.Table(
    "sku",
    metadata,
    _text("sku_id", key=True),
    _text("name"),
    _text("owner"),
    _bool("lot_tracked"),
    _int("weight_g"),
    _int("volume_ml"),
    _int("version"),
    _bool("serial_tracked"),
    _bool("expiry_tracked"),
    _text("base_unit", default=""),
    _text("units", default="[]"),
    _int("units_version", default=0),
    _text("components", default="[]"),
)

gtin = sa.Table(
    "gtin",
    metadata,
    _text("gtin", key=True),
    sa.Column("sku_id", sa.Text, sa.ForeignKey("sku.sku_id"), nullable=False, index=True),
    _text("unit", default=""),
)

# Where the nodes say that each serial number is; in the node of its last movement, or outside of all.
serial = sa.Table(
    "serial",
    metadata,
    _text("sku_id", key=True),
    _text("serial", key=True),
    _text("node_id", key=True),
    _text("bin"),
    _text("disposition"),
    _text("lot"),
    _text("owner"),
    _text("external"),
    _int("epoch"),
    _int("seq"),
    sqlite_with_rowid=False,
)

orders = sa.Table(
    "orders",
    metadata,
    _text("order_id", key=True),
    _text("channel"),
    _text("reference"),
    _text("state"),
    sa.Column("node_id", sa.Text, sa.ForeignKey("node.node_id"), nullable=False),
    _int("placed_at_ms"),
    _int("updated_at_ms"),
    _text("recipient"),
)
sa.Index("orders_newest", orders.c.placed_at_ms, orders.c.order_id)
sa.Index("orders_by_state", orders.c.state, orders.c.placed_at_ms, orders.c.order_id)

order_line = sa.Table(
    "order_line",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
    _int("line", key=True),
    _text("sku_id"),
    _int("quantity"),
    _int("shipped", default=0),
    _int("short", default=0),
)

fulfillment_order = sa.Table(
    "fulfillment_order",
    metadata,
    _text("fulfillment_order_id", key=True),
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), nullable=False, index=True),
    sa.Column("node_id", sa.Text, sa.ForeignKey("node.node_id"), nullable=False),
    _text("state"),
    _int("fencing_token"),
    _text("sscc"),
    _int("updated_at_ms"),
)

reservation = sa.Table(
    "reservation",
    metadata,
    sa.Column("order_id", sa.Text, sa.ForeignKey("orders.order_id"), primary_key=True),
    _int("line", key=True),
    _text("node_id"),
    _text("sku_id"),
    _int("quantity"),
    _int("posted", default=0),
    _int("voided", default=0),
    _text("state"),
)
sa.Index(
    "reservation_pending",
    reservation.c.sku_id,
    reservation.c.node_id,
    sqlite_where=reservation.c.state == "pending",
    postgresql_where=reservation.c.state == "pending",
)

label = sa.Table(
    "label",
    metadata,
    _text("node_id", key=True),
    _text("print_job_id", key=True),
    _text("sscc"),
    _text("state"),
    _int("copy"),
    _text("detail"),
    _int("updated_at_ms"),
)

discrepancy = sa.Table(
    "discrepancy",
    metadata,
    _text("node_id", key=True),
    _int("epoch", key=True),
    _int("seq", key=True),
    _text("bin_id"),
    _text("sku_id"),
    _text("lot"),
    _int("difference"),
    _text("reason"),
    _text("fulfillment_order_id"),
    _int("at_ms"),
    _int("closed_seq", default=0),
)

# Rules that a person at a node has set aside, with the reason.
rule_override = sa.Table(
    "rule_override",
    metadata,
    _text("node_id", key=True),
    _text("override_id", key=True),
    _text("rule"),
    _text("sku_id"),
    _text("lot"),
    _int("quantity"),
    _text("reason"),
    _text("actor"),
    _text("state"),
    _int("changed_at_ms"),
)

vision_decision = sa.Table(
    "vision_decision",
    metadata,
    _text("node_id", key=True),
    _int("epoch", key=True),
    _int("seq", key=True),
    _text("order_id"),
    _text("fulfillment_order_id"),
    _text("sku_id"),
    _text("outcome"),
    _text("model"),
    _text("provider"),
    _int("committed_ms"),
    _bytes("body"),
)
sa.Index("vision_decision_newest", vision_decision.c.committed_ms)
sa.Index("vision_decision_by_order", vision_decision.c.order_id)

task = sa.Table(
    "task",
    metadata,
    _text("node_id", key=True),
    _text("task_id", key=True),
    _text("kind"),
    _text("bin_id"),
    _text("fulfillment_order_id"),
    _int("opened_at_ms"),
)

route_decision = sa.Table(
    "route_decision",
    metadata,
    _text("order_id", key=True),
    _text("node_id"),
    _text("rule"),
    _text("candidates"),
    _int("decided_at_ms"),
)

conflict = sa.Table(
    "conflict",
    metadata,
    _text("conflict_id", key=True),
    _text("kind"),
    _text("rule"),
    _text("inputs"),
    _text("knew"),
    _text("effect"),
    _text("undo"),
    _text("order_id"),
    _text("node_id"),
    _int("opened_at_ms"),
    _text("sku_id", default=""),
    _text("effects", default="[]"),
    _text("needs", default=""),
    _text("state", default="settled"),
    _text("decided_by", default=""),
    _text("decision", default=""),
    _int("decided_at_ms", default=0),
    _int("override_ends_ms", default=0),
)

# The record of what the hub has told each node; NATS only carries it. Holds recipients inside `body`.
down_log = sa.Table(
    "down_log",
    metadata,
    _text("node_id", key=True),
    _int("epoch", key=True),
    _int("seq", key=True),
    _bytes("body"),
    _bytes("hash"),
    sqlite_with_rowid=False,
)

audit = sa.Table(
    "audit",
    metadata,
    _int("seq", key=True),
    _int("at_ms"),
    _text("actor"),
    _text("action"),
    _text("subject"),
    _text("detail"),
    _bytes("hash"),
)
sa.Index("audit_by_subject", audit.c.subject, audit.c.seq)

idempotency = sa.Table(
    "idempotency",
    metadata,
    _text("channel", key=True),
    _text("key", key=True),
    _bytes("digest"),
    _int("status"),
    _bytes("response"),
    _int("at_ms"),
)

APPEND_ONLY = (journal, audit)
