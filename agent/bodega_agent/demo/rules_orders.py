"""Rules about orders: each one ends, as it was told, once, and never with more than there is. Pure."""

from __future__ import annotations

from collections import Counter

from bodega_agent.demo import tally
from bodega_agent.demo.evidence import Evidence, Order
from bodega_agent.demo.shop import ACCEPTED, CONFLICT, CREATED, Receipt

Breaches = list[str]


def every_order_ends(evidence: Evidence) -> Breaches:
    """Every order is shipped, cancelled or honestly short."""
    broken = []
    for order in evidence.centre.orders:
        if order.state not in tally.FINAL_STATES:
            broken.append(f"order {order.order_id} is still {order.state}")
        elif not _lines_fit(order):
            broken.append(
                f"order {order.order_id} is {order.state}, but its lines say otherwise: {order.lines}"
            )
    if evidence.centre.open_reservations:
        broken.append(f"{evidence.centre.open_reservations} promises are neither kept nor given back")
    return broken


def _lines_fit(order: Order) -> bool:
    asked = sum(line.quantity for line in order.lines)
    shipped = sum(line.shipped for line in order.lines)
    short = sum(line.short for line in order.lines)
    return {
        "shipped": shipped == asked and short == 0,
        "partially_shipped": shipped + short == asked and shipped > 0 and short > 0,
        "unfulfillable": short == asked and shipped == 0,
        "cancelled": shipped == 0,
    }[order.state]


def shorts_are_honest(evidence: Evidence) -> Breaches:
    """A unit is short only where somebody took one from the shelf."""
    taken: Counter[tuple[str, str]] = Counter()
    for site in evidence.sites:
        for (_, sku_id), units in site.floor.taken.items():
            taken[site.node_id, sku_id] += units
    short: Counter[tuple[str, str]] = Counter()
    for order in evidence.centre.orders:
        for line in order.lines:
            short[order.node_id, line.sku_id] += line.short
    return [
        f"{units} of {sku_id} are short at {node_id}, but {taken[node_id, sku_id]} were taken"
        for (node_id, sku_id), units in short.items()
        if units > taken[node_id, sku_id]
    ]


def each_wish_is_one_order(evidence: Evidence) -> Breaches:
    """A wish is one order however often it is sent, and one beyond the stock is none."""
    plan = evidence.plan
    promised = {order.key for order in plan.orders}
    racing, beyond = {order.key for order in plan.race}, {order.key for order in plan.beyond}
    broken = []
    for receipt in evidence.till.receipts:
        key = receipt.order.key
        allowed = {CREATED} if key in promised else {CONFLICT} if key in beyond else {CREATED, CONFLICT}
        broken += _answers_fit(receipt, allowed)
    winners = sum(1 for r in evidence.till.receipts if r.order.key in racing and r.order_id)
    if winners != plan.race_units:
        broken.append(f"{winners} customers got one of the last {plan.race_units} units")
    told = {receipt.order_id for receipt in evidence.till.receipts} - {""}
    made = Counter(order.reference for order in evidence.centre.orders)
    broken += [f"wish {reference} became {many} orders" for reference, many in made.items() if many > 1]
    if told != {order.order_id for order in evidence.centre.orders}:
        broken.append("the centre's orders are not those that the shop was told of")
    return broken


def _answers_fit(receipt: Receipt, allowed: set[int]) -> Breaches:
    broken = []
    final = [answer for answer in receipt.answers if answer.code != "in-flight"]
    if strange := {answer.status for answer in final} - allowed:
        broken.append(f"wish {receipt.order.reference} was answered with {sorted(strange)}")
    if len({answer.order_id for answer in final}) > 1:
        broken.append(f"wish {receipt.order.reference} was answered with two orders")
    if sum(1 for answer in final if answer.status == CREATED and not answer.replayed) > 1:
        broken.append(f"wish {receipt.order.reference} was taken for new twice")
    if receipt.cancel_status not in (0, ACCEPTED, CONFLICT):
        broken.append(f"the cancel of {receipt.order.reference} was answered with {receipt.cancel_status}")
    return broken


def the_api_tells_the_truth(evidence: Evidence) -> Breaches:
    """The API, the centre's database and the nodes say the same of every order."""
    held = {order.order_id: order for order in evidence.centre.orders}
    told = {order.order_id: order for order in evidence.till.orders}
    broken = [
        f"order {order_id} is {told.get(order_id)} by the API and {held.get(order_id)} in the database"
        for order_id in sorted(held.keys() | told.keys())
        if held.get(order_id) != told.get(order_id)
    ]
    at_centre = {work.fulfillment_order_id: (work.state, work.sscc) for work in evidence.centre.works}
    at_nodes = {
        work.fulfillment_order_id: (work.state, work.sscc)
        for site in evidence.sites
        for work in site.ledger.works
    }
    broken += [
        f"fulfillment order {key} is {at_nodes.get(key)} at the node and {at_centre.get(key)} at the centre"
        for key in sorted(at_centre.keys() | at_nodes.keys())
        if at_centre.get(key) != at_nodes.get(key)
    ]
    return broken


def nothing_is_oversold(evidence: Evidence) -> Breaches:
    """Nothing is promised that was never there."""
    return [
        f"{units} units of {sku_id} are promised at {node_id} and were never there"
        for (node_id, sku_id), units in tally.oversold_units(evidence).items()
    ]


def each_parcel_has_one_label(evidence: Evidence) -> Breaches:
    """Each parcel has one label, and each label a parcel."""
    broken = [
        f"{more + 1} labels of parcel {sscc} were printed"
        for sscc, more in tally.double_labels(evidence).items()
    ]
    owners = Counter(work.sscc for site in evidence.sites for work in site.ledger.works if work.sscc)
    broken += [f"parcel number {sscc} was given {many} times" for sscc, many in owners.items() if many > 1]
    for site in evidence.sites:
        parcels = {work.sscc for work in site.ledger.works if work.sscc}
        labels = set(site.floor.labels)
        # A parcel that was cancelled before its label came out of the printer may be without one.
        needed = {work.sscc for work in site.ledger.works if work.state in {"labelled", "shipped"}}
        broken += [f"parcel {sscc} has no label" for sscc in sorted(needed - labels)]
        broken += [
            f"label {sscc} belongs to no parcel of {site.node_id}" for sscc in sorted(labels - parcels)
        ]
    return broken
