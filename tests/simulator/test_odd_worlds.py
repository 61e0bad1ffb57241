"""Simulated worlds: what must never happen does not, and what must come comes soon (the odd chunks of seeds)."""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.worlds import check_current_soon, check_eventful, check_worlds, chunks

LEVELS: list[float] = []
HAPPENED: Counter[str] = Counter()


@pytest.mark.parametrize("seeds", chunks(1, 2))
def test_every_world_holds(seeds: str) -> None:
    simulated = check_worlds(seeds)
    LEVELS.extend(simulated.level_after_s)
    HAPPENED.update(simulated.happened)
    assert simulated.level_after_s, "each node of each world was current in the end"


def test_nodes_are_current_soon_after_the_faults() -> None:
    check_current_soon(LEVELS or check_worlds(chunks(1, 2)[0]).level_after_s)


def test_the_worlds_are_eventful() -> None:
    if len(LEVELS) > 100:  # only one chunk was picked otherwise
        check_eventful(HAPPENED)
