"""Every bound of the control plane's own work: routing, rates, channels, events. The unit is last in each name."""

from __future__ import annotations

# Routing: what a bundle may hold. Its document is signed, kept for ever, and sent to every node.
ROUTING_BUNDLE_BYTES_MAX = 256 * 1024
ROUTING_RULES_MAX = 64
ROUTING_STAGES_MAX = 8
# Rules about the bins of one node.
ROUTING_SHELF_RULES_MAX = 16
ROUTING_EXPRESSION_CHARS_MAX = 1_000
ROUTING_NAME_CHARS_MAX = 64
ROUTING_TEXT_CHARS_MAX = 200
ROUTING_NOTES_CHARS_MAX = 2_000
ROUTING_BUNDLE_VERSIONS_MAX = 2**31 - 1
ROUTING_TABLES_MAX = 16
ROUTING_TABLE_CELLS_MAX = 5_000
ROUTING_GOLDEN_CASES_MAX = 64
ROUTING_WEIGHT_RATIO_MAX = 1_000_000.0
# One order may be split over so many nodes at most, whatever a bundle asks for.
ROUTING_SHARES_MAX = 6
# The search over sets of nodes: of each SKU the best and the fullest nodes, and SKUs looked at in all.
ROUTING_SEARCH_NODES_MAX = 96
ROUTING_SEARCH_HOLDERS_MIN = 4
ROUTING_SEARCH_LOOKS_MAX = 6_000
# A bundle is too slow if the slowest of its golden cases takes longer than this, the quickest of some repeats counting.
ROUTING_DECIDE_MS_MAX = 50.0
ROUTING_CHECK_REPEATS = 5
# What a node lacks is told SKU by SKU, so many of them.
ROUTING_LACKS_TOLD_MAX = 20
# One question, and one choice: its JSON as it is kept with the decision.
ROUTING_RECORD_BYTES_MAX = 4 * 1024 * 1024
# What an operator says of a node, for routing rules to look at.
NODE_CAPACITY_ORDERS_MAX = 1_000_000
NODE_LABELS_MAX = 32
# How often an instance looks whether another bundle is in force; a node is told by its stream.
ROUTING_POLL_S = 1.0
# Past decisions that one call puts to a bundle again.
ROUTING_DECISIONS_PER_PAGE_MAX = 500
# Sets of labels that the hub keeps parsed: every order asks for all of them.
NODE_LABEL_SETS_REMEMBERED_MAX = 1_024
# Time zones of which the hub remembers what o'clock it is there.
TIME_ZONES_REMEMBERED_MAX = 64
# Within so long of its activation a bundle is in force at every instance and every connected node.
ROUTING_REACHES_ALL_S = 5.0

# Orders that are placed in one transaction, and those that may wait for theirs.
ORDERS_PER_COMMIT_MAX = 8
ORDERS_WAITING_MAX = 1_000

# Operators: how much of the audit trail one call checks; how often health looks at the database, and how long that may
# take to answer before it counts as away.
AUDIT_LINES_PER_CHECK_MAX = 50_000
HEALTH_LOOK_S = 2.0
DATABASE_ANSWERS_S = 2.0
# A connection that was used within so long is taken to be there still.
DATABASE_TRUSTED_S = 0.5
# A catalogue file, written in slices that take about so long each, but in some rows at least: the more nodes are told,
# the fewer rows. The first is small.
IMPORT_ROWS_MAX = 100_000
IMPORT_FILE_BYTES_MAX = 64 * 1024 * 1024
IMPORT_SLICE_S = 0.05
IMPORT_ROWS_FIRST = 100
IMPORT_ROWS_MIN = 50
# A whole import, however many nodes there are and however busy the hub is.
IMPORT_LASTS_S_MAX = 3600.0

# Rates: the network's card, what it adds, and how it reaches the nodes.
RATE_CARD_SERVICES_MAX = 200
RATE_CARD_ORIGINS_MAX = 200
RATE_SURCHARGES_PER_SERVICE_MAX = 50
RATE_HOLIDAYS_PER_SERVICE_MAX = 100
# Postal prefixes and countries of one zone or surcharge.
RATE_PLACES_MAX = 2_000
RATE_TRANSIT_DAYS_MAX = 60
RATE_PRICE_MINOR_UNITS_MAX = 2**31 - 1
# A node is given a new card, or told that a carrier is down, within a round; so many nodes in one of them.
RATES_TOLD_S = 1.0
RATES_TOLD_NODES_MAX = 1_000
# An order is taken to become so many parcels at most.
PARCELS_PER_ORDER_MAX = 50
# Real carriers: how often one is asked whether it is there, how long it may take, and how often in a row it must fail.
CARRIER_CHECK_S = 30.0
CARRIER_CHECK_TAKES_S = 10.0
CARRIER_MISSES_BEFORE_DOWN = 3
# What nodes have of carriers is kept in memory once for all nodes that have the same.
RATE_PROFILES_KEPT_MAX = 4_096


# Orders: kits in kits, and lines once kits are taken apart.
KIT_LEVELS_MAX = 4
ORDER_SERVED_LINES_MAX = 500
# A node that was silent for so long while others were heard is down: what nobody there has begun goes elsewhere. An
# operator may set it, above what a reconnect takes.
NODE_LEASE_S = 300.0
NODE_LEASE_S_MIN = 60.0
NODE_LEASE_S_MAX = 7 * 24 * 3600.0
# Nodes are heard every HEARTBEAT_S; with none heard for so long, it is we who are cut off.
ANY_NODE_HEARD_S = 30.0

# The file exchange: how often folders are looked at, how long a file must lie still, what one may hold, and when a file
# that somebody has begun with is taken over.
EXCHANGE_LOOK_S = 2.0
EXCHANGE_SETTLED_S = 3.0
EXCHANGE_LEASE_S = 60.0
EXCHANGE_KEEP_ALIVE_S = 5.0
EXCHANGE_FILE_BYTES_MAX = 16 * 1024 * 1024
# Of a file's name so much is kept: file systems take 255, and answers add to it.
EXCHANGE_NAME_BYTES_MAX = 180
EXCHANGE_ORDERS_MAX = 10_000
EXCHANGE_FILES_PER_LOOK_MAX = 100
EXCHANGE_PLACES_ROWS_MAX = 200_000
# News of orders: of one file so many orders; looked for from so long before the last look.
EXCHANGE_TOLD_ORDERS_MAX = 500
EXCHANGE_OVERLAP_S = 3600
# Catalogue rows that are wrong are left out and the others tried again, so many times.
EXCHANGE_CATALOGUE_TRIES_MAX = 5

# Channels that sell
CHANNELS_MAX = 1_000
# A channel that was revoked is refused by every control plane after this time at the latest.
CHANNELS_FRESH_S = 1.0
CHANNEL_REQUESTS_PER_S_DEFAULT = 1_000
CHANNEL_REQUESTS_PER_S_MAX = 100_000
# After a rotation the older tokens of a channel open it for so long; of all of them so many are kept.
CHANNEL_OLD_TOKEN_S = 24 * 3600
CHANNEL_OLD_TOKEN_S_MAX = 30 * 24 * 3600
CHANNEL_TOKENS_MAX = 8
# After a rest a channel may send so many seconds' worth of requests at once.
CHANNEL_BURST_S = 2.0
# A client may repeat a write for so long; after that its key is a new one.
IDEMPOTENCY_KEPT_S = 7 * 24 * 3600
IDEMPOTENCY_TRIM_S = 3600.0
IDEMPOTENCY_TRIMMED_ROWS_MAX = 1_000
# A catalogue file that the storefront's API takes.
CATALOGUE_FILE_ROWS_MAX = 20_000
# SKUs whose promise to one destination is asked for at once, each in every service class.
PROMISED_SKUS_MAX = 20

# How long a restore waits for connections that were just closed to be gone from PostgreSQL's own list.
DATABASE_LEFT_S_MAX = 5.0
