"""The wall clock of the drivers: for people and records, never for ordering or quantity."""

from __future__ import annotations

import time


def wall_clock_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
