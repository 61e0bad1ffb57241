"""Every command that a person can give, given to a real ledger, and exported as EPCIS."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from bodega.core.commands import decode
from bodega.core.recipes import RECIPES
from bodega.v1 import catalogue_pb2, stock_pb2
from bodega_adapters.framing.check_digit import make_sscc
from bodega_agent.store import commands
from bodega_agent.store.transaction import Context
from support.bodega_command import bodega, write_config
from support.epcis import check_document
from support.node_under_test import HubPen, gtin, opened_store

SSCC = make_sscc(3, "9521234", 77)
MILK, LAMP, SET = (f"https://id.gs1.org/01/{gtin(number)}" for number in (1, 2, 3))
MILK_LOT = {"sku_id": "milk", "lot": "M-1"}

DAY = (
    # A case of twelve, by its own GTIN: the document speaks of base units.
    {"command": "receive", "gtin": gtin(9), "quantity": 2, "lot": "M-1", "expiry": "2027-01-31"},
    {"command": "receive", "sku_id": "lamp", "quantity": 3, "serials": ["a", "b", "c"]},
    {"command": "put_away", **MILK_LOT, "quantity": 20, "to_bin_id": "A-01-01"},
    {"command": "put_away", "sku_id": "lamp", "quantity": 3, "serials": ["a", "b", "c"], "to_bin_id": "A-01-02"},
    {"command": "move", **MILK_LOT, "quantity": 4, "from_bin_id": "A-01-01", "to_bin_id": "B-02-01"},
    {"command": "pick", **MILK_LOT, "quantity": 2, "bin_id": "A-01-01", "fulfillment_order_id": "FO-1"},
    {"command": "pick", "sku_id": "lamp", "quantity": 1, "serials": ["a"], "bin_id": "A-01-02", "to_bin_id": "DOCK"},
    {"command": "pack", "bin_id": "DOCK", "sscc": SSCC},
    {"command": "unpack", "sscc": SSCC, "to_bin_id": "DOCK"},
    {"command": "pack", "bin_id": "DOCK", "sscc": SSCC},
    {"command": "ship", "sscc": SSCC},
    {"command": "return", "sku_id": "lamp", "quantity": 1, "serials": ["a"]},
    {"command": "inspect", "sku_id": "lamp", "quantity": 1, "serials": ["a"], "to_disposition": "damaged"},
    {"command": "scrap", "sku_id": "lamp", "quantity": 1, "serials": ["a"], "bin_id": "DOCK", "disposition": "damaged",
     "reason": "broken"},
    {"command": "count", **MILK_LOT, "quantity": 12, "bin_id": "A-01-01"},
    {"command": "count", **MILK_LOT, "quantity": 13, "bin_id": "A-01-01"},
    {"command": "adjust", **MILK_LOT, "difference": -1, "bin_id": "A-01-01", "reason": "leaking"},
    {"command": "adjust", **MILK_LOT, "difference": 1, "bin_id": "A-01-01", "reason": "behind the shelf"},
    {"command": "kit", "sku_id": "set", "quantity": 1, "bin_id": "A-01-02",
     "parts": [{"sku_id": "lamp", "quantity": 2, "serials": ["b", "c"]}]},
    {"command": "unkit", "sku_id": "set", "quantity": 1, "bin_id": "A-01-02",
     "parts": [{"sku_id": "lamp", "quantity": 2, "serials": ["b", "c"]}]},
    {"command": "change_disposition", **MILK_LOT, "quantity": 1, "bin_id": "B-02-01", "to_disposition": "recalled"},
    {"command": "transfer_out", **MILK_LOT, "quantity": 2, "bin_id": "B-02-01", "transfer_id": "T-7"},
    {"command": "transfer_in", **MILK_LOT, "quantity": 2, "transfer_id": "T-8"},
    {"command": "re_identify", **MILK_LOT, "quantity": 1, "bin_id": "A-01-01",
     "becomes": {"sku_id": "milk", "lot": "M-2", "expiry": "2027-02-28"}},
    {"command": "reserve", "lines": [{"sku_id": "milk", "quantity": 2, "reservation_id": "R-1"}]},
    {"command": "post", "reservation_id": "R-1", "quantity": 2, "lot": "M-1", "bin_id": "A-01-01"},
)  # fmt: skip


async def _catalogue(pen):
    skus = (
        catalogue_pb2.Sku(
            sku_id="milk", name="Milk", gtins=[gtin(1)], lot_tracked=True, expiry_tracked=True, units_version=1,
            units=[catalogue_pb2.Unit(unit="case", base_units=12, gtins=[gtin(9)])], version=1,
        ),
        catalogue_pb2.Sku(sku_id="lamp", name="Lamp", gtins=[gtin(2)], serial_tracked=True, version=1),
        catalogue_pb2.Sku(
            sku_id="set", name="Set", gtins=[gtin(3)], version=1,
            components=[catalogue_pb2.KitComponent(sku_id="lamp", quantity=2)],
        ),
    )  # fmt: skip
    for sku in skus:
        await pen.write(sku=sku)
    await pen.fulfillment_order(1, ("milk", 2))
    await pen.write(rights_granted=stock_pb2.RightsGranted(transfer_id="G-1", sku_id="milk", quantity=5))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The events of a day on which every command was given, as another company reads them."""
    folder = tmp_path_factory.mktemp("node")

    def give(tx, number, thing):
        command = decode({**thing, "cmd_id": f"c-{number}"})
        return commands.run(tx, Context(command.cmd_id, actor="ana"), command)

    async def work():
        with opened_store(folder) as store:
            pen = HubPen(store)
            await pen.profile()
            await _catalogue(pen)
            for number, thing in enumerate(DAY):
                done = await store.write(lambda tx, number=number, thing=thing: give(tx, number, thing))
            sale = min(done["seqs"])
            undo = {"command": "correct", "event": f"1/{sale}", "reason": "wrong customer"}
            await store.write(lambda tx: give(tx, len(DAY), undo))

    asyncio.run(work())
    done = bodega(write_config(folder), "ledger", "export", "--epcis")
    assert done.returncode == 0, done.stderr
    return check_document(json.loads(done.stdout))


def of(told, command):
    return [event for event in told if event["bodega:command"] == command and "errorDeclaration" not in event]


def test_every_command_that_moves_goods_is_told(told):
    here = {name for name, recipe in RECIPES.items() if recipe.is_in_node}
    # Nobody's command: the floor hands a parcel to its customer, and asks for the code.
    assert {event["bodega:command"] for event in told} == here - {"collect"}


def test_a_case_is_told_as_its_base_units(told):
    milk, _lamps = of(told, "receive")
    assert milk["quantityList"] == [{"epcClass": f"{MILK}/10/M-1", "quantity": 24}]
    assert milk["bodega:lotMasterData"][0]["cbvmda:itemExpirationDate"] == "2027-01-31"


def test_one_unit_can_be_followed_by_its_serial_from_the_door_to_the_bin(told):
    unit = f"{LAMP}/21/a"
    way = [
        event["bizStep"]
        for event in told
        if any(unit in value for value in event.values() if isinstance(value, list))
    ]
    assert way == [
        "receiving", "storing", "picking", "packing", "unpacking", "packing", "receiving", "inspecting", "destroying"
    ]  # fmt: skip


def test_counts_and_adjustments_say_what_is_there_and_what_is_gone(told):
    steps = [(e["bodega:command"], e["disposition"]) for e in told if e["bizStep"] == "cycle_counting"]
    assert steps == [
        ("count_down", "unknown"),
        ("count_up", "sellable_accessible"),
        ("adjust_down", "unavailable"),
        ("adjust_up", "sellable_accessible"),
    ]


def test_a_kit_is_made_of_its_very_parts_and_gives_them_back(told):
    (made,), (broken,) = of(told, "kit"), of(told, "unkit")
    assert made["inputEPCList"] == broken["outputEPCList"] == [f"{LAMP}/21/b", f"{LAMP}/21/c"]
    assert made["outputQuantityList"] == broken["inputQuantityList"] == [{"epcClass": SET, "quantity": 1}]


def test_a_lot_that_was_another_is_a_new_identity_with_its_expiry(told):
    _was, is_ = of(told, "re_identify")
    assert is_["ilmd"] == {"cbvmda:lotNumber": "M-2", "cbvmda:itemExpirationDate": "2027-02-28"}


def test_an_undone_sale_is_declared_wrong(told):
    (sold,) = of(told, "post")
    (wrong,) = [event for event in told if "errorDeclaration" in event]
    assert wrong["eventID"] == sold["eventID"]
    assert wrong["errorDeclaration"]["reason"] == "did_not_occur"


def test_all_four_classes_of_events_are_used(told):
    kinds = Counter(event["type"] for event in told)
    assert set(kinds) == {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent"}
