"""Packing and voiding: facts, which are those of picking and more, and effects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace

from bodega.core.ledger import Account, Disposition, Goods, Reference, parcel_place, stage_of
from bodega.core.lifecycles import FulfillmentEvent
from bodega.core.rates import Consignment
from bodega.core.recipes import Places, book
from bodega.v1 import catalogue_pb2, orders_pb2
from bodega_agent.rules.cartons import Carton, Piece
from bodega_agent.rules.floor.effects import OpenPutBack
from bodega_agent.rules.floor.pack import effects as ask
from bodega_agent.rules.floor.pack.facts import Content, PackFacts, Packing, Shipping
from bodega_agent.rules.floor.pick.facts import PickFacts
from bodega_agent.rules.floor.scans import Kind, NamedScan, SsccScan, sscc_of
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.store import alone, catalogue, labels, ledger, parcels, rate_card, work
from bodega_agent.store.floor import pick
from bodega_agent.store.floor.common import DOES as COMMON
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.settings import settings_of
from bodega_agent.store.transaction import Context, Transaction

# The setting that says when the contents of a parcel must be seen; unset: where the node has a list of cartons.
VERIFY, ALWAYS, NEVER = "pack.verify", "always", "never"


def facts(look: Look) -> PackFacts:
    """What the table in `rules.floor.pack.facts` says of the step."""
    return _of(pick.facts(look), look, stage_of(look.session.fulfillment_order_id))


def void_facts(look: Look) -> PackFacts:
    """Of the parcel that was scanned, or that a reason is asked for: its order, and what it is."""
    session, scan = look.session, look.scan
    sscc = ""
    if session.step is FloorStep.VOID_PARCEL and isinstance(scan, SsccScan | NamedScan):
        named = isinstance(scan, SsccScan) or scan.kind is Kind.TRACKING
        order = work.find_by_sscc(look.tx, sscc_of(scan)) if named else None
    elif session.step is FloorStep.VOID_REASON:
        order = work.find_or_none(look.tx, session.fulfillment_order_id)
    else:
        order = None
    if order is None:
        return PackFacts()
    sscc = order.sscc
    of_order = replace(session, step=FloorStep.LABEL, fulfillment_order_id=order.fulfillment_order_id)
    known = _of(pick.facts(replace(look, session=of_order, scan=None)), look, parcel_place(sscc))
    parcel = parcels.find(look.tx, sscc)
    if parcel is None:
        return known
    box = parcel.closed.carton_id if known.packing.cartons else None
    packing = replace(known.packing, carton_id=box, weight_g=parcel.closed.weight_g)
    return replace(known, packing=packing)


def _of(picked: PickFacts, look: Look, place: str) -> PackFacts:
    """Picking's facts with the packing of the same order, whose goods lie at `place`."""
    known = PackFacts(**{each.name: getattr(picked, each.name) for each in fields(picked)})
    tx, profile = look.tx, catalogue.profile_of(look.tx)
    if picked.work is None or profile is None:
        return known
    row = tx.one(
        "SELECT recipient, carrier_service, service_class, ship_by_ms, method, ship_complete FROM fulfillment_order"
        " WHERE fulfillment_order_id = ?",
        (picked.work.fulfillment_order_id,),
    )
    assert row is not None, "the order of a session is there, or the session has lost it"
    return replace(
        known,
        packing=_packing(look, profile, picked.work.fulfillment_order_id, place),
        shipping=_shipping(tx, profile, row, picked.work.fulfillment_order_id)
        if row[4] in {"", "parcel"}
        else None,
        slips=look.equipment.slips,
        ship_complete=bool(row[5]),
    )


def _packing(look: Look, profile: catalogue_pb2.NodeProfile, order: str, place: str) -> Packing:
    tx = look.tx
    row = tx.one("SELECT carton_id, weight_g FROM packing WHERE fulfillment_order_id = ?", (order,))
    carton_id, weight_g = row or (None, 0)
    boxes = tuple(
        Carton(one.carton_id, (one.length_mm, one.width_mm, one.height_mm), one.weight_g, one.max_weight_g)
        for one in profile.cartons
    )
    wanted = settings_of(tx).get(VERIFY, ALWAYS if boxes else NEVER)
    return Packing(
        begun=row is not None,
        contents=_contents(tx, order, place),
        cartons=boxes,
        carton_id=carton_id,
        weight_g=weight_g,
        has_scale=look.equipment.scale,
        verifies=wanted == ALWAYS,
    )


def _contents(tx: Transaction, order: str, place: str) -> tuple[Content, ...]:
    """What lies at the place, a SKU a row, in the order of SKUs."""
    there: dict[str, list[tuple[Account, int]]] = {}
    for account, quantity in sorted(ledger.balances_at(tx, place).items()):
        there.setdefault(account.sku_id, []).append((account, quantity))
    seen_by_camera = _passed(tx, order)
    return tuple(
        _content(tx, order, sku_id, accounts, seen_by_camera.get(sku_id, 0))
        for sku_id, accounts in there.items()
    )


def _passed(tx: Transaction, order: str) -> dict[str, int]:
    """Units by SKU that the camera has looked at and passed."""
    rows = tx.execute(
        "SELECT sku_id, sum(picked) FROM fulfillment_line WHERE fulfillment_order_id = ? AND camera = 'pass'"
        " GROUP BY sku_id",
        (order,),
    )
    return {str(sku_id): int(units) for sku_id, units in list(rows)}


def _content(
    tx: Transaction, order: str, sku_id: str, accounts: Collection[tuple[Account, int]], passed: int
) -> Content:
    sku = catalogue.sku_by_id(tx, sku_id)
    quantity = sum(units for _account, units in accounts)
    rows = list(
        tx.execute(
            "SELECT serial, quantity FROM in_box WHERE fulfillment_order_id = ? AND sku_id = ?",
            (order, sku_id),
        )
    )
    scanned = sum(units for _serial, units in rows)
    piece = Piece(sku_id, quantity)
    if sku is not None:
        sides = (sku.length_mm, sku.width_mm, sku.height_mm)
        measured = sides if all(sides) else ()
        piece = Piece(sku.name or sku_id, quantity, sku.weight_g, sku.volume_ml, measured, sku.fragile)
    return Content(
        sku_id,
        piece,
        sku.gtins if sku else (),
        min(quantity, max(scanned, passed)),
        tuple(dict.fromkeys(account.lot for account, _units in accounts)),
        tuple(serial for account, _units in accounts for serial in ledger.serials_at(tx, account)),
        tuple(serial for serial, _units in rows if serial),
    )


def _shipping(
    tx: Transaction,
    profile: catalogue_pb2.NodeProfile,
    row: tuple[bytes, str, str, int, str, int],
    order: str,
) -> Shipping | None:
    if not profile.carrier_services:
        return None
    recipient, service, service_class, ship_by_ms, _method, _complete = row
    to = orders_pb2.Recipient.FromString(recipient)
    ship_by = rate_card.local_time(profile, ship_by_ms).day if ship_by_ms else None
    sent = Consignment(
        to.country, to.postal_code, 0, service=service, service_class=service_class, ship_by=ship_by
    )
    now = rate_card.local_time(profile, tx.now_ms())
    return Shipping(
        rate_card.services(profile),
        sent,
        now,
        rate_card.used_up(tx, profile),
        alone.question(tx, profile, order),
    )


def _begin(tx: Transaction, _context: Context, effect: ask.BeginPacking) -> None:
    tx.execute(
        "INSERT OR IGNORE INTO packing(fulfillment_order_id) VALUES (?)", (effect.fulfillment_order_id,)
    )


def _see(tx: Transaction, _context: Context, effect: ask.SeeInBox) -> None:
    tx.execute(
        "INSERT INTO in_box(fulfillment_order_id, sku_id, serial, quantity) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity",
        (effect.fulfillment_order_id, effect.sku_id, effect.serial, effect.quantity),
    )


def _choose_carton(tx: Transaction, _context: Context, effect: ask.ChooseCarton) -> None:
    tx.execute(
        "UPDATE packing SET carton_id = ?, weight_g = 0 WHERE fulfillment_order_id = ?",
        (effect.carton_id, effect.fulfillment_order_id),
    )


def _weigh(_tx: Transaction, _context: Context, _effect: ask.Weigh) -> None:
    """Nothing to write: the service asks the scale after the commit."""


def _doubt_weight(tx: Transaction, _context: Context, effect: ask.DoubtWeight) -> None:
    tx.execute(
        "UPDATE packing SET weight_g = ? WHERE fulfillment_order_id = ?",
        (effect.weight_g, effect.fulfillment_order_id),
    )


def _take_off_stage(tx: Transaction, context: Context, effect: ask.TakeOffStage) -> None:
    place = stage_of(effect.fulfillment_order_id)
    left = effect.quantity
    going: dict[Account, int] = {}
    for account, units in sorted(ledger.balances_at(tx, place).items()):
        if account.sku_id == effect.sku_id and left:
            going[account] = min(left, units)
            left -= going[account]
    goods = [
        one for account, units in going.items() for one in _goods_but(tx, account, units, effect.kept_serials)
    ]
    places = Places(place, source_disposition=Disposition.IN_PROGRESS)
    booking = book(
        effect.command,
        goods,
        ledger.held_for(tx, effect.command, goods, places),
        places,
        reference=Reference(effect.fulfillment_order_id, reason=effect.reason),
    )
    ledger.record_booking(tx, context, booking)
    parcels.take_off(tx, effect.fulfillment_order_id, effect.sku_id, effect.quantity)


def _goods_but(tx: Transaction, account: Account, units: int, kept: Collection[str]) -> list[Goods]:
    """So many units of an account; of those with a serial only ones that are not `kept`."""
    serials = tuple(one for one in ledger.serials_at(tx, account) if one not in kept)[:units]
    goods = [Goods(account.sku_id, len(serials), account.lot, account.owner, serials)] if serials else []
    if units > len(serials):
        goods.append(Goods(account.sku_id, units - len(serials), account.lot, account.owner))
    return goods


def _hand_back(tx: Transaction, context: Context, effect: ask.HandBackPacking) -> None:
    order = effect.fulfillment_order_id
    work.advance(tx, context, order, FulfillmentEvent.HAND_BACK)
    _forget(tx, order)
    if ledger.balances_at(tx, stage_of(order)):
        put_back = OpenPutBack(order, stage_of(order))
        COMMON[OpenPutBack](tx, context, put_back)


def _pack(tx: Transaction, context: Context, effect: ask.Pack) -> None:
    parcels.close(tx, context, effect.fulfillment_order_id, effect.sscc, effect.parcel)
    labels.pack(tx, context, effect.fulfillment_order_id, effect.sscc)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.PACK)
    _forget(tx, effect.fulfillment_order_id)


def _forget(tx: Transaction, order: str) -> None:
    """Packing is over, one way or another."""
    tx.execute("DELETE FROM packing WHERE fulfillment_order_id = ?", (order,))
    tx.execute("DELETE FROM in_box WHERE fulfillment_order_id = ?", (order,))


def _print_slip(tx: Transaction, context: Context, effect: ask.PrintSlip) -> None:
    labels.queue_slip(tx, context, effect.fulfillment_order_id, effect.sscc)


def _verify_label(tx: Transaction, context: Context, effect: ask.VerifyLabel) -> None:
    labels.scan_back(tx, context, effect.sscc)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.VERIFY_LABEL)


def _reprint(tx: Transaction, context: Context, effect: ask.Reprint) -> None:
    labels.reprint(tx, context, effect.sscc, effect.reason)


def _void(tx: Transaction, context: Context, effect: ask.VoidParcel) -> None:
    order, place = effect.fulfillment_order_id, parcel_place(effect.sscc)
    ledger.move(
        tx,
        context,
        "unpack",
        work.staged_goods(tx, place),
        source_bin=place,
        target_bin=stage_of(order),
        reference=Reference(order, effect.sscc, effect.reason),
    )
    labels.void_queued(tx, context, effect.sscc)
    parcels.void(tx, context, effect.sscc, effect.reason)
    parcels.open_again(tx, context, order)


DOES: Doers = {
    ask.BeginPacking: _begin,
    ask.SeeInBox: _see,
    ask.ChooseCarton: _choose_carton,
    ask.Weigh: _weigh,
    ask.DoubtWeight: _doubt_weight,
    ask.TakeOffStage: _take_off_stage,
    ask.HandBackPacking: _hand_back,
    ask.Pack: _pack,
    ask.PrintSlip: _print_slip,
    ask.VerifyLabel: _verify_label,
    ask.Reprint: _reprint,
    ask.VoidParcel: _void,
}
