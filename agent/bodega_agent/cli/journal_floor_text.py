"""Sentences for what the floor records beside movements of stock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bodega.v1 import floor_pb2


def _receipt(fact: floor_pb2.ReceiptAdvanced) -> str:
    against = f"against notice {fact.notice_id}" if fact.notice_id else "blind"
    received = sum(line.received for line in fact.lines)
    total = f": {received} units came in" if fact.state == "closed" else ""
    return f"receipt {fact.receipt_id} ({against}) is {fact.state}{total}"


def _exception(fact: floor_pb2.ExceptionNoted) -> str:
    what = " ".join(filter(None, (str(fact.quantity or ""), fact.sku_id, fact.lot and f"lot {fact.lot}")))
    where = f" in {fact.bin_id}" if fact.bin_id else ""
    why = f" ({fact.reason})" if fact.reason else ""
    of = f", {fact.reference}" if fact.reference else ""
    return f"{fact.kind.replace('_', ' ')}{': ' if what else ''}{what}{where}{why}{of}"


def _shift(fact: floor_pb2.ShiftAdvanced) -> str:
    by = f" by {fact.by}" if fact.by else ""
    return f"{fact.associate_id} {fact.state.replace('_', ' ')}{by}"


def _parcel(fact: floor_pb2.ParcelAdvanced) -> str:
    carrier = f", {fact.carrier} {fact.service} {fact.tracking_number}".rstrip() if fact.carrier else ""
    why = f" ({fact.reason})" if fact.reason else ""
    return f"parcel {fact.sscc} of {fact.fulfillment_order_id} is {fact.state}{carrier}{why}"


def _manifest(fact: floor_pb2.ManifestAdvanced) -> str:
    return (
        f"manifest {fact.manifest_id} of {fact.carrier} for {fact.ship_date} is {fact.state},"
        f" {len(fact.parcels)} parcels"
    )


def _pickup(fact: floor_pb2.PickupAdvanced) -> str:
    where = f" in {fact.bin_id}" if fact.bin_id else ""
    return f"pickup {fact.fulfillment_order_id} is {fact.state}{where}"


def _return(fact: floor_pb2.ReturnAdvanced) -> str:
    units = sum(line.quantity for line in fact.lines)
    of = f" of order {fact.order_id}" if fact.order_id else ""
    return f"return {fact.return_id}{of} is {fact.state}, {units} units graded"


def _refund(fact: floor_pb2.RefundDue) -> str:
    units = sum(line.quantity for line in fact.lines)
    return (
        f"a refund is due for {units} units of order {fact.order_id or 'unknown'} (return {fact.return_id})"
    )


def _count(fact: floor_pb2.CountAdvanced) -> str:
    lines = ", ".join(f"{line.counted} of {line.book} {line.sku_id}" for line in fact.lines)
    by = f" by {fact.decided_by}" if fact.decided_by else ""
    return (
        f"count {fact.count_id} of {fact.bin_id} ({fact.cause}) {fact.state.replace('_', ' ')}{by}: {lines}"
    )


def _transfer(fact: floor_pb2.TransferAdvanced) -> str:
    units = sum(line.quantity for line in fact.lines)
    return f"transfer {fact.transfer_id} is {fact.state}" + (f", {units} units" if units else "")


def _substituted(fact: floor_pb2.LineSubstituted) -> str:
    return (
        f"{fact.quantity} {fact.substitute_sku_id} instead of {fact.sku_id} for line {fact.line} of"
        f" {fact.fulfillment_order_id}"
    )


FLOOR_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "receipt_advanced": _receipt,
    "exception_noted": _exception,
    "shift_advanced": _shift,
    "parcel_advanced": _parcel,
    "manifest_advanced": _manifest,
    "pickup_advanced": _pickup,
    "return_advanced": _return,
    "refund_due": _refund,
    "count_advanced": _count,
    "transfer_advanced": _transfer,
    "line_substituted": _substituted,
}
