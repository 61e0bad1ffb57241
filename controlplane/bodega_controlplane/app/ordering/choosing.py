"""Puts the question that a routing decision answers: what is asked for, and how every node stands.

The answer carries the question, so that whoever acts on it can keep both (`app.routing.records`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from bodega.core.floor_words import CARRIED
from bodega.core.promise import Standing, demand_by_sku
from bodega.core.routing.bundle import Bundle
from bodega.core.routing.choice import Choice
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Destination, Inputs, Line, Offer, Site
from bodega.errors import FieldFault, Refused
from bodega.limits_hub import NODE_LABEL_SETS_REMEMBERED_MAX, TIME_ZONES_REMEMBERED_MAX
from bodega_controlplane.app.goods.stock import standing_of
from bodega_controlplane.app.shipping.offering import goods_of, offers_at
from bodega_controlplane.app.views import Caller, Recipient
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import nodes, routing, stock
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Contended, Transaction

_MINUTE_MS = 60_000
_NOT_HELD = stock.Held()


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be given to nodes.

    `only`: one node that may have it; `passed_over`: node -> why it may not.
    """

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Choice):
    """A choice with the bundle that made it, and what it was made from."""

    bundle: Bundle
    inputs: Inputs

    @property
    def choice(self) -> Choice:
        """The choice alone."""
        return Choice(**{one.name: getattr(self, one.name) for one in fields(Choice)})


def choose(
    tx: Transaction,
    caller: Caller,
    question: Question,
    policy: Policy,
    goods: Mapping[str, Row] | None = None,
) -> Decided:
    """The choice by the bundle in force, from what the nodes hold now. `goods`: rows of the SKUs, if known."""
    inputs = _inputs(tx, caller, question, policy, goods)
    choice = decide(policy.bundle, inputs)
    values = {one.name: getattr(choice, one.name) for one in fields(Choice)}
    return Decided(**values, bundle=policy.bundle, inputs=inputs)


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
    found = held.get(place, _NOT_HELD)
    its_own = question.its_own.get(place, 0)
    return found._replace(reserved=found.reserved - its_own) if its_own else found


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


def _inputs(
    tx: Transaction, caller: Caller, question: Question, policy: Policy, goods: Mapping[str, Row] | None
) -> Inputs:
    place = question.recipient
    if goods is None:
        goods = routing.goods(tx, {line.sku_id for line in question.lines})
    bare = Inputs(
        now_ms=caller.now_ms,
        channel=question.channel,
        method=question.method,
        service_class=question.service_class,
        lines=_with_measures(question.lines, goods),
        destination=Destination(
            place.country, place.postal_code, place.location.latitude, place.location.longitude
        ),
        sites=(),
        ship_complete=question.ship_complete,
        ship_by_ms=question.ship_by_ms,
        at_node=question.only,
        passed_over=question.passed_over,
        shares_max=question.shares_max,
    )
    return replace(bare, sites=_sites(tx, bare, question, policy))


def _with_measures(lines: Sequence[Line], goods: Mapping[str, Row]) -> tuple[Line, ...]:
    """Lines with what the catalogue says of their SKUs; its temperature class is the class of a product."""
    return tuple(
        replace(line, product_class=sku.temperature_class, weight_g=sku.weight_g, volume_ml=sku.volume_ml)
        if (sku := goods.get(line.sku_id))
        else line
        for line in lines
    )


def _sites(tx: Transaction, asked: Inputs, question: Question, policy: Policy) -> tuple[Site, ...]:
    places = [place for place in nodes.places(tx) if asked.at_node in ("", place.node_id)]
    nothing = dict.fromkeys({line.sku_id for line in asked.lines}, standing_of(_NOT_HELD, policy))
    standings = _standings(tx, asked, question, policy, nothing)
    waiting = routing.waiting(tx)
    offers = _offers(tx, asked, [place.node_id for place in places])
    minute = asked.now_ms // _MINUTE_MS
    return tuple(
        Site(
            node_id,
            latitude,
            longitude,
            standings.get(node_id, nothing),
            kind,
            country,
            waiting.get(node_id, 0),
            capacity_orders,
            max(0, asked.now_ms - last_contact_ms) // 1000 if last_contact_ms else -1,
            offers.get(node_id, ()),
            _labels(labels),
            *_clock_of(time_zone, minute),
        )
        for (
            node_id,
            latitude,
            longitude,
            kind,
            country,
            capacity_orders,
            labels,
            time_zone,
            last_contact_ms,
        ) in map(tuple, places)
    )


def _standings(
    tx: Transaction, asked: Inputs, question: Question, policy: Policy, nothing: Mapping[str, Standing]
) -> dict[str, dict[str, Standing]]:
    """Node -> SKU -> how it stands there, all that is asked for. Nodes that hold `nothing` of it are left out."""
    found: dict[str, dict[str, Standing]] = {}
    for place, held in stock.held(tx, nothing.keys(), asked.at_node or None).items():
        node_id, sku_id = place
        at_node = found.get(node_id)
        if at_node is None:
            at_node = found[node_id] = {**nothing}
        own = question.its_own.get(place, 0) if question.its_own else 0
        at_node[sku_id] = standing_of(held._replace(reserved=held.reserved - own) if own else held, policy)
    return found


def _offers(tx: Transaction, asked: Inputs, node_ids: Sequence[str]) -> Mapping[str, tuple[Offer, ...]]:
    """What carriers take for all of it, by node; nothing where the customer comes for it."""
    if asked.method not in CARRIED:
        return {}
    return offers_at(tx, node_ids, asked.destination, goods_of(asked.lines), asked.now_ms)


@lru_cache(maxsize=TIME_ZONES_REMEMBERED_MAX)
def _clock_of(time_zone: str, minute: int) -> tuple[int, int]:
    """The minute of a node's own day and its ISO weekday; nothing of a node whose time zone is not known."""
    if time_zone == "-":
        return -1, 0
    there = datetime.fromtimestamp(minute * 60, ZoneInfo(time_zone or "UTC"))
    return there.hour * 60 + there.minute, there.isoweekday()


@lru_cache(maxsize=NODE_LABEL_SETS_REMEMBERED_MAX)
def _labels(text: str) -> Mapping[str, str]:
    """Labels of a node; the same text gives the same map, which nobody changes."""
    found: Mapping[str, str] = json.loads(text)
    return found
