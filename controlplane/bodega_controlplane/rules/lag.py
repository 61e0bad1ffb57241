"""How far behind a node the hub is, in time, said honestly: silence is not zero."""

from __future__ import annotations

from typing import NamedTuple

from bodega.limits import HEARTBEAT_S

# A node that missed so many heartbeats is silent: what it does meanwhile is not known here.
_HEARTBEATS_MISSED = 3
SILENT_AFTER_MS = int(_HEARTBEATS_MISSED * HEARTBEAT_S * 1000)


class Lag(NamedTuple):
    """`ms`: the age of the oldest fact that the node may have and the hub has not. `silent`: it is an upper bound."""

    ms: int
    silent: bool


def lag_of(
    *, now_ms: int, last_contact_ms: int, head_seq: int, applied_seq: int, oldest_unacked_ms: int
) -> Lag:
    """From the last heartbeat, and what was committed since.

    A node in touch whose journal we have whole: 0. One whose journal is longer than ours: the age of its oldest
    unacknowledged event, grown by the time since it said so. A silent one that was whole: since its last word. One that
    was never heard of has 0, and is silent.
    """
    if not last_contact_ms:
        return Lag(0, silent=True)
    since = max(0, now_ms - last_contact_ms)
    silent = since > SILENT_AFTER_MS
    if head_seq > applied_seq:
        return Lag(oldest_unacked_ms + since, silent)
    return Lag(since if silent else 0, silent)
