"""Few nodes that together have all of an order, for the least cost: a bounded search, the same for the same nodes.

Branch and bound as for a set cover: the SKU that the fewest nodes have is served first, by each of its nodes in turn,
best first; what can not be better than the best found is left. A node costs what its scores say however much it gives,
each node after the first `split_cost` more. Within its bounds the search is exhaustive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from math import inf

from bodega.core.routing.question import Candidate
from bodega.limits_hub import (
    ROUTING_SEARCH_HOLDERS_MIN,
    ROUTING_SEARCH_LOOKS_MAX,
    ROUTING_SEARCH_NODES_MAX,
)


@dataclass(frozen=True, slots=True)
class Cover:
    """The nodes, best first, and what they cost; `complete`: whether all that could be better was looked at."""

    nodes: tuple[Candidate, ...]
    cost: float
    complete: bool


def cheapest_cover(
    demand: Mapping[str, int], ranked: Sequence[Candidate], shares_max: int, split_cost: float
) -> Cover | None:
    """The cheapest cover by at most `shares_max` nodes; None if none was found. `ranked`: best first."""
    whole = next((node for node in ranked if node.covers_all), None)
    if shares_max == 1:
        return None if whole is None else Cover((whole,), _cost(whole), complete=True)
    search = _Search(ranked, shares_max, split_cost)
    search.prepare(demand)
    if whole is not None:
        search.best, search.best_cost = (ranked.index(whole),), _cost(whole)
    search.extend((), demand, 0.0, frozenset())
    if search.best is None:
        return None
    nodes = tuple(ranked[place] for place in sorted(search.best))
    return Cover(
        nodes, search.best_cost, complete=search.looks <= ROUTING_SEARCH_LOOKS_MAX and not search.thinned
    )


def _cost(node: Candidate) -> float:
    """A score below zero would make more nodes cheaper than fewer."""
    return max(0.0, node.total)


@dataclass(slots=True)
class _Search:
    """Nodes are named by their place in `ranked`; `looks` counts the SKUs looked at, which is what a step costs."""

    ranked: Sequence[Candidate]
    shares_max: int
    split_cost: float
    best: tuple[int, ...] | None = None
    best_cost: float = inf
    looks: int = 0
    thinned: bool = False
    holders: dict[str, list[int]] = field(default_factory=dict)
    reach: dict[str, list[int]] = field(default_factory=dict)
    cheapest: dict[str, float] = field(default_factory=dict)

    def prepare(self, demand: Mapping[str, int]) -> None:
        """`holders`: who has some of each SKU, best first; of too many the best and those that have most.

        `reach`: how much of it no, one, two ... of them have at most; `cheapest`: what the best of them costs.
        """
        each = max(ROUTING_SEARCH_HOLDERS_MIN, ROUTING_SEARCH_NODES_MAX // len(demand))
        for sku_id in demand:
            there = [place for place, node in enumerate(self.ranked) if node.gives[sku_id]]
            fullest = sorted(there, key=partial(self._emptiness, sku_id))
            kept = there if len(there) <= 2 * each else sorted({*there[:each], *fullest[:each]})
            self.thinned |= len(kept) < len(there)
            self.holders[sku_id] = kept
            self.cheapest[sku_id] = _cost(self.ranked[kept[0]]) if kept else inf
            most = [self.ranked[place].gives[sku_id] for place in fullest[: self.shares_max]]
            self.reach[sku_id] = [*accumulate(most, initial=0)] + [sum(most)] * (self.shares_max - len(most))

    def _emptiness(self, sku_id: str, place: int) -> int:
        return -self.ranked[place].gives[sku_id]

    def extend(
        self, chosen: tuple[int, ...], missing: Mapping[str, int], cost: float, done: frozenset[int]
    ) -> None:
        """Try every way to go on from the nodes chosen. `done`: nodes with which all has been tried already."""
        nodes_left = self.shares_max - len(chosen)
        self.looks += len(missing)
        if any(units > self.reach[sku_id][nodes_left] for sku_id, units in missing.items()):
            return
        rarest = min(missing, key=lambda sku_id: (len(self.holders[sku_id]), sku_id))
        for place in self.holders[rarest]:
            if place in done or place in chosen:
                continue
            step = round(cost + _cost(self.ranked[place]) + (self.split_cost if chosen else 0.0), 6)
            if step > self.best_cost or self.looks > ROUTING_SEARCH_LOOKS_MAX:
                return
            self._take(place, chosen, missing, step, done)
            done |= {place}

    def _take(
        self,
        place: int,
        chosen: tuple[int, ...],
        missing: Mapping[str, int],
        cost: float,
        done: frozenset[int],
    ) -> None:
        gives = self.ranked[place].gives
        now = (*chosen, place)
        self.looks += 1
        if len(now) == self.shares_max and any(units > gives[sku_id] for sku_id, units in missing.items()):
            return
        left = {sku_id: units - gives[sku_id] for sku_id, units in missing.items() if units > gives[sku_id]}
        if not left:
            if (cost, sorted(now)) < (self.best_cost, sorted(self.best or ())):
                self.best, self.best_cost = now, cost
            return
        if cost + self.split_cost + max(self.cheapest[sku_id] for sku_id in left) <= self.best_cost:
            self.extend(now, left, cost, done)
