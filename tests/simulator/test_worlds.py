"""Simulated worlds: what must never happen does not, and what must come comes soon."""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.worlds import WORLDS, check_current_soon, check_worlds, chunks, missing_in

LEVELS: list[float] = []
HAPPENED: Counter[str] = Counter()
WORLDS_MAX = 480


@pytest.mark.parametrize("seeds", chunks(0, WORLDS))
def test_every_world_holds(seeds: str) -> None:
    simulated = check_worlds(seeds)
    LEVELS.extend(simulated.level_after_s)
    HAPPENED.update(simulated.happened)
    assert simulated.level_after_s, "each node of each world was current in the end"


def test_nodes_are_current_soon_after_the_faults() -> None:
    check_current_soon(LEVELS or check_worlds(chunks(0, WORLDS)[0]).level_after_s)


def test_the_worlds_are_eventful() -> None:
    """What has not happened in so many worlds may be rare: some more are played until it does."""
    if len(LEVELS) > 100:  # only one chunk was picked otherwise
        further = iter(chunks(WORLDS, WORLDS_MAX))
        while missing_in(HAPPENED) and (seeds := next(further, "")):
            HAPPENED.update(check_worlds(seeds).happened)
        assert not missing_in(HAPPENED), f"never happened in {WORLDS_MAX} worlds"
