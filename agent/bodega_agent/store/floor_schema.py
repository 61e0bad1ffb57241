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

_PICKING = ""

_PARCELS = ""

_PICKUPS = ""

_RETURNS = ""

_COUNTS = ""

_TRANSFERS = ""

# Who works here, as the profile says; who was signed in last at a device whose work stands still. Wrong PINs since the
# last right one, and how long no more are taken.
_PEOPLE = """
CREATE TABLE associate(
  associate_id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, badge TEXT NOT NULL,
  pin_salt BLOB NOT NULL, pin_hash BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX associate_by_badge ON associate(badge) WHERE badge <> '';
ALTER TABLE floor_session ADD COLUMN left_by TEXT NOT NULL DEFAULT '';
CREATE TABLE pin_tries(
  associate_id TEXT PRIMARY KEY, wrong INTEGER NOT NULL, rests_until_ms INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
"""

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
