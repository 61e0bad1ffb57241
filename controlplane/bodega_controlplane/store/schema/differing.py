"""Differences between a node's book and our copy of it: found at a checkpoint, narrowed to SKUs, counted."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer as _int
from bodega_controlplane.store.schema.columns import metadata
from bodega_controlplane.store.schema.columns import text as _text

# One row is open (state not "closed") per node at most.
divergence = sa.Table(
    "divergence",
    metadata,
    _text("divergence_id", key=True),
    _text("node_id"),
    _int("basis_seq"),
    _text("state"),
    _int("found_at_ms"),
    _text("sku_ids", default="[]"),
    _text("problem", default=""),
)
divergence_of_node = sa.Index("divergence_of_node", divergence.c.node_id, divergence.c.state)

# Counts that nodes have opened for a difference.
divergence_count = sa.Table(
    "divergence_count",
    metadata,
    _text("node_id", key=True),
    _text("task_id", key=True),
    _text("divergence_id"),
    _int("closed_seq", default=0),
)
divergence_count_open = sa.Index("divergence_count_open", divergence_count.c.divergence_id)
