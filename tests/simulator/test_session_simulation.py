"""Two pure sessions over a bad broker: for every seed nothing is lost or doubled, and both ends end level."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.session_world import (
    Broken,
    Rules,
    SessionWorld,
    applying_twice,
    never_rewinding,
    without_chain_check,
)

SEEDS = st.integers(min_value=0, max_value=2**32 - 1)
SEEDS_UNTIL_A_MUTANT_DIES_MAX = 60


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS)
def test_whatever_the_broker_does_both_ends_hold_the_same_events_after_it_heals(seed: int) -> None:
    world = SessionWorld(seed)
    world.run()
    assert world.reader.applied == [event.body for event in world.writer.journal]


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_a_node_and_a_hub_stream_heal_side_by_side(seed: int) -> None:
    up, down = SessionWorld(seed), SessionWorld(seed + 1)
    up.run(60)
    down.run(60)
    assert up.reader.head == up.writer.head
    assert down.reader.head == down.writer.head


@pytest.mark.parametrize(
    ("mutant", "rules"),
    [
        ("skip the check of prev_hash", Rules(judge=without_chain_check)),
        ("apply what is already there", Rules(judge=applying_twice)),
        ("forget to rewind", Rules(after_want=never_rewinding)),
        ("acknowledge before the commit", Rules(ack_after_commit=False)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mutant_dies(mutant: str, rules: Rules) -> None:
    died = []
    for seed in range(SEEDS_UNTIL_A_MUTANT_DIES_MAX):
        try:
            SessionWorld(seed, rules).run()
        except Broken as broken:
            died.append(str(broken))
            break
    assert died, f"nobody noticed: {mutant}"


def test_a_seed_replays_the_same_run() -> None:
    first, second = SessionWorld(4711), SessionWorld(4711)
    first.run()
    second.run()
    assert first.reader.applied == second.reader.applied
    assert first.stream_seq == second.stream_seq
