"""The figures of a run are counted from evidence, and each counts what its name says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega_agent.demo.figures import figures_of, percentile
from bodega_agent.demo.proxy import Outage
from support.demo_evidence import CUT, LAG_MS, NODE, SSCC_1, rows_of, true_evidence


def test_orders_are_counted_by_how_they_ended() -> None:
    figures = figures_of(true_evidence())
    assert (figures.orders_placed, figures.orders_shipped) == (3, 1)
    assert (figures.orders_cancelled, figures.orders_short, figures.orders_refused) == (1, 1, 1)


def test_true_evidence_has_nothing_lost_doubled_or_oversold() -> None:
    figures = figures_of(true_evidence())
    assert (figures.events_lost, figures.events_doubled) == (0, 0)
    assert (figures.oversold_units, figures.labels_double) == (0, 0)
    assert (figures.labels_printed, figures.events_total) == (2, 13)


def test_lag_leaves_out_what_was_on_its_way_during_a_cut() -> None:
    figures = figures_of(true_evidence())
    assert (figures.lag_p50_ms, figures.lag_p99_ms) == (LAG_MS, LAG_MS)


def test_catching_up_is_counted_from_the_first_connection_after_the_heal() -> None:
    figures = figures_of(true_evidence())
    assert figures.catchup_events == 3
    assert figures.catchup_events_per_s == round(3 * 1000 / LAG_MS)
    assert figures.reconnect_ms == 50


def test_a_cut_that_never_ended_hides_everything_after_it() -> None:
    evidence = true_evidence()
    site = replace(evidence.sites[0], cuts=(Outage(CUT.began_ms),))
    figures = figures_of(replace(evidence, sites=(site,)))
    assert (figures.catchup_events, figures.catchup_events_per_s, figures.reconnect_ms) == (0, 0, 0)
    assert figures.lag_p99_ms == LAG_MS


def test_losses_and_doubles_are_counted_one_by_one() -> None:
    evidence = true_evidence()
    hub = evidence.centre.journals[NODE]
    bodies = [row.body for row in hub]
    cut_short = replace(evidence.centre, journals={NODE: hub[:-2]})
    doubled = replace(evidence.centre, journals={NODE: rows_of([*bodies, *bodies[-3:]], committed=True)})
    assert figures_of(replace(evidence, centre=cut_short)).events_lost == 2
    assert figures_of(replace(evidence, centre=doubled)).events_doubled == 3


def test_each_label_beyond_the_first_is_a_double() -> None:
    evidence = true_evidence()
    site = evidence.sites[0]
    floor = replace(site.floor, labels=(*site.floor.labels, SSCC_1, SSCC_1))
    figures = figures_of(replace(evidence, sites=(replace(site, floor=floor),)))
    assert (figures.labels_printed, figures.labels_double) == (4, 2)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, 0), ([7], 99, 7), ([1, 2, 3, 4], 50, 2), (list(range(1, 101)), 99, 99), ([1, 2], 100, 2)],
)
def test_percentiles_are_nearest_rank(values: list[int], percent: int, expected: int) -> None:
    assert percentile(values, percent) == expected
