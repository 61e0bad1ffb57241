"""When a node comes back: a hub with too much to do asks for time, and the nodes spread over it. Without I/O.

The hub says for how long its nodes should spread; each draws its own moment. So a fleet that returns at once is
served by its order of arrival and does not starve itself.
"""

from __future__ import annotations

from bodega.limits import (
    BUSY_ENVELOPES_MAX,
    BUSY_HEARTBEATS_MAX,
    COME_BACK_AFTER_MS_MAX,
    HEARTBEAT_JITTER_RATIO,
    HEARTBEAT_S,
)


def come_back_after_ms(heartbeats_waiting: int, envelopes_waiting: int) -> int:
    """What the hub asks for: 0 while it keeps up, else in proportion to what waits, within its bound."""
    load = max(heartbeats_waiting / BUSY_HEARTBEATS_MAX, envelopes_waiting / BUSY_ENVELOPES_MAX)
    return 0 if load <= 1 else min(COME_BACK_AFTER_MS_MAX, int(load * HEARTBEAT_S * 1000))


def spread_s(asked_ms: int) -> float:
    """What a node grants of what the hub asks for, in seconds."""
    return min(asked_ms, COME_BACK_AFTER_MS_MAX) / 1000


def next_beat_s(spread: float, draw: float) -> float:
    """Seconds to a node's next heartbeat; `draw` is a random number in [0, 1)."""
    return HEARTBEAT_S * (1 + HEARTBEAT_JITTER_RATIO * (2 * draw - 1)) + spread * draw
