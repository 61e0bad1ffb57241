"""Rights are moved to where they are used, in rounds: `services.rounds` begins them, or an operator.

The plan is `core.rebalance`; moves are the ordinary grants and recalls of `rights`, in small transactions; each
looks again before it moves anything. What is asked back is the node's until the node has answered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from bodega.core.rebalance import GRANT, Move, RebalancePolicy, Use, plan
from bodega.errors import Refused
from bodega.host.log import get_logger
from bodega.limits import (
    REBALANCE_REST_S,
    REBALANCE_SKUS_MAX,
    REBALANCE_SKUS_PER_COMMIT_MAX,
    REBALANCE_WINDOW_S,
)
from bodega_controlplane.app.goods import rights as moving
from bodega_controlplane.app.goods.rights_views import RightsDraft
from bodega_controlplane.app.goods.stock import standing_of
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.views import Caller
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import rights, stock
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

_POLICY = RebalancePolicy()


@dataclass(frozen=True, slots=True)
class Moved:
    """A move, and the transfer of rights that it began; empty if it was only planned."""

    move: Move
    transfer_id: str = ""


def uses_of(
    tx: Transaction, now_ms: int, promise: Policy, sku_ids: Collection[str] | None = None
) -> list[Use]:
    """Every node's rights and use, of these SKUs or of all (at most REBALANCE_SKUS_MAX, by id)."""
    since_ms = now_ms - REBALANCE_WINDOW_S * 1000
    known = {(row.sku_id, row.node_id): row for row in rights.all_of(tx)}
    used, moves = rights.used_since(tx, since_ms), rights.moves_since(tx, since_ms)
    keys = sorted(known.keys() | used.keys())
    wanted = set(
        sku_ids if sku_ids is not None else list(dict.fromkeys(sku for sku, _ in keys))[:REBALANCE_SKUS_MAX]
    )
    held = stock.held(tx, wanted)
    none = rights.Moves(0, 0, 0)
    uses = []
    for sku_id, node_id in keys:
        if sku_id not in wanted:
            continue
        row, told = known.get((sku_id, node_id)), moves.get((sku_id, node_id), none)
        standing = standing_of(held.get((node_id, sku_id), stock.Held()), promise)
        uses.append(
            Use(
                sku_id,
                node_id,
                have=row.held + row.in_flight - row.wanted if row else 0,
                promised=row.promised if row else 0,
                used=used.get((sku_id, node_id), 0),
                available=standing.available,
                busy=bool(told.open) or told.ended_at_ms > now_ms - REBALANCE_REST_S * 1000,
                granted_lately=told.granted_at_ms > since_ms,
            )
        )
    return uses


def planned(tx: Transaction, now_ms: int, promise: Policy) -> tuple[Moved, ...]:
    """What a round would do now; nothing is moved."""
    return tuple(Moved(move) for move in plan(uses_of(tx, now_ms, promise), _POLICY))


def carry_out(
    tx: Transaction, caller: Caller, promise: Policy, sku_ids: Collection[str]
) -> tuple[Moved, ...]:
    """Plan anew for these SKUs and begin the moves; one that has become impossible is left out."""
    done = []
    for move in plan(uses_of(tx, caller.now_ms, promise, sku_ids), _POLICY):
        draft = RightsDraft(new_id("B", caller.now_ms), move.node_id, move.sku_id, move.quantity)
        try:
            begun = (
                moving.grant(tx, caller, draft, promise)
                if move.kind == GRANT
                else moving.recall(tx, caller, draft)
            )
        except Refused as refused:
            log.info("rights_not_moved", node_id=move.node_id, sku_id=move.sku_id, reason=refused.message)
            continue
        done.append(Moved(move, begun.transfer_id))
    return tuple(done)


async def rebalance(hub: Hub, caller: Caller, *, dry_run: bool = False) -> tuple[Moved, ...]:
    """One round; the moves that were begun, or that would be."""
    wanted = await hub.read(lambda tx: planned(tx, caller.now_ms, hub.policy))
    if dry_run:
        return wanted
    done: list[Moved] = []
    sku_ids = list(dict.fromkeys(one.move.sku_id for one in wanted))
    for first in range(0, len(sku_ids), REBALANCE_SKUS_PER_COMMIT_MAX):
        some = sku_ids[first : first + REBALANCE_SKUS_PER_COMMIT_MAX]
        done += await hub.run(partial(carry_out, caller=caller, promise=hub.policy, sku_ids=some))
    for one in done:
        log.info("rights_moved", **one.move._asdict(), transfer_id=one.transfer_id)
    return tuple(done)
