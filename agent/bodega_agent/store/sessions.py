"""The floor's side of the store: where each scanner is in its flow, and the facts that a step may know."""

from __future__ import annotations

import json
from collections.abc import Collection

from bodega.core.expiry import day_of, first_out_key, is_past
from bodega.core.ledger import DOCK, Account
from bodega.core.promise import OverrideRule
from bodega.core.sku import Counted, in_base_units
from bodega_adapters.framing import gs1
from bodega_agent.rules.facts import Check, Facts, Parcel, Shelf, VisionMode, Waiting, Work, WorkLine
from bodega_agent.rules.scans import (
    BinScan,
    CheckOutcome,
    ControlScan,
    ItemScan,
    Scanned,
    SsccScan,
    UnknownScan,
)
from bodega_agent.rules.session import FloorStep, Session
from bodega_agent.store import catalogue, labels, ledger, work
from bodega_agent.store.overrides import is_set_aside
from bodega_agent.store.reads.stage import LEFT_ON_STAGE
from bodega_agent.store.transaction import Transaction


def load(tx: Transaction, device: str) -> Session:
    """The device's session, idle if it has none yet."""
    row = tx.one("SELECT body FROM floor_session WHERE device = ?", (device,))
    return Session.from_json(json.loads(row[0])) if row else Session(device)


def save(tx: Transaction, session: Session) -> None:
    """Keep the session for after a crash."""
    tx.execute(
        "INSERT OR REPLACE INTO floor_session(device, body) VALUES (?, ?)",
        (session.device, json.dumps(session.to_json(), sort_keys=True)),
    )


def classify(tx: Transaction, code: gs1.Decoded) -> Scanned:
    """What a decoded barcode means at this node; a code that means nothing is said, not dropped."""
    match code:
        case gs1.ControlCode(word):
            return ControlScan(word)
        case gs1.SsccCode(sscc):
            return SsccScan(sscc)
        case gs1.ItemCode() | gs1.CaseCode():
            return _item(tx, code)
        case gs1.PlainCode(text):
            if catalogue.has_bin(tx, text):
                return BinScan(text)
            return UnknownScan(
                text, f"{text} is no bin of this node and no product", "Scan a bin or a product label."
            )
        case gs1.BadCode():
            return UnknownScan(code.text, code.problem, code.hint)


def _item(tx: Transaction, code: gs1.ItemCode | gs1.CaseCode) -> Scanned:
    gtin = code.gtin14
    found = catalogue.sku_by_gtin(tx, gtin)
    if found is None:
        return UnknownScan(gtin, f"{gtin} is not in the catalogue", "Set it aside and tell the shift lead.")
    sku, unit = found
    counted = in_base_units(sku, code.quantity or 1, unit)
    if not isinstance(counted, Counted):
        return UnknownScan(gtin, f"{gtin}: {counted[1]}", "Count by hand and tell the shift lead.")
    lot = (code.lot or "") if sku.lot_tracked else ""
    said = code.expiry.isoformat() if code.expiry and lot else ""
    known = catalogue.expiry_of(tx, sku.sku_id, lot) if lot else None
    expired = is_past(said or known or "", day_of(tx.now_ms())) and not is_set_aside(
        tx, OverrideRule.EXPIRED, sku.sku_id, lot
    )
    serial = (code.serial or "") if sku.serial_tracked and isinstance(code, gs1.ItemCode) else ""
    return ItemScan(
        sku.sku_id,
        sku.name,
        gtin,
        lot=lot,
        quantity=counted.base_units,
        lot_tracked=sku.lot_tracked,
        serial=serial,
        serial_tracked=sku.serial_tracked,
        serial_place=_place_of(tx, sku.sku_id, serial),
        expiry=said if said != known else "",
        lacks_expiry=bool(sku.expiry_tracked and lot and not (said or known)),
        expired=expired,
        entered=counted.entered,
    )


def _place_of(tx: Transaction, sku_id: str, serial: str) -> str:
    """Where in the node the book has a unit; empty if nowhere."""
    key = (sku_id, serial)
    found = ledger.where_serials_are(tx, [key]) if serial else {}
    return found[key].bin if key in found else ""


def facts_for(
    tx: Transaction, session: Session, scan: Scanned | None, *, vision: VisionMode, present: Collection[str]
) -> Facts:
    """Read what `rules.facts` says this step needs; `present` are the devices that are there now."""
    parcel = _parcel(tx, scan.sscc) if isinstance(scan, SsccScan) else None
    match session.step:
        case FloorStep.IDLE | FloorStep.TAKE_OVER:
            return Facts(
                work=_work(tx, work.claimed_by(tx, session.device)),
                next_work=_work(tx, work.oldest_assigned(tx)),
                left_work=_work(tx, work.left_behind(tx, present)),
                parcel=parcel,
                vision=vision,
            )
        case FloorStep.PUTAWAY_ITEM | FloorStep.PUTAWAY_BIN:
            sku_id = scan.sku_id if isinstance(scan, ItemScan) else _sku_in_hand(session)
            return Facts(
                waiting=_waiting(tx, sku_id), suggested_bin=catalogue.suggested_bin(tx, sku_id), parcel=parcel
            )
        case FloorStep.RECEIVE_ITEM | FloorStep.HANDOVER:
            return Facts(parcel=parcel)
        case _:
            current = _work(tx, work.find(tx, session.fulfillment_order_id))
            return Facts(work=current, parcel=parcel, vision=vision, next_sscc=labels.peek_sscc(tx))


def _sku_in_hand(session: Session) -> str:
    return session.in_hand.sku_id if session.in_hand else ""


def _parcel(tx: Transaction, sscc: str) -> Parcel | None:
    order = work.find_by_sscc(tx, sscc)
    return Parcel(sscc, order.fulfillment_order_id, order.state) if order else None


def _waiting(tx: Transaction, sku_id: str) -> tuple[Waiting, ...]:
    rows = tx.execute(
        "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"  # noqa: S608  # a constant
        f" WHERE sku_id = ?1 AND disposition = 'in_progress' AND (bin = ?2 OR {LEFT_ON_STAGE})"
        " ORDER BY bin = ?2, bin, lot",
        (sku_id, DOCK),
    )
    return tuple(
        Waiting(account.bin, sku_id, account.lot, quantity, ledger.serials_at(tx, account))
        for *named, quantity in list(rows)
        for account in [Account(*named)]
    )


def _work(tx: Transaction, order: work.WorkOrder | None) -> Work | None:
    if order is None:
        return None
    job = labels.latest_for(tx, order.sscc) if order.sscc else None
    return Work(
        order.fulfillment_order_id,
        order.order_id,
        order.state,
        tuple(_line(tx, line) for line in order.lines),
        device=order.device,
        shelves=_shelves(tx, order),
        checks=tuple(
            Check(line.line, CheckOutcome(line.camera), tuple(json.loads(line.camera_reasons)))
            for line in order.lines
            if line.camera in {CheckOutcome.WAITING, CheckOutcome.FAIL, CheckOutcome.REVIEW}
        ),
        sscc=order.sscc,
        print_state=job.state if job else None,
        print_detail=job.detail if job else "",
    )


def _line(tx: Transaction, line: work.WorkLine) -> WorkLine:
    sku = catalogue.sku_by_id(tx, line.sku_id)
    name, gtins = (sku.name, sku.gtins) if sku else (line.sku_id, ())
    return WorkLine(line.line, line.sku_id, name, gtins, line.quantity, line.picked, line.short)


def _shelves(tx: Transaction, order: work.WorkOrder) -> tuple[Shelf, ...]:
    """Where to pick what is outstanding; lots that have expired are left out, and the first to go come first."""
    wanted = {line.sku_id for line in order.lines if line.picked + line.short < line.quantity}
    today = day_of(tx.now_ms())
    shelves: list[Shelf] = []
    for sku_id in sorted(wanted):
        for lot, bin_id, walk_order, quantity, expiry in list(tx.execute(_SHELVES, (sku_id,))):
            if is_past(expiry, today) and not is_set_aside(tx, OverrideRule.EXPIRED, sku_id, lot):
                continue
            in_order = not (expiry and is_set_aside(tx, OverrideRule.FEFO, sku_id, lot))
            first_out = first_out_key(expiry)[0] if in_order else ""
            shelves.append(Shelf(sku_id, lot, bin_id, walk_order, quantity, first_out))
    return tuple(shelves)


_SHELVES = """
SELECT b.lot, b.bin, coalesce(n.walk_order, 0), b.quantity, coalesce(l.expiry, '') FROM balance b
LEFT JOIN bin n ON n.bin_id = b.bin LEFT JOIN lot l ON l.sku_id = b.sku_id AND l.lot = b.lot
WHERE b.sku_id = ? AND b.disposition = 'sellable_accessible'
"""
