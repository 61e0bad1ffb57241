"""Every bound of the floor: its flows, its people and its figures. The unit is last in each name."""

from __future__ import annotations

# The floor. A longer run of digits is a code, not a quantity.
FLOOR_NUMBER_DIGITS_MAX = 6
ORDERS_ANSWERED_MAX = 1_000
# GS1 AI 10.
LOT_CHARS_MAX = 20
# All lines of a receipt are told in one event.
NOTICE_LINES_MAX = 250
RECEIPT_LINES_MAX = 400
NOTICE_GTINS_SHOWN_MAX = 20
# Of each sort of bin that goods might go into (their own, with the same, empty), so many are looked at.
PUTAWAY_BINS_LOOKED_AT_MAX = 20
# Where none is empty: so many of a class, the nearest to the door, are asked how much they hold.
PUTAWAY_BINS_WEIGHED_MAX = 500
# Places that a pick face is refilled from, the first to expire first.
REFILL_SOURCES_MAX = 20
# Wrong codes of one pickup, whoever says them; after that a lead looks at a document.
PICKUP_CODE_TRIES_MAX = 5
# Lines of one return; a closed one is told in one event.
RETURN_LINES_MAX = 200
# Counting: lines of one count (and bins or lines that one person may skip), bins that are looked up ahead, lines of one
# event, how far back an approval looks for what moved since, and a
# reconcile for what explains a difference, and of how many lines.
COUNT_LINES_MAX = 200
COUNT_PLACES_AHEAD_MAX = 16
COUNT_EVENT_LINES_MAX = 100
COUNT_APPROVAL_EVENTS_MAX = 100_000
RECONCILE_EVENTS_MAX = 5_000
RECONCILE_LINES_MAX = 5
TRANSFER_LINES_MAX = 500

# A terminal without a scan for so long counts as gone: its work may be taken over.
FLOOR_QUIET_S = 900

# Packing. A closed parcel may weigh that much more or less than its contents and its box, whichever is the more.
PARCEL_WEIGHT_TOLERANCE_GRAMS = 50
PARCEL_WEIGHT_TOLERANCE_PERCENT = 10
# A scale that shows less than this has nothing on it; how long it is asked until it shows more.
SCALE_EMPTY_GRAMS = 5
SCALE_WAIT_S = 60.0
SCALE_PAUSE_S = 0.5
# Tracking numbers that a node leaves out when nobody knows which it has given last.
TRACKING_NUMBERS_SKIPPED = 1_000
# Parcels on one manifest; the next one begins another. And how many that wait are named in a prompt.
MANIFEST_PARCELS_MAX = 1_000
PARCELS_NAMED_MAX = 20

# PINs: scrypt (RFC 7914), about 16 MiB and 50 ms a try; after so many wrong ones in a row a rest.
PIN_SALT_BYTES = 16
PIN_HASH_BYTES = 32
PIN_SCRYPT_BYTES_MAX = 32 * 1024 * 1024
PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12
PIN_TRIES_MAX = 5
PIN_REST_S = 300

# The floor's figures. A longer gap between two events of one person is a break.
KPI_BREAK_S = 600
# Of what is told to the hub now and then: the time before now, and how many events of it at most.
KPI_TOLD_S = 3600
KPI_TOLD_EVENTS_MAX = 20_000

# Decided alone: shelves of one SKU that are looked at; of each kind of decision, and of bundles, so many are kept.
SHELVES_JUDGED_MAX = 200
DECISIONS_ALONE_KEPT_MAX = 500
ROUTING_BUNDLES_KEPT_MAX = 16

# Picking: orders of one walk, and what a day's cut-off is where no carrier says one.
BATCH_ORDERS_MAX = 8
CART_TOTES_MAX = 12
TOTE_CHARS_MAX = 32
PICKUP_READY_MS = 2 * 3600 * 1000
