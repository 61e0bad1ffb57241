"""Every bound of the hub's own work: routing, orders, channels, carriers. The unit is last in each name."""

from __future__ import annotations

# Channels that sell
CHANNELS_MAX = 1_000
# A channel that was revoked is refused by every control plane after this time at the latest.
CHANNELS_FRESH_S = 1.0
CHANNEL_REQUESTS_PER_S_DEFAULT = 1_000
CHANNEL_REQUESTS_PER_S_MAX = 100_000
# After a rest a channel may send so many seconds' worth of requests at once.
CHANNEL_BURST_S = 2.0
# A client may repeat a write for so long; after that its key is a new one.
IDEMPOTENCY_KEPT_S = 7 * 24 * 3600
IDEMPOTENCY_TRIM_S = 3600.0
IDEMPOTENCY_TRIMMED_ROWS_MAX = 1_000
# A catalogue file, written in small transactions so that orders wait for none of them for long.
CATALOGUE_FILE_ROWS_MAX = 20_000
CATALOGUE_ROWS_PER_COMMIT_MAX = 200
# SKUs whose promise to one destination is asked for at once, each in every service class.
PROMISED_SKUS_MAX = 20
