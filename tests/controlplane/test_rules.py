"""The pure rules of the control plane: which node serves an order, and what a GTIN is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.gtin import as_gtin14, check_digit, fault_in
from bodega.core.promise import Standing
from bodega_controlplane.rules.routing import Candidate, RouteRequest, RoutingPolicy, decide, distance_km

POLICY = RoutingPolicy(safety_stock=2)
LISBON = (38.7223, -9.1393)
PORTO = (41.1579, -8.6291)
MADRID = (40.4168, -3.7038)


def holding(node_id: str, place: tuple[float, float], **skus: int) -> Candidate:
    return Candidate(node_id, *place, {sku: Standing(held, safety_stock=2) for sku, held in skus.items()})


def wanting(place: tuple[float, float] = LISBON, **demand: int) -> RouteRequest:
    return RouteRequest(*place, demand)


def test_the_nearest_node_that_can_promise_everything_is_chosen() -> None:
    near, far = holding("lisbon", LISBON, TEA=10), holding("porto", PORTO, TEA=10)
    assert decide(POLICY, wanting(TEA=3), [far, near]).node_id == "lisbon"
    assert decide(POLICY, wanting(PORTO, TEA=3), [far, near]).node_id == "porto"


def test_a_nearer_node_that_would_break_its_safety_stock_is_passed_over_with_the_numbers() -> None:
    near, far = holding("lisbon", LISBON, TEA=4), holding("porto", PORTO, TEA=10)
    choice = decide(POLICY, wanting(TEA=3), [near, far])
    assert choice.node_id == "porto"
    passed_over = choice.candidates[1]
    assert (passed_over.node_id, passed_over.eligible) == ("lisbon", False)
    assert passed_over.reasons[0].code == "insufficient-stock"
    assert "TEA: 3 wanted, 2 available (4 sellable" in passed_over.reasons[0].text


def test_a_node_may_be_sold_down_to_its_safety_stock_and_no_further() -> None:
    node = holding("lisbon", LISBON, TEA=5)
    assert decide(POLICY, wanting(TEA=3), [node]).node_id == "lisbon"
    assert decide(POLICY, wanting(TEA=4), [node]).node_id is None


def test_one_node_must_hold_all_of_it_and_every_missing_sku_is_named() -> None:
    nodes = [holding("lisbon", LISBON, TEA=10), holding("porto", PORTO, SALT=10)]
    choice = decide(POLICY, wanting(TEA=1, SALT=1, RICE=1), nodes)
    assert choice.node_id is None
    assert [len(candidate.reasons) for candidate in choice.candidates] == [2, 2]


def test_of_two_nodes_at_one_place_the_first_by_id_is_chosen() -> None:
    nodes = [holding(f"n-{number}", LISBON, TEA=10) for number in (3, 1, 2)]
    assert decide(POLICY, wanting(TEA=1), nodes).node_id == "n-1"


def test_nobody_to_ask_means_nobody_chosen() -> None:
    assert decide(POLICY, wanting(TEA=1), []).node_id is None


@given(st.randoms(use_true_random=False), st.lists(st.integers(0, 12), min_size=1, max_size=8))
def test_the_order_in_which_nodes_come_decides_nothing(shuffle: random.Random, held: list[int]) -> None:
    nodes = [
        holding(f"n-{number}", (38 + number % 3, -9), TEA=quantity) for number, quantity in enumerate(held)
    ]
    expected = decide(POLICY, wanting(TEA=4), nodes)
    shuffle.shuffle(nodes)
    assert decide(POLICY, wanting(TEA=4), nodes) == expected


def test_distances_are_great_circles() -> None:
    assert distance_km(*LISBON, *MADRID) == pytest.approx(502.5, abs=2)
    assert distance_km(*LISBON, *LISBON) == 0
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)


def test_a_gtin_with_a_right_check_digit_is_kept_as_14_digits() -> None:
    # The example of GS1 General Specifications 7.9.1.
    assert fault_in("6291041500213") is None
    assert as_gtin14("6291041500213") == "06291041500213"
    assert fault_in("96385074") is None


@pytest.mark.parametrize("wrong", ["", "12", "6291041500214", "629104150021X", "0" * 13, "٦291041500213"])
def test_anything_else_is_not_a_gtin(wrong: str) -> None:
    assert fault_in(wrong)


@given(st.text("0123456789", min_size=12, max_size=12).filter(lambda digits: int(digits) > 0))
def test_one_wrong_digit_is_always_found(digits: str) -> None:
    right = digits + str(check_digit(digits))
    for place in range(len(right)):
        wrong = right[:place] + str((int(right[place]) + 1) % 10) + right[place + 1 :]
        assert fault_in(wrong)
