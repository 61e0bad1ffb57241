"""Routing: how long a decision takes, how many rules run in a second, and what its choices cost against the best.

`route.decide_p99` is for 50 nodes, 20 rules and 3 lines, three carrier services each; every fifth order has to be
split; the raw limit is the same 20 rules run 50 times by the engine alone. Both are CPU time of the thread: a decision
waits for nothing, and what else this machine does is not its matter; of three tries of an order the quickest counts.
`route.quality.*` are worlds of a few nodes and orders, small enough to know the least that they could cost: 1.0 would
be to know the future.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import routing_worlds as worlds
from benchmarks.result import Result
from bodega.core.routing import cel_engine
from bodega.core.routing.bundle import DEFAULT, Bundle, parse
from bodega.core.routing.checking import hard_question
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Inputs

NAME = "controlplane.routing"

NODES = 50
LINES = 3
ORDERS = 400
TRIES = 3
WORLDS = 300
BALANCED = Path(__file__).resolve().parents[2] / "packaging" / "examples" / "routing-balanced.json"

FILTERS = (
    "node.distance_km <= 3000.0",
    "node.kind in ['store', 'dark_store', 'depot']",
    "node.silent_s < 600",
    "node.capacity_orders == 0 || node.open_orders < node.capacity_orders",
    "node.country == order.country || order.service_class == 'standard'",
    "node.offers > 0",
    "node.price_minor < 1000",
    "!('frozen' in order.classes) || 'cold' in node.labels",
    "node.due_in_days <= 40000",
    "cut_off(node.node_id) > node.local_minute",
    "node.local_minute < 1380",
    "node.weekday != 7 || node.kind == 'store'",
    "order.units < 1000",
    "node.covered_units > 0",
    "order.method == 'parcel' || node.kind == 'store'",
    "order.channel != 'pos' || order.at_node == node.node_id",
)
SCORES = {
    "distance": "node.distance_km",
    "carriage": "node.price_minor",
    "load": "node.open_orders * 2",
    "scarcity": "node.stock_used",
}


def twenty_rules() -> Bundle:
    """Sixteen filters and four scores, none of which turns a node down, so that all of them run at every node."""
    document = {
        "name": "twenty-rules",
        "version": 1,
        "tables": {
            "cut_off": {"default": 1200, "rows": {f"node-{number:03}": 1000 for number in range(NODES)}}
        },
        "filters": [
            {"name": f"rule-{number}", "keep": keep, "why": "no"} for number, keep in enumerate(FILTERS)
        ],
        "scores": [{"name": name, "value": value} for name, value in SCORES.items()],
        "stages": [{"name": "whole"}, {"name": "split", "shares_max": 3, "split_cost": 500}],
    }
    return parse(json.dumps(document).encode())


def questions() -> list[Inputs]:
    """Orders from many places; four of five can be served by one node."""
    hard = hard_question(NODES, LINES)
    easy = replace(hard, lines=tuple(replace(line, quantity=2) for line in hard.lines))
    return [
        replace(
            hard if number % 5 == 0 else easy,
            destination=replace(
                hard.destination, latitude=36 + number % 7 / 2, longitude=-9 + number % 11 / 2
            ),
        )
        for number in range(ORDERS)
    ]


def run() -> Iterator[Result]:
    """One result a figure."""
    rules, asked = twenty_rules(), questions()
    choices = [decide(rules, one) for one in asked]
    took = sorted(min(_timed_ms(rules, one) for _ in range(TRIES)) for one in asked)
    assert all(choice.shares for choice in choices)
    assert {len(choice.shares) for choice in choices} == {1, 2}
    raw_ms = _raw_ms()
    yield Result.against("route.decide_p50", round(took[len(took) // 2], 3), "ms", raw_ms)
    yield Result.against("route.decide_p99", round(took[len(took) * 99 // 100], 3), "ms", raw_ms)
    runs = ORDERS * NODES * (len(FILTERS) + len(SCORES))
    yield Result.against(
        "route.rules",
        round(runs / (sum(took) / 1000)),
        "rules/s",
        round(NODES * (len(FILTERS) + len(SCORES)) / (raw_ms / 1000)),
    )
    yield from _quality()


def _timed_ms(rules: Bundle, asked: Inputs) -> float:
    begun = time.thread_time()
    decide(rules, asked)
    return (time.thread_time() - begun) * 1000


def _raw_ms() -> float:
    """The same programs by themselves: one context for each node with the facts as they are, nothing else."""
    sources = [
        one.replace("node.", "node_").replace("order.", "order_") for one in (*FILTERS, *SCORES.values())
    ]
    programs = [cel_engine.compiled(source.replace("cut_off(node_node_id)", "1000")) for source in sources]
    known = _known()
    best = float("inf")
    for _ in range(20):
        begun = time.thread_time()
        for _ in range(NODES):
            context = cel_engine.context()
            context.update(known)
            for program in programs:
                program.execute(context)
        best = min(best, time.thread_time() - begun)
    return round(best * 1000, 3)


def _known() -> dict[str, object]:
    return {
        "node_distance_km": 12.5,
        "node_kind": "store",
        "node_silent_s": 3,
        "node_capacity_orders": 100,
        "node_open_orders": 7,
        "node_country": "PT",
        "node_offers": 3,
        "node_price_minor": 400,
        "node_labels": {"cold": "yes"},
        "node_due_in_days": 3,
        "node_local_minute": 600,
        "node_weekday": 5,
        "node_covered_units": 6,
        "node_node_id": "node-001",
        "node_stock_used": 0.5,
        "order_country": "PT",
        "order_service_class": "standard",
        "order_classes": [],
        "order_units": 6,
        "order_method": "parcel",
        "order_channel": "storefront",
        "order_at_node": "",
    }


def _quality() -> Iterator[Result]:
    deciders: dict[str, worlds.Decider] = {
        "nearest_first": worlds.nearest_first,
        "myopic": worlds.myopic,
        "default": worlds.by_bundle(DEFAULT),
        "balanced": worlds.by_bundle(parse(BALANCED.read_bytes())),
    }
    costs = dict.fromkeys(deciders, 0.0)
    best = 0.0
    for seed in range(WORLDS):
        world = worlds.make_world(seed)
        found = {name: worlds.total_cost(world, decider) for name, decider in deciders.items()}
        best += worlds.best_cost(world, min(found.values()))
        for name, cost in found.items():
            costs[name] += cost
    for name, cost in costs.items():
        yield Result.against(f"route.quality.{name}", round(cost), "minor", round(best))
