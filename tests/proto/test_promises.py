"""Promises: made only from what is free, kept in two phases, never hidden below zero."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bodega.core.lifecycles import ReservationState
from bodega.core.promise import (
    Hold,
    NodeStanding,
    Reservation,
    Standing,
    demand_by_sku,
    held_back,
    refuse_beyond,
)
from bodega.errors import InvalidInput, Refused

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


def test_time_that_is_over_ends_a_promise_that_nothing_left_for_as_expired() -> None:
    assert Reservation(5).expire().state is ReservationState.EXPIRED
    partly = Reservation(5).post(2).expire()
    assert (partly.posted, partly.voided, partly.state) == (2, 3, ReservationState.POSTED)
    assert partly.expire() == partly


@given(UNITS, UNITS, UNITS, UNITS, UNITS)
@example(5, 3, 1, 4, 4)
@example(2, 3, 1, 4, 9)
def test_the_breakdown_of_a_nodes_standing_adds_up_whatever_happened_to_the_shelf(
    sellable: int, hub_reserved: int, local_reserved: int, free_rights: int, held: int
) -> None:
    rights = local_reserved + free_rights
    standing = NodeStanding(sellable, hub_reserved, local_reserved, rights, held)
    parts = {part.word: part.units for part in standing.breakdown()}
    assert sum(parts.values()) == standing.available
    assert -sellable <= parts["held_back"] <= 0
    assert parts["no_right"] <= 0 <= parts["shortfall"]
    assert 0 <= standing.available <= free_rights
    assert standing.shortfall == max(0, hub_reserved + local_reserved - sellable)
    if standing.available:
        assert standing.available + hub_reserved + local_reserved + held <= sellable
    if free_rights >= sellable:
        assert standing.available == max(0, sellable - hub_reserved - local_reserved - held)


@pytest.mark.parametrize(
    ("holds", "kept"),
    [
        ([], 0),
        ([Hold("", 3)], 3),
        ([Hold("", 0)], 10),
        ([Hold("L1", 0)], 4),
        ([Hold("L1", 9), Hold("L1", 1)], 4),
        ([Hold("L9", 2)], 0),
        ([Hold("L1", 2), Hold("", 3)], 5),
        ([Hold("", 8), Hold("", 8)], 10),
    ],
)
def test_holds_keep_back_what_they_name_and_never_more_than_there_is(holds: list[Hold], kept: int) -> None:
    assert held_back(holds, {"L1": 4, "L2": 6}) == kept


def test_a_refusal_names_every_sku_with_what_is_there_and_what_was_asked() -> None:
    standings = {
        "A": NodeStanding(9, rights_held=5),
        "B": NodeStanding(1, rights_held=5),
        "C": NodeStanding(0),
    }
    refuse_beyond(standings, {"A": 5, "B": 1})
    with pytest.raises(Refused) as refused:
        refuse_beyond(standings, {"A": 5, "B": 2, "C": 1})
    assert refused.value.code == "insufficient-rights"
    assert [fault.where for fault in refused.value.faults] == ["B", "C"]
    assert refused.value.faults[0].problem == "2 asked, 1 may be promised (sellable +1)"
    assert refused.value.hint
