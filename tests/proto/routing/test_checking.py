"""What is tried before a bundle is put in force: its golden cases, its steadiness, its speed by an injected clock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from bodega.core.routing.bundle import DEFAULT, parse
from bodega.core.routing.checking import check, hard_question
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Inputs
from bodega.core.routing.record import inputs_to_json
from bodega.limits_hub import ROUTING_DECIDE_MS_MAX, ROUTING_GOLDEN_CASES_MAX
from support.routing_cases import MADRID, bundle, offer, question, site
from support.tree import ROOT

ASKED = question(site("near", offers=(offer("S"),)), site("far", MADRID))


def golden(inputs: Inputs = ASKED, name: str = "tea", **expect: Any) -> dict[str, Any]:
    return {"name": name, "inputs": json.loads(inputs_to_json(inputs)), "expect": expect}


def at_once() -> float:
    return 0.0


def problems(**said: Any) -> list[str]:
    return [str(fault) for fault in check(bundle(**said), at_once)]


def test_the_default_bears_the_check() -> None:
    assert check(DEFAULT, at_once) == ()
    assert len(decide(DEFAULT, hard_question()).shares) == 2


def test_golden_cases_hold_nodes_stage_and_services_to_account() -> None:
    way = [{"name": "way", "value": "node.distance_km"}]
    assert problems(scores=way, golden=[golden(nodes=["near"], stage="whole", services=["S"])]) == []
    wrong = [
        golden(name="a", nodes=["far"]),
        golden(name="b", nodes=["near"], services=["T"]),
        golden(name="c", nodes=["near"], stage="other"),
        golden(name="d"),
    ]
    found = problems(scores=way, golden=wrong)
    assert found[0].startswith("golden[0] a: expects far, is near (near: holds all of it")
    assert found[1:3] == [
        "golden[1] b: expects T from near, is S",
        "golden[2] c: expects stage other, is whole",
    ]
    assert found[3].startswith("golden[3] d: expects no node, is near")


def test_a_rule_that_fails_in_a_golden_case_is_a_fault() -> None:
    label = [{"name": "south", "keep": "node.labels.region == 'south'", "why": "no"}]
    found = problems(filters=label, golden=[golden()])
    assert re.match(
        r"golden\[0\] tea: a rule fails at near: filters\[0\].keep: there is no key 'region'", found[0]
    )
    when = [{"name": "odd", "when": "1 / order.weight_g > 0"}, {"name": "whole"}]
    found = problems(stages=when, golden=[golden(nodes=["far"])])
    assert found[0].startswith("golden[0] tea: a rule fails: odd: stages[0].when: division by zero")


@pytest.mark.parametrize(("took_ms", "faults"), [(ROUTING_DECIDE_MS_MAX, 0), (ROUTING_DECIDE_MS_MAX + 1, 1)])
def test_a_bundle_that_takes_too_long_is_refused_by_the_quickest_of_its_tries(
    took_ms: float, faults: int
) -> None:
    def slow_but_once() -> Iterator[float]:
        now = 0.0
        for number in count():
            yield now
            now += took_ms / 1000 if number == 4 else 9.0
            yield now

    clock = slow_but_once()
    found = check(bundle(), lambda: round(next(clock), 6))
    assert len(found) == faults
    assert all("ms to decide" in fault.problem for fault in found)


def test_golden_cases_are_not_put_to_a_bundle_that_is_too_slow_for_the_order_that_all_must_bear() -> None:
    seconds = count(step=1.0)
    found = check(bundle(golden=[golden(nodes=["nobody"])]), lambda: next(seconds))
    assert [fault.where for fault in found] == ["fifty-nodes"]


def test_more_golden_cases_than_there_is_room_for_are_refused() -> None:
    cases = [golden(name=str(number)) for number in range(ROUTING_GOLDEN_CASES_MAX + 1)]
    assert len(bundle(golden=cases[:-1]).document.golden) == ROUTING_GOLDEN_CASES_MAX
    with pytest.raises(Exception, match="golden: must be 0 to"):
        bundle(golden=cases)


def test_the_bundle_that_we_give_as_an_example_bears_the_check_with_its_golden_cases() -> None:
    example = parse((ROOT / "packaging/examples/routing-balanced.json").read_bytes())
    assert check(example, at_once) == ()
    assert len(example.document.golden) == 3
