"""A seed is a world: it replays to the same story, a shortened plan too, and longer runs go on from any seed."""

from __future__ import annotations

import os
import re

import pytest

from support.long_run import by_length
from support.simulating import simulate

SECONDS = os.environ.get("BODEGA_SIMULATE_S", by_length("2", "300"))


def test_a_seed_tells_the_same_story_again() -> None:
    first, second = simulate("11", "--trace"), simulate("11", "--trace")
    assert "all faults end" in first.told
    assert first.told == second.told


def test_a_world_that_breaks_is_shortened_and_replays_as_it_was_told() -> None:
    mutant = ("--mutant", "forget the cursor")
    short = simulate("0:40", *mutant, "--shrink")
    found = re.search(r"replay: python -m simulator (\d+) --steps ([\d,]+)", short.broke)
    assert found is not None, short.broke
    seed, steps = found.groups()
    whole = simulate(seed, *mutant, "--trace").told
    assert len(steps.split(",")) < whole.count("  ["), "some steps were not needed"
    assert short.broke.endswith(simulate(seed, "--steps", steps, *mutant).broke)


@pytest.mark.timeout(0)
def test_worlds_hold_for_as_long_as_told() -> None:
    """`make test-long`; BODEGA_SIMULATE_S tells how long, in seconds, and the seed is another one each time."""
    first = str(int.from_bytes(os.urandom(4)))
    simulated = simulate(first, "--seconds", SECONDS)
    assert not simulated.broke, f"\n{simulated.broke}"
