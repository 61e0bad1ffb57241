"""Closed parcels and the manifests that they leave on: rows beside the journal, each change an event in it."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.core.lifecycles import FulfillmentEvent
from bodega.limits_floor import MANIFEST_PARCELS_MAX, PARCELS_NAMED_MAX
from bodega.v1 import floor_pb2
from bodega_agent.rules.floor.handover.facts import OpenManifest
from bodega_agent.rules.floor.pack.effects import Closed
from bodega_agent.store import catalogue, rate_card, work
from bodega_agent.store.transaction import Context, Transaction


@dataclass(frozen=True, slots=True)
class ParcelRow:
    """A parcel as it was closed; `state` is "closed" or "voided"."""

    sscc: str
    fulfillment_order_id: str
    state: str
    tracking_number: str
    manifest_id: str
    closed: Closed


_COLUMNS = (
    "sscc, fulfillment_order_id, state, tracking_number, manifest_id, carton_id, weight_g, expected_weight_g, carrier,"
    " service, price_minor, currency, ship_date"
)


def close(tx: Transaction, context: Context, fulfillment_order_id: str, sscc: str, closed: Closed) -> None:
    """The parcel is closed, and has a tracking number if its carrier gave the node some."""
    profile = catalogue.profile_of(tx)
    number = rate_card.take_number(tx, profile, closed.carrier) if profile and closed.carrier else ""
    row = ParcelRow(sscc, fulfillment_order_id, "closed", number, "", closed)
    tx.execute(
        f"INSERT INTO parcel({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # a constant
        (
            sscc,
            fulfillment_order_id,
            row.state,
            number,
            "",
            closed.carton_id,
            closed.weight_g,
            closed.expected_weight_g,
            closed.carrier,
            closed.service,
            closed.price_minor,
            closed.currency,
            closed.ship_date,
        ),
    )
    tx.append(context, parcel_advanced=_event(row))


def void(tx: Transaction, context: Context, sscc: str, reason: str) -> None:
    """The parcel is opened again; its numbers stay used up."""
    row = find(tx, sscc)
    if row is None or row.state == "voided":
        return
    tx.execute("UPDATE parcel SET state = 'voided' WHERE sscc = ?", (sscc,))
    event = _event(row)
    event.state, event.reason = "voided", reason
    tx.append(context, parcel_advanced=event)


def _event(row: ParcelRow) -> floor_pb2.ParcelAdvanced:
    closed = row.closed
    return floor_pb2.ParcelAdvanced(
        sscc=row.sscc,
        fulfillment_order_id=row.fulfillment_order_id,
        state=row.state,
        carton_id=closed.carton_id,
        weight_g=closed.weight_g,
        expected_weight_g=closed.expected_weight_g,
        carrier=closed.carrier,
        service=closed.service,
        tracking_number=row.tracking_number,
        price_minor=closed.price_minor,
        currency=closed.currency,
    )


def take_off(tx: Transaction, fulfillment_order_id: str, sku_id: str, quantity: int) -> None:
    """Units that were picked do not go after all: lines are short of them, those of this SKU first, the last first."""
    lines = sorted(
        work.find(tx, fulfillment_order_id).lines, key=lambda line: (line.sku_id != sku_id, -line.line)
    )
    for line in lines:
        taken = min(quantity, line.picked)
        quantity -= taken
        tx.execute(
            "UPDATE fulfillment_line SET picked = picked - ?1, short = short + ?1"
            " WHERE fulfillment_order_id = ?2 AND line = ?3",
            (taken, fulfillment_order_id, line.line),
        )


def open_again(tx: Transaction, context: Context, fulfillment_order_id: str) -> None:
    """The parcel is open again: the order is the context's device's to pack, and has no parcel number."""
    tx.execute(
        "UPDATE fulfillment_order SET sscc = '', device = ? WHERE fulfillment_order_id = ?",
        (context.device, fulfillment_order_id),
    )
    work.advance(tx, context, fulfillment_order_id, FulfillmentEvent.VOID_PARCEL)


def find(tx: Transaction, sscc: str) -> ParcelRow | None:
    """One parcel, or None if it was closed by a version that kept none, or elsewhere."""
    row = tx.one(f"SELECT {_COLUMNS} FROM parcel WHERE sscc = ?", (sscc,))  # noqa: S608  # a constant
    return ParcelRow(row[0], row[1], row[2], row[3], row[4], Closed(*row[5:])) if row else None


def sscc_by_tracking(tx: Transaction, number: str) -> str:
    """The parcel that carries a tracking number; empty if none does."""
    row = tx.one("SELECT sscc FROM parcel WHERE tracking_number = ?1 AND ?1 <> ''", (number,))
    return row[0] if row else ""


def onto_manifest(tx: Transaction, sscc: str) -> None:
    """The parcel left with its carrier: it stands on the carrier's open manifest of today, if it has a carrier."""
    row = find(tx, sscc)
    if row is None or not row.closed.carrier:
        return
    today = rate_card.local_time(catalogue.profile_of(tx), tx.now_ms()).day.isoformat()
    open_one = tx.one(
        "SELECT manifest_id FROM manifest WHERE carrier = ? AND ship_date = ? AND closed_seq = 0 AND parcels < ?",
        (row.closed.carrier, today, MANIFEST_PARCELS_MAX),
    )
    # Epoch and event are of this line of the journal alone: no other manifest has the name.
    manifest_id = open_one[0] if open_one else f"MAN-{tx.head.epoch}-{tx.head.seq}"
    tx.execute(
        "INSERT INTO manifest(manifest_id, carrier, ship_date, parcels) VALUES (?, ?, ?, 1)"
        " ON CONFLICT DO UPDATE SET parcels = parcels + 1",
        (manifest_id, row.closed.carrier, today),
    )
    tx.execute(
        "UPDATE parcel SET manifest_id = ?, on_manifest = (SELECT parcels FROM manifest WHERE manifest_id = ?1)"
        " WHERE sscc = ?2",
        (manifest_id, sscc),
    )


def close_manifest(tx: Transaction, context: Context, manifest_id: str) -> None:
    """The carrier has signed for every parcel on it."""
    row = tx.one("SELECT carrier, ship_date FROM manifest WHERE manifest_id = ?", (manifest_id,))
    assert row is not None, "only a manifest that is there is closed"
    on_it = tx.execute("SELECT sscc FROM parcel WHERE manifest_id = ? ORDER BY on_manifest", (manifest_id,))
    event = floor_pb2.ManifestAdvanced(
        manifest_id=manifest_id,
        carrier=row[0],
        ship_date=row[1],
        state="closed",
        parcels=[sscc for (sscc,) in list(on_it)],
    )
    seq = tx.append(context, manifest_advanced=event)
    tx.execute("UPDATE manifest SET closed_seq = ? WHERE manifest_id = ?", (seq, manifest_id))


def waiting_for(tx: Transaction, carrier: str) -> tuple[int, tuple[str, ...]]:
    """How many labelled parcels of a carrier are in the house, and the first of them, the oldest label first."""
    many = tx.one(f"SELECT count(*) {_WAITING}", (carrier,))
    first = tx.execute(
        f"SELECT p.sscc {_WAITING} ORDER BY f.advanced_seq LIMIT ?", (carrier, PARCELS_NAMED_MAX)
    )
    return (many[0] if many else 0), tuple(sscc for (sscc,) in list(first))


def open_manifests(tx: Transaction) -> tuple[OpenManifest, ...]:
    """What carriers have not signed for yet, the oldest first."""
    rows = tx.execute(
        "SELECT manifest_id, carrier, ship_date, parcels FROM manifest WHERE closed_seq = 0"
        " ORDER BY ship_date, carrier, manifest_id"
    )
    return tuple(
        OpenManifest(manifest_id, carrier, ship_date, parcels, *waiting_for(tx, carrier))
        for manifest_id, carrier, ship_date, parcels in list(rows)
    )


_WAITING = (
    "FROM fulfillment_order f JOIN parcel p ON p.sscc = f.sscc WHERE f.state = 'labelled' AND p.carrier = ?"
    " AND f.method IN ('', 'parcel')"
)
