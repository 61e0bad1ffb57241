"""Tables of the exchange with the nodes: the broker's streams, bulk that waits, telemetry, and what was refused."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, octets, text

# What the broker said of its streams when it was asked last; `incarnation` rises whenever it had lost something.
broker_stream = sa.Table(
    "broker_stream",
    metadata,
    text("name", key=True),
    text("created"),
    integer("first_seq"),
    integer("last_seq"),
    integer("incarnation"),
)

# Bulk for a node that has not entered its stream yet: the newest of each key (a SKU), in the order of the first.
down_waiting = sa.Table(
    "down_waiting",
    metadata,
    text("node_id", key=True),
    text("key", key=True),
    integer("place"),
    octets("body"),
)
sa.Index("down_waiting_in_order", down_waiting.c.node_id, down_waiting.c.place)

# The newest that each node has told of itself beside its journal.
telemetry = sa.Table(
    "telemetry",
    metadata,
    text("node_id", key=True),
    integer("row_no", key=True),
    integer("at_ms"),
    integer("came_ms"),
    text("kind"),
    text("subject"),
    text("detail"),
)

# What nodes sent and the hub could not take, for people; the same again is counted: `last_ms` when, `times` how often.
refused_envelope = sa.Table(
    "refused_envelope",
    metadata,
    integer("refused_no", key=True),
    text("node_id"),
    text("subject"),
    text("reason"),
    octets("body"),
    integer("at_ms"),
    integer("times", default=1),
    integer("last_ms", default=0),
)
