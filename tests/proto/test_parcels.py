"""How many parcels an order becomes, before anybody packs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.parcels import Box, Goods, Parcels, estimate
from bodega.limits_hub import PARCELS_PER_ORDER_MAX

SMALL = Box((100, 100, 100), 50, 1_000)
LARGE = Box((300, 200, 200), 200, 10_000)


@pytest.mark.parametrize(
    ("goods", "parcels"),
    [
        (Goods(1, 500, 800), Parcels(1, 550, 1_000, SMALL.sides_mm)),
        (Goods(1, 950, 1_000), Parcels(1, 1_000, 1_000, SMALL.sides_mm)),
        (Goods(1, 951, 1_000), Parcels(1, 1_151, 12_000, LARGE.sides_mm)),
        (Goods(3, 500, 5_000), Parcels(2, 950, 12_000, LARGE.sides_mm)),
        (Goods(2, 9_800, 100), Parcels(2, 10_000, 12_000, LARGE.sides_mm)),
        (Goods(1), Parcels(1, 50, 1_000, SMALL.sides_mm)),
    ],
)
def test_as_few_parcels_as_the_boxes_allow_in_the_smallest_that_does_it(
    goods: Goods, parcels: Parcels
) -> None:
    assert estimate([goods], [LARGE, SMALL]) == parcels


def test_without_a_list_of_boxes_it_is_one_parcel_of_what_is_known() -> None:
    assert estimate([Goods(2, 300, 500), Goods(1, 100)], []) == Parcels(1, 700, 1_000)


def test_what_no_number_of_boxes_holds_is_one_parcel_that_no_carrier_will_take() -> None:
    heavy = Goods(PARCELS_PER_ORDER_MAX + 1, 9_800, 1)
    assert estimate([heavy], [LARGE]) == Parcels(1, heavy.quantity * 9_800, heavy.quantity)
    assert estimate([Goods(PARCELS_PER_ORDER_MAX, 9_800, 1)], [LARGE]).count == PARCELS_PER_ORDER_MAX


@given(
    st.lists(st.builds(Goods, st.integers(1, 20), st.integers(0, 5_000), st.integers(0, 9_000)), min_size=1)
)
def test_the_parcels_hold_everything_and_none_weighs_too_much(goods: list[Goods]) -> None:
    found = estimate(goods, [SMALL, LARGE])
    if found.sides_mm:
        box = SMALL if found.sides_mm == SMALL.sides_mm else LARGE
        assert found.count * found.volume_ml >= sum(one.quantity * one.volume_ml for one in goods)
        assert found.count * (found.weight_g - box.weight_g) >= sum(
            one.quantity * one.weight_g for one in goods
        )
        assert found.weight_g <= box.max_weight_g
