"""Edits that people at nodes have made to records which the hub keeps."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import integer, metadata, text

# `proposal_id` is the event, "<node>/<epoch>/<seq>"; states are those of `core.conflicts.fields.PROPOSAL`.
field_proposal = sa.Table(
    "field_proposal",
    metadata,
    text("proposal_id", key=True),
    text("node_id"),
    integer("epoch"),
    integer("seq"),
    text("kind"),
    text("subject"),
    text("field"),
    text("value"),
    integer("base_version"),
    text("reason"),
    text("state"),
    text("why"),
    text("conflict_id"),
    integer("at_ms"),
)
sa.Index("field_proposal_newest", field_proposal.c.at_ms)
sa.Index("field_proposal_of_node", field_proposal.c.node_id, field_proposal.c.kind, field_proposal.c.field)
