"""A ledger command as JSON: read strictly, every fault named with its field, its value and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from bodega.core.commands import SHAPES, decode
from bodega.core.fields import shown
from bodega.core.ledger import DOCK
from bodega.core.recipes import RECIPES
from bodega.core.sku import Line
from bodega.errors import InvalidInput
from bodega.limits import (
    COMMAND_LINES_MAX,
    COMMAND_SERIALS_MAX,
    IDENTIFIER_CHARS_MAX,
    QUANTITY_MAX,
    TEXT_CHARS_MAX,
)

RECEIVE: dict[str, Any] = {"command": "receive", "cmd_id": "c1", "sku_id": "OAT", "quantity": 3}


def faults_of(body: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        decode(body)
    return {fault.where: fault.problem for fault in refusal.value.faults}


def test_every_recipe_is_reached_by_a_command() -> None:
    made_by = {"count_up": "count", "count_down": "count", "adjust_up": "adjust", "adjust_down": "adjust"}
    # A parcel goes to its customer on the floor alone, where the code is asked for.
    here = [name for name, recipe in RECIPES.items() if recipe.is_in_node and name != "collect"]
    assert {made_by.get(name, name) for name in here} <= set(SHAPES)


def test_a_command_has_its_defaults_and_keeps_what_was_sent() -> None:
    command = decode(RECEIVE)
    assert (command.lines, command.bin_id, command.body) == ((Line(3, "OAT"),), DOCK, RECEIVE)


def test_all_faults_are_told_at_once() -> None:
    faults = faults_of(
        {"command": "scrap", "cmd_id": "", "gtin": "4006381333930", "quantity": -1, "colour": "red"}
    )
    assert set(faults) == {"cmd_id", "gtin", "quantity", "bin_id", "reason", "'colour'"}
    assert faults["gtin"] == "has the check digit 0, which should be 1: 4006381333930"
    assert faults["quantity"] == f"must be a whole number from 1 to {QUANTITY_MAX}, is -1"
    assert faults["reason"] == "is missing"


@pytest.mark.parametrize(
    "quantity",
    [True, 1.0, 1.5, "3", -1, 0, QUANTITY_MAX + 1, 10**4000, float("nan"), None, [], {}],
    ids=shown,
)
def test_only_a_whole_number_in_range_is_a_quantity(quantity: object) -> None:
    assert set(faults_of({**RECEIVE, "quantity": quantity})) == {"quantity"}


@pytest.mark.parametrize(
    "text",
    ["", " ", "A B", "A\x00", "\x1f", "\ud800", "é", "\u202e", "A" * (IDENTIFIER_CHARS_MAX + 1), 7, None],
)
@pytest.mark.parametrize("field", ["cmd_id", "sku_id", "lot", "bin_id"])
def test_an_identifier_is_visible_ascii_of_bounded_length(field: str, text: object) -> None:
    assert set(faults_of({**RECEIVE, field: text})) == {field}


def test_the_bounds_themselves_are_taken() -> None:
    decode(
        {
            **RECEIVE,
            "quantity": QUANTITY_MAX,
            "cmd_id": "c" * IDENTIFIER_CHARS_MAX,
            "reason": "r" * TEXT_CHARS_MAX,
        }
    )
    goods = {"sku_id": "OAT", "quantity": 1}
    body = {"command": "receive", "cmd_id": "c1"}
    assert len(decode({**body, "lines": [goods] * COMMAND_LINES_MAX}).lines) == COMMAND_LINES_MAX
    assert set(faults_of({**body, "lines": [goods] * (COMMAND_LINES_MAX + 1)})) == {"lines"}
    serials = [f"S{number}" for number in range(COMMAND_SERIALS_MAX)]
    assert decode({**RECEIVE, "serials": serials}).lines[0].serials == tuple(serials)
    assert set(faults_of({**RECEIVE, "serials": [*serials, "S"]})) == {"serials"}
    many = [{"sku_id": "CAM", "quantity": 60, "serials": [f"{at}-{n}" for n in range(60)]} for at in (1, 2)]
    assert "is the most" in faults_of({**body, "lines": many})["lines"]


def test_goods_are_named_once_by_sku_or_by_gtin() -> None:
    assert decode({"command": "receive", "cmd_id": "c", "gtin": "4006381333931", "quantity": 1}).lines == (
        Line(1, gtin="04006381333931"),
    )
    assert "exclude each other" in faults_of({**RECEIVE, "gtin": "4006381333931"})["sku_id"]
    assert "give sku_id or gtin" in faults_of({"command": "receive", "cmd_id": "c", "quantity": 1})["sku_id"]
    mixed = faults_of({**RECEIVE, "lines": [{"sku_id": "OAT", "quantity": 0}]})
    assert set(mixed) == {"sku_id", "quantity", "lines[0].quantity"}


def test_a_misspelt_field_and_a_misspelt_command_are_told_what_was_meant() -> None:
    assert faults_of({**RECEIVE, "quantitty": 2})["'quantitty'"].endswith("did you mean `quantity`?")
    with pytest.raises(InvalidInput) as refusal:
        decode({"command": "recieve"})
    assert refusal.value.hint == "did you mean receive?"


@pytest.mark.parametrize(
    "event", ["1/0", "0/1", "1", "/", "1/2/3", "-1/2", "1/ 2", "1/" + "9" * 30, 12, "\u0661/\u0662"]
)
def test_an_event_is_an_epoch_and_a_sequence(event: object) -> None:
    assert set(faults_of({"command": "correct", "cmd_id": "c", "event": event, "reason": "r"})) == {"event"}


@pytest.mark.parametrize("expiry", ["2027-02-29", "20270228", "28.02.2027", "2027-2-8", "", 20270228])
def test_an_expiry_is_a_day_of_the_calendar(expiry: object) -> None:
    assert set(faults_of({**RECEIVE, "lot": "L", "expiry": expiry})) == {"expiry"}


def test_an_override_says_its_rule_its_reason_and_its_end() -> None:
    faults = faults_of(
        {"command": "override", "cmd_id": "c", "override_id": "O", "rule": "gravity", "sku_id": "OAT"}
    )
    assert set(faults) == {"rule", "reason", "expires_after_s"}
    fefo = {
        "command": "override", "cmd_id": "c", "override_id": "O", "rule": "fefo", "sku_id": "OAT",
        "reason": "asked", "expires_after_s": 60,
    }  # fmt: skip
    assert decode(fefo).rule == "fefo"
    assert "means nothing" in faults_of({**fefo, "quantity": 3})["quantity"]
    assert decode({"command": "override", "cmd_id": "c", "override_id": "O", "close": True}).close
    assert set(faults_of({"command": "override", "cmd_id": "c", "override_id": "O", "close": False})) == {
        "close"
    }


def test_a_parcel_out_of_a_bin_needs_its_number_and_an_order_names_no_bin() -> None:
    pack = {"command": "pack", "cmd_id": "c"}
    assert set(faults_of({**pack, "bin_id": "A"})) == {"sscc"}
    assert set(faults_of(pack)) == {"fulfillment_order_id"}
    assert (
        "exclude each other"
        in faults_of({**pack, "bin_id": "A", "fulfillment_order_id": "F"})["fulfillment_order_id"]
    )
    assert decode({**pack, "fulfillment_order_id": "FO-1"}).lines == ()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"command": "move", "from_bin_id": "A", "to_bin_id": "A"}, "to_bin_id"),
        (
            {"command": "change_disposition", "bin_id": "A", "to_disposition": "sellable_accessible"},
            "to_disposition",
        ),
        ({"command": "inspect", "to_disposition": "returned"}, "to_disposition"),
    ],
)
def test_goods_that_stay_where_and_what_they_are_have_not_moved(body: dict[str, Any], field: str) -> None:
    assert set(faults_of({"cmd_id": "c", "sku_id": "OAT", "quantity": 1, **body})) == {field}
