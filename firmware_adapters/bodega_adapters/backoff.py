"""How long to wait before trying a lost device again: growing, bounded, and with jitter.

Jitter keeps the devices of one hub that lost its power from being opened all in the same instant.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from bodega.limits import DEVICE_BACKOFF_BASE_S, DEVICE_BACKOFF_MAX_S


def backoff_delays(
    base_s: float = DEVICE_BACKOFF_BASE_S, max_s: float = DEVICE_BACKOFF_MAX_S
) -> Iterator[float]:
    """Endless seconds to wait: between half and all of a ceiling that doubles from `base_s` to `max_s`."""
    ceiling_s = base_s
    while True:
        yield random.uniform(ceiling_s / 2, ceiling_s)  # noqa: S311  spreading load, not keeping a secret
        ceiling_s = min(ceiling_s * 2, max_s)
