"""Catalogue files: every bad row is named with its line, column and reason; a good file is read whole."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bodega.errors import FieldFault, InvalidInput
from bodega.limits_hub import IMPORT_ROWS_MAX
from bodega_controlplane.app.goods.catalogue_file import at_lines, read_skus
from support.controlplane import gtin_of

GTIN = gtin_of(1)


def faults_of(text: str, *, is_csv: bool) -> list[tuple[int | None, str]]:
    with pytest.raises(InvalidInput) as caught:
        read_skus(text, is_csv=is_csv)
    assert "nothing was imported" in caught.value.message
    return [(fault.line, fault.where) for fault in caught.value.faults]


def test_csv_is_read_with_columns_in_any_order_and_blank_lines_between() -> None:
    text = (
        "name,sku_id,gtins,lot_tracked,weight_g\n"
        f'"Tea, black",TEA,{GTIN} {gtin_of(2)},yes,120\n'
        "\n"
        '"Mug\u00e9",MUG,,,\n'
    )
    skus, lines = read_skus(text, is_csv=True)
    assert [(sku.sku_id, sku.name, list(sku.gtins), sku.lot_tracked, sku.weight_g) for sku in skus] == [
        ("TEA", "Tea, black", [GTIN, gtin_of(2)], True, 120),
        ("MUG", "Mug\u00e9", [], False, 0),
    ]
    assert lines == [2, 4]


def test_units_and_kits_are_read_from_csv_and_from_json_alike() -> None:
    text = (
        "sku_id,name,base_unit,units,components,serial_tracked\n"
        f"MILK,Milk,carton,case=12/{GTIN};pallet=720,,\n"
        "GIFT,Gift,,,MILK=2;TEA=1,yes\n"
    )
    from_csv, _ = read_skus(text, is_csv=True)
    rows = [
        {
            "sku_id": "MILK",
            "name": "Milk",
            "base_unit": "carton",
            "units": [
                {"unit": "case", "base_units": 12, "gtins": [GTIN]},
                {"unit": "pallet", "base_units": 720},
            ],
        },
        {
            "sku_id": "GIFT",
            "name": "Gift",
            "components": [{"sku_id": "MILK", "quantity": 2}, {"sku_id": "TEA", "quantity": 1}],
            "serial_tracked": True,
        },
    ]
    from_json, _ = read_skus(json.dumps(rows), is_csv=False)
    assert from_csv == from_json
    assert [unit.base_units for unit in from_csv[0].units] == [12, 720]


def test_faults_inside_units_and_kits_say_which_part_of_the_column() -> None:
    text = "sku_id,name,units,components\nMILK,Milk,case=a dozen/123,TEA\n"
    assert faults_of(text, is_csv=True) == [(2, "units.base_units"), (2, "units.gtins")]
    unknown = [{"sku_id": "A", "name": "A", "units": [{"unit": "case", "price": 1}], "components": "TEA"}]
    assert faults_of(json.dumps(unknown), is_csv=False) == [(1, "units"), (1, "components")]


def test_csv_faults_are_named_all_at_once() -> None:
    text = (
        "sku_id,name,gtins,weight_g,lot_tracked\n"
        ",No id,,,\n"
        f"A,,{GTIN},1,\n"
        f"B,B,{GTIN[:-1]}x;123,-1,maybe\n"
        "C,C\n"
        "D,D,,1.5,\n"
    )
    assert faults_of(text, is_csv=True) == [
        (2, "sku_id"),
        (3, "name"),
        (4, "gtins"),
        (4, "gtins"),
        (4, "lot_tracked"),
        (4, "weight_g"),
        (5, "row"),
        (6, "weight_g"),
    ]


def test_a_row_over_several_lines_is_named_by_its_first() -> None:
    assert faults_of('sku_id,name\n"A","two\nlines"\nB,\n', is_csv=True) == [(2, "name"), (4, "name")]


@pytest.mark.parametrize(
    ("header", "where"),
    [("sku_id", "name"), ("sku_id,name,colour", "colour"), ("sku_id,name,name", "name"), ("", "sku_id")],
)
def test_a_bad_header_is_refused_before_any_row(header: str, where: str) -> None:
    assert (1, where) in faults_of(f"{header}\nA,B,C\n", is_csv=True)


def test_a_quote_left_open_is_a_fault_and_not_a_crash() -> None:
    assert faults_of('sku_id,name\nA,"open\n', is_csv=True)[0][1] == "row"


def test_json_rows_are_named_by_the_line_on_which_they_begin() -> None:
    text = (
        '{"skus": [\n'
        '  {"sku_id": "A", "name": "a"},\n'
        '  {"sku_id": "B",\n   "name": 7},\n'
        '  "C",\n'
        '  {"name": "d", "gtins": ["123", 4], "weight_g": true, "price": 3}\n'
        "]}\n"
    )
    assert faults_of(text, is_csv=False) == [
        (3, "name"),
        (5, "row"),
        (6, "price"),
        (6, "sku_id"),
        (6, "gtins"),
        (6, "gtins"),
        (6, "weight_g"),
    ]


def test_json_may_be_a_bare_list_too() -> None:
    skus, lines = read_skus('[{"sku_id":"A","name":"a"},\n{"sku_id":"B","name":"b"}]', is_csv=False)
    assert ([sku.sku_id for sku in skus], lines) == (["A", "B"], [1, 2])


@pytest.mark.parametrize(
    "text", ["", "{", "7", "{}", '{"rows": []}', '{"skus": {}}', '{"skus": [], "more": 1}', "[" * 5000]
)
def test_json_of_another_shape_is_refused(text: str) -> None:
    assert faults_of(text, is_csv=False)[0][1] == "file"


@pytest.mark.parametrize(("text", "is_csv"), [("sku_id,name\n", True), ("[]", False)])
def test_an_empty_file_is_refused(text: str, *, is_csv: bool) -> None:
    assert faults_of(text, is_csv=is_csv) == [(None, "file")]


def test_rows_up_to_the_bound_and_not_one_more() -> None:
    rows = [{"sku_id": f"S{number}", "name": "x"} for number in range(IMPORT_ROWS_MAX + 1)]
    assert len(read_skus(json.dumps(rows[1:]), is_csv=False)[0]) == IMPORT_ROWS_MAX
    assert faults_of(json.dumps(rows), is_csv=False) == [(None, "file")]


def test_what_the_control_plane_finds_is_led_back_to_the_line() -> None:
    assert at_lines(FieldFault("skus[1].gtins[0]", "means MUG already"), [2, 5]) == FieldFault(
        "gtins[0]", "means MUG already", 5
    )
    elsewhere = FieldFault("...", "and 7 more")
    assert at_lines(elsewhere, [2, 5]) == elsewhere


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_read_or_refused_and_never_a_crash(text: str, is_csv: bool) -> None:
    try:
        skus, lines = read_skus(text, is_csv=is_csv)
    except InvalidInput as error:
        assert error.faults  # noqa: PT017 - either way out is right, and this is what the second must carry
    else:
        assert len(skus) == len(lines)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["sku_id", "name", "gtins", "weight_g", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused_and_never_a_crash(value: object) -> None:
    try:
        skus, lines = read_skus(json.dumps({"skus": [value]}, indent=1), is_csv=False)
    except InvalidInput as error:
        assert error.faults  # noqa: PT017 - either way out is right, and this is what the second must carry
    else:
        assert len(skus) == len(lines) == 1
