"""What a node decides alone: whether it may, by which rules, and that it comes out again bit for bit."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega import limits_hub as limits
from bodega.core.promise import Standing
from bodega.core.routing.alone import CARRIER, PICKUP, WITHIN_SITE, decide_alone, is_forbidden
from bodega.core.routing.bundle import DEFAULT, Bundle, parse
from bodega.core.routing.checking import check, hard_walk
from bodega.core.routing.choice import Choice
from bodega.core.routing.document import EDGE_DECISIONS
from bodega.core.routing.inputs import Inputs, Line, Shelf, Walk
from bodega.core.routing.record import choice_to_json, inputs_from_json, inputs_to_json
from bodega.core.routing.replaying import compared
from bodega.core.routing.shapes import plain
from bodega.errors import InvalidInput
from bodega.limits_hub import ROUTING_DECIDE_MS_MAX
from support.routing import steps
from support.routing_cases import bundle, document, judged, nodes_of, question, site

ALL = ["carrier", "pickup", "within_site"]
NO_LADDER = {"name": "no-ladder", "keep": "shelf.kind != 'reserve'", "why": "needs a ladder"}
FEW_BINS = {"name": "few-bins", "value": "shelf.is_enough ? 0 : 1"}
FAR_FIRST = {"name": "far-first", "value": "shelf.walk_order", "weight": -1}


def shelves(*said: Shelf, wants: int = 3, **walk: Any) -> Inputs:
    """A node that looks for so many units of tea on these shelves."""
    return question(site("here"), demand={"TEA": wants}, walk=Walk(said, **walk))


def units_of(choice: Choice) -> dict[str, int]:
    """Units by shelf, as they are chosen."""
    return {share.node_id: sum(share.quantities.values()) for share in choice.shares}


def within(*filters: dict[str, Any], scores: tuple[dict[str, Any], ...] = ()) -> Bundle:
    """A bundle with rules about shelves."""
    return bundle(edge={"allows": ALL, "shelf_filters": [*filters], "shelf_scores": [*scores]})


NEAR, FAR = Shelf("A-01", 3, walk_order=1), Shelf("B-09", 9, walk_order=9)
HIGH = Shelf("A-02", 9, walk_order=2, kind="reserve")


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        # The nearest that has enough; where none has, the fullest until one of the rest has.
        (shelves(NEAR, FAR, wants=3), {"A-01": 3}),
        (shelves(NEAR, FAR, wants=4), {"B-09": 4}),
        (shelves(NEAR, FAR, wants=11), {"B-09": 9, "A-01": 2}),
        # Who stands at a bin takes what is there first; what a person has said is taken before all.
        (shelves(NEAR, FAR, wants=4, at_bin="A-01"), {"A-01": 3, "B-09": 1}),
        (
            shelves(
                Shelf("A-01", 5, "L1", "2027-01-01"),
                Shelf("A-01", 5, "L2", "2027-02-01"),
                at_bin="A-01",
                lot="L2",
            ),
            {"A-01 lot L2": 3},
        ),
        # What expires first goes first, however far.
        (shelves(NEAR, replace(FAR, lot="L1", first_out="")), {"A-01": 3}),
        (shelves(replace(NEAR, first_out="2027-02"), replace(FAR, first_out="2027-01")), {"B-09": 3}),
    ],
)
def test_by_default_shelves_are_chosen_as_a_walk_is_planned(asked: Inputs, chosen: dict[str, int]) -> None:
    assert units_of(decide_alone(DEFAULT, WITHIN_SITE, asked)) == chosen


def test_rules_about_shelves_say_which_may_not_serve_and_which_are_better() -> None:
    asked = shelves(NEAR, HIGH, FAR, wants=4)
    assert units_of(decide_alone(DEFAULT, WITHIN_SITE, asked)) == {"A-02": 4}
    choice = decide_alone(within(NO_LADDER), WITHIN_SITE, asked)
    assert units_of(choice) == {"B-09": 4}
    assert [(one.node_id, one.eligible) for one in choice.candidates] == [
        ("B-09", True),
        ("A-01", True),
        ("A-02", False),
    ]
    assert [(one.code, one.text) for one in judged(choice, "A-02").reasons] == [
        ("no-ladder", "needs a ladder")
    ]
    far = decide_alone(within(scores=(FAR_FIRST,)), WITHIN_SITE, replace(asked, lines=(Line(1, "TEA", 2),)))
    assert (units_of(far), judged(far, "B-09").scores) == ({"B-09": 2}, {"far-first": -9.0, "total": -9.0})


def test_no_rule_lets_a_later_lot_go_before_an_earlier_one() -> None:
    early, late = replace(NEAR, first_out="2027-01"), replace(FAR, first_out="2027-02")
    choice = decide_alone(within(scores=(FAR_FIRST,)), WITHIN_SITE, shelves(early, late, wants=4))
    assert units_of(choice) == {"A-01": 3, "B-09": 1}


def test_lines_are_served_in_turn_and_what_no_shelf_has_is_named_by_line() -> None:
    asked = replace(shelves(NEAR), lines=(Line(1, "TEA", 2), Line(2, "TEA", 4)))
    choice = decide_alone(DEFAULT, WITHIN_SITE, asked)
    assert [dict(share.quantities) for share in choice.shares] == [{1: 2, 2: 1}]
    assert dict(choice.unserved) == {2: 3}


def test_a_bin_out_of_reach_and_a_rule_without_an_answer_leave_the_shelf_out_and_say_so() -> None:
    odd = {"name": "odd", "keep": "10 / shelf.walk_order > 0", "why": "is odd"}
    unnumbered = Shelf("C-01", 9, walk_order=0)
    asked = replace(shelves(NEAR, FAR, unnumbered), passed_over={"A-01": "blocked"})
    choice = decide_alone(within(odd), WITHIN_SITE, asked)
    assert nodes_of(choice) == ["B-09"]
    assert judged(choice, "A-01").reasons[0].text == "blocked"
    assert judged(choice, "C-01").reasons[0].code == "rule-failed"


@pytest.mark.parametrize("decision", EDGE_DECISIONS)
def test_a_bundle_that_does_not_name_a_decision_leaves_it_to_the_hub(decision: str) -> None:
    others = [one for one in EDGE_DECISIONS if one != decision]
    asked = shelves(NEAR)
    choice = decide_alone(bundle(edge={"allows": others}), decision, asked)
    assert (choice.shares, dict(choice.unserved), is_forbidden(choice)) == ((), {1: 3}, True)
    assert choice.candidates[0].reasons[0].text == "the bundle tried@1 leaves it to the hub"
    assert is_forbidden(decide_alone(bundle(), decision, asked))
    assert not is_forbidden(decide_alone(DEFAULT, decision, asked))


def test_what_its_rights_allow_a_node_promises_unless_stages_for_nodes_say_otherwise() -> None:
    last_two = question(site("here"), demand={"TEA": 2}, at_node="here", method="pickup")
    last_two = replace(last_two, sites=(replace(last_two.sites[0], standings={"TEA": Standing(2)}),))
    hubs_own = bundle(floor="2", edge={"allows": ALL})
    assert nodes_of(decide_alone(hubs_own, PICKUP, last_two)) == ["here"]
    for_nodes = bundle(floor="2", edge={"allows": ALL, "stages": [{"name": "alone"}]})
    refused = decide_alone(for_nodes, PICKUP, last_two)
    assert (refused.shares, is_forbidden(refused)) == ((), False)
    assert "2 wanted, 0 available" in refused.candidates[0].reasons[0].text


def test_neither_the_default_nor_rules_of_the_hub_load_the_engine_at_a_node() -> None:
    program = """
import sys
from bodega.core.routing.alone import decide_alone
from bodega.core.routing.bundle import DEFAULT, parse
from bodega.core.routing.checking import hard_walk
plain = b'{"name": "p", "version": 1, "stages": [{"name": "s"}], "edge": {"allows": ["pickup", "within_site"]}}'
ruled = plain.replace(b'{"allows"', b'{"shelf_scores": [{"name": "w", "value": "shelf.walk_order"}], "allows"')
for rules in (DEFAULT, parse(plain, is_known=True), parse(ruled, is_known=True)):
    for decision in ("pickup", "within_site"):
        decide_alone(rules, decision, hard_walk())
        print(int("bodega.core.routing.cel_engine" in sys.modules), end=" ")
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["0", "0", "0", "0", "0", "1"]


SHELVES = st.builds(
    Shelf,
    st.sampled_from(["A-01", "A-02", "B-01", "B-02", "C-01"]),
    st.integers(1, 9),
    st.sampled_from(["", "L1", "L2"]),
    st.sampled_from(["", "2027-01-01", "2027-02-01"]),
    st.integers(0, 4),
    st.sampled_from(["", "pick_face", "reserve"]),
)
WALKS = st.builds(
    Walk,
    st.lists(SHELVES, max_size=8, unique_by=lambda one: (one.bin_id, one.lot)).map(tuple),
    st.sampled_from(["", "A-01", "B-02"]),
    st.sampled_from(["", "L1"]),
)
RULES = (
    DEFAULT,
    within(NO_LADDER, scores=(FEW_BINS, FAR_FIRST)),
    within(
        {"name": "odd", "keep": "9 / shelf.walk_order > 2", "why": "is odd"},
        scores=({"name": "r", "value": "double(shelf.quantity) / 7.0"},),
    ),
    bundle(edge={"allows": ["carrier"]}),
)


@given(
    st.sampled_from(RULES),
    st.sampled_from(EDGE_DECISIONS),
    WALKS,
    st.lists(st.integers(1, 12), min_size=1, max_size=3),
    st.sampled_from([{}, {"A-01": "blocked"}]),
    st.randoms(use_true_random=False),
)
def test_a_decision_comes_out_again_from_its_record_in_whatever_order_shelves_come(
    rules: Bundle, decision: str, walk: Walk, wants: list[int], passed: dict[str, str], chance: random.Random
) -> None:
    lines = tuple(Line(number, "TEA", units) for number, units in enumerate(wants, start=1))
    asked = replace(shelves(), lines=lines, walk=walk, passed_over=passed)
    choice = decide_alone(rules, decision, asked)
    recorded = choice_to_json(choice)
    turned = replace(
        asked,
        lines=tuple(chance.sample(lines, len(lines))),
        walk=replace(walk, shelves=tuple(chance.sample(walk.shelves, len(walk.shelves)))),
    )
    for again in (inputs_from_json(inputs_to_json(asked)), turned):
        kept_rules = parse(rules.body, is_known=True)
        assert choice_to_json(decide_alone(kept_rules, decision, again)) == recorded
    if decision == WITHIN_SITE and not is_forbidden(choice):
        given_out = sum(units_of(choice).values())
        assert given_out + sum(choice.unserved.values()) == sum(wants)
        there = {one.name: one.quantity for one in walk.shelves}
        assert all(units <= there[name] for name, units in units_of(choice).items())


def test_a_record_that_was_changed_is_told_from_where_on() -> None:
    assert compared(b"abc", b"abc") == ("same", "")
    assert compared(b"abcd", b"abXd")[0] == "differs"
    assert compared(b"ab", b"abc") == ("differs", "from byte 2: recorded 'ab', again 'abc'")


def test_golden_cases_of_what_nodes_decide_hold_a_bundle_to_account() -> None:
    asked = plain(shelves(NEAR, HIGH, FAR, wants=4))

    def with_golden(decision: str, *nodes: str, **edge: Any) -> Bundle:
        golden = {"name": "g", "inputs": asked, "decision": decision, "expect": {"nodes": nodes}}
        return bundle(edge={"allows": ["within_site"], **edge}, golden=[golden])

    ruled = {"shelf_filters": [NO_LADDER], "shelf_scores": [FEW_BINS]}
    assert check(with_golden(WITHIN_SITE, "B-09", **ruled), steps()) == ()
    (fault,) = check(with_golden(WITHIN_SITE, "A-02", **ruled), steps())
    assert fault.where == "golden[0] g"
    assert "expects A-02, is B-09" in fault.problem
    assert check(with_golden(PICKUP), steps()) == ()
    slow = check(with_golden(WITHIN_SITE, "B-09", **ruled), steps(ROUTING_DECIDE_MS_MAX / 500))
    assert "hundred-shelves" in {one.where for one in slow}
    assert len(hard_walk().walk.shelves) == 100


def filtered(**said: Any) -> dict[str, Any]:
    """One rule about shelves, otherwise than it should be."""
    return {"edge": {"shelf_filters": [NO_LADDER | said]}}


def scored(*said: dict[str, Any]) -> dict[str, Any]:
    """Scores of shelves, otherwise than they should be."""
    return {"edge": {"shelf_scores": [*said]}}


def golden(inputs: Inputs, decision: str) -> dict[str, Any]:
    """A golden case of what a node decides, otherwise than it should be."""
    return {"golden": [{"name": "g", "inputs": plain(inputs), "decision": decision, "expect": {}}]}


KEEP = "edge.shelf_filters[0].keep"


@pytest.mark.parametrize(
    ("said", "where", "problem"),
    [
        (filtered(keep="offer.price_minor < 3"), KEEP, "may not look at offer"),
        (filtered(keep="node.covers_all"), KEEP, "follows from what this decides"),
        (filtered(keep="shelf.sort == ''"), KEEP, "unknown field shelf.sort"),
        (filtered(name="holds-some"), "edge.shelf_filters[0].name", "the engine gives itself"),
        (filtered(why=""), "edge.shelf_filters[0].why (characters)", "must be 1 to"),
        (scored(FEW_BINS | {"value": "shelf.is_enough"}), "edge.shelf_scores[0].value", "must be a number"),
        (scored(FEW_BINS, FEW_BINS), "edge.shelf_scores", "'few-bins' is there 2 times"),
        ({"filters": [NO_LADDER]}, "filters[0].keep", "may not look at shelf"),
        (golden(shelves(), "price"), "golden[0].decision", "must be one of"),
        (golden(question(), CARRIER), "golden[0].inputs.sites", "the one node"),
    ],
)
def test_rules_about_shelves_are_checked_as_all_others_are(
    said: dict[str, Any], where: str, problem: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(json.dumps(document(**said)).encode())
    assert {(one.where, problem in one.problem) for one in refused.value.faults} == {(where, True)}


def test_there_may_be_so_many_rules_about_shelves_and_not_one_more() -> None:
    def with_rules(many: int) -> bytes:
        filters = [NO_LADDER | {"name": f"f-{one}"} for one in range(many)]
        return json.dumps(document(edge={"shelf_filters": filters})).encode()

    assert parse(with_rules(limits.ROUTING_SHELF_RULES_MAX))
    with pytest.raises(InvalidInput, match="shelf_filters and shelf_scores"):
        parse(with_rules(limits.ROUTING_SHELF_RULES_MAX + 1))
