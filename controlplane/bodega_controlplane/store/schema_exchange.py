"""Tables of the file exchange: what a shop was told of which order, and files that wait to be written."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.columns import integer, metadata, octets, text

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

EXCHANGE_TABLES = (exchange_told, exchange_file)
