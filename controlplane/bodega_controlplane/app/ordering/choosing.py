"""Puts the question that a routing decision answers: what is asked for, and how every node stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bodega.core.promise import demand_by_sku
from bodega.core.routing.choice import Choice
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Destination, Inputs, Line, Site
from bodega.errors import FieldFault, Refused
from bodega_controlplane.app.goods.stock import standing_of
from bodega_controlplane.app.views import Caller, Recipient
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import nodes, stock
from bodega_controlplane.store.transaction import Contended, Transaction


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be given to nodes. `only`: one node that may have it; `passed_over`: node -> why it may not."""

    lines: tuple[Line, ...]
    recipient: Recipient
    channel: str
    method: str
    service_class: str
    ship_complete: bool = False
    ship_by_ms: int = 0
    only: str = ""
    passed_over: Mapping[str, str] = field(default_factory=dict)
    shares_max: int = 1
    # (node, SKU) -> units that are promised to this very order there, and that it may take with it.
    its_own: Mapping[tuple[str, str], int] = field(default_factory=dict)


def choose(tx: Transaction, caller: Caller, question: Question, policy: Policy) -> Choice:
    """The choice by the bundle in force, from what the nodes hold at this moment."""
    return decide(policy.bundle, _inputs(tx, caller, question, policy))


def hold_promise(tx: Transaction, question: Question, choice: Choice, policy: Policy) -> None:
    """Where others write at the same time: lock the nodes chosen and look again at what is left; Contended if not."""
    if tx.exclusive:
        return
    tx.lock_nodes([share.node_id for share in choice.shares])
    sku_of = {line.line: line.sku_id for line in question.lines}
    for share in choice.shares:
        demand = demand_by_sku((sku_of[number], units) for number, units in share.quantities.items())
        held = stock.held(tx, demand.keys(), share.node_id)
        for sku_id, units in demand.items():
            if units > standing_of(_held(held, (share.node_id, sku_id), question), policy).available:
                raise Contended(f"another order has taken the stock of {share.node_id}")


def _held(
    held: Mapping[tuple[str, str], stock.Held], place: tuple[str, str], question: Question
) -> stock.Held:
    found = held.get(place, stock.Held())
    return replace(found, reserved=found.reserved - question.its_own.get(place, 0))


def insufficient(choice: Choice, hint: str) -> Refused:
    """The refusal that names, node by node, what is missing."""
    faults = tuple(
        FieldFault(one.node_id, reason.text) for one in choice.candidates for reason in one.reasons
    )
    return Refused(
        "no node has enough stock for the whole order",
        code="insufficient-stock",
        hint=hint,
        faults=faults or (FieldFault("nodes", "there is no node that could"),),
    )


def _inputs(tx: Transaction, caller: Caller, question: Question, policy: Policy) -> Inputs:
    place = question.recipient
    return Inputs(
        now_ms=caller.now_ms,
        channel=question.channel,
        method=question.method,
        service_class=question.service_class,
        lines=question.lines,
        destination=Destination(
            place.country, place.postal_code, place.location.latitude, place.location.longitude
        ),
        sites=_sites(tx, question, policy),
        ship_complete=question.ship_complete,
        ship_by_ms=question.ship_by_ms,
        at_node=question.only,
        passed_over=question.passed_over,
        shares_max=question.shares_max,
    )


def _sites(tx: Transaction, question: Question, policy: Policy) -> tuple[Site, ...]:
    demand = demand_by_sku((line.sku_id, line.quantity) for line in question.lines)
    held = stock.held(tx, demand.keys(), question.only or None)
    return tuple(
        Site(
            place.node_id,
            place.latitude,
            place.longitude,
            {sku: standing_of(_held(held, (place.node_id, sku), question), policy) for sku in demand},
        )
        for place in nodes.places(tx)
        if question.only in ("", place.node_id)
    )
