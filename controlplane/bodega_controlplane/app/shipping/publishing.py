"""What carriers say themselves: their services stand for those of the network's card, and silence is told to all."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from bodega.core.rates import Service
from bodega.errors import FieldFault, InvalidInput
from bodega.rates_codec import service_to_wire
from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.shipping.cards import nodes_changed
from bodega_controlplane.app.shipping.checks import check_card
from bodega_controlplane.app.shipping.services import card_in_force, overlaid
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import nodes, rates
from bodega_controlplane.store.transaction import Transaction


def publish(tx: Transaction, caller: Caller, carrier: str, services: Sequence[Service]) -> bool:
    """Keep what a carrier offers; whether that is new. Raises InvalidInput with every fault, and keeps what was."""
    body = _body(carrier, services)
    digest = sha256(body).hexdigest()
    before = {row.carrier: row.digest for row in rates.published(tx)}
    if before.get(carrier, "") == (digest if services else ""):
        return False
    if not services:
        rates.unpublish(tx, carrier)
    else:
        rates.lock(tx)
        _check(tx, caller, carrier, body)
        rates.publish(tx, {"carrier": carrier, "digest": digest, "body": body, "at_ms": caller.now_ms})
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="carrier.published",
        subject=carrier,
        detail={"services": len(services), "digest": digest},
    )
    return True


def _body(carrier: str, services: Sequence[Service]) -> bytes:
    try:
        said = pb.RateCard(name=carrier, services=map(service_to_wire, services))
    except (TypeError, ValueError, OverflowError) as error:
        fault = FieldFault("services", f"can not be written down: {error}")
        raise InvalidInput(f"what {carrier} offers is no rate card", faults=(fault,)) from error
    return said.SerializeToString(deterministic=True)


def _check(tx: Transaction, caller: Caller, carrier: str, body: bytes) -> None:
    faults, ours = Faults(), pb.RateCard.FromString(body)
    for place, one in enumerate(ours.services):
        if one.carrier != carrier:
            faults.add(f"services[{place}].carrier", f"must be {carrier}, is {one.carrier[:64]!r}")
    whole = overlaid(card_in_force(tx, caller.now_ms)[1], [ours])
    whole.name = whole.name or carrier
    check_card(faults, whole, nodes.ids(tx))
    nodes_changed(tx, faults, whole)
    faults.raise_if_any(f"what {carrier} offers")
