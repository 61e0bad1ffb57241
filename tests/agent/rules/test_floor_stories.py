"""The floor in plain language: one story per flow, and one per way in which it goes wrong."""

import pytest

from bodega.core.ledger import COUNT, DOCK, FOUND, Account, parcel_place
from bodega.core.lifecycles import FulfillmentState, PrintEvent, PrintState
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import (
    BinScan,
    CheckOutcome,
    ControlScan,
    ItemScan,
    PrintChanged,
    SsccScan,
    WordScan,
)
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.rules.floor.words import Word
from support import asks as ask
from support.floor_model import NAMES, FloorModel, order

HANDHELD, MISSING = "scanner-1", WordScan(Word.MISSING)


def item(sku_id, quantity=1, lot="", *, lot_tracked=False):
    return ItemScan(sku_id, NAMES[sku_id], f"gtin-{sku_id}", lot, quantity, lot_tracked)


def scan(model, *codes, device=HANDHELD):
    """Several scans; the last outcome. A text is a bin, or a control word."""
    for code in codes:
        outcome = model.handle(device, _read(code))
    return outcome


def _read(code):
    kind = ControlScan if str(code).startswith("CMD-") else BinScan
    return kind(code) if isinstance(code, str) else code


def state_of(model, order_id="FO-1"):
    return model.books.orders[order_id].state


@pytest.fixture
def model():
    story = FloorModel()
    story.stock("OAT", "A-01", 3)
    story.stock("OAT", "B-01", 2)
    story.stock("RYE", "A-02", 1)
    return story


def test_what_comes_in_is_on_the_dock_with_every_scan():
    model = FloorModel()
    assert scan(model, "CMD-RECEIVE", item("TEA", 24)).prompt.text.startswith("Received 24 x Green tea.")
    scan(model, item("TEA"))
    assert model.held(DOCK, "TEA") == 25
    assert scan(model, "CMD-DONE").session.step is FloorStep.IDLE


def test_a_lot_tracked_item_is_received_only_with_its_lot():
    model = FloorModel()
    outcome = scan(model, "CMD-RECEIVE", item("TEA", lot_tracked=True))
    assert outcome.prompt.tone is Tone.ERROR
    assert "lot" in outcome.prompt.text
    scan(model, item("TEA", lot="L1", lot_tracked=True))
    assert model.held(DOCK, "TEA") == 1


def test_put_away_moves_with_the_bin_scan_and_not_before():
    model = FloorModel()
    scan(model, "CMD-RECEIVE", item("TEA", 24), "CMD-DONE", "CMD-PUTAWAY")
    prompt = scan(model, item("TEA", 12), item("TEA")).prompt
    assert prompt.text == "Put 13 x Green tea into A-01 and scan the bin."
    assert prompt.expect.values == ("A-01",)
    assert model.held(DOCK, "TEA") == 24
    scan(model, "B-02")
    assert (model.held(DOCK, "TEA"), model.held("B-02", "TEA")) == (11, 13)


def test_nothing_can_be_put_away_that_did_not_come_in():
    model = FloorModel()
    scan(model, "CMD-RECEIVE", item("TEA", 2), "CMD-DONE", "CMD-PUTAWAY")
    assert scan(model, item("TEA", 3)).prompt.text.startswith("Only 2 x Green tea wait, not 3.")
    assert scan(model, item("RYE")).prompt.text.startswith("No Rye bread waits")
    scan(model, item("TEA"))
    assert scan(model, item("RYE")).prompt.text.startswith("First put Green tea away.")


def test_goods_of_two_lots_are_put_away_by_lot():
    model = FloorModel()
    scan(model, "CMD-RECEIVE", item("TEA", lot="L1"), item("TEA", lot="L2"), "CMD-DONE", "CMD-PUTAWAY")
    assert "2 lots" in scan(model, item("TEA")).prompt.text
    scan(model, item("TEA", lot="L2"), "A-02")
    assert model.balances()[Account("TEA", "A-02", "sellable_accessible", "L2")] == 1


def test_goods_that_somebody_else_put_away_meanwhile_move_once():
    model = FloorModel()
    scan(model, "CMD-RECEIVE", item("TEA"), "CMD-DONE")
    for device in ("scanner-1", "scanner-2"):
        scan(model, "CMD-PUTAWAY", item("TEA"), device=device)
    scan(model, "A-01", device="scanner-1")
    late = scan(model, "A-02", device="scanner-2")
    assert late.prompt.tone is Tone.ERROR
    assert model.held("A-01", "TEA") == 1
    assert model.held("A-02", "TEA") == 0


def test_an_order_goes_from_shelf_to_carrier(model):
    model.add(order("FO-1", {"OAT": 2, "RYE": 1}))
    outcome = scan(model, "CMD-PICK")
    assert outcome.prompt.text == "Order FO-1 is yours. Go to A-01."
    assert outcome.prompt.expect.to_json() == {
        "kind": "bin",
        "values": ["A-01"],
        "sku_id": "OAT",
        "quantity": 2,
        "fulfillment_order_id": "FO-1",
    }
    assert scan(model, "A-01").prompt.text == "Bin A-01. Take 2 x Oat milk 1 l."
    assert scan(model, item("OAT")).prompt.text == "Picked 1 x Oat milk 1 l. Take 1 x Oat milk 1 l."
    assert scan(model, item("OAT")).prompt.text == "Picked 1 x Oat milk 1 l. Go to A-02."
    outcome = scan(model, "A-02", item("RYE"))
    assert outcome.prompt.expect.values == ("CMD-PACK",)
    assert state_of(model) is FulfillmentState.PICKED
    outcome = scan(model, "CMD-PACK")
    sscc = outcome.prompt.expect.sscc
    assert len(sscc) == 18
    assert model.held(parcel_place(sscc), "OAT") == 2
    model.printed(sscc, PrintEvent.SEND)
    assert scan(model, SsccScan(sscc)).prompt.text.startswith("Parcel of order FO-1 is labelled.")
    scan(model, "CMD-HANDOVER", SsccScan(sscc), "CMD-DONE")
    assert state_of(model) is FulfillmentState.SHIPPED


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (item("RYE"), "Rye bread is not Oat milk 1 l. Take 2 x Oat milk 1 l."),
        (item("OAT", 3), "3 are too many. Take 2 x Oat milk 1 l."),
        (BinScan("B-01"), "You are not done at A-01. Take 2 x Oat milk 1 l."),
        (SsccScan("0" * 18), "A parcel label is not wanted now. Take 2 x Oat milk 1 l."),
        (ControlScan("CMD-RECEIVE"), "Leave pick first with CMD-CANCEL. Take 2 x Oat milk 1 l."),
    ],
)
def test_a_wrong_scan_in_a_pick_moves_nothing_and_says_what_is_wanted(model, wrong, text):
    model.add(order("FO-1", {"OAT": 2}))
    scan(model, "CMD-PICK", "A-01")
    movements = len(model.books.movements)
    outcome = scan(model, wrong)
    assert outcome.prompt.text == text
    assert outcome.prompt.tone is Tone.ERROR
    assert len(model.books.movements) == movements


def test_the_wrong_bin_is_named_with_the_right_one(model):
    model.add(order("FO-1", {"OAT": 2}))
    assert scan(model, "CMD-PICK", "B-01").prompt.text == "Bin B-01 is not A-01. Go to A-01."


def test_an_item_before_its_bin_is_not_picked(model):
    model.add(order("FO-1", {"OAT": 2}))
    assert scan(model, "CMD-PICK", item("OAT")).prompt.text == "Oat milk 1 l is not wanted now. Go to A-01."


def test_more_than_the_book_has_in_the_right_bin_is_found_not_refused(model):
    model.add(order("FO-1", {"RYE": 2}))
    scan(model, "CMD-PICK", "A-02", item("RYE", 2))
    assert state_of(model) is FulfillmentState.PICKED
    assert model.balances()[Account("RYE", external=FOUND)] == -1


def test_the_lot_that_is_scanned_is_the_lot_that_is_picked():
    model = FloorModel()
    model.stock("TEA", "A-01", 1, lot="L1")
    model.stock("TEA", "A-01", 1, lot="L2")
    model.add(order("FO-1", {"TEA": 2}))
    scan(model, "CMD-PICK", "A-01")
    assert scan(model, item("TEA", lot="L9")).prompt.text.startswith("Lot L9 is not lot L1.")
    scan(model, item("TEA", lot="L2"), item("TEA", lot="L1"))
    assert state_of(model) is FulfillmentState.PICKED


def test_an_empty_shelf_sends_to_the_next_bin_and_the_book_goes_to_zero(model):
    model.add(order("FO-1", {"OAT": 2}))
    outcome = scan(model, "CMD-PICK", "A-01", item("OAT"), "CMD-SHORT", MISSING)
    assert outcome.prompt.text == "A-01 is empty. Go to B-01."
    assert model.held("A-01", "OAT") == 0
    assert model.balances()[Account("OAT", external=COUNT)] == 2
    scan(model, "B-01", item("OAT"))
    assert state_of(model) is FulfillmentState.PICKED


def test_when_no_bin_has_it_the_line_is_short_and_the_rest_ships(model):
    model.add(order("FO-1", {"RYE": 1, "OAT": 1}))
    scan(model, "CMD-PICK", "A-01", item("OAT"))
    outcome = scan(model, "A-02", "CMD-SHORT", MISSING)
    assert outcome.prompt.text.startswith("A-02 is empty. Rye bread is short. All picked.")
    assert outcome.prompt.detail == ("short: 1 x Rye bread",)
    assert state_of(model) is FulfillmentState.PICKED


@pytest.mark.parametrize(("method", "ends"), [("parcel", "handed_back"), ("pickup", "short")])
def test_a_parcel_of_which_nothing_is_there_goes_back_to_the_hub_and_a_pickup_ends_short(model, method, ends):
    model.add(order("FO-1", {"RYE": 1}, method=method))
    outcome = scan(model, "CMD-PICK", "A-02", "CMD-SHORT", MISSING)
    assert (outcome.session.step, state_of(model)) == (FloorStep.IDLE, ends)


def test_what_the_book_has_nowhere_can_still_be_found_by_a_person(model):
    model.add(order("FO-1", {"TEA": 2}))
    outcome = scan(model, "CMD-PICK")
    assert outcome.prompt.tone is Tone.ASK
    assert outcome.prompt.expect.values == ("CMD-SHORT",)
    scan(model, "B-02", item("TEA"))
    outcome = scan(model, "CMD-SHORT")
    line = model.books.orders["FO-1"].line(1)
    assert (line.picked, line.short) == (1, 1)
    assert outcome.session.step is FloorStep.PACK


def test_who_leaves_an_order_gets_it_back_first(model):
    model.add(order("FO-1", {"OAT": 2}))
    model.add(order("FO-2", {"OAT": 1}))
    assert "FO-1 is still yours" in scan(model, "CMD-PICK", "A-01", item("OAT"), "CMD-CANCEL").prompt.text
    outcome = scan(model, "CMD-PICK")
    assert outcome.prompt.text == "Going on with order FO-1. Go to A-01."
    assert outcome.prompt.expect.quantity == 1


def test_two_devices_never_work_on_one_order(model):
    model.add(order("FO-1", {"OAT": 1}))
    scan(model, "CMD-PICK", device="scanner-1")
    assert scan(model, "CMD-PICK", device="scanner-2").prompt.text.startswith("No order waits.")


def test_the_order_of_a_device_that_is_gone_is_taken_over_only_when_told(model):
    model.add(order("FO-1", {"OAT": 2}))
    scan(model, "CMD-PICK", "A-01", item("OAT"), device="scanner-1")
    model.absent = {"scanner-1"}
    asked = scan(model, "CMD-PICK", device="scanner-2")
    assert asked.prompt.tone is Tone.ASK
    assert asked.effects == ()
    taken = scan(model, "CMD-ACCEPT", device="scanner-2")
    assert taken.effects == (ask.Claim("FO-1", take_over=True),)
    assert taken.prompt.text == "Order FO-1 is yours now. Go to A-01."
    back = scan(model, item("OAT"), device="scanner-1")
    assert back.prompt.text.startswith("Order FO-1 is not yours to work on any more.")
    assert model.books.orders["FO-1"].picked == 1


def test_a_blocking_camera_holds_the_order_until_a_person_accepts(model):
    model.vision = VisionMode.BLOCKING
    model.add(order("FO-1", {"RYE": 1}))
    outcome = scan(model, "CMD-PICK", "A-02", item("RYE"))
    assert outcome.effects[-1] == ask.Inspect("FO-1", 1, "RYE")
    assert outcome.prompt.text.endswith("All picked. Wait for the camera.")
    doubt = model.verdict(HANDHELD, "FO-1", 1, CheckOutcome.FAIL)
    assert doubt.prompt.expect.values == ("gtin-RYE", "CMD-ACCEPT")
    assert scan(model, "CMD-PACK").prompt.tone is Tone.ERROR
    again = scan(model, item("RYE"))
    assert again.effects == (ask.Inspect("FO-1", 1, "RYE"),)
    model.verdict(HANDHELD, "FO-1", 1, CheckOutcome.REVIEW)
    assert scan(model, "CMD-ACCEPT").prompt.text.startswith("Rye bread is accepted. All picked.")
    assert state_of(model) is FulfillmentState.PICKED
    assert model.books.orders["FO-1"].picked == 1


def test_a_pass_lets_a_held_order_go_on_by_itself(model):
    model.vision = VisionMode.BLOCKING
    model.add(order("FO-1", {"RYE": 1}))
    scan(model, "CMD-PICK", "A-02", item("RYE"))
    outcome = model.verdict(HANDHELD, "FO-1", 1, CheckOutcome.PASS)
    assert outcome.prompt.expect.values == ("CMD-PACK",)
    assert state_of(model) is FulfillmentState.PICKED


def test_an_advisory_camera_asks_and_holds_nothing(model):
    model.vision = VisionMode.ADVISORY
    model.add(order("FO-1", {"RYE": 1}))
    scan(model, "CMD-PICK", "A-02", item("RYE"))
    assert state_of(model) is FulfillmentState.PICKED
    doubt = model.verdict(HANDHELD, "FO-1", 1, CheckOutcome.FAIL)
    assert doubt.prompt.tone is Tone.ASK
    assert "CMD-PACK" in doubt.prompt.expect.values
    assert scan(model, "CMD-PACK").session.step is FloorStep.LABEL


def test_a_doubt_during_the_walk_is_said_and_the_walk_goes_on(model):
    model.vision = VisionMode.ADVISORY
    model.add(order("FO-1", {"OAT": 1, "RYE": 1}))
    scan(model, "CMD-PICK", "A-01", item("OAT"))
    doubt = model.verdict(HANDHELD, "FO-1", 1, CheckOutcome.REVIEW)
    assert doubt.prompt.tone is Tone.ASK
    assert doubt.prompt.text.endswith("Go to A-02.")
    shown = scan(model, item("OAT"))
    assert shown.effects == (ask.Inspect("FO-1", 1, "OAT"),)


def _packed(model, *, sent=True):
    model.add(order("FO-1", {"OAT": 1}))
    sscc = scan(model, "CMD-PICK", "A-01", item("OAT"), "CMD-PACK").prompt.expect.sscc
    if sent:
        model.printed(sscc, PrintEvent.SEND)
    return sscc


def test_a_label_of_unknown_fate_is_never_printed_again_by_itself(model):
    sscc = _packed(model)
    assert scan(model, "CMD-REPRINT").prompt.text.startswith("The label is still on its way")
    model.printed(sscc, PrintEvent.LOSE_TRACK)
    asked = model.handle(HANDHELD, PrintChanged(sscc, PrintState.UNKNOWN))
    assert asked.prompt.tone is Tone.ASK
    assert asked.prompt.expect.values == (sscc, "CMD-REPRINT")
    assert model.books.print_jobs[sscc] == 1
    again = scan(model, "CMD-REPRINT")
    assert again.effects == (ask.Reprint("FO-1", sscc, "asked for at scanner-1, print was unknown"),)
    assert model.books.print_jobs[sscc] == 2


def test_a_label_that_can_not_be_printed_says_so_and_comes_when_it_is_asked_for_again(model):
    sscc = _packed(model, sent=False)
    model.printed(sscc, PrintEvent.REFUSED_FOR_GOOD)
    told = model.handle(HANDHELD, PrintChanged(sscc, PrintState.FAILED))
    assert told.prompt.tone is Tone.ERROR
    assert told.prompt.expect.values == ("CMD-REPRINT",)
    assert scan(model, SsccScan(sscc)).effects == ()
    assert scan(model, "CMD-REPRINT").effects[0].reason.endswith("print was failed")


def test_an_older_copy_is_not_believed_while_a_newer_one_is_still_to_come_out(model):
    sscc = _packed(model)
    model.printed(sscc, PrintEvent.LOSE_TRACK)
    scan(model, "CMD-REPRINT")
    assert scan(model, SsccScan(sscc)).prompt.text.startswith("The newest label is not printed yet.")
    model.printed(sscc, PrintEvent.SEND)
    assert scan(model, SsccScan(sscc)).prompt.tone is Tone.OK


def test_the_label_of_another_parcel_is_not_believed(model):
    _packed(model)
    outcome = scan(model, SsccScan("0" * 18))
    assert outcome.prompt.text.startswith("This is the label of another parcel")
    assert state_of(model) is FulfillmentState.PACKED


def test_without_parcel_numbers_nothing_is_packed(model, monkeypatch):
    model.add(order("FO-1", {"OAT": 1}))
    scan(model, "CMD-PICK", "A-01", item("OAT"))
    monkeypatch.setattr(model, "_next_sscc", lambda: ("", 0))
    outcome = scan(model, "CMD-PACK")
    assert outcome.prompt.text.startswith("The node has no parcel numbers left.")
    assert outcome.effects == ()


def test_only_labelled_parcels_of_this_node_are_handed_over_and_once(model):
    sscc = _packed(model)
    scan(model, "CMD-CANCEL", "CMD-HANDOVER")
    assert "not scanned back yet" in scan(model, SsccScan(sscc)).prompt.text
    assert "not one of this node" in scan(model, SsccScan("0" * 18)).prompt.text
    scan(model, "CMD-DONE", "CMD-PICK", SsccScan(sscc), "CMD-HANDOVER", SsccScan(sscc))
    assert "handed over already" in scan(model, SsccScan(sscc)).prompt.text


def test_a_cancel_takes_the_order_out_of_the_hand_and_its_goods_go_back(model):
    model.add(order("FO-1", {"OAT": 2}))
    scan(model, "CMD-PICK", "A-01", item("OAT"))
    model.cancel("FO-1")
    assert model.books.put_back == ["FO-1"]
    assert model.session(HANDHELD).step is FloorStep.IDLE
    scan(model, "CMD-PUTAWAY", item("OAT"), "A-01")
    assert model.held("A-01", "OAT") == 3


def test_a_cancel_unpacks_a_closed_parcel_and_its_label_may_not_go(model):
    sscc = _packed(model)
    scan(model, SsccScan(sscc))
    model.cancel("FO-1")
    assert model.held("STAGE-FO-1", "OAT") == 1
    assert "is cancelled" in scan(model, "CMD-HANDOVER", SsccScan(sscc)).prompt.text


def test_a_cancel_after_the_hand_over_is_reported_as_too_late(model):
    sscc = _packed(model)
    scan(model, SsccScan(sscc), "CMD-HANDOVER", SsccScan(sscc))
    model.cancel("FO-1")
    assert model.books.late_cancels == ["FO-1"]
    assert state_of(model) is FulfillmentState.SHIPPED


def test_a_scan_that_the_power_cut_took_is_scanned_again_and_counts_once(model):
    model.add(order("FO-1", {"OAT": 2}))
    scan(model, "CMD-PICK", "A-01")
    model.handle(HANDHELD, item("OAT"), crash=True)
    assert model.books.orders["FO-1"].picked == 0
    scan(model, item("OAT"), item("OAT"))
    assert model.held("STAGE-FO-1", "OAT") == 2
