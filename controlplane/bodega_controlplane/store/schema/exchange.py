"""Tables of the file exchange: what a shop was told of which order, and files that wait to be written."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, octets, text

# Orders that came as files, for ever: a file may come again at any time, and places none of them twice. `digest` is the
# SHA-256 of what the file said of it.
exchange_order = sa.Table(
    "exchange_order",
    metadata,
    text("channel", key=True),
    text("reference", key=True),
    octets("digest"),
    text("order_id"),
)

# `word`: how the order stood when the shop was told.
exchange_told = sa.Table(
    "exchange_told",
    metadata,
    text("channel", key=True),
    text("order_id", key=True),
    text("word"),
    integer("at_ms"),
)
sa.Index("exchange_told_by_time", exchange_told.c.channel, exchange_told.c.at_ms)

# A file is made and numbered in the transaction that notes what it tells, and written afterwards: the same file again
# after a crash. `body` is emptied once it is written.
exchange_file = sa.Table(
    "exchange_file",
    metadata,
    text("channel", key=True),
    integer("number", key=True),
    octets("body"),
    integer("made_ms"),
    integer("written_ms"),
)

EXCHANGE_TABLES = (exchange_order, exchange_told, exchange_file)
