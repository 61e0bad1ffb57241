"""How long to wait before trying again: exponential with full jitter, so that many clients spread out.

Source of the rule: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter).
"""

from __future__ import annotations

_DOUBLINGS_MAX = 30


def full_jitter_s(attempt: int, base_s: float, max_s: float, draw: float) -> float:
    """Seconds to wait before try number `attempt` (from 0); `draw` is a random number in [0, 1)."""
    return draw * min(max_s, base_s * (1 << min(attempt, _DOUBLINGS_MAX)))
