"""Deadlines on a clock that only runs forward: CLOCK_BOOTTIME of one boot.

Nothing ends early: neither a wall clock that jumps nor a restart of the agent brings a deadline nearer. A
reboot takes the clock away, so what was left begins anew, in full.
"""

from __future__ import annotations

from typing import NamedTuple

from bodega.errors import Refused


class BootTime(NamedTuple):
    """A moment: milliseconds since the start of the boot named by `boot_id`."""

    boot_id: str
    ms: int


class Deadline(NamedTuple):
    """`after_ms` milliseconds after a moment of `boot_id`, at its `at_ms`; 0 and 0 for never."""

    boot_id: str
    at_ms: int
    after_ms: int


def deadline(after_ms: int, now: BootTime) -> Deadline:
    """A deadline that begins now; 0 is never."""
    return Deadline(now.boot_id, now.ms + after_ms if after_ms else 0, after_ms)


def is_due(end: Deadline, now: BootTime) -> bool:
    """Whether it has passed; one of another boot is never due before it has begun anew."""
    return end.after_ms > 0 and end.boot_id == now.boot_id and now.ms >= end.at_ms


def begun_anew(end: Deadline, now: BootTime) -> Deadline:
    """The deadline as the present boot keeps it."""
    return end if end.boot_id == now.boot_id else deadline(end.after_ms, now)


def refuse_early(end: Deadline, now: BootTime, what: str, instead: str) -> None:
    """Raise Refused with code "not-due" unless the deadline of `what` has passed; `instead` is the hint."""
    if is_due(end, now):
        return
    left = begun_anew(end, now)
    when = f"has {left.at_ms - now.ms} ms left" if left.after_ms else "never expires by itself"
    raise Refused(f"{what} {when}", code="not-due", hint=instead)
