"""How long to wait before trying again: exponential with full jitter, so that many clients spread out.

Source of the rule: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
"""

from __future__ import annotations

_DOUBLINGS_MAX = 30


def full_jitter_s(attempt: int, base_s: float, max_s: float, draw: float, *, spread_s: float = 0) -> float:
    """Seconds to wait before try number `attempt` (from 0); `draw` is a random number in [0, 1).

    `spread_s`: the other end has asked for tries to be spread at least so wide.
    """
    return draw * max(spread_s, min(max_s, base_s * (1 << min(attempt, _DOUBLINGS_MAX))))
