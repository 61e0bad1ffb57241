"""What a count is worth, which bin is due, and what could explain a difference: the rules alone."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.ledger import Disposition
from bodega_agent.rules import settings
from bodega_agent.rules.floor.count.judge import (
    Due,
    Holding,
    Look,
    Tolerance,
    Verdict,
    allot,
    planned,
    verdict_of,
)
from bodega_agent.rules.floor.reconcile.explain import EXPLANATIONS_MAX, Trace, Waiting, explain

RECOUNT, APPROVE = Tolerance(2, 5), Tolerance(5, 10)
DAY_MS = 24 * 3600 * 1000
DAYS = {"A": 30, "B": 90, "C": 180}


@pytest.mark.parametrize(
    ("counted", "book", "exceeded"),
    [
        (8, 10, False),
        (7, 10, True),
        (12, 10, False),
        (95, 100, False),
        (94, 100, True),
        (2, 0, False),
        (3, 0, True),
    ],
)
def test_a_difference_is_small_by_units_or_by_its_part_of_the_book(
    counted: int, book: int, exceeded: bool
) -> None:
    assert RECOUNT.exceeded(counted, book) is exceeded


@pytest.mark.parametrize(
    ("look", "verdict"),
    [
        (Look(8, 10, seen=True, looks=0, moved=False), Verdict.POST),
        (Look(7, 10, seen=True, looks=0, moved=False), Verdict.AGAIN),
        (Look(0, 1, seen=False, looks=0, moved=False), Verdict.AGAIN),
        (Look(0, 0, seen=False, looks=0, moved=False), Verdict.POST),
        (Look(0, 1, seen=False, looks=1, moved=False), Verdict.POST),
        (Look(5, 10, seen=True, looks=1, moved=False), Verdict.POST),
        (Look(4, 10, seen=True, looks=1, moved=False), Verdict.HOLD),
        (Look(10, 10, seen=True, looks=3, moved=True), Verdict.MOVED),
    ],
)
def test_the_first_look_may_be_repeated_and_the_second_may_need_a_lead(look: Look, verdict: Verdict) -> None:
    assert verdict_of(look, RECOUNT, APPROVE) is verdict


def test_fast_bins_are_counted_more_often_and_the_most_overdue_first() -> None:
    now_ms = 1000 * DAY_MS
    bins = [
        Due("A-1", 1, "A", now_ms - 29 * DAY_MS),
        Due("A-2", 2, "A", now_ms - 60 * DAY_MS),
        Due("B-1", 3, "B", now_ms - 91 * DAY_MS),
        Due("C-1", 4, "", now_ms - 181 * DAY_MS),
        Due("C-2", 9, "C", 0),
        Due("C-3", 5, "C", 0),
    ]
    assert planned(bins, DAYS, now_ms) == ["C-3", "C-2", "A-2", "B-1", "C-1"]
    assert planned(bins, {**DAYS, "C": 0}, now_ms) == ["A-2", "B-1"], "a class may be left to doubts alone"


@given(
    counted=st.integers(0, 60),
    held=st.lists(
        st.tuples(st.sampled_from(list(Disposition)), st.integers(1, 20)),
        unique_by=lambda one: one[0],
        max_size=4,
    ),
)
def test_every_counted_unit_is_in_one_disposition_and_none_is_below_zero(
    counted: int, held: list[tuple[Disposition, int]]
) -> None:
    shares = allot(counted, (), [Holding(*one) for one in held])
    assert sum(share.quantity for share in shares) == counted
    assert all(share.quantity >= 0 for share in shares)
    assert {share.disposition for share in shares} >= {disposition for disposition, _ in held}
    on_hold = {d: n for d, n in held if d is not Disposition.SELLABLE}
    if any(d is Disposition.SELLABLE for d, _ in held):
        assert all(share.quantity <= on_hold.get(share.disposition, counted) for share in shares), (
            "what was found is never put on hold by itself"
        )


@given(
    st.sets(st.sampled_from("abcdefgh")),
    st.sets(st.sampled_from("abcd")),
    st.sets(st.sampled_from("efgh"), min_size=1),
)
def test_units_with_serials_stay_in_the_disposition_that_they_have(
    seen: set[str], sellable: set[str], damaged: set[str]
) -> None:
    held = [Holding(Disposition.DAMAGED, len(damaged), tuple(sorted(damaged)))]
    held += [Holding(Disposition.SELLABLE, len(sellable), tuple(sorted(sellable)))] if sellable else []
    shares = allot(len(seen), sorted(seen), held)
    assert Counter(serial for share in shares for serial in share.serials) == Counter(seen)
    assert all(share.quantity == len(share.serials) for share in shares)
    if sellable:
        by_disposition = {share.disposition: set(share.serials) for share in shares}
        assert by_disposition[Disposition.DAMAGED] == seen & damaged


def test_what_lies_in_an_empty_quality_bin_is_not_for_sale() -> None:
    assert allot(2, (), [], Disposition.NOT_SELLABLE) == [Holding(Disposition.NOT_SELLABLE, 2)]


def trace(event: int, *changes: tuple[str, int], command: str = "pick") -> Trace:
    return Trace(event, command, "ana", 600, changes, "FO-1")


def test_one_movement_that_makes_exactly_the_difference_is_told_alone() -> None:
    traces = [trace(9, ("B-2", -1)), trace(7, ("B-2", -2)), trace(5, ("A-1", -2))]
    assert explain("A-1", -2, traces) == (
        "#7 pick by ana 10 min ago for FO-1: 2 left B-2 by the book, and may have been taken here",
    )


@pytest.mark.parametrize(
    ("difference", "change", "doubt"),
    [
        (-3, ("A-1", 3), "came in by the book, and may lie elsewhere"),
        (3, ("A-1", -3), "left by the book, and may have been taken elsewhere"),
        (-3, ("B-2", -3), "left B-2 by the book, and may have been taken here"),
        (3, ("B-2", 3), "went to B-2 by the book, and may have been put here"),
    ],
)
def test_each_way_to_book_a_movement_wrongly_is_known(
    difference: int, change: tuple[str, int], doubt: str
) -> None:
    (told,) = explain("A-1", difference, [trace(1, change)])
    assert told.endswith(doubt)
    assert explain("A-1", -difference, [trace(1, change)]) == (), "the other way round it explains nothing"


def test_known_differences_of_other_bins_and_goods_at_the_dock_are_told() -> None:
    waiting = [Waiting("B-2", 2), Waiting("B-3", -2), Waiting("DOCK", 2, is_dock=True), Waiting("A-1", 2)]
    assert explain("A-1", -2, (), waiting) == ("B-2 was found with 2 more than its book",)
    told = explain("A-1", 2, (), waiting)
    assert set(told) == {
        "B-3 was found with 2 fewer than its book",
        "2 wait at DOCK by the book, and may lie here already",
    }


@given(
    st.integers(-9, 9),
    st.lists(
        st.tuples(st.integers(1, 99), st.sampled_from(["A-1", "B-2"]), st.integers(-9, 9).filter(bool)),
        max_size=9,
    ),
)
def test_an_explanation_is_short_and_never_larger_than_the_difference(
    difference: int, found: list[tuple[int, str, int]]
) -> None:
    told = explain("A-1", difference, [trace(event, (place, change)) for event, place, change in found])
    assert len(told) <= EXPLANATIONS_MAX
    if not difference:
        assert told == ()
    larger = {abs(change) for _, _, change in found if abs(change) > abs(difference)}
    assert not any(f": {units} " in text for text in told for units in larger)


def test_numbers_of_settings_are_judged_and_have_defaults() -> None:
    assert settings.faults_in({settings.RECOUNT_UNITS: "3", settings.PLAN_DAYS["A"]: "0"}) == []
    faults = settings.faults_in({settings.RECOUNT_PERCENT: "101", settings.APPROVE_UNITS: "-1"})
    assert len(faults) == 2
    assert "from 0 to 100" in faults[1]
    assert settings.number_of({}, settings.RECOUNT_UNITS) == 2
    assert settings.number_of({settings.RECOUNT_UNITS: "7"}, settings.RECOUNT_UNITS) == 7
    assert settings.number_of({settings.RECOUNT_UNITS: "x"}, settings.RECOUNT_UNITS) == 2
