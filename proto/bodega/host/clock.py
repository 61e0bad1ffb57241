"""The clock that promises and overrides end by: Linux's CLOCK_BOOTTIME, which nobody can set and which counts sleep."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from bodega.core.deadline import BootTime

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_time() -> BootTime:
    """The present moment of this boot."""
    return BootTime(_boot_id(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


@cache
def _boot_id() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip()
