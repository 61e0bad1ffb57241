"""Every ledger command as an EPCIS event that GS1's schema and the standard's own rules accept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bodega.core.ledger import (
    CARRIER,
    Account,
    Disposition,
    Goods,
    LotSeen,
    Movement,
    Posting,
    Reference,
    parcel_place,
    unit_place,
)
from bodega.core.recipes import RECIPES, Book, Places, book
from bodega_agent.rules.epcis import event_id, events, is_tellable, iso_time
from bodega_agent.rules.epcis_rows import ROWS
from support.epcis_movements import (
    BASKET,
    BREAD,
    GLN,
    MILK,
    MILK_URI,
    NAMES,
    NODE,
    SSCC,
    booked,
    names,
    recorded,
    tell,
)
from support.node_under_test import gtin

FO = Reference("FO-1", SSCC)
SIMPLE = {
    "receive": ("ObjectEvent", "OBSERVE", "receiving", "in_progress"),
    "put_away": ("ObjectEvent", "OBSERVE", "storing", "sellable_accessible"),
    "move": ("ObjectEvent", "OBSERVE", "storing", "sellable_accessible"),
    "pick": ("TransactionEvent", "ADD", "picking", "in_progress"),
    "pack": ("AggregationEvent", "ADD", "packing", "container_closed"),
    "unpack": ("AggregationEvent", "DELETE", "unpacking", "in_progress"),
    "ship": ("ObjectEvent", "OBSERVE", "shipping", "in_transit"),
    "collect": ("ObjectEvent", "OBSERVE", "retail_selling", "retail_sold"),
    "return": ("ObjectEvent", "OBSERVE", "receiving", "returned"),
    "inspect": ("ObjectEvent", "OBSERVE", "inspecting", "sellable_accessible"),
    "change_disposition": ("ObjectEvent", "OBSERVE", "holding", "sellable_accessible"),
    "scrap": ("ObjectEvent", "DELETE", "destroying", "destroyed"),
    "count_down": ("ObjectEvent", "OBSERVE", "cycle_counting", "unknown"),
    "count_up": ("ObjectEvent", "OBSERVE", "cycle_counting", "sellable_accessible"),
    "adjust_down": ("ObjectEvent", "OBSERVE", "cycle_counting", "unavailable"),
    "adjust_up": ("ObjectEvent", "OBSERVE", "cycle_counting", "sellable_accessible"),
    "transfer_out": ("ObjectEvent", "OBSERVE", "shipping", "in_transit"),
    "transfer_in": ("ObjectEvent", "OBSERVE", "receiving", "in_progress"),
    "post": ("ObjectEvent", "OBSERVE", "retail_selling", "retail_sold"),
    "kit": ("TransformationEvent", None, "creating_class_instance", "sellable_accessible"),
    "unkit": ("TransformationEvent", None, "disassembling", "sellable_accessible"),
}


def test_every_command_of_the_ledger_has_its_row():
    here = {name for name, recipe in RECIPES.items() if recipe.is_in_node}
    assert here == set(ROWS)
    assert here == {*SIMPLE, "re_identify"}
    assert set(RECIPES) - here == {"transfer_missing", "transfer_surplus"}


@pytest.mark.parametrize("command", ["transfer_missing", "transfer_surplus"])
def test_what_was_written_off_between_two_nodes_is_no_event_of_this_one(command):
    assert tell(booked(command, Goods(MILK, 4, "L-1"))) == []


@pytest.mark.parametrize("command", SIMPLE)
def test_every_command_is_a_valid_event_of_its_class(command):
    makes = (Goods(BASKET, 2),) if RECIPES[command].makes else ()
    reference = FO if command in {"pick", "pack", "unpack", "ship", "collect"} else None
    (event,) = tell(booked(command, Goods(MILK, 4, "L-1"), makes=makes, reference=reference))
    assert (event["type"], event.get("action"), event["bizStep"], event["disposition"]) == SIMPLE[command]
    assert event["eventTime"] == "2026-09-21T14:13:27.123Z"
    assert event["eventTimeZoneOffset"] == "+00:00"
    assert (event["bodega:command"], event["bodega:seq"]) == (command, 7)


def test_goods_are_named_by_lot_or_class_and_units_by_serial():
    (event,) = tell(
        booked(
            "receive",
            Goods(MILK, 4, "L/1"),
            Goods(MILK, 2, "L/1"),
            Goods(BREAD, 1),
            Goods(BASKET, 1, serials=("S 1",)),
        )
    )
    assert event["quantityList"] == [
        {"epcClass": f"{MILK_URI}/10/L%2F1", "quantity": 6},
        {"epcClass": f"https://id.gs1.org/01/{gtin(2)}", "quantity": 1},
    ]
    assert event["epcList"] == ["urn:bodega:serial:SKU-3:S%201"], "a space is no character of AI 21"


def test_a_sku_without_a_gtin_has_a_urn_of_our_own():
    (event,) = tell(booked("receive", Goods("tea & co", 3), Goods("tea & co", 1, "ü")))
    assert [one["epcClass"] for one in event["quantityList"]] == [
        "urn:bodega:sku:tea%20%26%20co",
        "urn:bodega:lot:tea%20%26%20co:%C3%BC",
    ]
    (event,) = tell(booked("receive", Goods(MILK, 3, "ü")))
    assert event["quantityList"][0]["epcClass"] == "urn:bodega:lot:SKU-1:%C3%BC", "no character of AI 10"


def test_a_gtin_with_a_wrong_check_digit_is_never_told_as_one():
    wrong = gtin(1)[:-1] + str((int(gtin(1)[-1]) + 1) % 10)
    (event,) = tell(booked("receive", Goods(MILK, 3)), names(gtin_of=lambda _sku_id: wrong))
    assert event["quantityList"][0]["epcClass"] == "urn:bodega:sku:SKU-1"


def test_places_are_bins_of_the_node_and_have_its_gln_where_it_has_one():
    movement = booked("put_away", Goods(MILK, 1), source="DOCK", target="A-01-01")
    (event,) = tell(movement)
    assert event["readPoint"] == {"id": f"{NODE}:bin:DOCK"}
    assert event["bizLocation"] == {"id": f"{NODE}:bin:A-01-01"}
    (event,) = tell(movement, names(gln=GLN))
    assert event["bizLocation"] == {"id": f"https://id.gs1.org/414/{GLN}/254/A-01-01"}
    (event,) = tell(booked("pick", Goods(MILK, 1), target="STAGE-" + "x" * 40), names(gln=GLN))
    assert event["bizLocation"] == {"id": f"{NODE}:bin:STAGE-{'x' * 40}"}, "AI 254 has 20 characters"
    (event,) = tell(booked("put_away", Goods(MILK, 1), source=unit_place(SSCC)))
    assert event["readPoint"] == {"id": NODE}, "a pallet is no place"


def test_a_pick_binds_units_to_their_order():
    (event,) = tell(booked("pick", Goods(MILK, 2), reference=Reference("FO-1"), target="STAGE-FO-1"))
    assert event["bizTransactionList"] == [
        {"type": "po", "bizTransaction": "urn:bodega:order:ORD-1"},
        {"type": "desadv", "bizTransaction": "urn:bodega:fulfillment_order:FO-1"},
    ]


def test_a_pick_names_its_goods_even_where_a_parcel_is_known():
    (event,) = tell(booked("pick", Goods(MILK, 2), reference=FO))
    assert event["quantityList"] == [{"epcClass": MILK_URI, "quantity": 2}]
    assert "epcList" not in event


def test_a_pick_for_no_order_is_only_seen():
    (event,) = tell(booked("pick", Goods(MILK, 2)))
    assert (event["type"], event["action"]) == ("ObjectEvent", "OBSERVE")


def test_a_parcel_is_the_parent_of_its_goods():
    (packed,) = tell(
        booked(
            "pack", Goods(MILK, 2), Goods(BREAD, 1, serials=("S1",)), reference=FO, target=parcel_place(SSCC)
        )
    )
    assert packed["parentID"] == f"https://id.gs1.org/00/{SSCC}"
    assert packed["childQuantityList"] == [{"epcClass": MILK_URI, "quantity": 2}]
    assert packed["childEPCs"] == [f"https://id.gs1.org/01/{gtin(2)}/21/S1"]
    assert packed["bizLocation"] == {"id": NODE}, "a parcel is no place"


def test_a_parcel_known_by_its_place_alone_is_a_parent_and_no_parcel_means_no_aggregation():
    unpacked = booked("unpack", Goods(MILK, 2), source=parcel_place(SSCC))
    assert tell(unpacked)[0]["parentID"] == f"https://id.gs1.org/00/{SSCC}"
    (event,) = tell(booked("pack", Goods(MILK, 2)))
    assert (event["type"], event["action"]) == ("ObjectEvent", "OBSERVE")
    (event,) = tell(booked("pack", Goods(MILK, 2), reference=Reference(sscc="123")))
    assert event["parentID"] == "urn:bodega:parcel:123"


def test_shipping_names_the_parcel_and_not_its_content_once_more():
    (event,) = tell(booked("ship", Goods(MILK, 2), Goods(BREAD, 1), reference=FO, source=parcel_place(SSCC)))
    assert event["epcList"] == [f"https://id.gs1.org/00/{SSCC}"]
    assert "quantityList" not in event
    assert event["sourceList"] == [{"type": "location", "source": NODE}]


@pytest.mark.parametrize("command", ["receive", "return", "transfer_in"])
def test_goods_that_come_from_outside_have_the_node_as_destination(command):
    (event,) = tell(booked(command, Goods(MILK, 2)))
    assert event["destinationList"] == [{"type": "location", "destination": NODE}]
    assert "sourceList" not in event


def test_a_transfer_has_one_paper_at_both_of_its_nodes():
    (out,), (in_,) = tell(booked("transfer_out", Goods(MILK, 2))), tell(booked("transfer_in", Goods(MILK, 2)))
    paper = [{"type": "desadv", "bizTransaction": "urn:bodega:transfer:T-7"}]
    assert out["bizTransactionList"] == in_["bizTransactionList"] == paper


def test_a_local_sale_serves_its_reservation():
    (event,) = tell(booked("post", Goods(MILK, 1), reference=Reference(reservation_id="R-1")))
    assert event["bizTransactionList"] == [{"type": "po", "bizTransaction": "urn:bodega:reservation:R-1"}]


def test_a_kit_consumes_its_parts_and_a_broken_one_gives_them_back():
    (made,) = tell(booked("kit", Goods(MILK, 2), Goods(BREAD, 4), makes=[Goods(BASKET, 2)], target="K-01"))
    assert made["inputQuantityList"] == [
        {"epcClass": MILK_URI, "quantity": 2},
        {"epcClass": f"https://id.gs1.org/01/{gtin(2)}", "quantity": 4},
    ]
    assert made["outputQuantityList"] == [{"epcClass": f"https://id.gs1.org/01/{gtin(3)}", "quantity": 2}]
    assert (made["readPoint"], made["bizLocation"]) == (
        {"id": f"{NODE}:bin:A-01"},
        {"id": f"{NODE}:bin:K-01"},
    )
    (broken,) = tell(booked("unkit", Goods(BASKET, 1, serials=("K1",)), makes=[Goods(MILK, 1)]))
    assert broken["inputEPCList"] == [f"https://id.gs1.org/01/{gtin(3)}/21/K1"]


def test_a_kit_with_a_serial_number_is_commissioned():
    (made,) = tell(booked("kit", Goods(MILK, 1), makes=[Goods(BASKET, 1, serials=("K1",))]))
    assert made["bizStep"] == "commissioning"


def test_a_new_identity_is_the_end_of_one_and_the_beginning_of_another():
    movement = booked("re_identify", Goods(MILK, 3), makes=[Goods(BREAD, 3, "L-9")])
    movement = movement._replace(lots=(LotSeen(BREAD, "L-9", "2027-01-31"),))
    was, is_ = tell(movement)
    assert (was["action"], was["bizStep"], was["disposition"]) == ("DELETE", "decommissioning", "inactive")
    assert (is_["action"], is_["bizStep"]) == ("ADD", "creating_class_instance")
    assert is_["ilmd"] == {"cbvmda:lotNumber": "L-9", "cbvmda:itemExpirationDate": "2027-01-31"}
    assert was["eventID"] != is_["eventID"]


def test_two_lots_made_at_once_are_told_one_by_one():
    movement = booked("kit", Goods(MILK, 2), makes=[Goods(BASKET, 1, "K-1"), Goods(BASKET, 1, "K-2")])
    (event,) = tell(movement._replace(lots=(LotSeen(BASKET, "K-1", "2027-01-31"), LotSeen(MILK, "L-1", ""))))
    assert "ilmd" not in event, "ilmd is about everything that the event made"
    assert [one["cbvmda:lotNumber"] for one in event["bodega:lotMasterData"]] == ["K-1"]
    (event,) = tell(
        booked("kit", Goods(MILK, 2), makes=[Goods(BASKET, 1, "K-1")])._replace(
            lots=(LotSeen(BASKET, "K-1"),)
        )
    )
    assert event["ilmd"] == {"cbvmda:lotNumber": "K-1"}


def test_an_expiry_learned_at_receiving_is_told_and_not_as_ilmd():
    movement = booked("receive", Goods(MILK, 3, "L-1"))._replace(lots=(LotSeen(MILK, "L-1", "2027-01-31"),))
    (event,) = tell(movement)
    assert event["bodega:lotMasterData"] == [
        {
            "epcClass": f"{MILK_URI}/10/L-1",
            "cbvmda:lotNumber": "L-1",
            "cbvmda:itemExpirationDate": "2027-01-31",
        }
    ]


def test_units_that_the_book_did_not_hold_are_seen_apart_from_what_was_done():
    found, picked = tell(booked("pick", Goods(MILK, 3), held=Book({}), reference=Reference("FO-1")))
    assert (found["type"], found["bizStep"]) == ("ObjectEvent", "cycle_counting")
    assert found["quantityList"] == [{"epcClass": MILK_URI, "quantity": 3}]
    assert found["readPoint"] == found["bizLocation"] == {"id": f"{NODE}:bin:A-01"}
    assert "bizTransactionList" not in found
    assert picked["type"] == "TransactionEvent"


def test_a_unit_that_the_book_had_elsewhere_is_seen_where_it_was_scanned():
    elsewhere = Account(MILK, "C-03", Disposition.SELLABLE)
    held = Book({elsewhere: 1}, {(MILK, "S1"): elsewhere})
    goods = [Goods(MILK, 1, serials=("S1",))]
    seen, _picked = tell(
        book("pick", goods, held, Places("A-01", "STAGE"), reference=Reference("FO-1")).movement
    )
    assert seen["readPoint"] == {"id": f"{NODE}:bin:A-01"}
    assert seen["bizStep"] == "cycle_counting"


def test_a_unit_whose_lot_was_another_is_missed_as_the_one_and_seen_as_the_other():
    elsewhere = Account(MILK, "C-03", Disposition.SELLABLE, "L-1")
    held = Book({elsewhere: 1}, {(MILK, "S1"): elsewhere})
    movement = book("move", [Goods(MILK, 1, "L-2", serials=("S1",))], held, Places("A-01", "B-02")).movement
    missed, seen, _moved = tell(movement)
    assert (missed["disposition"], missed["readPoint"]) == ("unknown", {"id": f"{NODE}:bin:C-03"})
    assert seen["readPoint"] == {"id": f"{NODE}:bin:A-01"}


def test_a_command_of_a_newer_version_is_told_as_far_as_it_can_be():
    postings = (
        Posting(Account(MILK, "A-01", "levitating"), -3),
        Posting(Account(MILK, "B-02", "levitating"), 2),
        Posting(Account(BREAD, "B-02", "destroyed"), 5),
    )
    taken, put = tell(Movement("teleport", "teleporting", postings))
    assert "bizStep" not in put
    assert "disposition" not in put, (
        "what lies in a bin is neither levitating nor what the CBV calls destroyed"
    )
    assert taken["quantityList"] == [{"epcClass": MILK_URI, "quantity": 3}]
    assert [one["quantity"] for one in put["quantityList"]] == [2, 5]
    assert "bizLocation" not in taken


def test_a_movement_of_the_world_outside_is_no_event():
    assert events(recorded(Movement("x", "", (Posting(Account(MILK, external=CARRIER), 1),))), NAMES) == []


def test_ids_are_well_formed_always_the_same_and_never_shared():
    movement = booked("re_identify", Goods(MILK, 3), makes=[Goods(BREAD, 3)])
    one = recorded(movement)
    assert [event["eventID"] for event in events(one, NAMES)] == [event_id(one, 0), event_id(one, 1)]
    assert event_id(one, 0) == "urn:uuid:a3f0a567-71a0-8a50-a0d2-fc36a762b165"
    others = (replace(one, node_id="porto-01"), replace(one, chain_hash=bytes(32)))
    assert len({event_id(each, part) for each in (one, *others) for part in (0, 1)}) == 6
    later = replace(one, seq=9, at_ms=5)
    assert event_id(later, 0) == event_id(one, 0), "the chain hash alone says which movement it is"


@pytest.mark.parametrize(
    ("at_ms", "told"),
    [(0, "1970-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z")],
)
def test_times_at_the_edge_are_told(at_ms, told):
    assert is_tellable(at_ms)
    assert iso_time(at_ms) == told


@pytest.mark.parametrize("at_ms", [-1, 253_402_300_800_000])
def test_times_beyond_the_edge_are_not(at_ms):
    assert not is_tellable(at_ms)
