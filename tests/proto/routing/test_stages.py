"""Stages: strict first, then less so; each says why it did not choose, and how far an order may be split."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.core.routing.bundle import DEFAULT
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Line
from bodega.limits_hub import ROUTING_LACKS_TOLD_MAX
from support.routing_cases import MADRID, PORTO, bundle, codes, judged, nodes_of, offer, question, site

NEAR_ONLY = {"name": "near", "keep": "node.distance_km < 100.0", "why": "too far"}


def test_a_later_stage_sets_filters_aside_and_the_choice_says_which_stage_it_was() -> None:
    rules = bundle(filters=[NEAR_ONLY], stages=[{"name": "strict"}, {"name": "any", "without": ["near"]}])
    choice = decide(rules, question(site("porto", PORTO)))
    assert (choice.stage, nodes_of(choice), choice.rule) == ("any", ["porto"], "tried@1")
    assert [(note.code, note.text) for note in choice.notes] == [
        ("stage-found-none", "strict: no node may serve all of it")
    ]


def test_a_stage_may_have_a_floor_of_its_own_and_be_for_some_orders_only() -> None:
    urgent = {"name": "urgent", "floor": "0", "when": "order.service_class == 'same_day'"}
    rules = bundle(floor="8", stages=[{"name": "calm"}, urgent])
    asked = question(site("near"), demand={"TEA": 9})
    calm = decide(rules, asked)
    assert (calm.stage, calm.shares) == ("", ())
    assert [note.code for note in calm.notes] == ["stage-found-none", "stage-not-meant"]
    assert decide(rules, replace(asked, service_class="same_day")).stage == "urgent"


SPLIT = bundle(stages=[{"name": "split", "shares_max": 3}])
HALVES = (site("tea", stock={"TEA": 5}), site("salt", PORTO, stock={"SALT": 5}))


def test_an_order_is_split_as_far_as_bundle_and_order_both_allow() -> None:
    asked = question(*HALVES, demand={"TEA": 2, "SALT": 2})
    assert nodes_of(decide(SPLIT, asked)) == []
    choice = decide(SPLIT, replace(asked, shares_max=2))
    assert sorted(nodes_of(choice)) == ["salt", "tea"]
    assert nodes_of(decide(SPLIT, replace(asked, shares_max=2, ship_complete=True))) == []
    one_at_most = bundle(stages=[{"name": "whole", "shares_max": 1}])
    assert nodes_of(decide(one_at_most, replace(asked, shares_max=2))) == []


def test_a_node_that_has_a_part_says_which_part_it_lacks() -> None:
    choice = decide(SPLIT, question(*HALVES, demand={"TEA": 2, "SALT": 2}, shares_max=2))
    assert codes(choice, "tea") == ["can-promise-part"]
    assert "SALT: 2 wanted, 0 available" in judged(choice, "tea").reasons[0].text


def test_one_line_may_come_from_two_nodes_and_its_units_add_up() -> None:
    asked = question(
        site("a", stock={"TEA": 4}), site("b", PORTO, stock={"TEA": 4}), demand={"TEA": 6}, shares_max=2
    )
    choice = decide(SPLIT, asked)
    assert [(share.node_id, dict(share.quantities)) for share in choice.shares] == [
        ("a", {1: 4}),
        ("b", {1: 2}),
    ]


def test_lines_of_one_sku_are_dealt_out_without_a_unit_twice() -> None:
    asked = question(site("a", stock={"TEA": 4}), site("b", PORTO, stock={"TEA": 4}), shares_max=2)
    lines = (Line(1, "TEA", 3), Line(2, "TEA", 3))
    choice = decide(SPLIT, replace(asked, lines=lines))
    assert [dict(share.quantities) for share in choice.shares] == [{1: 3, 2: 1}, {2: 2}]


def test_what_a_further_part_costs_decides_between_one_far_node_and_two_near_ones() -> None:
    far = site("far", MADRID, stock={"TEA": 5, "SALT": 5})
    near = (site("tea", stock={"TEA": 5}), site("salt", stock={"SALT": 5}))
    asked = question(far, *near, demand={"TEA": 2, "SALT": 2}, shares_max=2)
    score = [{"name": "way", "value": "node.distance_km"}]
    dear = bundle(scores=score, stages=[{"name": "split", "shares_max": 2, "split_cost": 600}])
    cheap = bundle(scores=score, stages=[{"name": "split", "shares_max": 2, "split_cost": 400}])
    assert nodes_of(decide(dear, asked)) == ["far"]
    assert sorted(nodes_of(decide(cheap, asked))) == ["salt", "tea"]


def test_with_nobody_to_serve_it_all_the_lines_stay_as_they_were_asked() -> None:
    choice = decide(SPLIT, question(*HALVES, demand={"TEA": 2, "RICE": 1}, shares_max=3))
    assert (choice.shares, dict(choice.unserved), choice.stage) == ((), {1: 2, 2: 1}, "")


@pytest.mark.parametrize("skus", [ROUTING_LACKS_TOLD_MAX, ROUTING_LACKS_TOLD_MAX + 1])
def test_of_very_many_skus_that_a_node_lacks_some_are_told(skus: int) -> None:
    demand = {f"S{number}": 1 for number in range(skus)}
    choice = decide(bundle(), question(site("near"), demand=demand))
    assert len(judged(choice, "near").reasons) == ROUTING_LACKS_TOLD_MAX


def test_by_default_a_late_carrier_a_full_or_a_silent_node_comes_after_all_others_but_before_none() -> None:
    late = site("late", offers=(offer("SLOW"),))
    full = site("full", open_orders=7, capacity_orders=7)
    silent = site("silent", silent_s=86_400)
    fine = site("fine", MADRID, offers=(offer("FAST", service_class="same_day"),))
    asked = question(late, full, silent, fine, service_class="same_day")
    choice = decide(DEFAULT, asked)
    assert nodes_of(choice) == ["fine"]
    assert {node: codes(choice, node) for node in ("late", "full", "silent")} == {
        "late": ["in-time"],
        "full": ["has-room"],
        "silent": ["heard"],
    }
    for one, code in ((late, "SLOW"), (full, ""), (silent, "")):
        alone = decide(DEFAULT, replace(asked, sites=(one,)))
        assert (nodes_of(alone), alone.stage, alone.shares[0].service) == (
            [one.node_id],
            "whole-anyway",
            code,
        )


def test_by_default_fewer_parts_are_better_than_nearer_ones() -> None:
    sites = [site("a", stock={"A": 1}), site("b", stock={"B": 1}), site("c", stock={"C": 1})]
    far = site("far", MADRID, stock={"B": 1, "C": 1})
    choice = decide(DEFAULT, question(*sites, far, demand={"A": 1, "B": 1, "C": 1}, shares_max=3))
    assert (nodes_of(choice), choice.stage) == (["a", "far"], "split")


def test_a_node_by_itself_decides_by_the_stages_for_nodes() -> None:
    rules = bundle(
        filters=[NEAR_ONLY],
        edge={"allows": ["carrier"], "stages": [{"name": "alone", "without": ["near"]}]},
    )
    asked = question(site("porto", PORTO, offers=(offer("S"),)))
    assert decide(rules, asked).shares == ()
    choice = decide(rules, asked, edge=True)
    assert (choice.stage, choice.shares[0].service) == ("alone", "S")
    assert (rules.allows_edge("carrier"), rules.allows_edge("pickup")) == (True, False)
