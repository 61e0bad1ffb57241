"""Tables of facts that met, and of rules that people at the centre have set aside."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, text

conflict = sa.Table(
    "conflict",
    metadata,
    text("conflict_id", key=True),
    text("kind"),
    text("rule"),
    text("inputs"),
    text("knew"),
    text("effect"),
    text("undo"),
    text("order_id"),
    text("node_id"),
    integer("opened_at_ms"),
    text("sku_id", default=""),
    text("effects", default="[]"),
    text("needs", default=""),
    text("state", default="settled"),
    text("decided_by", default=""),
    text("decision", default=""),
    integer("decided_at_ms", default=0),
    integer("override_ends_ms", default=0),
)

# Rules that a person at the centre has set aside. `boot_id` and `expires_at_ms` are of the clock that it expires by;
# `lot` and `quantity` (0: all) are of units that are held at a node.
hub_override = sa.Table(
    "hub_override",
    metadata,
    text("override_id", key=True),
    text("kind"),
    text("subject"),
    text("effect"),
    text("reason"),
    text("actor"),
    text("state"),
    integer("opened_at_ms"),
    text("boot_id"),
    integer("expires_at_ms"),
    integer("expires_after_ms"),
    integer("ended_at_ms", default=0),
    text("ended_by", default=""),
    text("lot", default=""),
    integer("quantity", default=0),
)
sa.Index(
    "hub_override_open",
    hub_override.c.subject,
    hub_override.c.kind,
    sqlite_where=hub_override.c.state == "open",
    postgresql_where=hub_override.c.state == "open",
)
