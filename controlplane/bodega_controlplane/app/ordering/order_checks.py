"""What an order may say, checked before anything is promised: every fault at once."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from bodega.core.floor_words import CARRIED, Method
from bodega.core.promise import ServiceClass
from bodega.limits import (
    ADDRESS_LINES_MAX,
    ORDER_LINES_MAX,
    PICKUP_CODE_CHARS_MAX,
    PICKUP_CODE_CHARS_MIN,
    PICKUP_HOLD_MS_MAX,
    QUANTITY_MAX,
    SUBSTITUTES_PER_LINE_MAX,
    TIME_MS_MAX,
)
from bodega.limits_hub import ROUTING_SHARES_MAX
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.ordering.network import Network
from bodega_controlplane.app.views import DraftLine, OrderDraft, Recipient
from bodega_controlplane.store import nodes
from bodega_controlplane.store.transaction import Transaction

_PICKUP_CODE = re.compile(f"[0-9A-Za-z]{{{PICKUP_CODE_CHARS_MIN},{PICKUP_CODE_CHARS_MAX}}}")


def check_draft(tx: Transaction, draft: OrderDraft, network: Network) -> None:
    """Raise InvalidInput with everything that is wrong with an order."""
    faults = Faults()
    faults.identifier("reference", draft.reference)
    faults.count("lines", draft.lines, 1, ORDER_LINES_MAX)
    named = {sku_id for line in draft.lines[:ORDER_LINES_MAX] for sku_id in (line.sku_id, *line.substitutes)}
    known = network.goods(named)
    _check_lines(faults, draft.lines[:ORDER_LINES_MAX], known)
    check_recipient(faults, draft.recipient)
    faults.one_of("service_class", draft.service_class, tuple(ServiceClass))
    faults.one_of("method", draft.method, tuple(Method))
    faults.number("ship_by_ms", draft.ship_by_ms, 0, TIME_MS_MAX)
    faults.number("parts_max", draft.parts_max, 1, ROUTING_SHARES_MAX)
    faults.number("not_before_ms", draft.not_before_ms, 0, TIME_MS_MAX)
    _check_pickup(tx, faults, draft)
    faults.raise_if_any("the order")


def _check_lines(faults: Faults, lines: Sequence[DraftLine], known: Container[str]) -> None:
    for place, line in enumerate(lines):
        faults.number(f"lines[{place}].quantity", line.quantity, 1, QUANTITY_MAX)
        faults.count(f"lines[{place}].substitutes", line.substitutes, 0, SUBSTITUTES_PER_LINE_MAX)
        fields = [("sku_id", line.sku_id)]
        fields += [(f"substitutes[{number}]", sku_id) for number, sku_id in enumerate(line.substitutes)]
        seen: set[str] = set()
        for field, sku_id in fields:
            if sku_id not in known:
                faults.add(f"lines[{place}].{field}", f"is not in the catalogue: {sku_id[:80]!r}")
            elif sku_id in seen:
                faults.add(f"lines[{place}].{field}", f"is named already: {sku_id}")
            seen.add(sku_id)


def _check_pickup(tx: Transaction, faults: Faults, draft: OrderDraft) -> None:
    pickup = draft.pickup
    if pickup is None:
        if draft.method in {Method.PICKUP, Method.LOCKER}:
            faults.add("pickup", f"is needed where the method is {draft.method}")
        return
    if draft.method in CARRIED:
        faults.add("pickup", "is only for the methods pickup and locker")
    if nodes.by_id(tx, pickup.node_id) is None:
        faults.add("pickup.node_id", f"is no node: {pickup.node_id[:80]!r}")
    if not _PICKUP_CODE.fullmatch(pickup.code):
        # It does not say the code: that is a secret, and faults are shown and logged.
        bounds = f"{PICKUP_CODE_CHARS_MIN} to {PICKUP_CODE_CHARS_MAX}"
        faults.add("pickup.code", f"must be {bounds} letters and digits")
    faults.number("pickup.hold_ms", pickup.hold_ms, 0, PICKUP_HOLD_MS_MAX)


def check_recipient(faults: Faults, recipient: Recipient) -> None:
    """Where a parcel goes: note everything that is wrong."""
    faults.text("recipient.name", recipient.name)
    faults.count("recipient.address", recipient.address, 1, ADDRESS_LINES_MAX)
    for place, line in enumerate(recipient.address):
        faults.text(f"recipient.address[{place}]", line)
    faults.text("recipient.postal_code", recipient.postal_code, empty=True)
    country = recipient.country
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        faults.add("recipient.country", "must be an ISO 3166-1 alpha-2 code such as PT")
    faults.place("recipient.location", recipient.location)
