"""The walk: fewest bins, then walking order; nobody is sent away from a shelf too early."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from bodega_agent.rules.floor.pick.facts import Shelf
from bodega_agent.rules.floor.pick.plan import Wanted, plan_picks


def shelf(bin_id, walk_order, quantity, *, sku_id="OAT", lot=""):
    return Shelf(sku_id, lot, bin_id, walk_order, quantity)


def walk(plan):
    return [(step.bin_id, step.quantity) for step in plan.steps]


def test_one_bin_that_has_enough_beats_two_nearer_ones():
    plan = plan_picks([Wanted(1, "OAT", 4)], [shelf("A", 1, 2), shelf("B", 2, 2), shelf("C", 3, 4)])
    assert walk(plan) == [("C", 4)]


def test_among_bins_that_have_enough_the_nearest_wins():
    plan = plan_picks([Wanted(1, "OAT", 2)], [shelf("C", 3, 9), shelf("A", 1, 2)])
    assert walk(plan) == [("A", 2)]


def test_the_walk_goes_in_walking_order_over_all_lines():
    shelves = [shelf("C", 3, 1), shelf("A", 1, 1, sku_id="RYE"), shelf("B", 2, 5, sku_id="TEA")]
    wanted = [Wanted(1, "OAT", 1), Wanted(2, "RYE", 1), Wanted(3, "TEA", 1)]
    assert [step.bin_id for step in plan_picks(wanted, shelves).steps] == ["A", "B", "C"]


def test_what_no_bin_holds_is_said():
    plan = plan_picks([Wanted(1, "OAT", 5), Wanted(2, "RYE", 1)], [shelf("A", 1, 2)])
    assert walk(plan) == [("A", 2)]
    assert plan.unplaceable == (Wanted(1, "OAT", 3), Wanted(2, "RYE", 1))


def test_two_lines_of_one_sku_share_its_shelves():
    plan = plan_picks([Wanted(1, "OAT", 2), Wanted(2, "OAT", 2)], [shelf("A", 1, 3), shelf("B", 2, 1)])
    assert sorted((step.line, step.bin_id, step.quantity) for step in plan.steps) == [
        (1, "A", 2),
        (2, "A", 1),
        (2, "B", 1),
    ]


def test_who_stands_at_a_bin_takes_all_of_it_first():
    shelves = [shelf("A", 1, 4), shelf("B", 2, 2)]
    assert walk(plan_picks([Wanted(1, "OAT", 4)], shelves, at_bin="B")) == [("B", 2), ("A", 2)]


def test_what_expires_first_goes_first_though_another_bin_is_nearer_and_fuller():
    late, early, never = ("2027-06-30", "2027-01-31", "9999-12-31")
    shelves = [
        replace(shelf("A", 1, 9, lot="late"), first_out=late),
        replace(shelf("B", 2, 9, lot="never"), first_out=never),
        replace(shelf("C", 3, 2, lot="early"), first_out=early),
    ]
    plan = plan_picks([Wanted(1, "OAT", 4)], shelves, at_bin="A")
    assert sorted((step.lot, step.quantity) for step in plan.steps) == [("early", 2), ("late", 2)]


def test_among_lots_that_expire_on_one_day_the_fewest_bins_are_walked_to():
    shelves = [
        replace(shelf(name, at, held), first_out="2027-01-31")
        for name, at, held in (("A", 1, 1), ("B", 2, 3))
    ]
    assert walk(plan_picks([Wanted(1, "OAT", 3)], shelves)) == [("B", 3)]


_shelves = st.lists(
    st.builds(shelf, st.sampled_from("ABCDEF"), st.integers(1, 6), st.integers(1, 5)),
    max_size=5,
    unique_by=lambda one: one.bin_id,
)


@given(shelves=_shelves, quantity=st.integers(1, 20))
def test_a_plan_takes_what_is_there_from_the_fewest_bins(shelves, quantity):
    plan = plan_picks([Wanted(1, "OAT", quantity)], shelves)
    held = {one.bin_id: one.quantity for one in shelves}
    planned = sum(step.quantity for step in plan.steps)
    assert planned == min(quantity, sum(held.values()))
    assert planned + sum(want.quantity for want in plan.unplaceable) == quantity
    assert all(0 < step.quantity <= held[step.bin_id] for step in plan.steps)
    fewest = min(
        (
            len(chosen)
            for size in range(len(held) + 1)
            for chosen in combinations(held, size)
            if sum(held[bin_id] for bin_id in chosen) >= planned
        ),
    )
    assert len(plan.steps) == fewest


@given(shelves=_shelves, quantity=st.integers(1, 20), seed=st.randoms())
def test_a_plan_does_not_depend_on_the_order_in_which_shelves_are_read(shelves, quantity, seed):
    wanted = [Wanted(1, "OAT", quantity)]
    shuffled = list(shelves)
    seed.shuffle(shuffled)
    assert plan_picks(wanted, shelves) == plan_picks(wanted, shuffled)
