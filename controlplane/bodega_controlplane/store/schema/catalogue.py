"""Tables of what is sold: SKUs with their barcodes, and what nodes know of their lots."""

from __future__ import annotations

import sqlalchemy as sa

from bodega_controlplane.store.schema.columns import boolean, integer, metadata, text

sku = sa.Table(
    "sku",
    metadata,
    text("sku_id", key=True),
    text("name"),
    text("owner"),
    boolean("lot_tracked"),
    integer("weight_g"),
    integer("volume_ml"),
    integer("version"),
    boolean("serial_tracked"),
    boolean("expiry_tracked"),
    text("base_unit", default=""),
    text("units", default="[]"),
    integer("units_version", default=0),
    text("components", default="[]"),
    text("field_changes", default="{}"),
    integer("length_mm", default=0),
    integer("width_mm", default=0),
    integer("height_mm", default=0),
    text("temperature_class", default=""),
    text("velocity_class", default=""),
    boolean("fragile"),
)

gtin = sa.Table(
    "gtin",
    metadata,
    text("gtin", key=True),
    sa.Column("sku_id", sa.Text, sa.ForeignKey("sku.sku_id"), nullable=False, index=True),
    text("unit", default=""),
)

# What nodes have said of their lots; `past` is kept by the day, so that promises ask no clock.
lot = sa.Table(
    "lot",
    metadata,
    text("sku_id", key=True),
    text("lot", key=True),
    text("node_id", key=True),
    text("expiry"),
    boolean("past"),
    sqlite_with_rowid=False,
)
