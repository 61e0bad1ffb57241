"""A bundle is read whole: every fault is named at once with its place, and one that has any is none."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from bodega import limits_hub as limits
from bodega.core.routing.bundle import DEFAULT, parse
from bodega.core.routing.expressions import FUNCTIONS
from bodega.core.routing.facts import FACTS
from bodega.errors import InvalidInput
from support.routing_cases import document
from support.tree import ROOT


def refused(**said: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as raised:
        parse(json.dumps(document(**said)).encode())
    assert raised.value.code == "bundle-invalid"
    found: dict[str, str] = {}
    for fault in raised.value.faults:
        found[fault.where] = (
            f"{found[fault.where]}; {fault.problem}" if fault.where in found else fault.problem
        )
    return found


def keep(expression: str) -> dict[str, Any]:
    return {"filters": [{"name": "tried", "keep": expression, "why": "it says no"}]}


def fault_of(expression: str) -> str:
    return refused(**keep(expression))["filters[0].keep"]


def test_a_bundle_is_its_canonical_bytes_however_it_was_typed() -> None:
    said = document(notes="für Züge", tables={"rate": {"rows": {"a": 1}, "default": 2}})
    tight = parse(json.dumps(said).encode())
    loose = parse(json.dumps(dict(reversed(said.items())), indent=4, ensure_ascii=False).encode())
    assert (tight, tight.body) == (loose, loose.body)
    assert tight.digest == sha256(tight.body).hexdigest()
    assert parse(tight.body) == tight
    other = parse(json.dumps({**said, "version": 2}).encode())
    assert (other == tight, other.rule) == (False, "tried@2")


def test_the_default_reads_as_what_it_says() -> None:
    assert parse(DEFAULT.body) == DEFAULT
    assert parse(DEFAULT.body).document == DEFAULT.document
    assert DEFAULT.rule == "nearest-with-floor@1"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "Expecting property name"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"name": NaN}', "NaN is not a number"),
        (b'{"name": 1, "name": 2}', "said twice: name"),
        (b"9" * 5_000, "is not JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_what_is_wrong(body: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse(body)


def test_a_bundle_of_more_bytes_than_there_is_room_for_is_refused() -> None:
    body = json.dumps(document()).encode()
    room = limits.ROUTING_BUNDLE_BYTES_MAX - len(body)
    assert parse(body + b" " * room).name == "tried"
    with pytest.raises(InvalidInput, match="bytes at most"):
        parse(body + b" " * (room + 1))


def test_every_fault_is_named_at_once() -> None:
    faults = refused(
        version="one",
        surprise=True,
        filters=[{"name": "near", "keep": 3}],
        stages=[{"name": "whole", "shares_max": True, "split_cost": "much"}],
        tables=[],
    )
    assert set(faults) == {
        "version",
        "surprise",
        "filters[0].keep",
        "filters[0].why",
        "stages[0].shares_max",
        "stages[0].split_cost",
        "tables",
    }
    assert faults["version"] == "must be a whole number, is 'one'"
    assert faults["surprise"].startswith("unknown field; there are name, version, stages")


def test_a_number_that_is_too_large_for_json_is_refused() -> None:
    body = json.dumps(document(scores=[{"name": "a", "value": "1", "weight": 77}])).encode()
    for huge in (b"1e999", b"-1e999", b"9" * 400):
        with pytest.raises(InvalidInput, match="is too large"):
            parse(body.replace(b"77", huge))


@pytest.mark.parametrize("huge", [b"1e999", b"-1e999", b"9" * 20])
def test_a_table_with_a_number_that_is_too_large_is_refused(huge: bytes) -> None:
    body = json.dumps(document(tables={"fee": {"rows": {"PT": 77}, "default": 77}})).encode()
    with pytest.raises(InvalidInput, match="fee: has a number that is too large"):
        parse(body.replace(b"77", huge))


def test_what_the_fields_mean_together_is_checked_with_all_faults_at_once() -> None:
    faults = refused(
        format=2,
        version=0,
        name="Not A Name",
        floor="node.covers_all ? 1 : 2",
        filters=[
            {"name": "same", "keep": "true", "why": ""},
            {"name": "same", "keep": "1 +", "why": "no"},
            {"name": "can-promise", "keep": "true", "why": "no"},
        ],
        scores=[{"name": "far", "value": "node.distance", "weight": 1e7}],
        ties=["node.kind"],
        stages=[{"name": "whole", "shares_max": 7, "without": ["gone"], "when": "node.kind == ''"}],
        edge={"allows": ["everything"], "stages": [{"name": "alone", "floor": "'two'"}]},
        tables={
            "Rate": {"rows": {}, "default": 1},
            "size": {"rows": {"a": 1, "b": {"c": 2.0}}, "default": None},
        },
    )
    assert faults["scores[0].value"] == "unknown field node.distance; did you mean node.distance_km?"
    assert faults["floor"] == "may not look at node.covers_all here: it follows from what this decides"
    assert faults["filters[1].keep"].startswith("is not CEL: at character 4: it ends too early")
    assert faults["stages[0].without"] == "there is no filter 'gone'"
    assert faults["stages[0].when"] == "may not look at node here, only at order"
    assert faults["edge.stages[0].floor"] == "must be a number, is 'two'"
    assert set(faults) >= {
        "format",
        "version",
        "name",
        "filters",
        "filters[0].why (characters)",
        "filters[2].name",
        "scores[0].weight",
        "ties[0]",
        "stages[0].shares_max",
        "edge.allows[0]",
        "tables.Rate",
        "tables.size",
        "tables.size.rows",
    }


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("node.kind", "must be true or false, is 'store'"),
        ("node.open_orders * 1.5 > 3.0", "No such overload"),
        ("node.distance_km + 1 > 3.0", "Unsupported operation: float + int"),
        ("kind == 'store'", "unknown name 'kind'"),
        ("node == 3", "unknown name 'node'"),
        ("has(node.nothing)", "unknown field node.nothing"),
        ("node.kind.matches('^s')", "unknown function 'matches'"),
        ("timestamp(order.now_ms) > timestamp(0)", "unknown function 'timestamp'"),
        ("rate(node.kind) > 2", "unknown function 'rate'"),
        ("item.quantity > 1 && offer.price_minor > 2", "looks at item and at offer"),
        ("item.quantity > 1 && node.covers_all", "may not look at node.covers_all here"),
        ("size(3) > 1", "Undefined variable or function: 'size'"),
        ("'\\n' == ''", "must do without backslashes"),
        ("'''a''' == 'a'", "must do without backslashes and triple quotes"),
        ("order.classes.all(a, order.classes.all(b, a == b))", "more than one comprehension"),
        ("(" * 400 + "true" + ")" * 400, "is not CEL"),
        ("", "must have 1 to"),
    ],
)
def test_an_expression_that_can_not_be_meant_is_refused_before_the_first_order(
    expression: str, said: str
) -> None:
    assert said in fault_of(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "node.kind == 'node.nothing && kind'",
        'node . kind == "it\'s"',
        "order.classes.exists(one, one == 'frozen')",
        "has(node.labels.region) && node.labels.region == 'south'",
        "100 / order.weight_g > 3",
        "order.postal_code.startsWith('10') && size(order.country) == 2",
    ],
)
def test_an_expression_that_depends_on_its_values_is_taken(expression: str) -> None:
    assert parse(json.dumps(document(**keep(expression))).encode()).document.filters[0].keep == expression


def test_a_table_is_asked_with_as_many_keys_as_it_has() -> None:
    tables = {
        "rate": {"rows": {"a": 1}, "default": 0},
        "days": {"rows": {"PT": {"ES": 1}}, "default": 9},
    }
    good = "rate(node.kind) < 2 && days(node.country, order.country) < 9"
    assert parse(json.dumps(document(tables=tables, **keep(good))).encode())
    bad = refused(tables=tables, **keep("rate(node.kind, 'b') < 2 && days('PT') < 10"))
    assert "rate() has 1 keys, is given 2" in bad["filters[0].keep"]


BOUNDS = [
    (limits.ROUTING_STAGES_MAX, lambda many: {"stages": [{"name": f"s-{one}"} for one in range(many)]}),
    (
        limits.ROUTING_RULES_MAX,
        lambda many: {"filters": [{"name": f"f-{one}", "keep": "true", "why": "no"} for one in range(many)]},
    ),
    (limits.ROUTING_RULES_MAX, lambda many: {"ties": ["1"] * many}),
    (
        limits.ROUTING_TABLES_MAX,
        lambda many: {"tables": {f"t{one}": {"rows": {}, "default": 1} for one in range(many)}},
    ),
    (
        limits.ROUTING_TABLE_CELLS_MAX,
        lambda many: {"tables": {"t": {"rows": {str(one): 1 for one in range(many)}, "default": 1}}},
    ),
    (limits.ROUTING_EXPRESSION_CHARS_MAX, lambda many: keep("true".ljust(many))),
    (
        limits.ROUTING_TEXT_CHARS_MAX,
        lambda many: {"filters": [{"name": "f", "keep": "true", "why": "n" * many}]},
    ),
    (limits.ROUTING_NOTES_CHARS_MAX, lambda many: {"notes": "n" * many}),
    (limits.ROUTING_NAME_CHARS_MAX, lambda many: {"name": "n" * many}),
    (limits.ROUTING_SHARES_MAX, lambda many: {"stages": [{"name": "s", "shares_max": many}]}),
    (int(limits.ROUTING_WEIGHT_RATIO_MAX), lambda many: {"stages": [{"name": "s", "split_cost": many}]}),
    (limits.ROUTING_BUNDLE_VERSIONS_MAX, lambda many: {"version": many}),
]


@pytest.mark.parametrize(("most", "said"), BOUNDS)
def test_a_bundle_may_go_up_to_each_bound_and_not_beyond(most: int, said: Any) -> None:
    assert parse(json.dumps(document(**said(most))).encode())
    assert refused(**said(most + 1))


def test_no_fact_has_the_name_of_a_function() -> None:
    assert not FUNCTIONS & {*FACTS}
    for facts in FACTS.values():
        assert all(type(fact.examples[0]) is type(fact.examples[1]) for fact in facts.values())


def test_every_fact_and_function_is_told_to_authors() -> None:
    told = (ROOT / "proto/README.md").read_text(encoding="utf-8")
    rows = {
        line.split("`")[1]: line for line in told.splitlines() if line.startswith("| `") and ".` |" in line
    }
    for scope, facts in FACTS.items():
        assert all(f"`{name}`" in rows[f"{scope}."] for name in facts)
    assert all(f"`{name}`" in told for name in FUNCTIONS)
