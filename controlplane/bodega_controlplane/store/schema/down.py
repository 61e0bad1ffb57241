"""The hub's streams to the nodes as the hub remembers them."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, octets, text

# The record of what the hub has told each node; NATS only carries it. Holds recipients inside `body`.
down_log = sa.Table(
    "down_log",
    metadata,
    text("node_id", key=True),
    integer("epoch", key=True),
    integer("seq", key=True),
    octets("body"),
    octets("hash"),
    integer("at_ms", default=0),
    sqlite_with_rowid=False,
)
