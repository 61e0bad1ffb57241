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
CREATE INDEX print_job_in_doubt ON print_job(state) WHERE state IN ('unknown', 'failed');
"""

# What suppliers have announced; what came in, by receipt; pallets and totes by SSCC: announced ones that are here, and
# those of this node's own numbers. Bins by what put-away and refilling ask for.
_RECEIVING = """
CREATE TABLE notice(
  notice_id TEXT PRIMARY KEY, version INTEGER NOT NULL, supplier TEXT NOT NULL, expected_at_ms INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE notice_line(
  notice_id TEXT NOT NULL, line INTEGER NOT NULL, sku_id TEXT NOT NULL, lot TEXT NOT NULL, expiry TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0), sscc TEXT NOT NULL, PRIMARY KEY (notice_id, line)) WITHOUT ROWID;
CREATE INDEX notice_line_by_sscc ON notice_line(sscc) WHERE sscc <> '';
CREATE TABLE receipt(
  receipt_id TEXT PRIMARY KEY, notice_id TEXT NOT NULL, device TEXT NOT NULL, opened_seq INTEGER NOT NULL,
  opened_at_ms INTEGER NOT NULL, closed_seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX receipt_by_notice ON receipt(notice_id) WHERE notice_id <> '';
CREATE INDEX receipt_open ON receipt(device) WHERE closed_seq = 0;
CREATE TABLE receipt_line(
  receipt_id TEXT NOT NULL, sku_id TEXT NOT NULL, lot TEXT NOT NULL, received INTEGER NOT NULL DEFAULT 0,
  damaged INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (receipt_id, sku_id, lot)) WITHOUT ROWID;
CREATE TABLE load_unit(
  sscc TEXT PRIMARY KEY, receipt_id TEXT NOT NULL, own INTEGER NOT NULL,
  proven INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX bin_for_goods ON bin(temperature_class, velocity_class, walk_order);
CREATE INDEX bin_by_fixed_sku ON bin(fixed_sku_id) WHERE fixed_sku_id <> '';
CREATE INDEX bin_to_refill ON bin(bin_id) WHERE refill_below > 0;
"""

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

# How far packing is (`carton_id` NULL: no box given yet) and what was seen in the box; closed parcels, the manifests
# that they leave on, and the last tracking number of each series that was given.
_PARCELS = """
CREATE TABLE packing(
  fulfillment_order_id TEXT PRIMARY KEY, carton_id TEXT, weight_g INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE in_box(
  fulfillment_order_id TEXT NOT NULL, sku_id TEXT NOT NULL, serial TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (fulfillment_order_id, sku_id, serial)) WITHOUT ROWID;
CREATE TABLE parcel(
  sscc TEXT PRIMARY KEY, fulfillment_order_id TEXT NOT NULL, state TEXT NOT NULL, tracking_number TEXT NOT NULL,
  manifest_id TEXT NOT NULL, on_manifest INTEGER NOT NULL DEFAULT 0, carton_id TEXT NOT NULL,
  weight_g INTEGER NOT NULL, expected_weight_g INTEGER NOT NULL, carrier TEXT NOT NULL, service TEXT NOT NULL,
  price_minor INTEGER NOT NULL, currency TEXT NOT NULL, ship_date TEXT NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX parcel_by_tracking_number ON parcel(tracking_number, carrier) WHERE tracking_number <> '';
CREATE INDEX parcel_by_manifest ON parcel(manifest_id, on_manifest) WHERE manifest_id <> '';
CREATE TABLE manifest(
  manifest_id TEXT PRIMARY KEY, carrier TEXT NOT NULL, ship_date TEXT NOT NULL, parcels INTEGER NOT NULL,
  closed_seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX manifest_open ON manifest(carrier, ship_date) WHERE closed_seq = 0;
CREATE TABLE tracking_given(
  carrier TEXT NOT NULL, prefix TEXT NOT NULL, suffix TEXT NOT NULL, last_serial INTEGER NOT NULL,
  PRIMARY KEY (carrier, prefix, suffix)) WITHOUT ROWID;
"""

# Where a staged parcel waits, and for how long: a deadline by the clock of one boot, as reservations have. `outcome` is
# empty, "collected", "expired" or "refused"; whether it waits, the state of its order says.
_PICKUPS = """
CREATE TABLE pickup(
  fulfillment_order_id TEXT PRIMARY KEY, bin TEXT NOT NULL, boot_id TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
  expires_after_ms INTEGER NOT NULL, staged_at_ms INTEGER NOT NULL, wrong_codes INTEGER NOT NULL DEFAULT 0,
  outcome TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE INDEX pickup_ending ON pickup(expires_at_ms) WHERE outcome = '' AND expires_after_ms > 0;
CREATE INDEX fulfillment_order_by_order ON fulfillment_order(order_id);
"""

# `bin` of a line is empty until its goods are where they stay; `refunded`: units that the hub was told to refund.
_RETURNS = """
CREATE TABLE goods_return(
  return_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, fulfillment_order_id TEXT NOT NULL, state TEXT NOT NULL,
  opened_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX goods_return_by_order ON goods_return(order_id) WHERE order_id <> '';
CREATE TABLE goods_return_announced(
  return_id TEXT NOT NULL, sku_id TEXT NOT NULL, quantity INTEGER NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (return_id, sku_id)) WITHOUT ROWID;
CREATE TABLE goods_return_line(
  return_id TEXT NOT NULL, line INTEGER NOT NULL, sku_id TEXT NOT NULL, lot TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0), serials TEXT NOT NULL, events TEXT NOT NULL, device TEXT NOT NULL,
  grade TEXT NOT NULL DEFAULT '', camera TEXT NOT NULL DEFAULT '', camera_reasons TEXT NOT NULL DEFAULT '[]',
  disposition TEXT NOT NULL DEFAULT '', bin TEXT NOT NULL DEFAULT '', refunded INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (return_id, line)) WITHOUT ROWID;
CREATE INDEX goods_return_line_unseen ON goods_return_line(return_id) WHERE camera = 'waiting';
"""

# Counts of bins, blind and in rounds: a round begins at the journal's head (its basis), and every line ends with a
# verdict ("posted", "moved", "again", "held", "rejected"; empty while it is counted). When each bin was counted last.
_COUNTS = """
CREATE TABLE stock_count(
  count_id TEXT PRIMARY KEY, bin TEXT NOT NULL, cause TEXT NOT NULL, state TEXT NOT NULL, round INTEGER NOT NULL,
  whole INTEGER NOT NULL, covers INTEGER NOT NULL, device TEXT NOT NULL, actor TEXT NOT NULL,
  basis_seq INTEGER NOT NULL, begun_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX stock_count_open ON stock_count(bin) WHERE state = 'open';
CREATE INDEX stock_count_newest ON stock_count(begun_at_ms);
CREATE TABLE stock_count_line(
  count_id TEXT NOT NULL, round INTEGER NOT NULL, sku_id TEXT NOT NULL, lot TEXT NOT NULL,
  counted INTEGER NOT NULL DEFAULT 0 CHECK (counted >= 0), seen INTEGER NOT NULL DEFAULT 0,
  serials TEXT NOT NULL DEFAULT '[]', looks INTEGER NOT NULL DEFAULT 0, verdict TEXT NOT NULL DEFAULT '',
  book INTEGER NOT NULL DEFAULT 0, settled_seq INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (count_id, round, sku_id, lot)) WITHOUT ROWID;
CREATE INDEX stock_count_line_held ON stock_count_line(settled_seq) WHERE verdict = 'held';
CREATE TABLE bin_counted(bin TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
"""

# This node's end of transfers: what should go or come by SKU, and what has been picked or has come in by now.
_TRANSFERS = """
CREATE TABLE transfer_order(
  transfer_id TEXT PRIMARY KEY, from_node_id TEXT NOT NULL, to_node_id TEXT NOT NULL, state TEXT NOT NULL,
  device TEXT NOT NULL DEFAULT '', arrived_seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE transfer_line(
  transfer_id TEXT NOT NULL, sku_id TEXT NOT NULL, ordered INTEGER NOT NULL DEFAULT 0,
  moved INTEGER NOT NULL DEFAULT 0, short INTEGER NOT NULL DEFAULT 0, damaged INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (transfer_id, sku_id)) WITHOUT ROWID;
"""

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
