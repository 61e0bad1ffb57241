"""Staging and collecting: facts and effects."""

from __future__ import annotations

from bodega.core.floor_words import TemperatureClass
from bodega.core.ledger import Reference, parcel_place
from bodega_agent.rules.floor.pickup import effects as ask
from bodega_agent.rules.floor.pickup.facts import Pickup, PickupFacts, Place
from bodega_agent.rules.floor.scans import BinScan, Kind, NamedScan, Scanned, SsccScan, kind_of
from bodega_agent.rules.floor.session import FLOWS
from bodega_agent.store import catalogue, ledger, order_names, pickups, work
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction


def facts(look: Look) -> PickupFacts:
    """The session's pickup, what the scan names, and for staging the places."""
    tx, session = look.tx, look.session
    ours = work.find_or_none(tx, session.fulfillment_order_id) if session.fulfillment_order_id else None
    staging = FLOWS[session.step] == "stage"
    return PickupFacts(
        pickup=_pickup(tx, ours) if ours else None,
        scanned=tuple(_pickup(tx, order) for order in _named(tx, look.scan)),
        places=_places(tx) if staging else (),
    )


def _named(tx: Transaction, scan: Scanned | None) -> list[work.WorkOrder]:
    match scan:
        case SsccScan(sscc):
            order = work.find_by_sscc(tx, sscc)
            return [order] if order else []
        case NamedScan(name=name) if kind_of(scan) is Kind.ORDER:
            return order_names.find(tx, name)
        case BinScan(bin_id):
            return [work.find(tx, order) for order in pickups.waiting_in(tx, bin_id)]
    return []


def _pickup(tx: Transaction, order: work.WorkOrder) -> Pickup:
    kept = pickups.find(tx, order.fulfillment_order_id)
    return Pickup(
        order.fulfillment_order_id,
        order.order_id,
        order.state,
        kept.method,
        order.sscc,
        kept.bin_id,
        kept.code_sha256,
        kept.wrong_codes,
        _coldest(tx, order),
    )


def _coldest(tx: Transaction, order: work.WorkOrder) -> str:
    skus = [catalogue.sku_by_id(tx, line.sku_id) for line in order.lines]
    found = {sku.temperature_class for sku in skus if sku}
    return next((cold for cold in _COLDEST_FIRST if cold in found), TemperatureClass.AMBIENT)


_COLDEST_FIRST = (TemperatureClass.FROZEN, TemperatureClass.CHILLED)


def _places(tx: Transaction) -> tuple[Place, ...]:
    rows = tx.execute(
        "SELECT bin_id, kind, temperature_class FROM bin WHERE kind IN ('pickup', 'locker')"
        " ORDER BY walk_order, bin_id"
    )
    places = list(rows)
    waiting: dict[str, tuple[str, ...]] = {}
    for bin_id, order in pickups.waiting(tx):
        waiting[bin_id] = (*waiting.get(bin_id, ()), order)
    left = pickups.left(tx)
    return tuple(
        Place(bin_id, kind, cold or TemperatureClass.AMBIENT, waiting.get(bin_id, ()), left.get(bin_id, ()))
        for bin_id, kind, cold in places
    )


def _stage(tx: Transaction, context: Context, effect: ask.StagePickup) -> None:
    pickups.stage(tx, context, effect.fulfillment_order_id, effect.bin_id)


def _count_wrong_code(tx: Transaction, _context: Context, effect: ask.CountWrongCode) -> None:
    pickups.count_wrong_code(tx, effect.fulfillment_order_id)


def _hand(tx: Transaction, context: Context, effect: ask.HandToCustomer) -> None:
    place = parcel_place(effect.sscc)
    reference = Reference(effect.fulfillment_order_id, effect.sscc)
    ledger.move(tx, context, "collect", work.staged_goods(tx, place), source_bin=place, reference=reference)
    pickups.end(tx, context, effect.fulfillment_order_id, pickups.COLLECTED)


def _end(tx: Transaction, context: Context, effect: ask.EndPickup) -> None:
    outcome = pickups.REFUSED if effect.refused else pickups.EXPIRED
    pickups.end(tx, context, effect.fulfillment_order_id, outcome)


DOES: Doers = {
    ask.StagePickup: _stage,
    ask.CountWrongCode: _count_wrong_code,
    ask.HandToCustomer: _hand,
    ask.EndPickup: _end,
}
