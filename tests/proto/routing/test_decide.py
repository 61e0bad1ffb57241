"""Which node serves an order, and why not the others."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.promise import Standing
from bodega.core.routing.bundle import DEFAULT
from bodega.core.routing.choice import Choice
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Destination, Inputs, Line, Site
from bodega.core.routing.places import distance_km

LISBON = (38.7223, -9.1393)
PORTO = (41.1579, -8.6291)
MADRID = (40.4168, -3.7038)


def holding(node_id: str, place: tuple[float, float], **skus: int) -> Site:
    return Site(node_id, *place, {sku: Standing(held, safety_stock=2) for sku, held in skus.items()})


def asked(sites: list[Site], place: tuple[float, float] = LISBON, **demand: int) -> Inputs:
    lines = tuple(Line(number, sku, units) for number, (sku, units) in enumerate(demand.items(), start=1))
    return Inputs(
        0, "storefront", "parcel", "standard", lines, Destination("PT", "1000", *place), tuple(sites)
    )


def chosen(choice: Choice) -> str:
    return choice.shares[0].node_id if choice.shares else ""


def test_the_nearest_node_that_can_promise_everything_is_chosen() -> None:
    sites = [holding("porto", PORTO, TEA=10), holding("lisbon", LISBON, TEA=10)]
    assert chosen(decide(DEFAULT, asked(sites, TEA=3))) == "lisbon"
    assert chosen(decide(DEFAULT, asked(sites, PORTO, TEA=3))) == "porto"


def test_a_nearer_node_that_would_break_its_safety_stock_is_passed_over_with_the_numbers() -> None:
    near, far = holding("lisbon", LISBON, TEA=4), holding("porto", PORTO, TEA=10)
    choice = decide(DEFAULT, asked([near, far], TEA=3))
    assert chosen(choice) == "porto"
    passed_over = choice.candidates[1]
    assert (passed_over.node_id, passed_over.eligible) == ("lisbon", False)
    assert passed_over.reasons[0].code == "insufficient-stock"
    assert "TEA: 3 wanted, 2 available (4 sellable" in passed_over.reasons[0].text


def test_a_node_may_be_sold_down_to_its_safety_stock_and_no_further() -> None:
    sites = [holding("lisbon", LISBON, TEA=5)]
    assert decide(DEFAULT, asked(sites, TEA=3)).shares[0].quantities == {1: 3}
    assert decide(DEFAULT, asked(sites, TEA=4)).unserved == {1: 4}


def test_every_missing_sku_is_named() -> None:
    sites = [holding("lisbon", LISBON, TEA=10), holding("porto", PORTO, SALT=10)]
    choice = decide(DEFAULT, asked(sites, TEA=20, SALT=20, RICE=1))
    assert not choice.shares
    assert [len(candidate.reasons) for candidate in choice.candidates] == [3, 3]


def test_two_lines_of_one_sku_are_one_question() -> None:
    twice = replace(
        asked([holding("lisbon", LISBON, TEA=6)], TEA=2), lines=(Line(1, "TEA", 2), Line(2, "TEA", 2))
    )
    assert decide(DEFAULT, twice).shares[0].quantities == {1: 2, 2: 2}
    assert not decide(DEFAULT, replace(twice, lines=(*twice.lines, Line(3, "TEA", 1)))).shares


def test_a_node_that_is_passed_over_is_not_asked() -> None:
    sites = [holding("lisbon", LISBON, TEA=10), holding("porto", PORTO, TEA=10)]
    question = replace(asked(sites, TEA=1), passed_over={"lisbon": "has handed it back"})
    assert chosen(decide(DEFAULT, question)) == "porto"


def test_of_two_nodes_at_one_place_the_first_by_id_is_chosen() -> None:
    sites = [holding(f"n-{number}", LISBON, TEA=10) for number in (3, 1, 2)]
    assert chosen(decide(DEFAULT, asked(sites, TEA=1))) == "n-1"


def test_nobody_to_ask_means_nobody_chosen() -> None:
    assert decide(DEFAULT, asked([], TEA=1)).shares == ()


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_the_order_in_which_nodes_come_decides_nothing(shuffle: random.Random, held: list[int]) -> None:
    sites = [
        holding(f"n-{number}", (38 + number % 3, -9), TEA=quantity) for number, quantity in enumerate(held)
    ]
    expected = decide(DEFAULT, asked(sites, TEA=4))
    shuffle.shuffle(sites)
    assert decide(DEFAULT, asked(sites, TEA=4)) == expected


def test_distances_are_great_circles() -> None:
    assert distance_km(*LISBON, *MADRID) == pytest.approx(502.5, abs=2)
    assert distance_km(*LISBON, *LISBON) == 0
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)
