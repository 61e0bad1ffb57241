"""Every table of the control plane, once, for SQLite and for PostgreSQL.

Journal and audit are append-only: triggers abort UPDATE and DELETE. `stock` is the replica of the nodes'
balance tables, so it holds external accounts too and has no rows of zero units. Times are milliseconds
since 1970-01-01 UTC, quantities base units, hashes 32 bytes; lists and maps are JSON text.
"""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.columns import integer as _int
from bodega_controlplane.store.columns import metadata
from bodega_controlplane.store.columns import octets as _bytes
from bodega_controlplane.store.columns import text as _text
from bodega_controlplane.store.schema_catalogue import gtin, lot, sku
from bodega_controlplane.store.schema_channels import CHANNEL_TABLES, channel, channel_token
from bodega_controlplane.store.schema_conflicts import conflict, hub_override
from bodega_controlplane.store.schema_divergence import divergence, divergence_count
from bodega_controlplane.store.schema_down import down_log
from bodega_controlplane.store.schema_epochs import node_agent, node_epoch, node_snapshot, readmission
from bodega_controlplane.store.schema_events import (
    EVENT_TABLES,
    event,
    event_draft,
    stock_told,
    webhook,
    webhook_delivery,
)
from bodega_controlplane.store.schema_exchange import EXCHANGE_TABLES
from bodega_controlplane.store.schema_floor import FLOOR_TABLES
from bodega_controlplane.store.schema_orders import (
    fulfillment_line,
    fulfillment_order,
    order_line,
    order_part,
    orders,
    orders_changed,
    orders_of_channel,
    part_line,
    reassignment,
    route_decision,
    work_to_stop,
)
from bodega_controlplane.store.schema_proposals import field_proposal
from bodega_controlplane.store.schema_rates import RATE_TABLES
from bodega_controlplane.store.schema_rights import node_reservation, node_rights, rights_transfer
from bodega_controlplane.store.schema_routing import (
    ROUTING_TABLES,
    fulfillment_order_waiting,
    routing_activation,
    routing_bundle,
    routing_decision,
)
from bodega_controlplane.store.schema_sync import broker_stream, down_waiting, refused_envelope, telemetry
from bodega_controlplane.store.schema_transfers import transfer, transfer_goods, transfer_side

__all__ = [
    "CHANNEL_TABLES",
    "EVENT_TABLES",
    "EXCHANGE_TABLES",
    "FLOOR_TABLES",
    "RATE_TABLES",
    "ROUTING_TABLES",
    "broker_stream",
    "channel",
    "channel_token",
    "conflict",
    "divergence",
    "divergence_count",
    "down_log",
    "down_waiting",
    "event",
    "event_draft",
    "field_proposal",
    "fulfillment_line",
    "fulfillment_order",
    "fulfillment_order_waiting",
    "gtin",
    "hub_override",
    "lot",
    "metadata",
    "node_agent",
    "node_epoch",
    "node_reservation",
    "node_rights",
    "node_snapshot",
    "order_line",
    "order_part",
    "orders",
    "orders_changed",
    "orders_of_channel",
    "part_line",
    "readmission",
    "reassignment",
    "refused_envelope",
    "rights_transfer",
    "route_decision",
    "routing_activation",
    "routing_bundle",
    "routing_decision",
    "sku",
    "stock_told",
    "telemetry",
    "transfer",
    "transfer_goods",
    "transfer_side",
    "webhook",
    "webhook_delivery",
    "work_to_stop",
]

SCHEMA_VERSION = 5

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
    _int("lost_to_seq", default=0),
    _text("fenced", default=""),
    _text("desired_signature", default=""),
    _int("down_trimmed_ms", default=0),
    _int("paused_at_ms", default=0),
    _text("understands", default="[]"),
    _text("kind", default=""),
    _text("country", default=""),
    _int("capacity_orders", default=0),
    _text("labels", default="{}"),
    _text("time_zone", default="-"),
    _int("routing_activation", default=0),
    _text("routing_reported", default=""),
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

# The key begins with what promises ask for; no index of PostgreSQL holds the quantity, and its pages have room, so
# that a change of it writes one row and nothing else ("heap-only tuples"). SQLite needs no such care.
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
    postgresql_with={"fillfactor": 70},
)
sa.Index("stock_listing", stock.c.node_id, stock.c.bin, stock.c.sku_id, stock.c.lot)
sa.Index("stock_zero", stock.c.node_id, sqlite_where=stock.c.quantity == 0).ddl_if(dialect="sqlite")

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
    _int("expires_after_ms", default=0),
)
rule_override_open = sa.Index(
    "rule_override_open",
    rule_override.c.sku_id,
    sqlite_where=rule_override.c.state == "open",
    postgresql_where=rule_override.c.state == "open",
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
    _text("headers", default="{}"),
)
idempotency_oldest = sa.Index("idempotency_oldest", idempotency.c.at_ms)

APPEND_ONLY = (journal, audit)
