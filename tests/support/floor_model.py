"""A model of the node's store that is small enough to be believed: it executes the floor rules' effects.

Balances come from `bodega.core.ledger` alone. One scan is one transaction: `handle(..., crash=True)` computes
everything and commits nothing, as a power cut before the commit would. Sessions are kept as JSON text, so
every step goes through `keeping`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bodega.core.ledger import (
    DOCK,
    Disposition,
    Goods,
    Reference,
    parcel_place,
    stage_of,
)
from bodega.core.lifecycles import (
    FULFILLMENT,
    PRINT_JOB,
    FulfillmentEvent,
    FulfillmentState,
    PrintEvent,
    PrintState,
)
from bodega.core.recipes import Book, Places, book
from bodega_agent.rules.floor import keeping
from bodega_agent.rules.floor.cancel import cancel_effects
from bodega_agent.rules.floor.engine import step
from bodega_agent.rules.floor.pick.facts import Check, Work, WorkLine
from bodega_agent.rules.floor.prompt import Outcome
from bodega_agent.rules.floor.receive.against import Came, with_more
from bodega_agent.rules.floor.scans import (
    CheckOutcome,
    Scanned,
    VerdictArrived,
    WorkCancelled,
)
from bodega_agent.rules.floor.session import Session
from support import asks as ask
from support.floor_reading import BINS, MODELLED, NAMES, SSCCS, Books, FloorReading, order

__all__ = ["BINS", "MODELLED", "NAMES", "SSCCS", "Books", "FloorModel", "order"]


class FloorModel(FloorReading):
    """One node with some devices; `absent` are the devices that are gone."""

    def stock(self, sku_id: str, bin_id: str, quantity: int, lot: str = "") -> None:
        """Units that were on a shelf when the story begins."""
        goods = Goods(sku_id, quantity, lot)
        self._move("receive", [goods], target_bin=DOCK)
        self._move("put_away", [goods], source_bin=DOCK, target_bin=bin_id)

    def add(self, work: Work) -> None:
        """Work from the hub."""
        self.books.orders[work.fulfillment_order_id] = work

    def session(self, device: str) -> Session:
        """The device's session, as a restart would read it."""
        stored = self.books.sessions.get(device)
        return Session(device) if stored is None else keeping.from_json(json.loads(stored))

    def handle(self, device: str, scan: Scanned, *, crash: bool = False) -> Outcome:
        """One scan in one transaction; `crash` loses it before the commit."""
        session = self.session(device)
        outcome = step(session, scan, self.facts(session, scan))
        before, self.books = self.books, self.books.copy()
        for effect in outcome.effects:
            self.execute(effect, device)
        self.books.sessions[device] = json.dumps(keeping.to_json(outcome.session))
        if crash:
            self.books = before
        return outcome

    def verdict(self, device: str, order_id: str, line: int, outcome: CheckOutcome) -> Outcome:
        """The camera answers; its word is stored first, in the same way as the inspecting service does it."""
        sku_id = self.books.orders[order_id].line(line).sku_id
        doubts = () if outcome is CheckOutcome.PASS else (Check(line, outcome, ("looks different",)),)
        self._check(order_id, line, *doubts)
        return self.handle(device, VerdictArrived(order_id, line, sku_id, outcome))

    def printed(self, sscc: str, event: PrintEvent) -> None:
        """The printer does something, if its table allows it."""
        for key, work in self.books.orders.items():
            if work.sscc == sscc and work.print_state and PRINT_JOB.allows(work.print_state, event):
                self.books.orders[key] = replace(work, print_state=PRINT_JOB.step(work.print_state, event))

    def cancel(self, order_id: str) -> None:
        """A cancel from the hub, and the news for every device that works on the order."""
        work = self.books.orders[order_id]
        for effect in cancel_effects(order_id, work.state, picked=work.picked, sscc=work.sscc):
            self.execute(effect, "")
        if self.books.orders[order_id].state is FulfillmentState.CANCELLED:
            for device in list(self.books.sessions):
                if self.session(device).fulfillment_order_id == order_id:
                    self.handle(device, WorkCancelled(order_id))

    # Effects.

    def execute(self, effect: ask.Effect, device: str) -> None:  # noqa: C901  # one short case an effect
        """Do what one effect says, or fail as the store's own guards would."""
        match effect:
            case ask.OpenReceipt() | ask.Receive() | ask.SetApart() | ask.CloseReceipt() | ask.PutAway():
                self._execute_receiving(effect)
            case ask.Claim(order_id, take_over, batch):
                if not take_over:
                    self._advance(order_id, FulfillmentEvent.CLAIM)
                    self._change(order_id, batch=batch)
                self._change(order_id, device=device)
            case ask.Pick(order_id, line, goods, bin_id):
                self._move("pick", [goods], source_bin=bin_id, target_bin=stage_of(order_id))
                self._change_line(order_id, line, picked=goods.quantity)
            case ask.ShortShelf(order_id, _line, goods, bin_id):
                self._move("count_down", [goods], source_bin=bin_id)
            case ask.ShortLine(order_id, line, quantity):
                self._change_line(order_id, line, short=quantity)
            case ask.Advance(order_id, event):
                self._advance(order_id, event)
            case ask.Inspect(order_id, line, _sku_id):
                self._check(order_id, line, Check(line, CheckOutcome.WAITING))
            case ask.AcceptCheck(order_id, line):
                self._check(order_id, line)
            case ask.NoteException(kind):
                assert kind, "an exception is of a kind"
            case _:
                self._execute_walk(effect)

    def _execute_walk(self, effect: ask.Effect) -> None:
        match effect:
            case ask.UseTote(order_id, tote_id):
                for other, work in list(self.books.orders.items()):
                    self._change(other, totes=tuple(name for name in work.totes if name != tote_id))
                self._change(order_id, totes=(*self.books.orders[order_id].totes, tote_id))
            case ask.SetAside(_order_id, goods, bin_id, disposition):
                self._move(
                    "change_disposition",
                    [goods],
                    source_bin=bin_id,
                    target_bin=bin_id,
                    target_disposition=disposition,
                )
            case ask.SubstituteLine(order_id, line, _sku_id, substitute_sku_id, quantity):
                self._change_line(order_id, line, short=quantity)
                work = self.books.orders[order_id]
                name, number = NAMES[substitute_sku_id], len(work.lines) + 1
                added = WorkLine(
                    number,
                    substitute_sku_id,
                    name,
                    (f"gtin-{substitute_sku_id}",),
                    quantity,
                    substitute_of=line,
                )
                self._change(order_id, lines=(*work.lines, added))
            case ask.HandBack(order_id):
                self._advance(order_id, FulfillmentEvent.HAND_BACK)
            case ask.ZeroChecked(_order_id, bin_id, sku_id, lot, left):
                if left:
                    self._move("count_up", [Goods(sku_id, left, lot)], target_bin=bin_id)
            case _:
                self._execute_parcel(effect)

    def _execute_receiving(self, effect: ask.Effect) -> None:
        match effect:
            case ask.OpenReceipt(receipt_id):
                self.books.receipts[receipt_id] = ()
            case ask.Receive(goods, receipt_id=receipt_id, place=place):
                self._move("receive", [goods], target_bin=place)
                more = Came(goods.quantity)
                lines = with_more(self.books.receipts[receipt_id], goods.sku_id, goods.lot, more, "")
                self.books.receipts[receipt_id] = lines
            case ask.SetApart(_receipt_id, goods, place, becomes):
                places = Places(place, place, Disposition.IN_PROGRESS, becomes)
                self._book("change_disposition", [goods], places)
            case ask.CloseReceipt(receipt_id):
                assert receipt_id in self.books.receipts
            case ask.PutAway(goods, place, bin_id, was):
                waits = was == Disposition.IN_PROGRESS
                self._book("put_away" if waits else "move", [goods], Places(place, bin_id, was, was))

    def _execute_parcel(self, effect: ask.Effect) -> None:
        match effect:
            case ask.Pack(order_id, sscc):
                following, self.books.last_serial = self._next_sscc()
                assert following == sscc, "an SSCC is given once, in the transaction that peeked it"
                self._move_all("pack", stage_of(order_id), parcel_place(sscc))
                self._advance(order_id, FulfillmentEvent.PACK)
                self._change(order_id, sscc=sscc, print_state=PrintState.QUEUED)
                self.books.print_jobs[sscc] += 1
            case ask.VerifyLabel(order_id, _sscc):
                self._advance(order_id, FulfillmentEvent.VERIFY_LABEL)
            case ask.Reprint(order_id, sscc, reason):
                state = self.books.orders[order_id].print_state
                assert state is not None
                assert reason, "a reprint has a reason"
                PRINT_JOB.step(state, PrintEvent.REPRINT)
                self._change(order_id, print_state=PrintState.QUEUED)
                self.books.print_jobs[sscc] += 1
            case ask.HandOver(order_id, sscc):
                self._advance(order_id, FulfillmentEvent.HAND_OVER)
                self._move_all("ship", parcel_place(sscc), "")
            case ask.CancelWork(order_id):
                self._advance(order_id, FulfillmentEvent.CANCEL)
            case ask.Unpack(order_id, sscc):
                self._move_all("unpack", parcel_place(sscc), stage_of(order_id))
            case ask.OpenPutBack(order_id, place):
                assert place == stage_of(order_id)
                self.books.put_back.append(order_id)
            case ask.ReportLateCancel(order_id):
                self.books.late_cancels.append(order_id)
            case _:
                raise AssertionError(f"nobody executes {effect}")

    def _check(self, order_id: str, line: int, *now: Check) -> None:
        others = [check for check in self.books.orders[order_id].checks if check.line != line]
        self._change(order_id, checks=(*others, *now))

    def _move(
        self,
        command: str,
        goods: Iterable[Goods],
        *,
        source_bin: str = "",
        target_bin: str = "",
        target_disposition: str = Disposition.SELLABLE,
    ) -> None:
        self._book(command, goods, Places(source_bin, target_bin, target_disposition=target_disposition))

    def _book(self, command: str, goods: Iterable[Goods], places: Places) -> None:
        booking = book(command, goods, Book(self.balances()), places, reference=Reference(reason="model"))
        self.books.movements.append(booking.movement)

    def _move_all(self, command: str, source_bin: str, target_bin: str) -> None:
        goods = [Goods(a.sku_id, n, a.lot) for a, n in self.balances().items() if a.bin == source_bin]
        self._move(command, goods, source_bin=source_bin, target_bin=target_bin)

    def _advance(self, order_id: str, event: FulfillmentEvent) -> None:
        self._change(order_id, state=FULFILLMENT.step(self.books.orders[order_id].state, event))

    def _change(self, order_id: str, **changes: Any) -> None:
        self.books.orders[order_id] = replace(self.books.orders[order_id], **changes)

    def _change_line(self, order_id: str, number: int, *, picked: int = 0, short: int = 0) -> None:
        work = self.books.orders[order_id]
        line = work.line(number)
        changed = replace(line, picked=line.picked + picked, short=line.short + short)
        assert changed.picked + changed.short <= changed.quantity, "the store's CHECK"
        self.books.orders[order_id] = work.with_line(changed)
