"""Rule edited_on_both_sides@1, pure: each field has an owner, and that decides; what loses is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.core.conflicts.fields import (
    BIN,
    FIELDS,
    NODE,
    PROPOSAL,
    SETTING,
    SKU,
    Decision,
    Edit,
    Standing,
    decide,
    edited_on_both_sides,
)
from bodega.core.conflicts.table import CASES
from bodega.core.fields import Wrong
from bodega.v1 import catalogue_pb2
from support.tables import faults_of

WEIGHT = Edit("lisbon-01/1/7", "lisbon-01", SKU, "OAT", "weight_g", "1034", base_version=3)
HUB_HAS = Standing("1000", 3, "hub/sku:OAT/3")


def field(kind: str, name: str, value: str, base_version: int = 3) -> Edit:
    return WEIGHT._replace(kind=kind, field=name, value=value, base_version=base_version)


def test_every_field_of_the_records_has_an_owner() -> None:
    records = {SKU: catalogue_pb2.Sku, BIN: catalogue_pb2.Bin, NODE: catalogue_pb2.NodeProfile}
    for kind, message in records.items():
        named = {name for of, name in FIELDS if of == kind}
        assert named - {"home_bin"} == {one.name for one in message.DESCRIPTOR.fields}
    assert (SETTING, "value") in FIELDS


def test_its_states_are_a_table_like_all_others() -> None:
    assert faults_of(PROPOSAL) == []


def test_a_shared_field_goes_by_what_the_editor_had_seen() -> None:
    assert decide(WEIGHT, HUB_HAS) is Decision.APPLY
    assert decide(WEIGHT, HUB_HAS._replace(version=4)) is Decision.LOSE
    assert decide(WEIGHT, HUB_HAS._replace(version=4, value="1034")) is Decision.APPLY, "both say the same"


def test_a_node_that_edits_twice_before_it_hears_back_does_not_lose_to_itself() -> None:
    assert decide(WEIGHT, Standing("990", 4, "lisbon-01/1/6")) is Decision.APPLY
    assert decide(WEIGHT, Standing("990", 4, "lisbon-012/1/6")) is Decision.LOSE, (
        "another node's name begins so"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gtins", "4006381333931"),
        ("units", "case=12"),
        ("base_unit", "bottle"),
        ("lot_tracked", "true"),
        ("serial_tracked", "true"),
        ("expiry_tracked", "true"),
    ],
)
def test_units_barcodes_and_tracking_wait_for_a_person(name: str, value: str) -> None:
    assert decide(field(SKU, name, value, base_version=99), Standing("", 1, "hub/sku:OAT/1")) is Decision.WAIT


def test_a_setting_waits_because_an_operator_signs_it() -> None:
    assert decide(field(SETTING, "value", "off"), Standing("advisory", 2, "hub/x/2")) is Decision.WAIT


def test_the_node_has_the_word_on_its_own_house_and_none_on_the_hubs_fields() -> None:
    assert (
        decide(field(BIN, "walk_order", "7", base_version=0), Standing("3", 9, "hub/x/9")) is Decision.APPLY
    )
    assert decide(field(SKU, "name", "Oat"), HUB_HAS) is Decision.REFUSE
    assert decide(field(SKU, "colour", "red"), HUB_HAS) is Decision.REFUSE


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("weight_g", "1.5", "whole number"),
        ("weight_g", "4294967296", "at most"),
        ("weight_g", "-1", "whole number"),
        ("lot_tracked", "yes", "true or false"),
        ("gtins", "4006381333930", "check digit"),
        ("units", "case=0", "base units"),
        ("units", "=12", "must not be empty"),
        ("base_unit", "a box", "without spaces"),
    ],
)
def test_a_value_that_can_not_be_says_what_is_wrong_and_is_refused(
    name: str, value: str, problem: str
) -> None:
    with pytest.raises(Wrong, match=problem):
        FIELDS[SKU, name].read(value)
    assert decide(field(SKU, name, value), HUB_HAS) is Decision.REFUSE


def test_units_are_read_with_their_barcodes() -> None:
    read = FIELDS[SKU, "units"].read
    assert read("case=12/4006381333931; pallet=480") == (
        ("case", 12, ("04006381333931",)),
        ("pallet", 480, ()),
    )
    assert read("") == ()


def test_the_row_of_a_lost_edit_says_what_both_knew_and_how_to_put_it_in_force() -> None:
    row = edited_on_both_sides(WEIGHT, Standing("990", 4, "porto-01/1/2"), Decision.LOSE)
    assert row.rule == CASES[row.kind].rule == "edited_on_both_sides@1"
    assert row.inputs == ("lisbon-01/1/7", "porto-01/1/2")
    assert row.knew == (
        "lisbon-01 had seen version 3 when it made weight_g of sku OAT 1034; the hub has 990 since version 4"
    )
    assert row.effect == "weight_g of sku OAT stays 990; 1034 is kept"
    assert (row.undo, row.needs) == ("put it in force: bodegactl catalog proposals apply lisbon-01/1/7", "")
    waits = edited_on_both_sides(
        field(SKU, "units", "case=6"), Standing("", 1, "hub/sku:OAT/1"), Decision.WAIT
    )
    assert waits.needs.startswith("look whether units of sku OAT shall be case=6")


@given(one=st.integers(1, 99), other=st.integers(100, 199))
def test_two_edits_that_met_are_one_conflict_whichever_of_them_lost(one: int, other: int) -> None:
    first, second = f"lisbon-01/1/{one}", f"porto-01/1/{other}"
    lisbon_lost = edited_on_both_sides(
        WEIGHT._replace(event=first), Standing("990", 4, second), Decision.LOSE
    )
    porto = WEIGHT._replace(event=second, node_id="porto-01", value="990")
    porto_lost = edited_on_both_sides(porto, Standing("1034", 4, first), Decision.LOSE)
    assert lisbon_lost.conflict_id == porto_lost.conflict_id
