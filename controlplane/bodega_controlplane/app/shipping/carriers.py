"""Carriers that are down, and up again: nobody is sent with one that is down, at the hub and at the nodes."""

from __future__ import annotations

from bodega.v1 import catalogue_pb2 as pb
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.shipping.services import card_in_force
from bodega_controlplane.app.shipping.views import CarrierView
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import rates
from bodega_controlplane.store.transaction import Transaction

# Who says so where nobody has: a carrier that does not answer is down until it does.
HUB = "hub"


def list_carriers(tx: Transaction, now_ms: int) -> tuple[CarrierView, ...]:
    """Those of the card in force, of the nodes' own profiles, and those that are down, by name."""
    services: dict[str, set[str]] = {}
    for one in card_in_force(tx, now_ms)[1].services:
        services.setdefault(one.carrier, set()).add(one.service)
    for body in rates.all_bodies(tx):
        for one in pb.NodeProfile.FromString(body).carrier_services:
            services.setdefault(one.carrier, set()).add(one.service)
    down = rates.down(tx)
    for carrier in down:
        services.setdefault(carrier, set())
    return tuple(
        CarrierView(
            carrier,
            tuple(sorted(names)),
            down=carrier in down,
            since_ms=down[carrier].since_ms if carrier in down else 0,
            said_by=down[carrier].said_by if carrier in down else "",
            reason=down[carrier].reason if carrier in down else "",
        )
        for carrier, names in sorted(services.items())
    )


def set_carrier(
    tx: Transaction, caller: Caller, carrier: str, *, down: bool, reason: str = ""
) -> tuple[CarrierView, bool]:
    """Say that a carrier is down, or up again; the carrier, and whether that changed anything.

    Nodes are told a moment later (`telling`); what the hub routes heeds it at once. What the hub has found out a person
    may say too, and then only a person unsays it. Raises InvalidInput for a carrier that nobody knows, or no reason.
    """
    rates.lock(tx)
    faults = Faults()
    known = {one.carrier: one for one in list_carriers(tx, caller.now_ms)}
    if carrier not in known:
        faults.add("carrier", f"is in no rate card: {carrier[:64]!r}; there is {', '.join(known) or 'none'}")
    if down:
        faults.text("reason", reason)
    faults.raise_if_any("the carrier's state")
    before = known[carrier]
    if before.down == down and not (down and before.said_by == HUB != caller.actor):
        return before, False
    rates.put_up(tx, carrier)
    if down:
        since_ms = before.since_ms or caller.now_ms
        row = {"carrier": carrier, "since_ms": since_ms, "said_by": caller.actor, "reason": reason}
        rates.put_down(tx, row)
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="carrier.down" if down else "carrier.up",
        subject=carrier,
        detail={"reason": reason} if down else {},
    )
    after = {one.carrier: one for one in list_carriers(tx, caller.now_ms)}
    return after.get(carrier, CarrierView(carrier, ())), True


def answered(tx: Transaction, caller: Caller, carrier: str) -> bool:
    """A carrier has answered: it is up again if the hub had said that it is down. Whether it was."""
    rates.lock(tx)
    row = rates.down(tx).get(carrier)
    return row is not None and row.said_by == HUB and set_carrier(tx, caller, carrier, down=False)[1]
