"""Small worlds of nodes, stock and orders in turn, and what it costs to serve them: by rules, and at best.

An order asks for one unit each of some SKUs. A parcel costs a fixed sum and something a kilometre; a unit that nobody
sends costs more than any parcel. Whoever decides sees one order at a time, but the best possible sees all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from bodega.core.promise import Standing
from bodega.core.routing.bundle import Bundle
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Destination, Inputs, Line, Offer, Site
from bodega.core.routing.places import distance_km

PARCEL_MINOR = 400.0
KM_MINOR = 1.0
UNSERVED_MINOR = 3_000.0
SHARES_MAX = 3
NOW_MS = 1_795_388_640_000

Stock: TypeAlias = tuple[int, ...]
# Which node sends each line of an order, by place; None: nobody.
Sent: TypeAlias = tuple[int | None, ...]
Decider: TypeAlias = Callable[["World", "Asked", Stock], Sent]


@dataclass(frozen=True, slots=True)
class Asked:
    """One order: SKUs by number, and how far it is to each node."""

    skus: tuple[int, ...]
    place: tuple[float, float]
    away_km: tuple[float, ...]

    def cost(self, sent: Sent) -> float:
        """What serving it like this costs, in minor units."""
        parcels = sum(
            PARCEL_MINOR + KM_MINOR * self.away_km[node] for node in {*sent} - {None} if node is not None
        )
        return parcels + UNSERVED_MINOR * sent.count(None)


@dataclass(frozen=True, slots=True)
class World:
    """Nodes on a map, what they hold (node by node, SKU by SKU), and the orders as they come."""

    places: tuple[tuple[float, float], ...]
    skus: int
    stock: Stock
    orders: tuple[Asked, ...]

    def held(self, stock: Stock, node: int, sku: int) -> int:
        """Units there."""
        return stock[node * self.skus + sku]

    def after(self, stock: Stock, asked: Asked, sent: Sent) -> Stock:
        """What is left."""
        left = list(stock)
        for sku, node in zip(asked.skus, sent, strict=True):
            if node is not None:
                left[node * self.skus + sku] -= 1
        return tuple(left)

    def ways(self, asked: Asked, stock: Stock) -> Iterator[Sent]:
        """Every way to serve an order: all of it by a few nodes, or nothing."""
        able = [
            [node for node in range(len(self.places)) if self.held(stock, node, sku)] for sku in asked.skus
        ]
        yield from (sent for sent in product(*able) if len({*sent}) <= SHARES_MAX)
        yield (None,) * len(asked.skus)


def make_world(seed: int, nodes: int = 4, skus: int = 3, orders: int = 9) -> World:
    """A world from its seed: stock for about as many units as are asked."""
    chance = random.Random(seed)
    places = tuple((chance.uniform(37.0, 43.0), chance.uniform(-9.0, -1.0)) for _ in range(nodes))
    asked: list[Asked] = []
    for _ in range(orders):
        wanted = tuple(sorted(chance.sample(range(skus), chance.choice((1, 1, 2, 2, 3)))))
        place = (chance.uniform(37.0, 43.0), chance.uniform(-9.0, -1.0))
        asked.append(Asked(wanted, place, tuple(round(distance_km(*place, *there), 3) for there in places)))
    stock = tuple(chance.choice((0, 1, 1, 2, 4)) for _ in range(nodes * skus))
    return World(places, skus, stock, tuple(asked))


def total_cost(world: World, decider: Decider) -> float:
    """What the orders cost one after the other, each decided without knowing the next."""
    stock, cost = world.stock, 0.0
    for asked in world.orders:
        sent = decider(world, asked, stock)
        cost += asked.cost(sent)
        stock = world.after(stock, asked, sent)
    return cost


def best_cost(world: World, known: float) -> float:
    """The least that the orders can cost, by trying everything; `known`: what somebody has reached already."""
    open_sky = (1_000,) * len(world.stock)
    least = [min(map(asked.cost, world.ways(asked, open_sky))) for asked in world.orders]
    states: dict[Stock, float] = {world.stock: 0.0}
    for number, asked in enumerate(world.orders):
        later = sum(least[number + 1 :])
        following: dict[Stock, float] = {}
        for stock, cost in states.items():
            for sent in world.ways(asked, stock):
                now = cost + asked.cost(sent)
                if now + later > known + 1e-6:
                    continue
                left = world.after(stock, asked, sent)
                if now < following.get(left, known + 1.0):
                    following[left] = now
        states = following
    return min(states.values())


def nearest_first(world: World, asked: Asked, stock: Stock) -> Sent:
    """Each unit from the nearest node that has it, if all can be had."""
    by_distance = sorted(range(len(world.places)), key=lambda node: (asked.away_km[node], node))
    sent = tuple(
        next((node for node in by_distance if world.held(stock, node, sku)), None) for sku in asked.skus
    )
    return (None,) * len(sent) if None in sent else sent


def myopic(world: World, asked: Asked, stock: Stock) -> Sent:
    """The cheapest set of nodes for this order, by trying all of them."""
    return min(world.ways(asked, stock), key=lambda sent: (asked.cost(sent), [node or 0 for node in sent]))


def by_bundle(bundle: Bundle) -> Decider:
    """What the routing engine decides."""

    def decider(world: World, asked: Asked, stock: Stock) -> Sent:
        choice = decide(bundle, inputs_of(world, asked, stock))
        chosen: Mapping[int, int] = {
            line: int(share.node_id[2:]) for share in choice.shares for line in share.quantities
        }
        return tuple(chosen.get(number) for number in range(len(asked.skus)))

    return decider


def inputs_of(world: World, asked: Asked, stock: Stock) -> Inputs:
    """The question as the hub would put it."""
    sites = tuple(
        Site(
            f"n-{node}",
            *place,
            {f"S{sku}": Standing(world.held(stock, node, sku)) for sku in asked.skus},
            country="PT",
            offers=(
                Offer(
                    "PARCEL",
                    "carrier",
                    "standard",
                    round(PARCEL_MINOR + KM_MINOR * asked.away_km[node]),
                    "EUR",
                    "2026-11-23",
                    "2026-11-25",
                ),
            ),
        )
        for node, place in enumerate(world.places)
    )
    lines = tuple(Line(number, f"S{sku}", 1) for number, sku in enumerate(asked.skus))
    return Inputs(
        NOW_MS,
        "storefront",
        "parcel",
        "standard",
        lines,
        Destination("PT", "1000-001", *asked.place),
        sites,
        shares_max=SHARES_MAX,
    )
