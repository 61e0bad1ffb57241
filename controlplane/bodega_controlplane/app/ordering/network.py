"""The nodes and what they hold, as one transaction has read them; what is given out in it counts at once.

So several orders are decided by one look. Who writes beside this transaction is met by `choosing.hold_promises`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import cached_property

from bodega_controlplane.app.shipping.quoting import Shipping
from bodega_controlplane.store import catalogue, nodes, rates, stock
from bodega_controlplane.store.nodes import Place
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction


class Network:
    """Reads what is asked for the first time, and remembers it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._goods: dict[str, Row | None] = {}
        self._held: dict[str, list[tuple[str, stock.Held]]] = {}
        self._given: Counter[tuple[str, str]] = Counter()

    @cached_property
    def places(self) -> list[Place]:
        """Every node that may be given orders, by id, as it was first read."""
        return nodes.places(self._tx)

    @cached_property
    def waiting(self) -> dict[str, int]:
        """Node -> assignments that it has still to hand over."""
        return {place.node_id: place.orders for place in self.places}

    @cached_property
    def shipping(self) -> Shipping:
        """Who has which carriers, and which of them are down."""
        given = {place.node_id: place.shipping for place in self.places if place.shipping is not None}
        return Shipping(frozenset(rates.down(self._tx)), given)

    def goods(self, sku_ids: Collection[str]) -> dict[str, Row]:
        """SKU rows by id; unknown ids are left out."""
        missing = set(sku_ids) - self._goods.keys()
        if missing:
            found = catalogue.by_ids(self._tx, missing)
            self._goods.update((sku_id, found.get(sku_id)) for sku_id in missing)
        return {sku_id: row for sku_id in sku_ids if (row := self._goods[sku_id]) is not None}

    def look_at(self, sku_ids: Collection[str]) -> None:
        """Read what all nodes hold of these, as far as it is not known."""
        missing = set(sku_ids) - self._held.keys()
        if missing:
            self._held.update((sku_id, []) for sku_id in missing)
            for (node_id, sku_id), held in stock.held(self._tx, missing).items():
                self._held[sku_id].append((node_id, held))

    def held(
        self, sku_ids: Collection[str], node_id: str = ""
    ) -> Iterator[tuple[tuple[str, str], stock.Held]]:
        """(node, SKU) and what is held there, of these SKUs, where it is anything; of one node, or of all."""
        if node_id and not self._held.keys() >= set(sku_ids):
            yield from map(self._less, stock.held(self._tx, sku_ids, [node_id]).items())
            return
        self.look_at(sku_ids)
        for sku_id in sku_ids:
            for at, held in self._held[sku_id]:
                if node_id in ("", at):
                    yield self._less(((at, sku_id), held))

    def _less(self, known: tuple[tuple[str, str], stock.Held]) -> tuple[tuple[str, str], stock.Held]:
        place, held = known
        given = self._given.get(place)
        return (place, held._replace(reserved=held.reserved + given)) if given else known

    def give(self, node_id: str, demand: dict[str, int]) -> None:
        """Units of SKUs at a node that are promised from now on, by one more assignment."""
        self.waiting[node_id] += 1
        for sku_id, units in demand.items():
            self._given[node_id, sku_id] += units
