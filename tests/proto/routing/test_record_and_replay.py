"""Decisions are made again bit for bit: from their records, in whatever order nodes, lines and maps come."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bodega.core.promise import Standing
from bodega.core.routing import rows
from bodega.core.routing.bundle import DEFAULT, Bundle, parse
from bodega.core.routing.checking import hard_question
from bodega.core.routing.choice import Choice, Judged
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Destination, Inputs, Line, Offer, Site
from bodega.core.routing.record import choice_from_json, choice_to_json, inputs_from_json, inputs_to_json
from bodega.core.routing.rows import choice_from_rows, choice_to_rows, inputs_from_rows, inputs_to_rows
from bodega.errors import InvalidInput
from bodega.limits_hub import ROUTING_RECORD_BYTES_MAX
from support.routing_cases import bundle, question, site

BUSY = bundle(
    tables={"handling": {"rows": {"n-1": 3.5, "n-2": 0.25}, "default": 1.0}},
    filters=[
        {
            "name": "cold",
            "keep": "item.product_class != 'frozen' || node.kind == 'cold'",
            "why": "is not cold",
        },
        {"name": "dear", "keep": "offer.price_minor < 900", "why": "is too dear"},
        {"name": "near", "keep": "node.distance_km < 2000.0", "why": "is too far"},
        {"name": "odd", "keep": "100 / node.open_orders > 2", "why": "is too busy"},
    ],
    scores=[
        {"name": "way", "value": "node.distance_km / 7.0", "weight": 0.3},
        {"name": "hands", "value": "handling(node.node_id)", "weight": 11},
    ],
    ties=["node.open_orders"],
    floor="node.kind == 'cold' ? 1 : 0",
    stages=[
        {"name": "whole"},
        {"name": "split", "shares_max": 4, "split_cost": 12.5},
        {"name": "any", "without": ["odd", "near"]},
    ],
)

DAYS = st.dates().map(str)
WORDS = st.text("abcßZ✓ '\"\\", max_size=5)
STANDINGS = st.builds(Standing, *[st.integers(0, 30)] * 5)
OFFERS = st.builds(
    Offer,
    WORDS,
    WORDS,
    st.sampled_from(["same_day", "next_day", "standard", ""]),
    st.integers(0, 2000),
    WORDS,
    DAYS,
    DAYS,
)
SITES = st.builds(
    Site,
    st.sampled_from([f"n-{number}" for number in range(8)]),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.dictionaries(st.sampled_from(["TEA", "SALT", "ICE"]), STANDINGS),
    kind=st.sampled_from(["", "cold", "store"]),
    country=WORDS,
    open_orders=st.integers(0, 90),
    silent_s=st.integers(-1, 2000),
    offers=st.lists(OFFERS, max_size=3).map(tuple),
    labels=st.dictionaries(WORDS, WORDS, max_size=2),
)
LINES = st.builds(
    Line,
    st.integers(1, 9),
    st.sampled_from(["TEA", "SALT", "ICE"]),
    st.integers(1, 9),
    st.sampled_from(["", "frozen"]),
)
INPUTS = st.builds(
    Inputs,
    st.integers(0, 4_000_000_000_000),
    WORDS,
    st.sampled_from(["parcel", "pickup"]),
    st.sampled_from(["same_day", "standard"]),
    st.lists(LINES, max_size=5, unique_by=lambda line: line.line).map(tuple),
    st.builds(Destination, WORDS, WORDS, st.floats(-90, 90), st.floats(-180, 180)),
    st.lists(SITES, max_size=8, unique_by=lambda one: one.node_id).map(tuple),
    ship_complete=st.booleans(),
    ship_by_ms=st.integers(0, 4_000_000_000_000),
    passed_over=st.dictionaries(st.sampled_from(["n-1", "n-2"]), WORDS),
    shares_max=st.integers(1, 6),
)


@pytest.mark.parametrize("rules", [DEFAULT, BUSY], ids=["default", "busy"])
@given(inputs=INPUTS, shuffle=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_decision_is_made_again_from_its_record_bit_for_bit(
    rules: Bundle, inputs: Inputs, shuffle: random.Random
) -> None:
    live = choice_to_json(decide(rules, inputs))
    recorded = inputs_from_json(inputs_to_json(inputs))
    assert recorded == inputs
    again = parse(rules.body)
    assert choice_to_json(decide(again, recorded)) == live
    assert inputs_from_rows(inputs_to_rows(inputs)) == inputs, "and as rows"
    choice = decide(again, recorded)
    assert choice_from_rows(choice_to_rows(choice)) == choice
    assert choice_to_rows(choice) == choice_to_rows(decide(rules, inputs))
    sites, lines = list(recorded.sites), list(recorded.lines)
    shuffle.shuffle(sites)
    shuffle.shuffle(lines)
    assert choice_to_json(decide(again, replace(recorded, sites=tuple(sites), lines=tuple(lines)))) == live
    assert choice_to_json(choice_from_json(live)) == live


@pytest.mark.parametrize("rules", [DEFAULT, BUSY], ids=["default", "busy"])
@given(inputs=INPUTS)
@settings(deadline=None)
def test_a_choice_serves_each_line_in_full_from_what_nodes_may_promise_or_not_at_all(
    rules: Bundle, inputs: Inputs
) -> None:
    choice = decide(rules, inputs)
    served: dict[int, int] = {}
    for share in choice.shares:
        for number, units in share.quantities.items():
            assert units > 0
            served[number] = served.get(number, 0) + units
    wanted = {line.line: line.quantity for line in inputs.lines}
    assert served == (wanted if choice.shares else {})
    assert dict(choice.unserved) == ({} if choice.shares else wanted)
    assert len(choice.shares) <= (1 if inputs.ship_complete else inputs.shares_max)
    _check_promises(inputs, choice)


def _check_promises(inputs: Inputs, choice: Choice) -> None:
    sku_of = {line.line: line.sku_id for line in inputs.lines}
    standings = {one.node_id: one.standings for one in inputs.sites}
    for share in choice.shares:
        assert share.node_id not in inputs.passed_over
        taken: dict[str, int] = {}
        for number, units in share.quantities.items():
            taken[sku_of[number]] = taken.get(sku_of[number], 0) + units
        for sku_id, units in taken.items():
            assert units <= standings[share.node_id][sku_id].available


def test_many_threads_decide_by_one_bundle_at_once() -> None:
    asked = hard_question(12)
    expected = decide(BUSY, asked)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(lambda _: decide(BUSY, asked), range(64)))


def test_what_is_as_by_default_is_left_out_so_that_records_bear_new_fields() -> None:
    said = json.loads(inputs_to_json(question(site("near"))))
    assert "shares_max" not in said
    assert "labels" not in said["sites"][0]


def test_a_record_that_is_damaged_is_refused_with_what_is_wrong() -> None:
    said = json.loads(inputs_to_json(question(site("near"))))
    del said["now_ms"]
    said["lines"][0]["quantity"] = "3"
    with pytest.raises(InvalidInput) as raised:
        inputs_from_json(json.dumps(said).encode())
    assert {fault.where for fault in raised.value.faults} == {"now_ms", "lines[0].quantity"}
    with pytest.raises(InvalidInput, match="bytes at most"):
        inputs_from_json(b" " * (ROUTING_RECORD_BYTES_MAX + 1))
    with pytest.raises(InvalidInput):
        choice_from_json(b'{"shares":[{"node_id":"a","quantities":{"one":1}}],"rule":"r","candidates":[]}')


def test_every_field_of_a_node_and_a_candidate_has_its_place_in_the_rows() -> None:
    """Whoever adds a field adds it at the end of its row: older records are read with what it is by default."""
    names = {one.name for kind in (Site, Standing, Judged) for one in fields(kind)}
    assert names == {*rows._SITE, *rows._STANDING, *rows._JUDGED, "standings", "offers", "labels", "reasons"}
    asked = question(site("near"))
    older = json.loads(inputs_to_rows(asked))
    older["sites"][0] = older["sites"][0][:-2]
    assert inputs_from_rows(json.dumps(older).encode()) == asked


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"question":{},"skus":[],"sites":[1],"standings":[]}', b"x"]
)
def test_rows_that_are_none_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        inputs_from_rows(body)
    with pytest.raises(InvalidInput):
        choice_from_rows(body)
