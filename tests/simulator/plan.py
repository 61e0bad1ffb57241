"""What happens in a world, as data: steps with their times, drawn from a seed, so that they can be left out one by one.

Each world draws which kinds of work and of faults it will see at all (swarm testing: Groce et al., ISSTA 2012):
a rare mixture of few kinds finds what an even mixture of all of them hides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

NODES = ("lisbon-01", "porto-01", "faro-01")
ROGUE = "rogue-01"
STRICT, LOOSE, SERIAL = "TEA", "CUP", "PHONE"
SKUS = (STRICT, LOOSE, SERIAL)
BINS = ("A-01-01", "A-01-02")
MACHINES = "machines"

WEEK_S = 7 * 24 * 3600
FIRST_S = 4.0
WORK_STEPS = (18, 40)
FAULTS_S = (30.0, 60.0)
FAULT_STEPS = (3, 10)
KIND_RATIO = 0.35
COMEBACK_RATIO = 0.25
ELSEWHERE_RATIO = 0.4
ELSEWHERE_STEPS = (3, 12)
# What finds most is in most worlds.
OFTEN = {"order": 0.6, "kill": 0.7, "power_cut": 0.5, "cut": 0.5}

Values = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One thing that happens at `at_s`, at machine `who`; `number` names it for as long as the plan lives."""

    number: int
    at_s: float
    what: str
    who: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A world's whole story: its nodes, what happens, and when the faults end."""

    seed: int
    nodes: tuple[str, ...]
    steps: tuple[Step, ...]
    heal_s: float


def plan_of(seed: int, kinds: Collection[str] = ()) -> Plan:
    """The plan of a seed; the same for ever. `kinds`: draw these kinds of steps and no others."""
    luck = Random(f"plan {seed}")
    nodes = NODES[: luck.choice((1, 2, 2, 2, 3))]
    heal_s = round(luck.uniform(*FAULTS_S), 3)
    drafts: list[tuple[float, str, str, Values]] = []
    for node in nodes:
        for sku_id in SKUS:
            values = _goods(luck, sku_id, 20 if sku_id != SERIAL else 4)
            drafts.append((luck.uniform(0.1, FIRST_S), "stock", node, values))
    works = _with_needs([kind for kind in WORK if kind in kinds] or _some(luck, WORK) or ["order"])
    for _ in range(luck.randint(*WORK_STEPS)):
        kind = luck.choice((*works, "work", "work"))
        drafts.append((luck.uniform(FIRST_S, heal_s), kind, luck.choice(nodes), WORK[kind](luck)))
    faults = [kind for kind in FAULTS if kind in kinds] if kinds else _some(luck, FAULTS)
    for _ in range(luck.randint(*FAULT_STEPS) if faults else 0):
        kind = luck.choice(faults)
        who = luck.choice((*nodes, *nodes, "hub"))
        drafts.append((luck.uniform(FIRST_S, heal_s), kind, who, ALL_FAULTS[kind](luck)))
    drafts += _comeback(Random(f"comeback {seed}"), nodes, heal_s, kinds)
    drafts += _elsewhere(Random(f"elsewhere {seed}"), nodes, heal_s, kinds)
    steps = (
        Step(number, round(at_s, 3), what, who, values)
        for number, (at_s, what, who, values) in enumerate(sorted(drafts, key=lambda draft: draft[0]))
    )
    return Plan(seed, nodes, tuple(steps), heal_s)


def _comeback(
    luck: Random, nodes: tuple[str, ...], heal_s: float, kinds: Collection[str]
) -> list[tuple[float, str, str, Values]]:
    """The step in which a machine loses its memory, if one does."""
    drawn = [kind for kind in COMEBACKS if kind in kinds] if kinds else sorted(COMEBACKS)
    if not drawn or (not kinds and luck.random() >= COMEBACK_RATIO):
        return []
    kind = luck.choice(drawn)
    return [(luck.uniform(FIRST_S, heal_s - 2), kind, luck.choice(nodes), COMEBACKS[kind](luck))]


def _elsewhere(
    luck: Random, nodes: tuple[str, ...], heal_s: float, kinds: Collection[str]
) -> list[tuple[float, str, str, Values]]:
    """The steps by which orders go from one node to another, in worlds where they do."""
    drawn = [kind for kind in ELSEWHERE if kind in kinds] if kinds else list(ELSEWHERE)
    if not drawn or len(nodes) < 2 or (not kinds and luck.random() >= ELSEWHERE_RATIO):
        return []
    found = []
    for _ in range(luck.randint(*ELSEWHERE_STEPS)):
        kind = luck.choice(drawn)
        at_s, who = luck.uniform(FIRST_S, heal_s), luck.choice(nodes)
        found.append((at_s, kind, who, ELSEWHERE[kind](luck)))
        if kind == "reassign" and (not kinds or {"cut", "work"} <= set(kinds)):
            found += _unheard(at_s, next(node for node in nodes if node != who))
    return found


def _unheard(at_s: float, other: str) -> list[tuple[float, str, str, Values]]:
    """Another node does not hear of it for a while, and goes on with what it has: two may claim one order."""
    worked = [(at_s + 0.5 * turn, "work", other, {"stops_after": "ship"}) for turn in range(1, 4)]
    return [(at_s - 0.1, "cut", other, {"way": "down", "lasts_s": 6.0}), *worked]


def _some(luck: Random, kinds: Mapping[str, object]) -> list[str]:
    return [kind for kind in kinds if luck.random() < OFTEN.get(kind, KIND_RATIO)]


def _with_needs(kinds: list[str]) -> list[str]:
    """Nobody can cancel what nobody orders."""
    return [kind for kind in WORK if kind in kinds or any(kind in NEEDS.get(other, ()) for other in kinds)]


def _goods(luck: Random, sku_id: str = "", quantity: int = 0) -> Values:
    sku_id = sku_id or luck.choice((STRICT, STRICT, LOOSE, SERIAL))
    quantity = quantity or luck.randint(1, 6)
    return {"sku_id": sku_id, "quantity": quantity, "bin_id": luck.choice(BINS)}


def _fuse(luck: Random) -> Values:
    """When a process is to be killed: at the n-th point of a kind from now on."""
    kind = luck.choice(("await", "await", "sql", "disk"))
    return {"kind": kind, "points": _few(luck, {"await": 400, "sql": 120, "disk": 60}[kind])}


def _few(luck: Random, most: int) -> int:
    """From 1 to `most`, each order of magnitude as often as the others."""
    return int(most ** luck.random())


def _lasting(luck: Random) -> float:
    return round(luck.choice((luck.uniform(0.5, 5), luck.uniform(5, 25), luck.uniform(20, 60))), 2)


WORK: Mapping[str, Callable[[Random], Values]] = {
    "stock": _goods,
    "order": lambda luck: {"sku_id": luck.choice((STRICT, STRICT, LOOSE)), "quantity": luck.randint(1, 4)},
    "basket": lambda luck: {"sku_id": STRICT, "quantity": luck.randint(1, 3), "other": luck.randint(1, 3)},
    "cancel": lambda luck: {"nth": luck.randint(0, 9)},
    "work": lambda luck: {"stops_after": luck.choice(("ship", "ship", "ship", "pick", "pack"))},
    "grant": lambda luck: {"sku_id": luck.choice((STRICT, LOOSE)), "quantity": luck.randint(1, 6)},
    "recall": lambda luck: {"sku_id": luck.choice((STRICT, LOOSE)), "quantity": luck.randint(1, 4)},
    "reserve": lambda luck: {
        "sku_id": luck.choice((STRICT, STRICT, LOOSE)), "quantity": luck.randint(1, 3),
        "lasts_s": luck.choice((0, 5, 600)),
    },
    "post": lambda luck: {"nth": luck.randint(0, 5), "final": luck.random() < 0.7},
    "release": lambda luck: {"nth": luck.randint(0, 5)},
    "move": lambda luck: {**_goods(luck, luck.choice((STRICT, LOOSE)))},
    "count": lambda luck: {"bin_id": luck.choice(BINS), "quantity": luck.randint(0, 25)},
    "scrap": lambda luck: {"quantity": luck.randint(1, 2), "bin_id": luck.choice(BINS)},
    "return": lambda luck: {"quantity": luck.randint(1, 2)},
    "transfer": lambda luck: {
        "sku_id": luck.choice((LOOSE, SERIAL)), "quantity": luck.randint(1, 3), "takes_s": luck.uniform(0.1, 20),
        "told_late": luck.random() < 0.3,
    },
    "twice": lambda luck: _goods(luck, LOOSE),
    "configure": lambda luck: {"right": luck.random() < 0.6},
    "rename": lambda luck: {"sku_id": luck.choice(SKUS)},
    "profile": lambda luck: {},
}  # fmt: skip

# Orders change hands: what no node has alone is split, a person moves one, a node gives one back, and the hub sees to
# what follows.
ELSEWHERE: Mapping[str, Callable[[Random], Values]] = {
    "split": lambda luck: {"sku_id": luck.choice((STRICT, LOOSE)), "quantity": luck.randint(12, 36)},
    "reassign": lambda luck: {"nth": luck.randint(0, 9)},
    "hand_back": lambda luck: {},
    "look_after": lambda luck: {},
}

# What must be done for a kind of work to mean anything.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "cancel": ("order",),
    "recall": ("grant",),
    "reserve": ("grant",),
    "post": ("reserve", "grant"),
    "release": ("reserve", "grant"),
}

FAULTS: Mapping[str, Callable[[Random], Values]] = {
    "kill": _fuse,
    "power_cut": lambda luck: {"kind": "disk", "points": _few(luck, 60)},
    "cut": lambda luck: {"way": luck.choice(("both", "both", "up", "down")), "lasts_s": _lasting(luck)},
    "noise": lambda luck: {
        "lost": luck.choice((0.0, 0.05, 0.3)), "twice": luck.choice((0.0, 0.1, 0.5)), "shuffles": luck.random() < 0.5,
        "delay_s": luck.choice((0.05, 0.5, 3.0)), "lasts_s": _lasting(luck),
    },
    "broker_restart": lambda luck: {},
    "broker_away": lambda luck: {"lasts_s": _lasting(luck)},
    "broker_loses_tail": lambda luck: {"messages": luck.randint(1, 8)},
    "stream_deleted": lambda luck: {"stream": luck.choice(("UP", "DOWN"))},
    "stream_purged": lambda luck: {"stream": luck.choice(("UP", "DOWN"))},
    "consumers_reset": lambda luck: {"stream": luck.choice(("UP", "DOWN"))},
    "clock_jump": lambda luck: {"ms": luck.choice((1, -1)) * luck.choice((60_000, 86_400_000, 365 * 86_400_000))},
    "disk_full": lambda luck: {"lasts_s": _lasting(luck)},
    "disk_error": lambda luck: {"lasts_s": luck.uniform(0.2, 6)},
    "weeks_apart": lambda luck: {"lasts_s": luck.uniform(0.5, 3) * WEEK_S},
    "poison": lambda luck: {"kind": luck.choice(("garbage", "oversized", "foreign", "replayed", "forked"))},
    "unknown_event": lambda luck: {},
    "operator_error": lambda luck: {"kind": luck.choice(("recall", "config", "cancel", "grant"))},
}  # fmt: skip

# A machine loses its memory and comes back; at most one of them in a world, and a person must help some.
COMEBACKS: Mapping[str, Callable[[Random], Values]] = {
    "restored_node": lambda luck: {
        "declared": luck.random() < 0.5,
        "after_s": round(luck.uniform(0.5, 25), 2),
    },
    "wiped_node": lambda luck: {},
    "clone": lambda luck: {},
    "restored_hub": lambda luck: {"after_s": round(luck.uniform(0.5, 25), 2)},
}
ALL_FAULTS = {**FAULTS, **COMEBACKS}
