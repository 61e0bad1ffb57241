"""The box for a parcel: the smallest that holds it, by volume, weight and the longest side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bodega_agent.rules.cartons import (
    Carton,
    Piece,
    dunnage,
    expected_g,
    smallest_that_holds,
    why_not,
)

SMALL = Carton("S", (200, 150, 100), 80, 2_000)
LARGE = Carton("L", (400, 300, 200), 200, 10_000)
BOXES = (LARGE, SMALL)


def test_the_smallest_box_is_taken_whatever_the_order_of_the_list() -> None:
    pieces = (Piece("Oat", 2, 500, 1_000),)
    assert smallest_that_holds(pieces, BOXES) == smallest_that_holds(pieces, BOXES[::-1]) == "S"


def test_volume_weight_and_the_longest_side_each_ask_for_a_larger_box() -> None:
    assert smallest_that_holds((Piece("Oat", 4, 100, 1_000),), BOXES) == "L"
    assert smallest_that_holds((Piece("Lead", 1, 1_921, 100),), BOXES) == "L", "80 g of box are weight too"
    assert smallest_that_holds((Piece("Lead", 1, 1_920, 100),), BOXES) == "S"
    assert smallest_that_holds((Piece("Rod", 1, 100, 10, (210, 10, 10)),), BOXES) == "L"
    assert smallest_that_holds((Piece("Tray", 1, 100, 10, (150, 200, 20)),), BOXES) == "S", (
        "turned, it goes in"
    )


def test_what_no_box_holds_gets_none_and_the_reason_is_told() -> None:
    rod = Piece("Rod", 1, 100, 10, (410, 10, 10))
    assert smallest_that_holds((rod,), BOXES) == ""
    assert why_not(LARGE, (rod,)) == "Rod is longer than it"
    assert why_not(SMALL, (Piece("Oat", 4, 100, 1_000),)) == "4000 ml do not go into 3000 ml"


def test_a_box_that_bears_any_weight_is_asked_nothing_about_it() -> None:
    assert why_not(Carton("X", (200, 150, 100), 80, 0), (Piece("Lead", 1, 900_000, 1),)) == ""


def test_measures_tell_the_room_where_no_volume_is_said_and_what_is_unknown_needs_none() -> None:
    assert Piece("Tray", 3, 0, 0, (150, 200, 20)).room_ml == 1_800
    assert Piece("?", 3).room_ml == 0
    assert smallest_that_holds((Piece("?", 3),), BOXES) == "S"


def test_the_expected_weight_is_said_only_where_every_weight_is_known() -> None:
    known = (Piece("Oat", 2, 500), Piece("Cup", 1, 300))
    assert expected_g(known, SMALL) == 1_380
    assert expected_g((*known, Piece("?", 1)), SMALL) == 0
    assert expected_g(known, None) == 0


def test_what_breaks_is_padded_and_a_box_of_air_is_filled() -> None:
    cup = Piece("Cup", 1, 300, 500, (), fragile=True)
    assert dunnage((cup,), SMALL) == ("pad Cup: it breaks", "fill about 2.5 l of air")
    assert dunnage((Piece("Oat", 2, 500, 1_000),), SMALL) == ()


@given(
    st.lists(
        st.builds(Piece, st.just("x"), st.integers(1, 9), st.integers(0, 900), st.integers(0, 900)),
        max_size=4,
    ),
    st.permutations(BOXES),
)
def test_the_box_that_is_chosen_holds_it_and_no_smaller_one_does(
    pieces: list[Piece], boxes: list[Carton]
) -> None:
    chosen = next((box for box in boxes if box.carton_id == smallest_that_holds(pieces, boxes)), None)
    holding = [box for box in boxes if not why_not(box, pieces)]
    assert (chosen is None) == (not holding)
    if chosen is not None:
        assert chosen in holding
        assert chosen.room_ml == min(box.room_ml for box in holding)
