"""Every bound in one place, with its unit last in the name. A test sits at the edge of each.

Those of the floor are in `limits_floor.py`, those of the control plane's own work in `limits_hub.py`.
"""

from __future__ import annotations

# Sync
ENVELOPE_EVENTS_MAX = 200
ENVELOPE_BYTES_MAX = 256 * 1024
EVENT_BYTES_MAX = 64 * 1024
# Events are packed from so many bytes on, and sent packed if that leaves at most this share of them.
PACKING_BYTES_MIN = 128
PACKED_RATIO_MAX = 0.9
HEARTBEAT_S = 5.0
BROKER_PING_S = 3.0
BROKER_PINGS_OUTSTANDING_MAX = 2
RECONNECT_BASE_S = 0.25
# A fleet that has tried for long is back within this time of its broker; a thousand nodes come a hundred a second.
RECONNECT_MAX_S = 10.0
# The hub is one, and all nodes wait for it.
HUB_RECONNECT_MAX_S = 2.0
# Several commits of the hub: it must not wait for the node to hear of one before there is work for the next.
PUBLISH_WINDOW_ENVELOPES_MAX = 128
# An ack is kept durably no more often than this: one that is lost in a crash costs nothing but a repeat.
ACK_KEPT_EVERY_S = 0.25
REFUSED_ENVELOPES_KEPT_MAX = 1_000
REFUSED_ENVELOPES_OF_NODE_KEPT_MAX = 50
# A node that spoke for another one is fenced for so long after the last time.
FOREIGN_FENCE_MS = 60_000
HEARTBEAT_JITTER_RATIO = 0.2
HEARTBEATS_SILENT_START = 2
HEARTBEATS_SILENT_MAX = 16
BROKER_CONNECT_S = 5.0
BROKER_REQUEST_S = 5.0
PUBLISH_CONFLICTS_IN_A_ROW_MAX = 3
WANT_REPEAT_S = 1.0
DOWN_GRACE_S = 1.0
DOWN_ENVELOPES_PER_PULL_MAX = 8
DOWN_PULL_S = 30.0
DOWN_PULL_HEARTBEAT_S = 5.0

# New epochs. An agent that was heard within the first of these counts as alive, and keeps every other one out.
OTHER_AGENT_SILENT_S = 20.0
READMISSION_S = 24 * 3600
REJOIN_RETRY_S = 5.0
AGENTS_KEPT_MAX = 16
ANCESTOR_PROOFS_MAX = 64
SNAPSHOT_RANGE_BYTES_MAX = 256 * 1024
SNAPSHOT_COMMANDS_MAX = 20_000
# After a restore or a wipe, so that no parcel gets a number which a parcel of the lost days already has.
SSCC_SERIALS_SKIPPED = 1_000
# How much of one recovery its conflict row names; the rest is in the journal.
CONFLICT_EFFECTS_MAX = 100
# What the hub has told a node and the node has applied is kept this long; a node that comes back with an older state
# is told everything again.
DOWN_LOG_KEPT_S = 30 * 24 * 3600
DOWN_LOG_TRIM_S = 3600.0
DOWN_LOG_TRIMMED_ROWS_MAX = 10_000

# Calls between node and hub (gRPC over NATS). A message of the broker has 1 MiB by default: body and metadata fit in.
RPC_BODY_BYTES_MAX = 512 * 1024
RPC_METADATA_BYTES_MAX = 8 * 1024
RPC_DEFAULT_S = 30.0
RPC_LASTS_S_MAX = 600.0
RPC_CALLS_AT_ONCE_MAX = 128
RPC_CALLS_PER_CALLER_MAX = 8
RPC_CALLS_REMEMBERED_MAX = 4_096

# What is called over it
ARTIFACT_RANGE_BYTES_MAX = 256 * 1024
ARTIFACT_NAME_CHARS_MAX = 128
ARTIFACTS_LISTED_MAX = 1_000
CSR_BYTES_MAX = 8 * 1024
CERTIFICATE_LASTS_S = 30 * 24 * 3600
# Before a certificate's time it may be used by a peer whose clock is behind.
CERTIFICATE_CLOCK_SKEW_S = 3600
# After this part of its life it is renewed.
CERTIFICATE_RENEWED_RATIO = 2 / 3
CERTIFICATE_CHECK_S = 3600.0
CERTIFICATE_CHECK_FIRST_S = 20.0
DIAGNOSE_S = 10.0
DIAGNOSIS_PARKED_EVENTS_MAX = 100
DIAGNOSIS_LOG_LINES_MAX = 200
LOG_LINE_CHARS_MAX = 1_000

# A difference between two books of stock, narrowed
DIGEST_SKUS_PER_PAGE_MAX = 500
DIVERGENCE_SKUS_MAX = 200
DIVERGENCE_PLACES_MAX = 500
DIVERGENCE_SWEEP_S = 5.0
DIVERGENCE_BOOK_ROWS_MAX = 400

# Ledger
COMMANDS_PER_COMMIT_MAX = 256
PENDING_EVENTS_MAX = 1_000
COMMANDS_WAITING_MAX = 10_000
QUANTITY_MAX = 1_000_000
ACCOUNTS_REMEMBERED_MAX = 50_000
BALANCES_REMEMBERED_MAX = 10_000
IDENTIFIER_CHARS_MAX = 64
TEXT_CHARS_MAX = 500
EXPORT_NAMES_CACHED_MAX = 10_000
COMMAND_LINES_MAX = 100
COMMAND_SERIALS_MAX = 100
COMMAND_FAULTS_MAX = 50
# A count whose counter began longer ago than this many events is asked for again.
COUNT_WINDOW_EVENTS_MAX = 10_000
CONFLICT_INPUTS_MAX = 20

# Promises of a node's own
RESERVATION_LINES_MAX = 200
PROMISE_LASTS_MS_MAX = 90 * 24 * 3600 * 1000
EXPIRY_SWEEP_S = 1.0
EXPIRIES_PER_COMMIT_MAX = 200

# Rights go where they are used (`core.rebalance`): use is counted over the window.
REBALANCE_S = 900.0
REBALANCE_WINDOW_S = 7 * 24 * 3600
# A node is left alone for so long after a move of its rights has ended.
REBALANCE_REST_S = 3600
REBALANCE_COVER_RATIO = 1.0
REBALANCE_KEPT_UNITS_MIN = 1
REBALANCE_HELD_UNITS_MAX = 100
REBALANCE_SLACK_UNITS_MIN = 2
REBALANCE_SLACK_RATIO = 0.25
# Of what the hub may promise of a node's stock, so much may become the node's at once.
REBALANCE_SHARE_RATIO = 0.5
REBALANCE_SKUS_PER_COMMIT_MAX = 20
REBALANCE_SKUS_MAX = 1_000

# Rounds of the hub: how often lots are judged by the day, and how far rounds of several hubs drift apart.
LOT_SWEEP_S = 600.0
ROUND_JITTER_RATIO = 0.2

# Orders and the storefront API
ORDER_LINES_MAX = 200
REQUEST_BYTES_MAX = 1024 * 1024
# A body that has not come in this time is given up: whoever sends a byte a minute holds nothing.
REQUEST_BODY_S_MAX = 60.0
CATALOGUE_ROWS_MAX = 1_000
PAGE_ROWS_MAX = 500
PAGE_ROWS_DEFAULT = 50
IDEMPOTENCY_KEY_CHARS_MAX = 255
CORRELATION_ID_CHARS_MAX = 64
ADDRESS_LINES_MAX = 8
FAULT_ROWS_MAX = 1_000
FAULT_METADATA_BYTES_MAX = 4 * 1024
IMPORT_BYTES_MAX = 4 * 1024 * 1024
OPERATOR_CALL_S = 30.0

# What an order may say of how it is served. Times end with the year 9998: of each of them, and of what is
# counted from it, there is a date in every time zone.
SUBSTITUTES_PER_LINE_MAX = 5
PICKUP_CODE_CHARS_MIN = 4
PICKUP_CODE_CHARS_MAX = 32
PICKUP_HOLD_MS_MAX = 90 * 24 * 3600 * 1000
TIME_MS_MAX = 253_370_764_799_999

# Orders that move between nodes, conflicts, and what people decide
# By itself the hub moves an order no sooner than this after its last move, so that it can not thrash.
REASSIGN_COOLDOWN_MS = 10 * 60 * 1000
ASSIGNMENTS_PER_ORDER_MAX = 16
OVERRIDE_LASTS_MS_MAX = 90 * 24 * 3600 * 1000
UPKEEP_S = 1.0
UPKEEP_AGAIN_S = 30.0
UPKEEP_ROWS_MAX = 1_000

# Questions to the ledger
HISTORY_EVENTS_SEARCHED_MAX = 1_000_000
HISTORY_WINDOW_EVENTS_MAX = 10_000
HISTORY_EVENTS_TOLD_MAX = 10_000

# Import into the ledger
LEDGER_IMPORT_BYTES_MAX = 8 * 1024 * 1024
# One transaction for all of them: the floor waits for about 0.3 ms a row.
LEDGER_IMPORT_ROWS_MAX = 10_000
LEDGER_IMPORT_FAULTS_MAX = 200
LEDGER_IMPORTS_WAITING_MAX = 2
LEDGER_IMPORT_ANSWER_S = 120.0

# Devices
SCAN_BYTES_MAX = 512
SCAN_GAP_MS = 50
SCAN_GAP_MS_MAX = 500
# No scanner rests so long within one scan: what is older is noise, or the half of a scan.
SCAN_PAUSE_MS_MAX = 2_000
HID_FIELDS_MAX = 1024
# Combinations of AIs whose judgement is kept; a label sort has one or two.
GS1_PAIRINGS_KEPT_MAX = 1024
PRINT_CONNECT_S = 3.0
PRINT_STATUS_S = 2.0
LABEL_BYTES_MAX = 256 * 1024
# A node's own layout file, and what may stand on one label.
LAYOUT_BYTES_MAX = 64 * 1024
LAYOUT_ELEMENTS_MAX = 64
LAYOUT_WIDTH_MM_MAX = 216
LAYOUT_HEIGHT_MM_MAX = 400
LABEL_LINES_MAX = 200
PICTURE_PIXELS_MAX = 4 * 1024 * 1024
# Labels of carriers: the file, its pixels, and how long and with how much memory a PDF may be drawn.
CARRIER_LABEL_BYTES_MAX = 2 * 1024 * 1024
CARRIER_LABEL_PIXELS_MAX = 6000 * 9000
PDF_DRAWN_S = 10.0
PDF_DRAWN_BYTES_MAX = 1024 * 1024 * 1024
DEVICE_MISSES_BEFORE_GONE = 3
DEVICE_BACKOFF_BASE_S = 0.2
DEVICE_BACKOFF_MAX_S = 10.0
PRINT_DONE_S = 15.0
PRINT_POLL_S = 0.1
PRINTER_ANSWER_BYTES_MAX = 1024
LABEL_WIDTH_MM_MAX = 220
TCP_LINGER_S = 2.0
IPP_DONE_S = 60.0
IPP_POLL_S = 0.5
IPP_ANSWER_BYTES_MAX = 256 * 1024
FRAME_FILE_BYTES_MAX = 64 * 1024 * 1024
# Of which the connection may take so long: then there is time to ask why there is none.
CAMERA_OPEN_S = 5.0
CAMERA_CONNECT_S = 3.5
CAMERA_READ_S = 2.0
CAMERA_PROBE_S = 1.0
CAMERA_BACKLOG_S = 1.0
CAMERA_FROZEN_S = 10.0
# A live camera that nobody asks is looked at this often, so that its loss is known before it is needed.
CAMERA_KEEP_S = 5.0
# A camera that scans looks this often; a code counts again when it has been out of its sight for so long.
CAMERA_LOOKS_PER_S_MAX = 10.0
CAMERA_LOOK_RESCUE_MS = 50
CAMERA_SCAN_GONE_S = 1.5
CAMERA_SCANS_WAITING_MAX = 64
SNAPSHOT_S = 8.0
SNAPSHOTS_WAITING_MAX = 4
SNAPSHOT_BYTES_MAX = 384 * 1024
CAMERA_FROZEN_LOOK_S = 0.5
RTSP_STATUS_BYTES_MAX = 512
SECRET_BYTES_MAX = 1024

# Scales
SCALE_CONNECT_S = 3.0
SCALE_ANSWER_S = 1.0
SCALE_STABLE_S = 8.0
SCALE_LINE_BYTES_MAX = 256
SCALE_MILLIGRAMS_MAX = 100_000_000_000

# Life with devices
DEVICE_OPEN_S = 10.0
DEVICE_CLOSE_S = 2.0
DEVICE_CALL_S = 30.0
DEVICE_FAULT_KEPT_S = 60.0
SCALE_LOOK_S = 10.0
# No person and no conveyor scans so fast; a device that does is slowed down, and nothing of it is lost.
SCANS_PER_S_MAX = 200
SCANS_WATCHED_MAX = 64
TAPE_LASTS_S_MAX = 600.0
REPLAY_LASTS_S = 120.0
TAPE_BYTES_MAX = 4 * 1024 * 1024
HOTPLUG_MESSAGE_BYTES_MAX = 16 * 1024
HOTPLUG_POLL_S = 2.0
HOTPLUG_RETRY_S = 1.0
HOTPLUG_SETTLE_S = 0.3
DEVICES_FOUND_MAX = 256
SCRIPT_BYTES_MAX = 256 * 1024
SCRIPT_STEPS_MAX = 10_000
SCRIPT_LASTS_S_MAX = 7 * 24 * 3600.0

# Vision
FRAMES_WAITING_MAX = 32
FRAMES_PER_BATCH_MAX = 8
FRAME_PIXELS_MAX = 4096 * 4096
VERDICT_S = 3.0
FRAMES_KEPT_BYTES_MAX = 256 * 1024 * 1024
FRAMES_HELD_MAX = 16
FRAME_CAPTURE_S = 1.5
FRAME_CODES_MAX = 32
# Codes that the first look does not read: for so long, on pictures of at most so many pixels, more is tried.
FRAME_RESCUE_MS = 200
FRAME_RESCUE_PIXELS_MAX = 1_500_000
EXPECTED_GTINS_MAX = 64
VERDICT_REASONS_MAX = 8
VISION_MESSAGE_BYTES_MAX = 640 * 1024
VISION_START_S = 30.0

# Processes
STOP_S = 5.0
CONTROL_REQUEST_BYTES_MAX = 1024 * 1024
CONTROL_CLIENTS_MAX = 64
CONTROL_ANSWER_S = 10.0

# Control plane
AVAILABILITY_SKUS_MAX = 200
GTINS_PER_SKU_MAX = 20
UNITS_PER_SKU_MAX = 8
COMPONENTS_PER_SKU_MAX = 50
NODE_BINS_MAX = 20_000
# A profile is one event, which must fit into an envelope with what stands around it.
NODE_PROFILE_BYTES_MAX = ENVELOPE_BYTES_MAX - 4 * 1024
NODE_CARTONS_MAX = 200
NODE_ASSOCIATES_MAX = 1_000
NODE_CARRIER_SERVICES_MAX = 50
NODE_TRACKING_RANGES_MAX = 100
RATE_ZONES_PER_SERVICE_MAX = 100
RATE_BRACKETS_PER_ZONE_MAX = 100
SETTINGS_MAX = 200
DATABASE_BUSY_MS = 5_000
DATABASE_CONNECTIONS_MAX = 8
TRANSACTION_TRIES_MAX = 20
UP_ENVELOPES_PER_COMMIT_MAX = 32
UP_ENVELOPES_PER_PULL_MAX = 128
UP_PULL_S = 10.0
UP_PULL_HEARTBEAT_S = 1.0
STREAM_CHECK_S = 5.0
# What a node may still have to apply while bulk enters its stream: a cancel stands behind no more than this of it.
BULK_BACKLOG_EVENTS_MAX = 200
# A node that has applied so many events says so at once, and not with its next heartbeat.
DOWN_EVENTS_PER_BEAT_MAX = 100
# What the broker may hold for a node that has not applied it; the rest is sent when it has.
DOWN_WINDOW_EVENTS_MAX = 64 * ENVELOPE_EVENTS_MAX
# Events that could not be applied when they came, tried again in one transaction.
PARKED_EVENTS_PER_COMMIT_MAX = 500
# Telemetry: what a node notices of itself, how often it looks, and what the hub keeps.
TELEMETRY_LOOK_S = 10.0
TELEMETRY_SAMPLE_S = 300.0
TELEMETRY_FILE_BYTES_MAX = 32 * 1024
TELEMETRY_ROWS_PER_REPORT_MAX = 1_000
TELEMETRY_ROWS_OF_NODE_MAX = 500
# Questions of nodes that are worked on at once, and those that wait for that; more are dropped, and asked again.
QUESTIONS_AT_ONCE_MAX = 256
QUESTIONS_WAITING_MAX = 4_096
HEARTBEATS_PER_COMMIT_MAX = 64
# With more than this waiting the hub asks its nodes to spread.
BUSY_HEARTBEATS_MAX = 128
BUSY_ENVELOPES_MAX = 256
COME_BACK_AFTER_MS_MAX = 30_000
DOWN_SWEEP_S = 5.0
DOWN_NODES_AT_ONCE_MAX = 32
UP_UNACKED_ENVELOPES_MAX = 512
STREAM_AGE_S = 7 * 24 * 3600

# Care of the ledger while the agent runs
CHAIN_CHECK_S = 60.0
CHAIN_CHECK_FIRST_S = 2.0
CHAIN_CHECK_EVENTS_MAX = 20_000
# Of these, read in one snapshot.
CHAIN_CHECK_SLICE_EVENTS_MAX = 2_000

# Checkpoints: a replay begins at the newest. One is made when this many events have passed since the last, and
# earlier when the node is idle.
CHECKPOINT_EVENTS_MAX = 10_000
CHECKPOINT_IDLE_EVENTS_MIN = 1_000
CHECKPOINTS_KEPT_MAX = 3

# Archives: events that the hub has acknowledged and that are this old go to a file, and with them the results of
# their commands: a cmd_id that comes back later than this is not known any more. It is also how old a backup of the
# hub may be for every node to hold what the hub has lost, archives or not; after that, as long as the disk keeps them.
ARCHIVE_OLDER_THAN_S = 30 * 24 * 3600
ARCHIVE_CHECK_S = 3600.0
ARCHIVE_EVENTS_MIN = 1_000
ARCHIVE_EVENTS_MAX = 100_000
ARCHIVE_ROWS_PER_COMMIT_MAX = 500
LEDGER_CHECK_S = 600.0
BACKUP_PAGES_PER_STEP_MAX = 1_000
BACKUP_SPARE_BYTES_MIN = 16 * 1024 * 1024
ARCHIVE_MESSAGE_BYTES_MAX = 2 * ENVELOPE_BYTES_MAX

# The node's disk: defaults of [disk] in agent.toml. What is over its budget is dropped, the oldest first.
# (FRAMES_KEPT_BYTES_MAX, above, is the budget of frames.)
TELEMETRY_KEPT_BYTES_MAX = 64 * 1024 * 1024
ARCHIVES_KEPT_BYTES_MAX = 1024 * 1024 * 1024
BALLAST_BYTES = 32 * 1024 * 1024
DISK_DROP_BELOW_BYTES = 512 * 1024 * 1024
DISK_REFUSE_PROMISES_BELOW_BYTES = 128 * 1024 * 1024
DISK_PHYSICAL_ONLY_BELOW_BYTES = 32 * 1024 * 1024
# A rung is taken again with this much of what it needs.
DISK_REGAINED_RATIO = 1.25
DISK_SWEEP_S = 15.0
DISK_PASSES_MAX = 4
