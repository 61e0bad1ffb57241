"""Rate card files: what a right one says, and that every fault of a wrong one is named where it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bodega.errors import FieldFault, InvalidInput
from bodega_controlplane.carriers.card_document import card_values
from bodega_controlplane.carriers.card_file import at_line, read_card
from bodega_controlplane.carriers.rate_card import RateCardCarrier

CSV = """\
carrier,service,service_class,currency,cut_off,collection_days,zone,origins,countries,max_weight_g,price_minor,transit_days,surcharge,permille,postal_prefixes
southpost,ECO,standard,EUR,17:30,1 2 3,PT,lisbon-01,PT,2000,390,2,,,
southpost,ECO,,,,,PT,,,10000,690,,,,
southpost,ECO,,,,,,,,,,,fuel,85,
southpost,ECO,,,,,,,PT,,450,,islands,,9;95
"""
SEMICOLONS = CSV.replace("9;95", '"9|95"').replace(",", ";").replace("|", ";").replace("\n", "\r\n")
JSON = {
    "name": "winter",
    "currency": "EUR",
    "dimensional_divisor": 5000,
    "holidays": ["2026-12-25"],
    "origins": {"south": ["lisbon-01"]},
    "services": [
        {
            "service": "ECO",
            "carrier": "southpost",
            "cut_off": "17:30",
            "holidays": ["2026-12-24"],
            "zones": [
                {
                    "zone": "PT",
                    "origins": ["south"],
                    "brackets": [{"max_weight_g": 2000, "price_minor": 390}],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize("text", [SEMICOLONS, CSV.replace(",", "\t")], ids=["semicolons", "tabs"])
def test_a_spreadsheet_may_part_its_cells_otherwise(text: str) -> None:
    assert read_card(text, Path("winter.csv")).card == read_card(CSV, Path("winter.csv")).card


def test_a_column_that_is_there_twice_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_card("carrier,service,zone,zone\na,b,c,d\n", Path("winter.csv"))
    assert refused.value.faults == (FieldFault("zone", "is there twice", 1),)


def test_a_csv_file_has_a_row_for_each_bracket_and_each_surcharge() -> None:
    read = read_card(CSV, Path("winter 26.csv"))
    (eco,) = read.card.services
    (zone,) = eco.zones
    assert (read.card.name, eco.cut_off_minute, list(eco.collection_days)) == ("winter-26", 1050, [1, 2, 3])
    assert [(one.max_weight_g, one.price_minor) for one in zone.brackets] == [(2000, 390), (10000, 690)]
    assert [(one.surcharge, one.permille, one.price_minor) for one in eco.surcharges] == [
        ("fuel", 85, 0),
        ("islands", 0, 450),
    ]
    assert list(eco.surcharges[1].postal_prefixes) == ["9", "95"]
    assert [(one.origin, list(one.node_ids)) for one in read.card.origins] == [("lisbon-01", ["lisbon-01"])]
    fault = at_line(
        FieldFault("card.services[0].zones[0].brackets[1].price_minor", "is too much"), read.lines
    )
    assert fault.line == 3


def test_what_a_json_card_says_for_all_services_holds_for_each() -> None:
    card = read_card(json.dumps(JSON), Path("winter.json")).card
    (eco,) = card.services
    assert (eco.currency, eco.dimensional_divisor) == ("EUR", 5000)
    assert list(eco.holidays) == ["2026-12-24", "2026-12-25"]
    assert list(eco.zones[0].origins) == ["south"]


def test_a_card_that_is_shown_can_be_read_again() -> None:
    card = read_card(json.dumps(JSON), Path("winter.json")).card
    assert read_card(json.dumps(card_values(card)), Path("again.json")).card == card


@pytest.mark.parametrize(
    ("change", "where", "line"),
    [
        ((",2000,", ",2 kg,"), "max_weight_g", 2),
        ((",10000,690,,", ",10000,690,3,"), "transit_days", 3),
        (("islands", ""), "row", 5),
        (("17:30", "half past five"), "cut_off", 2),
        (("transit_days", "days"), "days", 1),
        (("carrier,", "who,"), "carrier", 1),
        (("1 2 3", "Monday"), "collection_days", 2),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(change: tuple[str, str], where: str, line: int) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_card(CSV.replace(*change), Path("winter.csv"))
    assert (where, line) in [(fault.where, fault.line) for fault in refusal.value.faults]


def test_every_fault_is_named_at_once_in_the_order_of_the_file() -> None:
    wrong = CSV.replace("17:30", "25:30").replace(",390,", ',"3,90",').replace(",10000,690,", ",,690,")
    with pytest.raises(InvalidInput, match="has 3 faults") as refusal:
        read_card(wrong, Path("winter.csv"))
    assert [str(fault) for fault in refusal.value.faults] == [
        "line 2: price_minor: must be whole cents, such as 390 for 3.90, is '3,90'",
        "line 2: cut_off: must be a time of day such as 17:30, is '25:30'",
        "line 3: max_weight_g: is required",
    ]


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("{", "card.json", "is not JSON"),
        ('{"name": "x", "services": [], "prices": 1}', "card.json", "is not a known key"),
        ("[]", "card.json", ""),
        ("", "card.csv", "is a required column"),
        ('carrier,service,zone\n"a', "card.csv", "is not CSV"),
        ("name", "card.txt", ""),
        ("{}", "card.json", "is required"),
    ],
)
def test_what_is_no_card_is_refused_with_a_reason(text: str, name: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_card(text, Path(name))
    assert not problem or any(problem in fault.problem for fault in refusal.value.faults)


async def test_a_carriers_file_may_begin_with_the_mark_of_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "southpost.csv"
    path.write_text(CSV, encoding="utf-8-sig")
    (eco,) = await RateCardCarrier("southpost", str(path)).services()
    assert eco.service == "ECO"
