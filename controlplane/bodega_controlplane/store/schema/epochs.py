"""Tables of how nodes come back: who spoke for them, which epochs were begun, and from what."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, octets, text

# The agents that have spoken for a node, by the nonce of their start; only the newest few are kept.
node_agent = sa.Table(
    "node_agent",
    metadata,
    text("node_id", key=True),
    text("boot_nonce", key=True),
    integer("first_ms"),
    integer("last_ms"),
    text("stopped"),
)

# Epochs that the hub has opened; `basis_seq` and `basis_hash` are where the one before ended here.
node_epoch = sa.Table(
    "node_epoch",
    metadata,
    text("node_id", key=True),
    integer("epoch", key=True),
    integer("previous_epoch"),
    integer("basis_seq"),
    octets("basis_hash"),
    text("boot_nonce"),
    text("reason"),
    integer("down_epoch"),
    integer("begun_at_ms"),
    text("snapshot_id"),
    integer("snapshot_bytes"),
    octets("snapshot_sha256"),
)

# What an epoch begins from, compressed; gone once the node has begun it.
node_snapshot = sa.Table(
    "node_snapshot",
    metadata,
    text("snapshot_id", key=True),
    text("node_id"),
    octets("body"),
)
sa.Index("node_snapshot_by_node", node_snapshot.c.node_id)

# A person lets a node begin a new epoch.
readmission = sa.Table(
    "readmission",
    metadata,
    text("node_id", key=True),
    text("actor"),
    text("reason"),
    integer("ends_ms"),
)
