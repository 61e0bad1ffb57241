"""What schema version 5 adds: the floor's flows beyond one order at a time, a section each."""

from __future__ import annotations

# Bins, as far as put-away, replenishing and counting must know them; work, as far as its sequence must.
_PLACES_AND_WORK = """
ALTER TABLE bin ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE bin ADD COLUMN temperature_class TEXT NOT NULL DEFAULT '';
ALTER TABLE bin ADD COLUMN velocity_class TEXT NOT NULL DEFAULT '';
ALTER TABLE bin ADD COLUMN capacity_ml INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bin ADD COLUMN capacity_g INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bin ADD COLUMN fixed_sku_id TEXT NOT NULL DEFAULT '';
ALTER TABLE bin ADD COLUMN refill_below INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bin ADD COLUMN refill_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fulfillment_order ADD COLUMN service_class TEXT NOT NULL DEFAULT '';
ALTER TABLE fulfillment_order ADD COLUMN ship_by_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fulfillment_order ADD COLUMN placed_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fulfillment_order ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE fulfillment_order ADD COLUMN ship_complete INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fulfillment_order ADD COLUMN pickup BLOB NOT NULL DEFAULT x'';
ALTER TABLE fulfillment_line ADD COLUMN substitutes TEXT NOT NULL DEFAULT '[]';
"""

_RECEIVING = ""

# `due_ms` and `tier` are the order's urgency (`rules.floor.pick.release`), `batch` the walk that it is picked in with
# others. A line with `substitute_of` takes the place of units of that line.
_PICKING = """
ALTER TABLE fulfillment_order ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fulfillment_order ADD COLUMN tier INTEGER NOT NULL DEFAULT 2;
ALTER TABLE fulfillment_order ADD COLUMN batch TEXT NOT NULL DEFAULT '';
ALTER TABLE fulfillment_line ADD COLUMN substitute_of INTEGER NOT NULL DEFAULT 0;
CREATE INDEX fulfillment_order_released ON fulfillment_order(due_ms, tier, placed_at_ms, arrived_seq)
  WHERE state = 'assigned';
CREATE INDEX fulfillment_order_by_batch ON fulfillment_order(batch) WHERE batch <> '';
CREATE TABLE tote(tote_id TEXT PRIMARY KEY, fulfillment_order_id TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX tote_by_order ON tote(fulfillment_order_id);
"""

_PARCELS = ""

_PICKUPS = ""

_RETURNS = ""

_COUNTS = ""

_TRANSFERS = ""

_PEOPLE = ""

_SECTIONS = (
    _PLACES_AND_WORK,
    _RECEIVING,
    _PICKING,
    _PARCELS,
    _PICKUPS,
    _RETURNS,
    _COUNTS,
    _TRANSFERS,
    _PEOPLE,
)
SCRIPT = "".join(_SECTIONS)
