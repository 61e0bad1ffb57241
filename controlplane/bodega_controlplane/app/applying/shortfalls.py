"""Stock that turns out not to be there, held against what was promised from it: found in the journal's own transaction.

Each event that takes sellable units away without a promise that covers them is looked at by itself, at its place in
the journal, so the rows are the same wherever envelopes are cut. Who is served from elsewhere is decided afterwards
(`app.ordering.upkeep`), because that depends on other nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from bodega.core.conflicts.physical_shortfall import Promised, local_shortfall, missing, physical_shortfall
from bodega.core.conflicts.row import Conflict
from bodega.core.ledger import Disposition, Movement
from bodega.core.promise import ServiceClass
from bodega.skimming import PlainMove
from bodega_controlplane.store import promised, stock
from bodega_controlplane.store.transaction import Transaction

SHORT = "short"


_SELLABLE = Disposition.SELLABLE.value


def taken_by(movement: Movement) -> Mapping[str, int]:
    """SKU -> sellable units that a movement took away in the end; below zero where it brought some."""
    taken: dict[str, int] = {}
    for account, quantity, _serials in movement.postings:
        if account.disposition == _SELLABLE:
            taken[account.sku_id] = taken.get(account.sku_id, 0) - quantity
    return taken


def taken_by_move(move: PlainMove) -> int:
    """The same of a plain move, which is of one SKU."""
    source, target = move.source.disposition, move.target.disposition
    return move.quantity * ((source == _SELLABLE) - (target == _SELLABLE))


def promises_of(tx: Transaction, node_id: str, sku_id: str) -> list[Promised]:
    """What the hub has promised its orders of a SKU at a node, and not yet seen leave the shelf."""
    return [
        Promised(
            row.order_id,
            ServiceClass(row.service_class),
            row.placed_at_ms,
            int(row.units),
            row.assigned_event,
        )
        for row in promised.to_orders(tx, node_id, sku_id)
    ]


def lacking(tx: Transaction, node_id: str, sku_id: str) -> Mapping[str, int]:
    """Order id -> units that it lacks at a node now."""
    held = stock.held(tx, [sku_id], [node_id]).get((node_id, sku_id), stock.Held())
    local = promised.by_node(tx, node_id, sku_id)
    return missing(held.sellable, local, promises_of(tx, node_id, sku_id))


class Shortfalls:
    """What a batch of one node's events takes away from under promises."""

    def __init__(self, tx: Transaction, node_id: str) -> None:
        self._tx = tx
        self._node_id = node_id
        # SKU -> sellable units taken in this batch; of these, already written; what the database held before it; and
        # units promised, never too few: an order or a customer who was served since is not taken off.
        self._taken: dict[str, int] = defaultdict(int)
        self._written: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._promised: dict[str, int] = {}
        self._local: dict[str, int] = defaultdict(int)
        self._unpromised: frozenset[str] = frozenset()

    def load(self, sku_ids: Collection[str]) -> None:
        """Ask at once of which of these nothing is promised: of those, nobody can lack anything."""
        if sku_ids:
            self._unpromised = frozenset(sku_ids) - promised.of_skus(self._tx, self._node_id, sku_ids)

    def took(self, sku_id: str, units: int) -> None:
        """A movement of this batch took sellable units away, or brought some."""
        self._taken[sku_id] += units

    def promised_more(self, sku_id: str, units: int) -> None:
        """The node has made a promise of its own in this batch."""
        self._local[sku_id] += units

    def written(self) -> None:
        """Everything that was taken so far is in the database."""
        self._written = dict(self._taken)

    def may_be(self, sku_id: str) -> bool:
        """Whether so little is left that somebody may lack units; asks the database once a batch and SKU."""
        if sku_id in self._unpromised and not self._local[sku_id]:
            return False
        if sku_id not in self._before:
            sellable, total = promised.totals(self._tx, self._node_id, sku_id)
            self._before[sku_id] = sellable + self._written.get(sku_id, 0)
            self._promised[sku_id] = total
        left = self._before[sku_id] - self._taken[sku_id]
        return self._promised[sku_id] + self._local[sku_id] > left

    def found(
        self, sku_id: str, lost: int, basis_event: str, in_hand: str
    ) -> tuple[list[Conflict], Mapping[str, int]]:
        """Rows of those who lost by this event, and the units of the order `in_hand` that are its own short.

        The database must hold everything up to and with the event.
        """
        held = stock.held(self._tx, [sku_id], [self._node_id])
        sellable = held.get((self._node_id, sku_id), stock.Held()).sellable
        local = promised.by_node(self._tx, self._node_id, sku_id)
        promises = promises_of(self._tx, self._node_id, sku_id)
        before = missing(sellable + lost, local, promises, in_hand)
        after = missing(sellable, local, promises, in_hand)
        total = local + sum(one.units for one in promises)
        rows = [
            physical_shortfall(
                node_id=self._node_id,
                sku_id=sku_id,
                basis_event=basis_event,
                sellable=sellable,
                promised=total,
                order=one,
                units=after[one.order_id],
            )
            for one in sorted(promises, key=lambda one: one.rank)
            if one.order_id != in_hand and after.get(one.order_id, 0) > before.get(one.order_id, 0)
        ]
        if max(0, local - sellable) > max(0, local - sellable - lost):
            rows.append(
                local_shortfall(
                    node_id=self._node_id,
                    sku_id=sku_id,
                    basis_event=basis_event,
                    sellable=sellable,
                    local_promised=local,
                )
            )
        return rows, {in_hand: after[in_hand]} if in_hand in after else {}
