"""Whatever two associates, a camera, a printer and the hub do, in any order: no unit is lost or doubled.

A random story is played against a model store that executes effects on `bodega.core.ledger` balances; in the
end an obedient associate works off what is left, and every order must have come to an honest end.
"""

from __future__ import annotations

import json
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bodega.core.ledger import CARRIER, parcel_place, stage_of
from bodega.core.lifecycles import FulfillmentState, PrintEvent
from bodega_agent.rules.floor import keeping
from bodega_agent.rules.floor.engine import present
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.rules.floor.flows import TABLE, started_by
from bodega_agent.rules.floor.pick.facts import ZeroCheck
from bodega_agent.rules.floor.pick.work import settle
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import (
    CONTROL_WORDS,
    BinScan,
    CheckOutcome,
    ControlScan,
    ItemScan,
    Kind,
    NamedScan,
    NumberScan,
    PrintChanged,
    SsccScan,
    UnknownScan,
    WordScan,
    kind_of,
)
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.words import Word
from support.floor_model import BINS, MODELLED, NAMES, FloorModel, order
from support.floor_people import follow, work_off

DEVICES = ("scanner-1", "scanner-2")
devices = st.sampled_from(DEVICES)
skus = st.sampled_from(sorted(NAMES))
WORDS = [
    word
    for word, kind in CONTROL_WORDS.items()
    if (flow := started_by(kind)) is None or flow.name in MODELLED
]
ANSWERS = [CheckOutcome.PASS, CheckOutcome.FAIL, CheckOutcome.REVIEW]
PRINTER = [PrintEvent.SEND, PrintEvent.CONFIRM, PrintEvent.LOSE_TRACK]
ENDS = {
    FulfillmentState.SHIPPED,
    FulfillmentState.SHORT,
    FulfillmentState.CANCELLED,
    FulfillmentState.HANDED_BACK,
}


class Floor(RuleBasedStateMachine):
    """Scans, verdicts, prints, cancels and power cuts in any order."""

    @initialize(
        vision=st.sampled_from(VisionMode),
        stock=st.lists(st.tuples(skus, st.sampled_from(sorted(BINS)), st.integers(1, 4)), max_size=5),
        orders=st.lists(
            st.tuples(
                st.dictionaries(skus, st.integers(1, 4), min_size=1),
                st.sampled_from(["", *NAMES]),
                st.booleans(),
                st.sampled_from(["parcel", "pickup"]),
            ),
            min_size=1,
            max_size=3,
        ),
        zero_check=st.sampled_from(ZeroCheck),
    )
    def open_the_store(self, vision, stock, orders, zero_check):
        self.model = FloorModel(vision=vision, zero_check=zero_check)
        for sku_id, bin_id, quantity in stock:
            self.model.stock(sku_id, bin_id, quantity)
        for number, (lines, instead, ship_complete, method) in enumerate(orders, start=1):
            work = order(f"FO-{number}", lines, instead, ship_complete=ship_complete, method=method)
            self.model.add(work)

    def scan(self, device, scan, crash):
        before = self.model.session(device)
        movements = len(self.model.books.movements)
        facts = self.model.facts(before, scan)
        outcome = self.model.handle(device, scan, crash=crash)
        here = settle(before, facts)
        if isinstance(here, Session):
            move = TABLE.get((here.step, kind_of(scan)))
            assert outcome.session.step in (move.to if move else (here.step,))
        if outcome.prompt.tone is Tone.ERROR:
            assert outcome.effects == ()
            assert len(self.model.books.movements) == movements
        assert outcome.prompt.text
        if crash:
            assert self.model.session(device) == before
        json.dumps(outcome.prompt.to_json())

    @rule(device=devices, word=st.sampled_from([*WORDS, "CMD-NONSENSE"]), crash=st.booleans())
    def scan_control(self, device, word, crash):
        self.scan(device, ControlScan(word), crash)

    @rule(device=devices, sku_id=skus, quantity=st.integers(1, 3), crash=st.booleans())
    def scan_item(self, device, sku_id, quantity, crash):
        self.scan(device, ItemScan(sku_id, NAMES[sku_id], f"gtin-{sku_id}", quantity=quantity), crash)

    @rule(device=devices, bin_id=st.sampled_from(sorted(BINS)), crash=st.booleans())
    def scan_bin(self, device, bin_id, crash):
        self.scan(device, BinScan(bin_id), crash)

    @rule(device=devices, tote_id=st.sampled_from(["TOTE-1", "TOTE-2"]), crash=st.booleans())
    def scan_tote(self, device, tote_id, crash):
        self.scan(device, NamedScan(Kind.TOTE, tote_id), crash)

    @rule(
        device=devices,
        answer=st.one_of(
            st.builds(WordScan, st.sampled_from(Word)), st.builds(NumberScan, st.integers(0, 4))
        ),
        crash=st.booleans(),
    )
    def answer(self, device, answer, crash):
        self.scan(device, answer, crash)

    @rule(device=devices)
    def scan_rubbish(self, device):
        self.scan(device, UnknownScan("?", "this is no code", "scan again"), crash=False)

    @rule(device=devices, data=st.data(), crash=st.booleans())
    def scan_parcel(self, device, data, crash):
        known = [work.sscc for work in self.model.books.orders.values() if work.sscc]
        self.scan(device, SsccScan(data.draw(st.sampled_from([*known, "0" * 18]))), crash)

    @rule(
        device=devices,
        count=st.integers(1, 6),
        crash=st.booleans(),
        begin=st.sampled_from(["CMD-PICK", "CMD-BATCH", "CMD-CART"]),
    )
    def obey_the_prompt(self, device, count, crash, begin):
        """The way that leads somewhere, so that stories get to parcels at all."""
        for _ in range(count):
            session = self.model.session(device)
            if session == session.idle():
                scan = ControlScan(begin)
            else:
                prompt = present(session, self.model.facts(session, None)).prompt
                if prompt.expect is None or (prompt.expect.kind == "item" and not prompt.expect.sku_id):
                    return
                if prompt.expect.kind == "sscc" and not prompt.expect.values:
                    return
                scan = follow(prompt)
            self.scan(device, scan, crash)

    @rule(data=st.data(), outcome=st.sampled_from(ANSWERS))
    def camera_answers(self, data, outcome):
        asked = [
            (work, check.line)
            for work in self.model.books.orders.values()
            for check in work.checks
            if check.outcome is CheckOutcome.WAITING
        ]
        if asked:
            work, line = data.draw(st.sampled_from(asked))
            self.model.verdict(work.device, work.fulfillment_order_id, line, outcome)

    @rule(
        data=st.data(),
        device=devices,
        event=st.sampled_from(PRINTER),
    )
    def printer_does(self, data, device, event):
        printing = [work.sscc for work in self.model.books.orders.values() if work.sscc]
        if printing:
            sscc = data.draw(st.sampled_from(printing))
            self.model.printed(sscc, event)
            state = next(w.print_state for w in self.model.books.orders.values() if w.sscc == sscc)
            self.model.handle(device, PrintChanged(sscc, state))

    @rule(data=st.data())
    def hub_cancels(self, data):
        self.model.cancel(data.draw(st.sampled_from(sorted(self.model.books.orders))))

    @rule(device=devices)
    def device_goes_or_comes_back(self, device):
        self.model.absent ^= {device}

    @invariant()
    def every_unit_is_in_a_tote_of_its_order_only(self):
        orders = self.model.books.orders.values() if hasattr(self, "model") else ()
        bound = [tote_id for work in orders for tote_id in work.totes]
        assert len(bound) == len(set(bound))

    @invariant()
    def units_are_where_the_orders_say(self):
        for work in self.model.books.orders.values() if hasattr(self, "model") else ():
            stage = stage_of(work.fulfillment_order_id)
            for sku_id, picked in _picked(work).items():
                if work.state in {FulfillmentState.PICKING, FulfillmentState.PICKED}:
                    assert self.model.held(stage, sku_id) == picked
                if work.state in {FulfillmentState.PACKED, FulfillmentState.LABELLED}:
                    assert self.model.held(parcel_place(work.sscc), sku_id) == picked
                    assert self.model.held(stage, sku_id) == 0

    @invariant()
    def every_parcel_has_its_own_number(self):
        orders = self.model.books.orders.values() if hasattr(self, "model") else ()
        numbers = [work.sscc for work in orders if work.sscc]
        assert len(numbers) == len(set(numbers))

    def teardown(self):
        if not hasattr(self, "model"):
            return
        self.model.absent = set(DEVICES)
        for device in (*DEVICES, "scanner-3"):
            work_off(self.model, device)
        shipped = Counter()
        for work in self.model.books.orders.values():
            assert work.state in ENDS
            assert work.picked <= sum(line.quantity for line in work.lines)
            if work.state is FulfillmentState.SHIPPED:
                assert work.outstanding == 0
                shipped += _picked(work)
        balances = self.model.balances()
        assert sum(balances.values()) == 0
        for device in DEVICES:
            assert self.model.session(device).step is FloorStep.IDLE
        carried = Counter({a.sku_id: n for a, n in balances.items() if a.external == CARRIER})
        assert +carried == +shipped
        resting = {account.bin for account in balances if account.is_physical}
        assert resting <= set(BINS), "nothing is left on the dock, on a stage or in a parcel"


def _picked(work):
    picked = Counter()
    for line in work.lines:
        picked[line.sku_id] += line.picked
    return picked


def test_a_session_survives_its_way_through_json():
    session = Session("scanner-1")
    assert keeping.from_json(json.loads(json.dumps(keeping.to_json(session)))) == session


TestFloor = Floor.TestCase
TestFloor.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
