"""What a decoded barcode means at this node; a code that means nothing is said, not dropped."""

from __future__ import annotations

from collections.abc import Callable

from bodega.core.expiry import day_of, is_past
from bodega.core.promise import OverrideRule
from bodega.core.sku import Counted, in_base_units
from bodega.limits_floor import FLOOR_NUMBER_DIGITS_MAX
from bodega_adapters.framing import gs1
from bodega_agent.rules.floor.facts import UNSIGNED
from bodega_agent.rules.floor.scans import (
    BinScan,
    ControlScan,
    ItemScan,
    Kind,
    NamedScan,
    NumberScan,
    Scanned,
    SsccScan,
    TextScan,
    UnknownScan,
    WordScan,
)
from bodega_agent.rules.floor.session import FREE_TEXT_STEPS, FloorStep, Session
from bodega_agent.rules.floor.words import WORDS
from bodega_agent.store import catalogue, ledger, notices, order_names, parcels, returns, transfer_orders
from bodega_agent.store.floor import people, pick_totes
from bodega_agent.store.overrides import is_set_aside
from bodega_agent.store.transaction import Transaction

# What labels of this node may name, tried in this order; each answers the identifier that the rules get, or "".
NAMES: tuple[tuple[Kind, Callable[[Transaction, str], str]], ...] = (
    (Kind.TOTE, pick_totes.named),
    (Kind.CARTON, catalogue.carton_named),
    (Kind.TRACKING, parcels.sscc_by_tracking),
    (Kind.ORDER, order_names.named),
    (Kind.RETURN_ID, returns.named),
    (Kind.BADGE, people.by_badge),
    (Kind.PERSON, people.by_id),
    (Kind.NOTICE, notices.named_by),
    (Kind.TRANSFER, transfer_orders.named),
)


def classify(tx: Transaction, code: gs1.Decoded, text: str, session: Session) -> Scanned:
    """The decoded `code` of a scan, and its `text` for a step that takes any."""
    if isinstance(code, gs1.ControlCode):
        return ControlScan(code.word)
    if session.step in FREE_TEXT_STEPS and not _carries_lot(code):
        told = _free_text(tx, text, session)
        if told is not None:
            return told
    match code:
        case gs1.SsccCode(sscc):
            return SsccScan(sscc)
        case gs1.ItemCode() | gs1.CaseCode():
            return _item(tx, code)
        case gs1.PlainCode(plain):
            return _plain(tx, plain)
        case gs1.BadCode():
            # A GSRN names neither goods nor a parcel; a badge of digits may look like a damaged code.
            if associate_id := people.by_badge(tx, text):
                return NamedScan(Kind.BADGE, associate_id)
            return UnknownScan(code.text, code.problem, code.hint)


def _carries_lot(code: gs1.Decoded) -> bool:
    """Such a code is no free text, whatever is asked for: only a GS1 code of goods has a lot in it."""
    return isinstance(code, gs1.ItemCode | gs1.CaseCode) and bool(code.lot)


def _free_text(tx: Transaction, text: str, session: Session) -> Scanned | None:
    """Whoever comes may say who they are also where any text is taken; the step of the PIN knows badges itself."""
    if session.step is not FloorStep.SIGN_IN_PIN:
        if associate_id := people.by_badge(tx, text):
            return NamedScan(Kind.BADGE, associate_id)
        if people.role_at(tx, session)[0] == UNSIGNED:
            return None
    return TextScan(text)


def _plain(tx: Transaction, text: str) -> Scanned:
    if catalogue.has_bin(tx, text):
        return BinScan(text)
    for kind, lookup in NAMES:
        if name := lookup(tx, text):
            return NamedScan(kind, name)
    if text.isascii() and text.isdigit() and len(text) <= FLOOR_NUMBER_DIGITS_MAX:
        return NumberScan(int(text))
    if word := WORDS.get(text.lower()):
        return WordScan(word)
    return UnknownScan(
        text, f"{text} is no bin of this node and no product", "Scan a bin or a product label."
    )


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
