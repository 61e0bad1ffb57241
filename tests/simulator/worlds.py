"""The worlds that every test run plays, and what they must have seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from support.long_run import by_length
from support.simulating import Simulated, simulate

WORLDS = by_length(160, 320)
CHUNK_WORLDS = 20
CURRENT_WITHIN_S = 30.0

# What so many worlds must have seen, or they prove nothing: by the hub's audit trail, and by how programs died.
SEEN = (
    "order.placed", "order.cancel_requested", "fulfillment.shipped", "fulfillment.cancelled",
    "conflict cancel_races_ship", "order.reassigned", "fulfillment.handed_back", "conflict two_nodes_claim",
    "rights.granted", "rights.taken", "rights.recalled", "rights.returned",
    "promise posted", "promise voided", "promise expired", "envelope refused", "event parked",
    "broker.stream_emptied", "broker.stream_rolled_back", "broker.stream_made_anew",
    "node.epoch_begun", "node.readmitted", "hub.restored", "hub.caught_up", "conflict restored_node",
    "conflict cloned_node", "ended to begin a new epoch",
    "killed at await", "killed at sql", "killed at disk", "killed at disk by a power cut",
)  # fmt: skip


def chunks(first: int, end: int) -> list[str]:
    """Ranges of seeds as the simulator takes them."""
    return [f"{seed}:{seed + CHUNK_WORLDS}" for seed in range(first, end, CHUNK_WORLDS)]


def check_worlds(seeds: str) -> Simulated:
    """Play them; every one must hold."""
    simulated = simulate(seeds)
    assert not simulated.broke, f"\n{simulated.broke}"
    return simulated


def check_current_soon(levels: Sequence[float]) -> None:
    """The 99th percentile of all nodes."""
    assert levels, "no world was played"
    p99 = sorted(levels)[int(0.99 * (len(levels) - 1))]
    assert p99 < CURRENT_WITHIN_S, f"p99 is {p99} s after the faults, the slowest {max(levels)} s"


def missing_in(happened: Mapping[str, int]) -> list[str]:
    """What the worlds are there for and has happened nowhere."""
    return [what for what in SEEN if not Counter(happened)[what]]
