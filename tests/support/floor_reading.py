"""What the model node of `floor_model` holds, and the facts that a step is given from it."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from bodega.core.ledger import (
    DOCK,
    Account,
    Disposition,
    Movement,
    fold,
    stage_of,
)
from bodega.core.lifecycles import (
    FulfillmentState,
)
from bodega_agent.rules.floor.facts import Facts, VisionMode
from bodega_agent.rules.floor.flows import flow_of, started_by
from bodega_agent.rules.floor.handover.facts import HandoverFacts, Parcel
from bodega_agent.rules.floor.pack.sscc import SsccRange, next_sscc
from bodega_agent.rules.floor.pick.doing import doing_of
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf, Substitute, Work, WorkLine, ZeroCheck
from bodega_agent.rules.floor.putaway.doing import InHand
from bodega_agent.rules.floor.putaway.facts import PutAwayFacts, Waiting
from bodega_agent.rules.floor.putaway.suggest import BinFacts, Load
from bodega_agent.rules.floor.receive.against import Line
from bodega_agent.rules.floor.receive.doing import Receiving
from bodega_agent.rules.floor.receive.facts import Delivery, ReceiveFacts
from bodega_agent.rules.floor.scans import (
    ItemScan,
    Kind,
    NamedScan,
    Scanned,
    SsccScan,
    WorkCancelled,
    kind_of,
)
from bodega_agent.rules.floor.session import PICK_STEPS, FloorStep, Session

# Flows that this model plays; the others have their stories on the real store.
MODELLED = frozenset({"receive", "putaway", "pick", "pack", "handover"})
NAMES = {"OAT": "Oat milk 1 l", "RYE": "Rye bread", "TEA": "Green tea"}
BINS = {"A-01": 1, "A-02": 2, "B-01": 3, "B-02": 4}
SSCCS = SsccRange(extension=3, company_prefix="9526064", first_serial=1, last_serial=500)


def order(fulfillment_order_id: str, lines: dict[str, int], instead: str = "", **more: Any) -> Work:
    """A fulfillment order as the hub assigns it; `instead` may be sent for any of its lines."""
    return Work(
        fulfillment_order_id,
        f"order-of-{fulfillment_order_id}",
        FulfillmentState.ASSIGNED,
        tuple(
            WorkLine(
                number,
                sku_id,
                NAMES[sku_id],
                (f"gtin-{sku_id}",),
                quantity,
                substitutes=(Substitute(instead, NAMES[instead], (f"gtin-{instead}",), 0),)
                if instead
                else (),
            )
            for number, (sku_id, quantity) in enumerate(lines.items(), start=1)
        ),
        **more,
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


_ASSIGNED = FulfillmentState.ASSIGNED
_OPEN = {FulfillmentState.PICKING, FulfillmentState.PICKED, FulfillmentState.PACKED}


class FloorReading:
    """The books of a model node; `absent` are the devices that are gone."""

    def __init__(self, *, vision: VisionMode = VisionMode.OFF, zero_check: ZeroCheck = ZeroCheck.OFF) -> None:
        self.books = Books()
        self.vision = vision
        self.zero_check = zero_check
        self.absent: set[str] = set()

    def balances(self) -> dict[Account, int]:
        """All accounts that are not zero; raises if one went below zero on the way."""
        return fold(self.books.movements)

    def held(self, place: str, sku_id: str) -> int:
        """Units of a SKU at one place."""
        return sum(n for a, n in self.balances().items() if (a.bin, a.sku_id) == (place, sku_id))

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
        return self._pick_facts(session, scan)

    def _pick_facts(self, session: Session, scan: Scanned | None) -> PickFacts:
        released = [self._with_shelves(w) for w in self.books.orders.values() if w.state is _ASSIGNED]
        if session.step in {FloorStep.IDLE, FloorStep.TAKE_OVER}:
            several = scan is not None and kind_of(scan) in {Kind.BATCH, Kind.CART}
            states = {FulfillmentState.PICKING} if several else _OPEN
            own = self._oldest(lambda w: w.device == session.device and w.state in states)
            left = self._oldest(lambda w: w.device in self.absent and w.state in _OPEN)
            named = left if session.step is FloorStep.TAKE_OVER else own
            return PickFacts(
                work=own,
                next_work=next(iter(released), None),
                next_works=tuple(released),
                left_work=left,
                walk=self._walk(named, named.device) if named else (),
                vision=self.vision,
            )
        found = self.books.orders.get(session.fulfillment_order_id)
        work = self._with_shelves(found) if found else None
        is_picked = session.step in PICK_STEPS or session.step is FloorStep.CART_TOTE
        asked = doing_of(session.doing).may_be_empty
        return PickFacts(
            work=work,
            walk=self._walk(work, session.device) if work and is_picked else (),
            next_works=tuple(released),
            cancelled=self.books.orders[scan.fulfillment_order_id]
            if isinstance(scan, WorkCancelled)
            else None,
            tote_order=self._tote_order(scan),
            zero_check=self.zero_check,
            there=self.held(asked.bin_id, asked.sku_id) if asked else 0,
            vision=self.vision,
            next_sscc=self._next_sscc()[0],
        )

    def _walk(self, work: Work, device: str) -> tuple[Work, ...]:
        """All that the device still picks in the walk of this order."""
        return tuple(
            self._with_shelves(one)
            for one in self.books.orders.values()
            if one.batch
            and (one.batch, one.device) == (work.batch, device)
            and one.state is FulfillmentState.PICKING
        )

    def _tote_order(self, scan: Scanned | None) -> str:
        if not isinstance(scan, NamedScan):
            return ""
        for order_id, work in self.books.orders.items():
            over = work.state not in {FulfillmentState.PICKING, FulfillmentState.PICKED}
            has_goods = any(account.bin == stage_of(order_id) for account in self.balances())
            if scan.name in work.totes and (has_goods or not over):
                return order_id
        return ""

    def _next_sscc(self) -> tuple[str, int]:
        return next_sscc(SSCCS, self.books.last_serial)

    def _oldest(self, wanted: Callable[[Work], bool]) -> Work | None:
        return next((self._with_shelves(w) for w in self.books.orders.values() if wanted(w)), None)

    def _with_shelves(self, work: Work) -> Work:
        wanted = {line.sku_id for line in work.lines if line.outstanding}
        wanted |= {instead.sku_id for line in work.lines for instead in line.substitutes}
        work = replace(work, lines=tuple(map(self._with_spare, work.lines)))
        shelves = tuple(
            Shelf(account.sku_id, account.lot, account.bin, BINS[account.bin], quantity)
            for account, quantity in self.balances().items()
            if account.sku_id in wanted and account.disposition == Disposition.SELLABLE
        )
        return replace(work, shelves=shelves)

    def _with_spare(self, line: WorkLine) -> WorkLine:
        """The line with what nobody wants of its substitutes."""
        return replace(
            line,
            substitutes=tuple(
                replace(instead, spare=self._spare(instead.sku_id)) for instead in line.substitutes
            ),
        )

    def _spare(self, sku_id: str) -> int:
        wanted = sum(
            line.outstanding
            for work in self.books.orders.values()
            if work.state in {_ASSIGNED, FulfillmentState.PICKING}
            for line in work.lines
            if line.sku_id == sku_id
        )
        on_shelf = sum(
            n
            for a, n in self.balances().items()
            if (a.sku_id, a.disposition) == (sku_id, Disposition.SELLABLE)
        )
        return max(0, on_shelf - wanted)

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
            if w.state in {FulfillmentState.CANCELLED, FulfillmentState.HANDED_BACK}
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
