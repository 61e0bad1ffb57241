"""What each figure of the floor means, by small days that one can count by hand."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.limits_floor import KPI_BREAK_S
from bodega_agent.rules.kpis import (
    Counted,
    Figures,
    Labelled,
    Lead,
    Noted,
    Picked,
    Picking,
    Reached,
    Seen,
    figures_of,
)
from bodega_agent.rules.telemetry import Finding, floor_figures

MINUTE = 60_000


def day(*events: tuple[float, str, object]) -> Figures:
    """(minute, who, what) in order."""
    return figures_of([Seen(int(at * MINUTE), who, (what,) if what else ()) for at, who, what in events], {})


def test_an_empty_day_has_no_rates_instead_of_wrong_ones() -> None:
    figures = day()
    assert (figures.pick_accuracy, figures.count_accuracy) == (None, None)
    assert figures.all_picking.units_per_hour is None


def test_the_pick_rate_is_of_the_time_that_ends_in_a_pick() -> None:
    """Ana: 3 minutes for 2 picks of 6 units. What she did between them that is no pick ends no such time."""
    figures = day(
        (0, "ana", Reached("FO-1", "picking")),
        (1, "ana", Picked(2)),
        (2, "ana", Reached("FO-1", "packed")),
        (4, "ana", Picked(4)),
    )
    assert figures.picking == {"ana": Picking(6, 2, 3 * MINUTE)}
    assert figures.all_picking.units_per_hour == pytest.approx(120)
    assert figures.all_picking.scans_per_hour == pytest.approx(40)


def test_a_break_is_no_work_and_neither_is_a_clock_that_went_back() -> None:
    pause = KPI_BREAK_S / 60
    figures = day(
        (100, "ana", Picked(1)),
        (100 + pause, "ana", Picked(1)),
        (200, "ana", Picked(1)),
        (50, "ana", Picked(1)),
    )
    assert figures.picking["ana"].worked_ms == KPI_BREAK_S * 1000


def test_everybody_has_a_time_of_their_own() -> None:
    """Two who pick at once work two hours in one."""
    figures = day((0, "ana", Picked(1)), (0, "rui", Picked(1)), (6, "ana", Picked(1)), (6, "rui", Picked(1)))
    assert figures.all_picking == Picking(4, 4, 12 * MINUTE)


def test_pick_accuracy_counts_what_packing_found_wrong_and_nothing_else() -> None:
    figures = day(
        (0, "ana", Picked(10)),
        (1, "rui", Noted("wrong_item_packed", "wrong-item", 1)),
        (1, "rui", Noted("short_pack", "missing", 1)),
        (1, "rui", Noted("short_pack", "damaged", 1)),
        (1, "rui", Noted("damaged", "", 5)),
    )
    assert figures.mispicked == 2
    assert figures.pick_accuracy == pytest.approx(0.8)


def test_times_run_from_the_customers_order_or_from_the_first_that_is_known() -> None:
    events = [
        Seen(10 * MINUTE, "ana", (Reached("FO-1", "picking"),)),
        Seen(12 * MINUTE, "ana", (Reached("FO-1", "picked"),)),
        Seen(13 * MINUTE, "ana", (Reached("FO-2", "picking"),)),
        Seen(17 * MINUTE, "ana", (Reached("FO-2", "picked"),)),
        Seen(20 * MINUTE, "ana", (Reached("FO-1", "shipped"),)),
    ]
    figures = figures_of(events, {"FO-1": 2 * MINUTE})
    assert figures.leads == {
        "pick": Lead(2, 4 * MINUTE, 10 * MINUTE),
        "ship": Lead(1, 18 * MINUTE, 18 * MINUTE),
    }


def test_exceptions_are_counted_by_kind_and_reason() -> None:
    figures = day(
        (0, "ana", Noted("short_pick", "missing", 2)),
        (0, "ana", Noted("short_pick", "damaged", 1)),
        (0, "rui", Noted("short_pick", "missing", 3)),
    )
    assert {key: noted.units for key, noted in figures.exceptions.items()} == {
        ("short_pick", "damaged"): 1,
        ("short_pick", "missing"): 5,
    }
    assert figures.exception_counts["short_pick", "missing"] == 2


def test_a_reprint_is_a_second_copy_and_keeps_its_reason() -> None:
    figures = day(
        (0, "ana", Labelled(1, "")), (1, "ana", Labelled(2, "torn")), (2, "ana", Labelled(3, "torn"))
    )
    assert (figures.labels, figures.reprints) == (1, {"torn": 2})


def test_counts_accuracy_is_of_places_and_tells_the_units() -> None:
    figures = day(
        (0, "ana", Counted(5, 5)),
        (0, "ana", Counted(0, 0)),
        (0, "ana", Counted(7, 9)),
        (0, "ana", Counted(3, 2)),
    )
    assert figures.count_accuracy == pytest.approx(0.5)
    assert (figures.units_counted_off, figures.units_in_book) == (3, 16)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_the_middle_and_the_ninth_of_ten_are_times_that_were(times: list[int]) -> None:
    events = [Seen(at, "ana", (Reached(f"FO-{n}", "shipped"),)) for n, at in enumerate(times)]
    lead = figures_of(events, {f"FO-{n}": 1 for n in range(len(times))}).leads["ship"]
    real = [max(0, at - 1) for at in times]
    assert lead.p50_ms == statistics.median_low(real)
    assert sum(time <= lead.p90_ms for time in real) >= 0.9 * len(real)
    assert lead.p90_ms in real


def test_the_hub_is_told_what_there_is_and_of_nobody_in_particular() -> None:
    figures = day(
        (0, "ana", Picked(10)),
        (6, "ana", Picked(2)),
        (7, "ana", Noted("short_pick", "missing", 2)),
        (7, "ana", Labelled(1, "")),
        (8, "ana", Labelled(2, "torn")),
    )
    found = floor_figures(figures, {"orders to pick": 3, "orders to pack": 0})
    assert found == [
        Finding("kpi", "pick_rate_units_per_hour", "120"),
        Finding("kpi", "pick_accuracy", "1"),
        Finding("kpi", "label_reprints", "1 of 1 labels"),
        Finding("queue", "orders to pick", "3"),
        Finding("exception", "short_pick", "missing 1"),
    ]
    assert "ana" not in str(found)
