"""What came in against what was announced: nothing is announced twice, and nothing that came is lost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bodega_agent.rules.floor.receive.against import (
    Came,
    Line,
    compare,
    is_announced,
    open_for,
    with_more,
)

SKUS = st.sampled_from(["OAT", "RYE"])
LOTS = st.sampled_from(["", "L1", "L2"])
UNITS = st.integers(1, 9)
ANNOUNCED = st.lists(st.tuples(SKUS, LOTS, UNITS), max_size=6)
CAME = st.dictionaries(st.tuples(SKUS, LOTS), UNITS.map(Came), max_size=6)


@given(ANNOUNCED, CAME)
def test_the_lines_hold_all_that_was_announced_and_all_that_came(announced, came):
    lines = compare(announced, came)
    assert len({(line.sku_id, line.lot) for line in lines}) == len(lines)
    expected, received = Counter(), Counter()
    for line in lines:
        expected[line.sku_id] += line.expected
        received[line.sku_id] += line.received
    assert +expected == Counter(
        {sku: sum(n for s, _, n in announced if s == sku) for sku in {a[0] for a in announced}}
    )
    assert +received == Counter(
        {sku: sum(c.received for (s, _), c in came.items() if s == sku) for sku in {s for s, _ in came}}
    )


@given(ANNOUNCED, CAME)
def test_units_of_a_lot_that_nobody_named_count_as_announced_while_any_lot_would_do(announced, came):
    """What is over in a lot and what is open without a lot do not stand beside each other."""
    lines = compare(announced, came)
    for line in lines:
        if line.lot and line.over:
            assert not any(other.open for other in lines if (other.sku_id, other.lot) == (line.sku_id, ""))


@given(ANNOUNCED, st.lists(st.tuples(SKUS, LOTS, UNITS), max_size=6))
def test_counting_scan_by_scan_comes_to_the_same_as_counting_at_the_end(announced, scans):
    lines = compare(announced, {})
    came: dict[tuple[str, str], Came] = {}
    for sku_id, lot, units in scans:
        lines = with_more(lines, sku_id, lot, Came(units), sku_id)
        came[sku_id, lot] = Came(came.get((sku_id, lot), Came(0)).received + units)
    at_once = compare(announced, came)
    for sku_id in {line.sku_id for line in (*lines, *at_once)}:
        by_scan = sum(line.open for line in lines if line.sku_id == sku_id)
        assert by_scan == sum(line.open for line in at_once if line.sku_id == sku_id)


def test_a_lot_may_come_on_its_own_line_or_on_one_that_names_none():
    lines = (Line("OAT", "L1", 5, 2), Line("OAT", "", 4), Line("OAT", "L2", 3))
    assert open_for(lines, "OAT", "L1") == 7
    assert open_for(lines, "OAT", "L9") == 4
    assert is_announced(lines, "OAT")
    assert not is_announced((Line("RYE", "", 0, 3),), "RYE"), "it came, and nobody had announced it"
