"""Tables of the channels that sell."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, text

channel = sa.Table(
    "channel",
    metadata,
    text("channel_id", key=True),
    text("kind"),
    integer("buffer_units"),
    integer("requests_per_s"),
    integer("created_at_ms"),
    integer("changed_at_ms"),
    integer("revoked_at_ms", default=0),
)

# What opens a channel: SHA-256 of a token, which itself is kept nowhere. `until_ms` 0: for as long as the channel is.
# The channel "storefront" has none here: its token is a file of the hub.
channel_token = sa.Table(
    "channel_token",
    metadata,
    sa.Column("token_digest", sa.LargeBinary, primary_key=True, nullable=False),
    text("channel_id"),
    integer("until_ms"),
)

CHANNEL_TABLES = (channel, channel_token)
