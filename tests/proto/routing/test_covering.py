"""The search for few nodes that together have all of an order, against trying every set of nodes."""

from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.routing.covering import cheapest_cover
from bodega.core.routing.question import Candidate, Question
from bodega.limits_hub import ROUTING_SEARCH_LOOKS_MAX
from support.routing_cases import question, site


def candidate(number: int, cost: float, gives: dict[str, int], demand: dict[str, int]) -> Candidate:
    asked = question()
    found = Candidate(Question.of(asked), site(f"n-{number:03}"))
    found.total, found.rank = cost, (cost,)
    found.gives = {sku: min(gives.get(sku, 0), units) for sku, units in demand.items()}
    found.covers_all = found.gives == demand
    return found


def cheapest_of_all(
    demand: dict[str, int], nodes: list[Candidate], most: int, split_cost: float
) -> float | None:
    costs = [
        sum(node.total for node in some) + split_cost * (len(some) - 1)
        for size in range(1, most + 1)
        for some in combinations(nodes, size)
        if all(sum(node.gives[sku] for node in some) >= units for sku, units in demand.items())
    ]
    return min(costs, default=None)


SKUS = st.sampled_from(["A", "B", "C", "D"])
NODES = st.lists(
    st.tuples(st.integers(0, 40), st.dictionaries(SKUS, st.integers(0, 4), max_size=4)),
    min_size=1,
    max_size=9,
)


@given(
    st.dictionaries(SKUS, st.integers(1, 5), min_size=1, max_size=4),
    NODES,
    st.integers(1, 4),
    st.integers(0, 30),
)
def test_nothing_cheaper_is_overlooked(
    demand: dict[str, int], said: list[tuple[int, dict[str, int]]], most: int, split_cost: int
) -> None:
    nodes = [
        candidate(number, cost, gives, demand)
        for number, (cost, gives) in enumerate(sorted(said, key=lambda one: one[0]))
    ]
    expected = cheapest_of_all(demand, nodes, most, split_cost)
    cover = cheapest_cover(demand, nodes, most, split_cost)
    assert (cover and cover.cost) == expected
    if cover is not None:
        assert cover.complete
        assert len(cover.nodes) <= most
        assert all(sum(node.gives[sku] for node in cover.nodes) >= units for sku, units in demand.items())
        assert cover.cost == sum(node.total for node in cover.nodes) + split_cost * (len(cover.nodes) - 1)


@pytest.mark.parametrize("seed", range(40))
def test_nothing_cheaper_is_overlooked_where_most_orders_need_several_nodes(seed: int) -> None:
    chance = random.Random(seed)
    demand = dict.fromkeys("ABC", 3)
    costs = sorted(chance.randrange(10, 30) for _ in range(10))
    nodes = [
        candidate(number, cost, {sku: chance.choice((0, 1, 2, 3)) for sku in demand}, demand)
        for number, cost in enumerate(costs)
    ]
    cover = cheapest_cover(demand, nodes, 4, 2.0)
    assert (cover and cover.cost) == cheapest_of_all(demand, nodes, 4, 2.0)


def test_of_equally_cheap_ones_the_better_ranked_are_taken() -> None:
    demand = {"A": 1, "B": 1}
    nodes = [candidate(number, 5.0, {"A": 1} if number % 2 else {"B": 1}, demand) for number in range(6)]
    cover = cheapest_cover(demand, nodes, 2, 0.0)
    assert cover is not None
    assert [node.site.node_id for node in cover.nodes] == ["n-000", "n-001"]


@pytest.mark.parametrize("skus", [8, 60])
def test_a_search_without_end_is_cut_short_and_says_so(skus: int) -> None:
    demand = {f"S{number:02}": 6 for number in range(skus)}
    nodes = [
        candidate(
            number,
            10 + number / 100,
            {sku: (number * 7 + place * 3) % 4 for place, sku in enumerate(demand)},
            demand,
        )
        for number in range(200)
    ]
    cover = cheapest_cover(demand, nodes, 6, 0.0)
    assert cover is None or not cover.complete


def test_a_score_below_zero_does_not_make_more_parts_cheaper() -> None:
    demand = {"A": 2}
    nodes = [candidate(0, -9.0, {"A": 2}, demand), candidate(1, -8.0, {"A": 1}, demand)]
    cover = cheapest_cover(demand, nodes, 2, 0.0)
    assert cover is not None
    assert [node.site.node_id for node in cover.nodes] == ["n-000"]
    assert ROUTING_SEARCH_LOOKS_MAX > 0
