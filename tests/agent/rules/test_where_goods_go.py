"""Which bin goods go into, and which pick face is refilled first, and from where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega_agent.rules.floor.putaway.suggest import BinFacts, Load, Tier, against, best, objection, tier
from bodega_agent.rules.floor.replenish.facts import Face, Source
from bodega_agent.rules.floor.replenish.plan import by_urgency, next_source

OAT = Load(4, "OAT", volume_ml=4_000, weight_g=4_000, velocity_class="A")
PLAIN = BinFacts("A-01", 1)

BINS = st.lists(
    st.builds(
        BinFacts,
        st.sampled_from(["A-01", "A-02", "B-01", "B-02"]),
        walk_order=st.integers(1, 3),
        kind=st.sampled_from(["", "pick_face", "reserve", "quality", "returns"]),
        temperature_class=st.sampled_from(["ambient", "frozen"]),
        velocity_class=st.sampled_from(["", "A", "C"]),
        capacity_ml=st.sampled_from([0, 3_000, 9_000]),
        fixed_sku_id=st.sampled_from(["", "OAT", "RYE"]),
        refill_to=st.sampled_from([0, 5]),
        named=st.booleans(),
        same=st.integers(0, 3),
        used_ml=st.sampled_from([0, 6_000]),
    ),
    max_size=5,
    unique_by=lambda place: place.bin_id,
)


@given(BINS, st.booleans())
def test_nothing_ever_speaks_against_a_suggested_bin_and_none_is_better(places, set_apart):
    load = replace(OAT, set_apart=set_apart)
    found = best(load, places)
    fit = [place for place in places if not against(load, place)]
    assert (found is None) == (not fit)
    if found is not None:
        assert found in fit
        assert all(tier(load, found) <= tier(load, place) for place in fit)
        assert objection(load, found, found) == "", "who follows the suggestion is never asked why"


@given(BINS)
def test_the_order_in_which_bins_are_told_changes_nothing(places):
    assert best(OAT, places) == best(OAT, places[::-1])


@pytest.mark.parametrize(
    ("place", "rank"),
    [
        (replace(PLAIN, named=True), Tier.NAMED_HERE),
        (replace(PLAIN, fixed_sku_id="OAT"), Tier.FIXED),
        (replace(PLAIN, same=1), Tier.HAS_THE_SAME),
        (replace(PLAIN, velocity_class="A"), Tier.SAME_CLASS),
        (PLAIN, Tier.NO_CLASS),
        (replace(PLAIN, velocity_class="C"), Tier.OTHER_CLASS),
        (replace(PLAIN, kind="quality", named=True), Tier.UNFIT),
    ],
)
def test_how_well_a_bin_suits(place, rank):
    assert tier(OAT, place) is rank


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (replace(PLAIN, kind="pickup"), "is for pickup"),
        (replace(PLAIN, temperature_class="frozen"), "is frozen, not ambient"),
        (replace(PLAIN, fixed_sku_id="RYE"), "is only for RYE"),
        (replace(PLAIN, fixed_sku_id="OAT", refill_to=5, same=3), "takes only 2 more"),
        (replace(PLAIN, capacity_ml=3_999), "has no room"),
        (replace(PLAIN, capacity_ml=4_000), ""),
        (replace(PLAIN, capacity_ml=5_000, used_ml=1_001), "has no room"),
        (replace(PLAIN, capacity_g=3_999), "does not bear the weight"),
        (replace(PLAIN, capacity_g=4_000), ""),
    ],
)
def test_what_speaks_against_a_bin(place, words):
    assert against(OAT, place) == words


def test_goods_that_are_set_apart_go_nowhere_but_to_quality():
    apart, quality = replace(OAT, set_apart=True), replace(PLAIN, kind="quality")
    assert against(apart, PLAIN)
    assert not against(apart, quality)
    assert against(OAT, quality)


@pytest.mark.parametrize(
    ("chosen", "suggested", "asked"),
    [
        (replace(PLAIN, bin_id="B"), replace(PLAIN, same=9), False),
        (replace(PLAIN, bin_id="B"), replace(PLAIN, fixed_sku_id="OAT"), True),
        (replace(PLAIN, bin_id="B", velocity_class="C"), PLAIN, True),
        (replace(PLAIN, bin_id="B", velocity_class="C"), None, False),
        (replace(PLAIN, bin_id="B", kind="returns"), None, True),
    ],
)
def test_a_reason_is_asked_for_where_another_bin_suits_better(chosen, suggested, asked):
    assert bool(objection(OAT, chosen, suggested)) is asked


def face(bin_id: str, held: int, below: int = 4, to: int = 10, *sources: Source) -> Face:
    return Face(bin_id, "OAT", held, below, to, sources=sources or (Source("R-01", "", 9),))


def test_the_face_that_is_emptiest_for_its_own_measure_comes_first():
    far, near = replace(face("C", 3), walk_order=9), face("D", 3)
    found = by_urgency([far, near, face("B", 7, below=20), face("A", 4)])
    assert [one.bin_id for one in found] == ["B", "D", "C"], "at its level a face needs nothing"


@pytest.mark.parametrize(
    ("sources", "bin_id"),
    [
        ((Source("R-01", "L1", 5, first_out="2027"), Source("R-02", "L2", 50, first_out="2028")), "R-01"),
        ((Source("R-01", "", 50), Source("R-02", "", 12)), "R-02"),
        ((Source("R-01", "", 3), Source("R-02", "", 5)), "R-02"),
        ((Source("R-01", "", 3), Source("R-02", "", 11)), "R-02"),
        ((Source("R-02", "", 12, walk_order=1), Source("R-01", "", 12, walk_order=2)), "R-02"),
    ],
    ids=["first to expire", "just enough", "fullest of too little", "enough before too little", "nearest"],
)
def test_where_a_face_is_refilled_from(sources, bin_id):
    assert next_source(face("A", 0, 4, 10, *sources)).bin_id == bin_id


def test_a_bin_that_was_found_empty_is_left_out():
    assert next_source(face("A", 0, 4, 10, Source("R-01", "", 9)), without={"R-01"}) is None
