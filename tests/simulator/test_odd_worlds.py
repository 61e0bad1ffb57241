"""Simulated worlds: what must never happen does not, and what must come comes soon (the odd chunks of seeds)."""

from __future__ import annotations

import pytest

from simulator.worlds import check_current_soon, check_worlds, chunks

LEVELS: list[float] = []


@pytest.mark.parametrize("seeds", chunks(1, 2))
def test_every_world_holds(seeds: str) -> None:
    levels = check_worlds(seeds)
    LEVELS.extend(levels)
    assert levels, "each node of each world was current in the end"


def test_nodes_are_current_soon_after_the_faults() -> None:
    check_current_soon(LEVELS or check_worlds(chunks(1, 2)[0]))
