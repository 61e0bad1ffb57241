"""Puts the question that a routing decision answers: what is asked for, and how every node stands.

The answer carries the question, so that whoever acts on it can keep both (`app.routing.records`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
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
from bodega_controlplane.app.ordering.network import Network
from bodega_controlplane.app.shipping.offering import goods_of, offers_at
from bodega_controlplane.app.views import Caller, Recipient
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import stock
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
    network: Network | None = None,
) -> Decided:
    """The choice by the bundle in force, from what the nodes hold now. `network`: as it is known already."""
    inputs = _inputs(tx, caller, question, policy, network or Network(tx))
    choice = decide(policy.bundle, inputs)
    values = {one.name: getattr(choice, one.name) for one in fields(Choice)}
    return Decided(**values, bundle=policy.bundle, inputs=inputs)


class Promise(NamedTuple):
    """What was chosen for a question, by the policy that it was chosen by."""

    question: Question
    choice: Choice
    policy: Policy

    @property
    def demands(self) -> Iterator[tuple[str, dict[str, int]]]:
        """For each share its node, and units by SKU."""
        sku_of = {line.line: line.sku_id for line in self.question.lines}
        for share in self.choice.shares:
            yield (
                share.node_id,
                demand_by_sku((sku_of[number], units) for number, units in share.quantities.items()),
            )


def hold_promises(tx: Transaction, promises: Sequence[Promise]) -> None:
    """Where others write at the same time: lock the nodes chosen and look again at what is left; Contended if not."""
    if tx.exclusive:
        return
    wanted = [(one, node_id, demand) for one in promises for node_id, demand in one.demands]
    node_ids = {node_id for _, node_id, _ in wanted}
    if not node_ids:
        return
    tx.lock_nodes(node_ids)
    held = stock.held(tx, {sku_id for _, _, demand in wanted for sku_id in demand}, node_ids)
    given: Counter[tuple[str, str]] = Counter()
    for one, node_id, demand in wanted:
        for sku_id, units in demand.items():
            place = (node_id, sku_id)
            now = held.get(place, _NOT_HELD)
            taken = now.reserved + given[place] - one.question.its_own.get(place, 0)
            if units > standing_of(now._replace(reserved=taken), one.policy).available:
                raise Contended(f"another order has taken the stock of {node_id}")
            given[place] += units


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


def _inputs(tx: Transaction, caller: Caller, question: Question, policy: Policy, network: Network) -> Inputs:
    place = question.recipient
    goods = network.goods({line.sku_id for line in question.lines})
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
    return replace(bare, sites=_sites(tx, bare, question, policy, network))


def _with_measures(lines: Sequence[Line], goods: Mapping[str, Row]) -> tuple[Line, ...]:
    """Lines with what the catalogue says of their SKUs; its temperature class is the class of a product."""
    return tuple(
        replace(line, product_class=sku.temperature_class, weight_g=sku.weight_g, volume_ml=sku.volume_ml)
        if (sku := goods.get(line.sku_id))
        else line
        for line in lines
    )


def _sites(
    tx: Transaction, asked: Inputs, question: Question, policy: Policy, network: Network
) -> tuple[Site, ...]:
    places = [place for place in network.places if asked.at_node in ("", place.node_id)]
    nothing = dict.fromkeys({line.sku_id for line in asked.lines}, standing_of(_NOT_HELD, policy))
    standings = _standings(asked, question, policy, network, nothing)
    waiting = network.waiting
    offers = _offers(tx, asked, [place.node_id for place in places], network)
    minute = asked.now_ms // _MINUTE_MS
    return tuple(
        Site(
            place.node_id,
            place.latitude,
            place.longitude,
            standings.get(place.node_id, nothing),
            place.kind,
            place.country,
            waiting[place.node_id],
            place.capacity_orders,
            max(0, asked.now_ms - place.last_contact_ms) // 1000 if place.last_contact_ms else -1,
            offers.get(place.node_id, ()),
            _labels(place.labels),
            *_clock_of(place.time_zone, minute),
        )
        for place in places
    )


def _standings(
    asked: Inputs, question: Question, policy: Policy, network: Network, nothing: Mapping[str, Standing]
) -> dict[str, dict[str, Standing]]:
    """Node -> SKU -> how it stands there, all that is asked for. Nodes that hold `nothing` of it are left out."""
    found: dict[str, dict[str, Standing]] = {}
    for place, held in network.held(nothing.keys(), asked.at_node):
        node_id, sku_id = place
        at_node = found.get(node_id)
        if at_node is None:
            at_node = found[node_id] = {**nothing}
        own = question.its_own.get(place, 0) if question.its_own else 0
        at_node[sku_id] = standing_of(held._replace(reserved=held.reserved - own) if own else held, policy)
    return found


def _offers(
    tx: Transaction, asked: Inputs, node_ids: Sequence[str], network: Network
) -> Mapping[str, tuple[Offer, ...]]:
    """What carriers take for all of it, by node; nothing where the customer comes for it."""
    if asked.method not in CARRIED:
        return {}
    goods = goods_of(asked.lines)
    return offers_at(tx, node_ids, asked.destination, goods, asked.now_ms, network.shipping)


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
