"""Handing over and manifests: facts and effects."""

from __future__ import annotations

from bodega.core.ledger import Reference, parcel_place
from bodega.core.lifecycles import FulfillmentEvent
from bodega_agent.rules.floor.handover.effects import CloseManifest, HandOver
from bodega_agent.rules.floor.handover.facts import HandoverFacts, Parcel
from bodega_agent.rules.floor.handover.steps import carrier_of
from bodega_agent.rules.floor.scans import ControlScan, Kind, NamedScan, Scanned, SsccScan, sscc_of
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.store import ledger, parcels, work
from bodega_agent.store.floor.common import Doers
from bodega_agent.store.floor.look import Look
from bodega_agent.store.transaction import Context, Transaction


def facts(look: Look) -> HandoverFacts:
    """The parcel that was scanned, if the node knows it; what waits for its carrier; manifests where they are meant."""
    tx, step = look.tx, look.session.step
    asked = isinstance(look.scan, ControlScan) and look.scan.word == Kind.MANIFEST
    manifests = parcels.open_manifests(tx) if asked or step in _OF_MANIFESTS else ()
    if step is not FloorStep.HANDOVER:
        return HandoverFacts(manifests=manifests)
    sscc = _sscc_in(look.scan)
    row = parcels.find(tx, sscc)
    parcel = _parcel(tx, sscc, row.closed.carrier if row else "")
    carrier = carrier_of(look.session) or (parcel.carrier if parcel else "")
    waiting, first = parcels.waiting_for(tx, carrier) if carrier else (0, ())
    is_void = row is not None and row.state == "voided"
    return HandoverFacts(
        parcel=parcel, is_void=is_void, waiting=waiting, first_waiting=first, manifests=manifests
    )


_OF_MANIFESTS = frozenset({FloorStep.MANIFEST, FloorStep.MANIFEST_CLOSE})


def _sscc_in(scan: Scanned | None) -> str:
    if isinstance(scan, SsccScan) or (isinstance(scan, NamedScan) and scan.kind is Kind.TRACKING):
        return sscc_of(scan)
    return ""


def _parcel(tx: Transaction, sscc: str, carrier: str) -> Parcel | None:
    order = work.find_by_sscc(tx, sscc)
    if order is None:
        return None
    method = tx.one(
        "SELECT method FROM fulfillment_order WHERE fulfillment_order_id = ?", (order.fulfillment_order_id,)
    )
    fetched = method is not None and method[0] not in {"", "parcel"}
    return Parcel(sscc, order.fulfillment_order_id, order.state, carrier, fetched)


def _hand_over(tx: Transaction, context: Context, effect: HandOver) -> None:
    place = parcel_place(effect.sscc)
    reference = Reference(effect.fulfillment_order_id, effect.sscc)
    ledger.move(tx, context, "ship", work.staged_goods(tx, place), source_bin=place, reference=reference)
    work.advance(tx, context, effect.fulfillment_order_id, FulfillmentEvent.HAND_OVER)
    parcels.onto_manifest(tx, effect.sscc)


def _close_manifest(tx: Transaction, context: Context, effect: CloseManifest) -> None:
    parcels.close_manifest(tx, context, effect.manifest_id)


DOES: Doers = {HandOver: _hand_over, CloseManifest: _close_manifest}
