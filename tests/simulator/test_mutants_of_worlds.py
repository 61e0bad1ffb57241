"""Each rule that the worlds rest on is taken out once: some world must break, or nobody would notice."""

from __future__ import annotations

import pytest

from simulator.mutants import MUTANTS
from support.simulating import simulate

WORLDS_UNTIL_A_MUTANT_DIES_MAX = 40


@pytest.mark.parametrize("mutant", sorted(MUTANTS))
def test_a_mutant_dies(mutant: str) -> None:
    simulated = simulate(f"0:{WORLDS_UNTIL_A_MUTANT_DIES_MAX}", "--mutant", mutant)
    assert simulated.broke, f"nobody noticed: {mutant}"


# Of two boxes that say they are one node, the hub follows either: worlds with a clone are another matter.
@pytest.mark.parametrize(
    "mutant", sorted(name for name, switched in MUTANTS.items() if "clone" not in switched.kinds)
)
def test_the_same_kinds_of_worlds_hold_with_every_rule_in_place(mutant: str) -> None:
    """What kills a mutant is the missing rule, and not the faults that bring it to light."""
    simulated = simulate("0:2", "--kinds", ",".join(sorted(MUTANTS[mutant].kinds)))
    assert not simulated.broke, simulated.broke
