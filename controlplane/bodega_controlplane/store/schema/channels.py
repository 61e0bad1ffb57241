"""Tables of the channels that sell."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, octets, text

# `token_digest`: SHA-256 of the token, which is kept nowhere; empty for the channel whose token is a file of the hub.
channel = sa.Table(
    "channel",
    metadata,
    text("channel_id", key=True),
    text("kind"),
    octets("token_digest"),
    integer("buffer_units"),
    integer("requests_per_s"),
    integer("created_at_ms"),
    integer("changed_at_ms"),
    integer("revoked_at_ms", default=0),
)
