"""Every table of the control plane, once, for SQLite and for PostgreSQL: a file for each room, and this front for all.

Journal and audit are append-only: triggers abort UPDATE and DELETE. `stock` is the replica of the nodes' balance
tables, so it holds external accounts too and has no rows of zero units. Times are milliseconds since 1970-01-01 UTC,
quantities base units, hashes 32 bytes; lists and maps are JSON text.

| here | what |
|---|---|
| `columns.py` | the kinds of columns, and the one `metadata` that all tables are of |
| `core.py` | nodes, journals, stock, the audit trail, answers kept for repeats |
| `catalogue.py` `ordering.py` | what is sold; orders, their parts and assignments |
| `floor.py` `transfers.py` | what nodes say of their floors; goods between nodes |
| `routing.py` `rates.py` `rights.py` | bundles and decisions; cards and carriers; who may promise what |
| `channels.py` `events.py` `exchange.py` | who sells; what is told, and to whom (`TELLERS`); files of shops |
| `epochs.py` `down.py` `sync.py` `differing.py` | which agent a node is; its stream; the broker; books that differ |
| `conflicts.py` `proposals.py` | facts that met; edits that wait |
| `former.py` | what only a migration from an older version still needs |

A new table: into the file of its room, into `__all__` here, and into a step of `store/migrations.py` with a higher
SCHEMA_VERSION.
"""

from __future__ import annotations

from bodega_controlplane.store.schema.catalogue import gtin, lot, sku
from bodega_controlplane.store.schema.channels import CHANNEL_TABLES, channel, channel_token
from bodega_controlplane.store.schema.columns import metadata
from bodega_controlplane.store.schema.conflicts import conflict, hub_override
from bodega_controlplane.store.schema.core import (
    audit,
    discrepancy,
    idempotency,
    idempotency_oldest,
    journal,
    label,
    meta,
    node,
    parked_event,
    rule_override,
    rule_override_open,
    serial,
    stock,
    task,
    vision_decision,
)
from bodega_controlplane.store.schema.differing import divergence, divergence_count
from bodega_controlplane.store.schema.down import down_log
from bodega_controlplane.store.schema.epochs import node_agent, node_epoch, node_snapshot, readmission
from bodega_controlplane.store.schema.events import (
    EVENT_TABLES,
    event,
    event_draft,
    stock_told,
    webhook,
    webhook_delivery,
)
from bodega_controlplane.store.schema.exchange import EXCHANGE_TABLES
from bodega_controlplane.store.schema.floor import FLOOR_TABLES
from bodega_controlplane.store.schema.ordering import (
    fulfillment_line,
    fulfillment_order,
    order_line,
    order_part,
    orders,
    orders_changed,
    orders_of_channel,
    orders_to_leave,
    part_line,
    reassignment,
    route_decision,
    work_to_stop,
)
from bodega_controlplane.store.schema.proposals import field_proposal
from bodega_controlplane.store.schema.rates import RATE_TABLES
from bodega_controlplane.store.schema.rights import node_reservation, node_rights, rights_transfer
from bodega_controlplane.store.schema.routing import (
    ROUTING_TABLES,
    fulfillment_order_waiting,
    routing_activation,
    routing_bundle,
    routing_decision,
)
from bodega_controlplane.store.schema.sync import broker_stream, down_waiting, refused_envelope, telemetry
from bodega_controlplane.store.schema.transfers import transfer, transfer_goods, transfer_side

__all__ = [
    "APPEND_ONLY",
    "CHANNEL_TABLES",
    "EVENT_TABLES",
    "EXCHANGE_TABLES",
    "FLOOR_TABLES",
    "RATE_TABLES",
    "ROUTING_TABLES",
    "SCHEMA_VERSION",
    "audit",
    "broker_stream",
    "channel",
    "channel_token",
    "conflict",
    "discrepancy",
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
    "idempotency",
    "idempotency_oldest",
    "journal",
    "label",
    "lot",
    "meta",
    "metadata",
    "node",
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
    "orders_to_leave",
    "parked_event",
    "part_line",
    "readmission",
    "reassignment",
    "refused_envelope",
    "rights_transfer",
    "route_decision",
    "routing_activation",
    "routing_bundle",
    "routing_decision",
    "rule_override",
    "rule_override_open",
    "serial",
    "sku",
    "stock",
    "stock_told",
    "task",
    "telemetry",
    "transfer",
    "transfer_goods",
    "transfer_side",
    "vision_decision",
    "webhook",
    "webhook_delivery",
    "work_to_stop",
]

SCHEMA_VERSION = 5

APPEND_ONLY = (journal, audit)
