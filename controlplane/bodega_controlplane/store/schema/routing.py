"""Routing bundles, what was in force when, and every decision with all that it was made from."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import boolean, integer, metadata, octets, text
from bodega_controlplane.store.schema.ordering import fulfillment_order

# `document`: canonical bytes, never changed. `digest`: hexadecimal SHA-256 of it, `signature`: the hub's over it.
routing_bundle = sa.Table(
    "routing_bundle",
    metadata,
    text("digest", key=True),
    text("rule"),
    octets("document"),
    octets("signature"),
    integer("added_at_ms"),
    text("added_by"),
)

# The highest one is in force; none: the default is. `signature`: the hub's, over number and digest, for the nodes.
# `back_to`: the activation that a rollback makes good again, 0: the default.
routing_activation = sa.Table(
    "routing_activation",
    metadata,
    integer("activation", key=True),
    text("digest"),
    text("rule"),
    octets("signature"),
    integer("back_to"),
    boolean("rollback"),
    text("actor"),
    text("reason"),
    integer("at_ms"),
)

# `number` counts those of one order. `inputs` and `choice`: canonical JSON, packed by zlib. Where it goes to is
# personal data and stands by itself, in `destination`, as canonical JSON: empty once it has been erased. `first_token`:
# the lowest fencing token that it gave out, where it moved something that was placed before; else 0.
routing_decision = sa.Table(
    "routing_decision",
    metadata,
    text("decision_id", key=True),
    text("order_id"),
    integer("number"),
    integer("decided_at_ms"),
    text("decided_by"),
    text("reason"),
    text("rule"),
    text("digest"),
    text("destination"),
    integer("first_token"),
    octets("inputs"),
    octets("choice"),
)
sa.Index("routing_decision_by_order", routing_decision.c.order_id)
sa.Index(
    "routing_decision_newest",
    routing_decision.c.decided_at_ms.desc(),
    routing_decision.c.decision_id.desc(),
)

ROUTING_TABLES = (routing_bundle, routing_activation, routing_decision)

# What waits at each node, as routing rules see it: counted for every order.
WAITING = "state IN ('assigned', 'picking', 'picked', 'packed', 'labelled')"
fulfillment_order_waiting = sa.Index(
    "fulfillment_order_waiting",
    fulfillment_order.c.node_id,
    sqlite_where=sa.text(WAITING),
    postgresql_where=sa.text(WAITING),
)
