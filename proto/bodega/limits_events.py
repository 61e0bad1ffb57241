"""Bounds of what the hub tells the world outside: events, webhooks, and how long it keeps what is personal.

The unit is last in each name, as in `limits.py`.
"""

from __future__ import annotations

# Events. What a commit has left is numbered within this time, and a SKU is told of at most this often.
EVENTS_NUMBERED_EVERY_S = 0.15
EVENT_DRAFTS_PER_COMMIT_MAX = 200
STOCK_TOLD_EVERY_MS = 2_000
STOCK_TOLD_SKUS_PER_COMMIT_MAX = 100
# One page looks at so many events, whatever it is to find: of a rare type among millions it may find none, and goes on.
EVENTS_SCANNED_PER_PAGE_MAX = 20_000
EVENTS_KEPT_S = 30 * 24 * 3600
EVENTS_TRIM_S = 3600.0
EVENTS_TRIMMED_ROWS_MAX = 10_000
EVENT_BODY_BYTES_MAX = 64 * 1024
EVENT_PARCELS_MAX = 100
EVENT_ID_CHARS_MAX = 64
EVENT_TYPES_PER_WEBHOOK_MAX = 50

# Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
WEBHOOKS_PER_CHANNEL_MAX = 20
WEBHOOK_URL_CHARS_MAX = 2_000
# What follows a failed attempt; the first attempt is made at once.
WEBHOOK_RETRY_DELAYS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
WEBHOOK_RETRY_JITTER_RATIO = 0.2
WEBHOOK_RETRY_AFTER_S_MAX = 24 * 3600
WEBHOOK_SECRET_BYTES = 32
WEBHOOK_SECRET_BYTES_MIN = 24
WEBHOOK_SECRET_BYTES_MAX = 64
# For so long after a rotation both secrets sign.
WEBHOOK_OLD_SECRET_S = 24 * 3600
WEBHOOK_OLD_SECRET_S_MAX = 30 * 24 * 3600
WEBHOOK_ANSWER_S = 15.0
WEBHOOK_ANSWER_BYTES_MAX = 16 * 1024
# A run of one endpoint: so many events, none begun after so long; its lease outlives the last answer by far.
WEBHOOK_RUN_EVENTS_MAX = 50
WEBHOOK_RUN_S = 10.0
WEBHOOK_LEASE_S = 60.0
WEBHOOK_RUNS_AT_ONCE_MAX = 16
WEBHOOK_LOOK_S = 0.5
# What a call that is cut at a stop may take to close its connection.
WEBHOOK_HANG_UP_S = 2.0
WEBHOOK_SCANNED_EVENTS_MAX = 1_000
WEBHOOK_DELIVERIES_KEPT_S = 7 * 24 * 3600
WEBHOOK_PROBLEM_CHARS_MAX = 200

# What is personal: days that the recipient of an order is kept after its end, unless the configuration says otherwise.
RECIPIENTS_KEPT_DAYS = 90
RECIPIENTS_KEPT_DAYS_MAX = 3_650
ERASE_ROUND_S = 3600.0
ERASED_ORDERS_PER_COMMIT_MAX = 200
