"""A model of the node's store that is small enough to be believed: it executes the floor rules' effects.

Balances come from `bodega.core.ledger` alone. One scan is one transaction: `handle(..., crash=True)` computes
everything and commits nothing, as a power cut before the commit would. Sessions are kept as JSON text, so
every step goes through `keeping`.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bodega.core.ledger import (
    DOCK,
    Account,
    Disposition,
    Goods,
    Movement,
    Reference,
    fold,
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
from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.flows import flow_of, started_by
from bodega_agent.rules.floor.handover.facts import HandoverFacts, Parcel
from bodega_agent.rules.floor.pack.sscc import SsccRange, next_sscc
from bodega_agent.rules.floor.pick.facts import Check, PickFacts, Shelf, Work, WorkLine
from bodega_agent.rules.floor.prompt import Outcome
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts, Waiting
from bodega_agent.rules.floor.putaway.suggest import BinFacts, Load
from bodega_agent.rules.floor.receive.against import Came, Line, with_more
from bodega_agent.rules.floor.receive.doing import Receiving
from bodega_agent.rules.floor.receive.facts import Delivery, ReceiveFacts
from bodega_agent.rules.floor.scans import (
    CheckOutcome,
    ItemScan,
    Scanned,
    SsccScan,
    VerdictArrived,
    WorkCancelled,
    kind_of,
)
from bodega_agent.rules.floor.session import FloorStep, Session
from support import asks as ask

# Flows that this model plays; the others have their stories on the real store.
MODELLED = frozenset({"receive", "putaway", "pick", "pack", "handover"})
NAMES = {"OAT": "Oat milk 1 l", "RYE": "Rye bread", "TEA": "Green tea"}
BINS = {"A-01": 1, "A-02": 2, "B-01": 3, "B-02": 4}
SSCCS = SsccRange(extension=3, company_prefix="9526064", first_serial=1, last_serial=500)


def order(fulfillment_order_id: str, lines: dict[str, int]) -> Work:
    """A fulfillment order as the hub assigns it."""
    return Work(
        fulfillment_order_id,
        f"order-of-{fulfillment_order_id}",
        FulfillmentState.ASSIGNED,
        tuple(
            WorkLine(number, sku_id, NAMES[sku_id], (f"gtin-{sku_id}",), quantity)
            for number, (sku_id, quantity) in enumerate(lines.items(), start=1)
        ),
    )


@dataclass
class Books:
    """All that is durable."""

    movements: list[Movement] = field(default_factory=list)
    orders: dict[str, Work] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    put_back: list[str] = field(default_factory=list)
    late_cancels: list[str] = field(default_factory=list)
    print_jobs: Counter[str] = field(default_factory=Counter)
    receipts: dict[str, tuple[Line, ...]] = field(default_factory=dict)
    last_serial: int | None = None

    def copy(self) -> Books:
        """The same again with containers of its own; what is in them is frozen."""
        return Books(**{f.name: copy.copy(getattr(self, f.name)) for f in fields(self)})


class FloorModel:
    """One node with some devices; `absent` are the devices that are gone."""

    def __init__(self, *, vision: VisionMode = VisionMode.OFF) -> None:
        self.books = Books()
        self.vision = vision
        self.absent: set[str] = set()

    def stock(self, sku_id: str, bin_id: str, quantity: int, lot: str = "") -> None:
        """Units that were on a shelf when the story begins."""
        goods = Goods(sku_id, quantity, lot)
        self._move("receive", [goods], target_bin=DOCK)
        self._move("put_away", [goods], source_bin=DOCK, target_bin=bin_id)

    def add(self, work: Work) -> None:
        """Work from the hub."""
        self.books.orders[work.fulfillment_order_id] = work

    def balances(self) -> dict[Account, int]:
        """All accounts that are not zero; raises if one went below zero on the way."""
        return fold(self.books.movements)

    def held(self, place: str, sku_id: str) -> int:
        """Units of a SKU at one place."""
        return sum(n for a, n in self.balances().items() if (a.bin, a.sku_id) == (place, sku_id))

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

    # Facts, as the table in rules/facts.py asks for them.

    def facts(self, session: Session, scan: Scanned | None) -> Facts:
        """What the service would read for this step."""
        flow = flow_of(session.step) or (started_by(kind_of(scan)) if scan else None)
        match flow.name if flow else "pick":
            case "putaway":
                held = session.doing.sku_id if isinstance(session.doing, InHand) else ""
                sku_id = scan.sku_id if isinstance(scan, ItemScan) else held
                places = tuple(BinFacts(bin_id, walk_order) for bin_id, walk_order in BINS.items())
                return PutAwayFacts(waiting=self._waiting(sku_id), load=Load(1, sku_id), bins=places)
            case "handover":
                return HandoverFacts(parcel=self._parcel(scan.sscc) if isinstance(scan, SsccScan) else None)
            case "receive":
                return self._receiving(session)
        if session.step in {FloorStep.IDLE, FloorStep.TAKE_OVER}:
            return PickFacts(
                work=self._oldest(lambda w: w.device == session.device and w.state in _OPEN),
                next_work=self._oldest(lambda w: w.state is FulfillmentState.ASSIGNED),
                left_work=self._oldest(lambda w: w.device in self.absent and w.state in _OPEN),
                vision=self.vision,
            )
        work = self._with_shelves(self.books.orders[session.fulfillment_order_id])
        return PickFacts(work=work, vision=self.vision, next_sscc=self._next_sscc()[0])

    def _next_sscc(self) -> tuple[str, int]:
        return next_sscc(SSCCS, self.books.last_serial)

    def _oldest(self, wanted: Callable[[Work], bool]) -> Work | None:
        return next((self._with_shelves(w) for w in self.books.orders.values() if wanted(w)), None)

    def _with_shelves(self, work: Work) -> Work:
        wanted = {line.sku_id for line in work.lines if line.outstanding}
        shelves = tuple(
            Shelf(account.sku_id, account.lot, account.bin, BINS[account.bin], quantity)
            for account, quantity in self.balances().items()
            if account.sku_id in wanted and account.disposition == Disposition.SELLABLE
        )
        return replace(work, shelves=shelves)

    def _receiving(self, session: Session) -> ReceiveFacts:
        doing = session.doing
        receipt_id = doing.receipt_id if isinstance(doing, Receiving) else ""
        lines = self.books.receipts.get(receipt_id)
        delivery = None if lines is None else Delivery(receipt_id, lines=lines)
        return ReceiveFacts(delivery=delivery, next_receipt_id=f"R-{len(self.books.receipts)}")

    def _waiting(self, sku_id: str) -> tuple[Waiting, ...]:
        cancelled = {
            stage_of(w.fulfillment_order_id)
            for w in self.books.orders.values()
            if w.state is FulfillmentState.CANCELLED
        }
        return tuple(
            Waiting(account.bin, sku_id, account.lot, quantity, disposition=account.disposition)
            for account, quantity in self.balances().items()
            if account.sku_id == sku_id and account.bin in {DOCK, *cancelled}
        )

    def _parcel(self, sscc: str) -> Parcel | None:
        for work in self.books.orders.values():
            if work.sscc == sscc:
                return Parcel(sscc, work.fulfillment_order_id, work.state)
        return None

    # Effects.

    def execute(self, effect: ask.Effect, device: str) -> None:  # noqa: C901  # one short case an effect
        """Do what one effect says, or fail as the store's own guards would."""
        match effect:
            case ask.OpenReceipt() | ask.Receive() | ask.SetApart() | ask.CloseReceipt() | ask.PutAway():
                self._execute_receiving(effect)
            case ask.Claim(order_id, take_over):
                if not take_over:
                    self._advance(order_id, FulfillmentEvent.CLAIM)
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
        self, command: str, goods: Iterable[Goods], *, source_bin: str = "", target_bin: str = ""
    ) -> None:
        self._book(command, goods, Places(source_bin, target_bin))

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


_OPEN = {FulfillmentState.PICKING, FulfillmentState.PICKED, FulfillmentState.PACKED}
