"""Where rights to promise should be: with the nodes that use them, the rest with the hub.

A node's use is what it has promised or sold by itself lately. It should hold as much again (`cover_ratio`), within a
floor and a ceiling. Nothing here moves a right: a plan is grants, which the hub gives out of what it may promise, and
recalls, which ask; only the node's answer brings rights home, so time alone never moves one.

It is damped so that it does not thrash: small differences stay, a recall asks for half of what is too much, a node is
left alone while a move is under way or has just ended, and rights that were granted lately are not idle yet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from bodega.limits import (
    REBALANCE_COVER_RATIO,
    REBALANCE_HELD_UNITS_MAX,
    REBALANCE_KEPT_UNITS_MIN,
    REBALANCE_SHARE_RATIO,
    REBALANCE_SLACK_RATIO,
    REBALANCE_SLACK_UNITS_MIN,
)

GRANT, RECALL = "grant", "recall"


@dataclass(frozen=True, slots=True)
class RebalancePolicy:
    """`kept_units` a node keeps when it uses none; `held_units` it never gets beyond; see `bodega.limits`."""

    cover_ratio: float = REBALANCE_COVER_RATIO
    kept_units: int = REBALANCE_KEPT_UNITS_MIN
    held_units: int = REBALANCE_HELD_UNITS_MAX
    slack_units: int = REBALANCE_SLACK_UNITS_MIN
    slack_ratio: float = REBALANCE_SLACK_RATIO
    share_ratio: float = REBALANCE_SHARE_RATIO


class Use(NamedTuple):
    """One node's rights to one SKU, in base units.

    `have`: held and on the way, less what is asked back. `promised`: of these, behind its own reservations. `used`:
    promised or sold by itself in the window. `available`: what the hub may promise of the node's stock. `busy`: a
    move is under way or has just ended. `granted_lately`: within the window, so that none of it is idle yet.
    """

    sku_id: str
    node_id: str
    have: int
    promised: int = 0
    used: int = 0
    available: int = 0
    busy: bool = False
    granted_lately: bool = False


class Move(NamedTuple):
    """`quantity` base units to `grant` or to `recall`, why in one sentence, and what it is reckoned from."""

    sku_id: str
    node_id: str
    kind: str
    quantity: int
    used: int
    target: int
    why: str


def target_of(use: Use, policy: RebalancePolicy) -> int:
    """What the node should hold: as much as it uses, within the policy's bounds; no less than it has promised."""
    wanted = max(policy.kept_units, math.ceil(use.used * policy.cover_ratio))
    return max(use.promised, min(policy.held_units, wanted))


def plan(uses: Iterable[Use], policy: RebalancePolicy) -> tuple[Move, ...]:
    """The moves that bring rights nearer to where they are used, by SKU and node; none where all is well."""
    moves = (_move(use, policy) for use in sorted(uses) if not use.busy)
    return tuple(move for move in moves if move is not None)


def _move(use: Use, policy: RebalancePolicy) -> Move | None:
    target = target_of(use, policy)
    slack = max(policy.slack_units, math.ceil(target * policy.slack_ratio))
    if use.used and target - use.have > slack:
        quantity = min(target - use.have, math.floor(use.available * policy.share_ratio))
        why = f"it used {use.used} by itself and has rights to {use.have}"
        return _named(use, GRANT, quantity, target, why)
    surplus = use.have - target
    if surplus > (slack if use.used else 0) and not use.granted_lately:
        quantity = min(math.ceil(surplus / 2), use.have - use.promised)
        used = f"only {use.used}" if use.used else "none"
        return _named(use, RECALL, quantity, target, f"it used {used} by itself and has rights to {use.have}")
    return None


def _named(use: Use, kind: str, quantity: int, target: int, why: str) -> Move | None:
    return Move(use.sku_id, use.node_id, kind, quantity, use.used, target, why) if quantity > 0 else None
