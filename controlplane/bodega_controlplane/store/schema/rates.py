"""Tables of rates: the network's cards, carriers that are down, and what each node was given of both."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, octets, text

# `body`: a bodega.v1.RateCard. The card in force is the one whose `valid_from_ms` came last.
rate_card = sa.Table(
    "rate_card",
    metadata,
    integer("version", key=True),
    text("name"),
    octets("digest"),
    octets("body"),
    integer("valid_from_ms"),
    integer("imported_at_ms"),
    text("imported_by"),
)
sa.Index("rate_card_in_force", rate_card.c.valid_from_ms, rate_card.c.version)

# A row is there for as long as the carrier is down.
carrier_down = sa.Table(
    "carrier_down",
    metadata,
    text("carrier", key=True),
    integer("since_ms"),
    text("said_by"),
    text("reason"),
)

# What a carrier that the hub asks has said last: a bodega.v1.RateCard of its own, by the SHA-256 of it.
carrier_card = sa.Table(
    "carrier_card",
    metadata,
    text("carrier", key=True),
    text("digest"),
    octets("body"),
    integer("at_ms"),
)

# `body`: a bodega.v1.NodeProfile with what shipping asks of it (boxes, services, time zone); `digest` is its SHA-256.
# `stamp`: which card, and which carriers down, it was made from.
node_shipping = sa.Table(
    "node_shipping",
    metadata,
    text("node_id", key=True),
    text("stamp"),
    text("digest"),
    octets("body"),
)

RATE_TABLES = (rate_card, carrier_down, carrier_card, node_shipping)
