"""The worlds that every test run plays: two files of tests share them, so that two workers can."""

from __future__ import annotations

from collections.abc import Sequence

from support.simulating import simulate

WORLDS = 320
CHUNK_WORLDS = 20
CURRENT_WITHIN_S = 30.0


def chunks(part: int, parts: int) -> list[str]:
    """Ranges of seeds for one of so many files, as the simulator takes them."""
    firsts = range(0, WORLDS, CHUNK_WORLDS)
    return [f"{first}:{first + CHUNK_WORLDS}" for first in firsts[part::parts]]


def check_worlds(seeds: str) -> list[float]:
    """Play them; every one must hold. For each node, how long after the faults it was current."""
    simulated = simulate(seeds)
    assert not simulated.broke, f"\n{simulated.broke}"
    return simulated.level_after_s


def check_current_soon(levels: Sequence[float]) -> None:
    """The 99th percentile of all nodes."""
    assert levels, "no world was played"
    p99 = sorted(levels)[int(0.99 * (len(levels) - 1))]
    assert p99 < CURRENT_WITHIN_S, f"p99 is {p99} s after the faults, the slowest {max(levels)} s"
