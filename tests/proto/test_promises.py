"""Promises: made only from what is free, kept in two phases, never hidden below zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.lifecycles import ReservationState
from bodega.core.promise import Reservation, Standing, demand_by_sku
from bodega.errors import InvalidInput

UNITS = st.integers(0, 50)


@given(UNITS, UNITS, UNITS, UNITS)
def test_available_is_what_remains_of_the_shelf_and_a_shortfall_is_measured(
    sellable: int, node_rights: int, reserved: int, safety: int
) -> None:
    standing = Standing(sellable, node_rights, reserved, safety)
    assert 0 <= standing.available <= sellable
    promised = node_rights + reserved
    assert standing.shortfall == max(0, promised - sellable)
    if standing.available:
        assert standing.available + promised + safety == sellable


def test_two_lines_for_the_same_sku_are_one_question() -> None:
    assert demand_by_sku([("A", 2), ("B", 1), ("A", 3)]) == {"A": 5, "B": 1}


def test_a_reservation_is_posted_in_parts_and_the_rest_is_given_back() -> None:
    partly = Reservation(5).post(2)
    assert (partly.pending, partly.state) == (3, ReservationState.PENDING)
    done = partly.void()
    assert (done.posted, done.voided, done.pending) == (2, 3, 0)
    assert done.state is ReservationState.POSTED


def test_a_reservation_that_nothing_left_for_is_voided() -> None:
    assert Reservation(5).void().state is ReservationState.VOIDED


@given(st.lists(st.integers(1, 4), max_size=10), st.booleans())
def test_a_reservation_never_posts_more_than_it_promised(
    posts: list[int], void: bool
) -> None:  # drawn by hypothesis
    reservation = Reservation(6)
    for quantity in posts:
        reservation = reservation.post(quantity) if reservation.pending else reservation
    reservation = reservation.void() if void else reservation
    assert reservation.posted + reservation.voided + reservation.pending == 6
    assert reservation.posted <= 6


def test_posting_nothing_is_a_mistake() -> None:
    with pytest.raises(InvalidInput):
        Reservation(1).post(0)
