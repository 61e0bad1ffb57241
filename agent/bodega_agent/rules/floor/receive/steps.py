"""Receive: every scan is stock on the dock, at once; the book never refuses what has come in."""

from __future__ import annotations

from bodega.core.ledger import DOCK, Goods
from bodega_agent.rules.floor.answer import Answer, needs_serial, refuse, say
from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.receive.effects import Receive
from bodega_agent.rules.floor.scans import ItemScan
from bodega_agent.rules.floor.session import FloorStep, Session


def start(session: Session, facts: Facts) -> Answer:
    """CMD-RECEIVE."""
    return say(session.at(FloorStep.RECEIVE_ITEM), facts, "Receiving.")


def item(session: Session, scan: ItemScan, facts: Facts) -> Answer:
    """An item or a case came in. What is tracked needs the code that carries it: lot, expiry, serial."""
    if scan.lot_tracked and not scan.lot:
        return refuse(
            session, facts, f"{scan.name} needs its lot: scan the code that carries the lot (AI 10)."
        )
    if scan.lacks_expiry:
        return refuse(
            session, facts, f"Lot {scan.lot} is new: scan the code that carries its expiry (AI 17)."
        )
    if scan.lacks_serial:
        return refuse(session, facts, needs_serial(scan))
    if scan.serial and scan.serial_place:
        return _is_here(session, scan, facts)
    goods = Goods(scan.sku_id, scan.quantity, scan.lot, serials=scan.serials)
    received = Receive(goods, scan.expiry, scan.entered)
    return say(session, facts, f"Received {units(scan.quantity, scan.name)}.", effects=(received,))


def _is_here(session: Session, scan: ItemScan, facts: Facts) -> Answer:
    """A unit can not come in twice: scanned again on the dock it is nothing new, elsewhere somebody must look."""
    if scan.serial_place == DOCK:
        return say(session, facts, f"{scan.name} {scan.serial} is on the dock already.")
    said = (
        f"{scan.name} {scan.serial} is in {scan.serial_place} by the book: nothing was received. Look there."
    )
    return refuse(session, facts, said)
