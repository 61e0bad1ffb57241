"""Few nodes that together have all of an order, for the least cost: a bounded search, the same for the same nodes.

Branch and bound as for a set cover: the SKU that the fewest nodes have is served first, by each of its nodes in turn,
best first; what can not be better than the best found is left. A node costs what its scores say however much it gives,
each node after the first `split_cost` more. Within its bounds the search is exhaustive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bodega.core.routing.question import Candidate
from bodega.limits_hub import ROUTING_SEARCH_LOOKS_MAX, ROUTING_SEARCH_NODES_MAX


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
    search = _Search(demand, ranked, shares_max, split_cost)
    if whole is not None:
        search.best, search.best_cost = (ranked.index(whole),), _cost(whole)
    search.extend((), dict(demand), 0.0, frozenset())
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
    """Nodes are named by their place in `ranked`; `looks` counts SKUs looked at, which is what a step costs."""

    demand: Mapping[str, int]
    ranked: Sequence[Candidate]
    shares_max: int
    split_cost: float
    best: tuple[int, ...] | None = None
    best_cost: float = float("inf")
    looks: int = 0
    thinned: bool = False
    holders: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Who has some of each SKU, best first; of too many the best ones and those that have most."""
        each = max(2, ROUTING_SEARCH_NODES_MAX // len(self.demand))
        for sku_id in sorted(self.demand):
            there = [place for place, node in enumerate(self.ranked) if node.gives.get(sku_id)]
            most = sorted(there, key=partial(self._fullest, sku_id))
            kept = sorted({*there[:each], *most[:each]})
            self.thinned |= len(kept) < len(there)
            self.holders[sku_id] = kept

    def _fullest(self, sku_id: str, place: int) -> tuple[int, int]:
        return -self.ranked[place].gives[sku_id], place

    def extend(
        self, chosen: tuple[int, ...], missing: dict[str, int], cost: float, done: frozenset[int]
    ) -> None:
        """Try every way to go on from the nodes chosen. `done`: nodes with which all has been tried already."""
        self.looks += len(missing) + 1
        if not missing:
            if (cost, sorted(chosen)) < (self.best_cost, sorted(self.best or ())):
                self.best, self.best_cost = chosen, cost
            return
        if len(chosen) == self.shares_max or not self._reaches(missing, self.shares_max - len(chosen), done):
            return
        sku_id = min(missing, key=lambda one: (len(self.holders[one]), one))
        for place in self.holders[sku_id]:
            if place in done or place in chosen:
                continue
            node = self.ranked[place]
            step = round(cost + _cost(node) + (self.split_cost if chosen else 0.0), 6)
            if step > self.best_cost or self.looks > ROUTING_SEARCH_LOOKS_MAX:
                break
            left = {sku: units - node.gives.get(sku, 0) for sku, units in missing.items()}
            self.extend(
                (*chosen, place), {sku: units for sku, units in left.items() if units > 0}, step, done
            )
            done |= {place}

    def _reaches(self, missing: Mapping[str, int], nodes: int, done: frozenset[int]) -> bool:
        """Whether so many nodes more could have enough of each SKU by itself."""
        for sku_id, units in missing.items():
            there = (self.ranked[place].gives[sku_id] for place in self.holders[sku_id] if place not in done)
            if sum(sorted(there, reverse=True)[:nodes]) < units:
                return False
        return True
