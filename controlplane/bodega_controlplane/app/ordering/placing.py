"""An order is placed: promised, routed and handed to its nodes in one transaction, or refused and nothing is written.

It is planned, which reads; the promise is held, where others write too; and it is written: several orders may take each
step together. Kits that nodes hold as such are sold as such, else by their components. What can not be promised waits,
if the order says that it may; of a pre-order nothing is promised before its date.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bodega.core.kits import KitLine, explode
from bodega.core.lifecycles import OrderState
from bodega.core.parts import PartState
from bodega.core.routing import inputs as routing
from bodega.errors import FieldFault, InvalidInput
from bodega.limits import QUANTITY_MAX
from bodega.limits_hub import KIT_LEVELS_MAX, ORDER_SERVED_LINES_MAX
from bodega_controlplane.app import wire
from bodega_controlplane.app.goods.stock import standing_of
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.ordering import aggregate, assigning
from bodega_controlplane.app.ordering.aggregate import Line, Order
from bodega_controlplane.app.ordering.assigning import Gift
from bodega_controlplane.app.ordering.choosing import (
    Decided,
    Promise,
    Question,
    choose,
    hold_promises,
    insufficient,
)
from bodega_controlplane.app.ordering.network import Network
from bodega_controlplane.app.ordering.order_checks import check_draft
from bodega_controlplane.app.routing import records
from bodega_controlplane.app.views import Caller, OrderDraft
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.store import orders
from bodega_controlplane.store.transaction import Transaction

# The rule of what is not routed yet.
PREORDER = "preorder@1"
# How often routing is asked for a part of an order that it can not serve as a whole.
_TRIES_MAX = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How an order is to be served: the lines for nodes, who takes which, and the units by line that wait.

    `decided` is None for what is not routed yet, `promise` where nothing is promised.
    """

    caller: Caller
    draft: OrderDraft
    lines: tuple[KitLine, ...]
    decided: Decided | None
    waits: Mapping[int, int]
    promise: Promise | None = None


class Placed(NamedTuple):
    """An order that was written, and the lines that nodes serve: what kits are made of in place of them."""

    order: Order
    lines: tuple[KitLine, ...]


def place(tx: Transaction, caller: Caller, draft: OrderDraft, policy: Policy) -> Placed:
    """Promise the stock, choose the nodes, and put the work into their streams. Raises what `plan` raises."""
    planned = plan(tx, caller, draft, policy, Network(tx))
    hold_promises(tx, [planned.promise] if planned.promise else [])
    return write(tx, [planned])[0]


def plan(tx: Transaction, caller: Caller, draft: OrderDraft, policy: Policy, network: Network) -> Plan:
    """How it is to be served; what it takes is counted in `network`, and nothing is written.

    Raises InvalidInput with every fault (unknown SKU, quantity, recipient ...), Refused with code
    "insufficient-stock" and a fault for every node when they can not serve it and it may not wait.
    """
    check_draft(tx, draft, network)
    asked = [(number, one.sku_id, one.quantity) for number, one in enumerate(draft.lines, start=1)]
    components = _components({sku_id for _, sku_id, _ in asked}, network)
    apart = explode(asked, components)
    _check_lines(apart)
    if draft.not_before_ms > caller.now_ms:
        return Plan(caller, draft, apart, None, _units(apart))
    planner = _Planner(tx, caller, draft, policy, network)
    forms = [tuple(KitLine(*one) for one in asked), *([apart] if components else [])]
    for lines in forms:
        planned, decided = planner.plan(lines, lines, {})
        if planned is not None:
            return planned
    if not draft.backorder:
        raise insufficient(decided, "order less, or wait until stock has been received; nothing was reserved")
    return planner.later(apart, decided)


@dataclass(frozen=True, slots=True)
class _Planner:
    """Asks routing for one order, until all or some of it can be promised."""

    tx: Transaction
    caller: Caller
    draft: OrderDraft
    policy: Policy
    network: Network

    def plan(
        self, lines: tuple[KitLine, ...], some: Sequence[KitLine], waits: Mapping[int, int]
    ) -> tuple[Plan | None, Decided]:
        """The plan that promises `some` of the lines while the rest waits, if any node can; and what routing said."""
        question = _question(self.caller, self.draft, some)
        decided = choose(self.tx, self.caller, question, self.policy, self.network)
        if not decided.shares:
            return None, decided
        promise = Promise(question, decided, self.policy)
        for node_id, demand in promise.demands:
            self.network.give(node_id, demand)
        return Plan(self.caller, self.draft, lines, decided, waits, promise), decided

    def later(self, lines: tuple[KitLine, ...], whole: Decided) -> Plan:
        """What can be promised is, unless all of it is to go together; the rest waits."""
        units = _units(lines)
        tries = () if self.draft.ship_complete else _tries(self.draft, lines, self.policy, self.network)
        for some in tries:
            now = [one._replace(quantity=some[one.line]) for one in lines if some[one.line]]
            waits = {line: n - some[line] for line, n in units.items() if n > some[line]}
            planned, _ = self.plan(lines, now, waits)
            if planned is not None:
                return planned
        return Plan(self.caller, self.draft, lines, whole, units)


def _tries(
    draft: OrderDraft, lines: tuple[KitLine, ...], policy: Policy, network: Network
) -> list[dict[int, int]]:
    """Units by line that nodes hold now, the most first: all nodes together if it may be split, and single ones."""
    pools: dict[str, Counter[str]] = {}
    for (node_id, sku_id), held in network.held({one.sku_id for one in lines}):
        pools.setdefault(node_id, Counter())[sku_id] = standing_of(held, policy).available
    if draft.pickup is not None:
        pools = {draft.pickup.node_id: pools.get(draft.pickup.node_id, Counter())}
    found = [_covered(lines, pool) for _, pool in sorted(pools.items())]
    if draft.parts_max > 1:
        found.append(_covered(lines, sum(pools.values(), Counter())))
    found = [some for some in found if any(some.values())]
    return sorted(found, key=lambda some: -sum(some.values()))[:_TRIES_MAX]


def _covered(lines: Sequence[KitLine], pool: Mapping[str, int]) -> dict[int, int]:
    left = Counter(pool)
    some = {}
    for one in lines:
        some[one.line] = min(one.quantity, left[one.sku_id])
        left[one.sku_id] -= some[one.line]
    return some


def _units(lines: Sequence[KitLine]) -> dict[int, int]:
    return {one.line: one.quantity for one in lines}


def _question(caller: Caller, draft: OrderDraft, lines: Sequence[KitLine]) -> Question:
    return Question(
        tuple(routing.Line(one.line, one.sku_id, one.quantity) for one in lines),
        draft.recipient,
        caller.channel,
        draft.method,
        draft.service_class,
        draft.ship_complete,
        draft.ship_by_ms,
        only=draft.pickup.node_id if draft.pickup else "",
        shares_max=draft.parts_max,
    )


def _components(sku_ids: set[str], network: Network) -> dict[str, list[tuple[str, int]]]:
    """Of those of these SKUs, and of what they are made of, that are kits: what is in one."""
    found: dict[str, list[tuple[str, int]]] = {}
    for _ in range(KIT_LEVELS_MAX + 1):
        goods = network.goods(sku_ids - found.keys())
        kits = {sku_id: json.loads(row.components) for sku_id, row in goods.items()}
        fresh = {
            sku_id: [(one["sku_id"], int(one["quantity"])) for one in inside]
            for sku_id, inside in kits.items()
            if inside
        }
        if not fresh:
            break
        found |= fresh
        sku_ids = {component for inside in fresh.values() for component, _ in inside}
    return found


def _check_lines(lines: Sequence[KitLine]) -> None:
    faults = [
        FieldFault(f"lines[{one.kit_line - 1}].quantity", f"makes more than {QUANTITY_MAX} of {one.sku_id}")
        for one in lines
        if one.quantity > QUANTITY_MAX
    ]
    if len(lines) > ORDER_SERVED_LINES_MAX:
        text = f"must be at most {ORDER_SERVED_LINES_MAX} with the components of kits, are {len(lines)}"
        faults.append(FieldFault("lines", text))
    if faults:
        raise InvalidInput("the order can not be taken", faults=tuple(faults))


def write(tx: Transaction, plans: Sequence[Plan]) -> list[Placed]:
    """Orders as they were planned, and the work for their nodes; the promises are held."""
    with tx.gathered():
        made = [_order(tx, one) for one in plans]
        assigning.give_all(tx, [gift for _, gifts in made for gift in gifts])
    return [Placed(order, one.lines) for one, (order, _) in zip(plans, made, strict=True)]


def _order(tx: Transaction, plan: Plan) -> tuple[Order, list[Gift]]:
    """The order is written, with its parts; and what is to be given to nodes."""
    caller, draft = plan.caller, plan.draft
    substitutes = {number: one.substitutes for number, one in enumerate(draft.lines, start=1)}
    lines = {
        one.line: Line(one.sku_id, one.quantity, substitutes=substitutes.get(one.line, ()))
        for one in plan.lines
    }
    order = Order(new_id("O", caller.now_ms), OrderState.CONFIRMED, draft.method, lines)
    shares = plan.decided.shares if plan.decided else ()
    chosen = [(order.add_part(PartState.ASSIGNED, share.quantities), share) for share in shares]
    if plan.waits:
        is_early = draft.not_before_ms > caller.now_ms
        order.add_part(PartState.PREORDERED if is_early else PartState.BACKORDERED, plan.waits)
    order.follow()
    node_id = shares[0].node_id if shares else ""
    row = {**_row(caller, draft, order), "node_id": node_id}
    orders.insert(tx, row, _line_rows(order.order_id, draft, plan.lines))
    if plan.decided:
        records.keep(tx, caller, order.order_id, plan.decided)
    aggregate.save_parts(tx, caller.now_ms, order.parts.values())
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="order.placed",
        subject=order.order_id,
        detail={
            "channel": caller.channel,
            "node_id": ", ".join(share.node_id for share in shares),
            "rule": plan.decided.rule if plan.decided else PREORDER,
            "lines": len(lines),
            "parts": len(order.parts),
        },
    )
    return order, [Gift(caller, part, share, row) for part, share in chosen]


def _row(caller: Caller, draft: OrderDraft, order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "channel": caller.channel,
        "reference": draft.reference,
        "state": order.state.value,
        "placed_at_ms": caller.now_ms,
        "updated_at_ms": caller.now_ms,
        "recipient": wire.recipient_json(draft.recipient),
        "service_class": draft.service_class,
        "method": draft.method,
        "ship_complete": draft.ship_complete,
        "ship_by_ms": draft.ship_by_ms,
        "pickup": wire.pickup_json(draft.pickup),
        "backorder": draft.backorder,
        "not_before_ms": draft.not_before_ms,
        "parts_max": draft.parts_max,
    }


def _line_rows(order_id: str, draft: OrderDraft, lines: Sequence[KitLine]) -> list[dict[str, Any]]:
    """What was asked for, with the kits, and then what kits are made of."""
    rows = [
        {
            "order_id": order_id,
            "line": number,
            "sku_id": one.sku_id,
            "quantity": one.quantity,
            "substitutes": json.dumps(one.substitutes),
            "kit_line": 0,
        }
        for number, one in enumerate(draft.lines, start=1)
    ]
    return rows + [
        {"order_id": order_id, **one._asdict(), "substitutes": "[]"} for one in lines if one.kit_line
    ]
