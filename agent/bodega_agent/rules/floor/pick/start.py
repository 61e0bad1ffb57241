"""How picking begins: one order, a batch of several, or a cart on which every order has a tote; or a take-over."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.lifecycles import FulfillmentState
from bodega.limits_floor import BATCH_ORDERS_MAX, CART_TOTES_MAX
from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.effects import Effect
from bodega_agent.rules.floor.pick.effects import Claim, UseTote
from bodega_agent.rules.floor.pick.facts import BATCH, CART, PickFacts, Work
from bodega_agent.rules.floor.pick.going import go_on
from bodega_agent.rules.floor.scans import NamedScan
from bodega_agent.rules.floor.session import FloorStep, Session


def start(session: Session, facts: PickFacts) -> Answer:
    """CMD-PICK: this device's own order first, then the most urgent that waits, then one that somebody left."""
    if facts.work is not None:
        return _resume(session, facts.work, facts)
    if facts.next_work is not None:
        return _claim(session, (facts.next_work,), facts, "")
    return _ask_for_left(session, facts)


def batch(session: Session, facts: PickFacts) -> Answer:
    """CMD-BATCH: the most urgent orders together; their goods are told apart at the packing bench."""
    if facts.work is not None:
        return _resume(session, facts.work, facts)
    orders = facts.next_works[:BATCH_ORDERS_MAX]
    if not orders:
        return _ask_for_left(session, facts)
    return _claim(
        session, orders, facts, f"{BATCH}{orders[0].fulfillment_order_id}" if len(orders) > 1 else ""
    )


def cart(session: Session, facts: PickFacts) -> Answer:
    """CMD-CART: a tote for each of the most urgent orders, scanned one after the other."""
    if facts.work is not None:
        return _resume(session, facts.work, facts)
    if not facts.next_works:
        return _ask_for_left(session, facts)
    return say(session.at(FloorStep.CART_TOTE), facts)


def cart_tote(session: Session, scan: NamedScan, facts: PickFacts) -> Answer:
    """An empty tote: it serves the most urgent order from now on, which is this device's."""
    if facts.tote_order:
        return refuse(session, facts, _in_use(scan.name, facts.tote_order))
    work = facts.next_works[0]
    order = work.fulfillment_order_id
    name = facts.walk[0].batch if facts.walk else f"{CART}{order}"
    claimed = replace(_claimed(session, work, name), totes=(scan.name,))
    walk = (*facts.walk, claimed)
    facts = replace(facts, work=claimed, walk=walk, next_works=facts.next_works[1:])
    said = f"{scan.name} is for order {order}."
    effects = (Claim(order, batch=name), UseTote(order, scan.name))
    if len(walk) < CART_TOTES_MAX and facts.next_works:
        return say(session.at(FloorStep.CART_TOTE, fulfillment_order_id=order), facts, said, effects=effects)
    return go_on(session, facts, f"{said} The cart is ready.", effects=effects)


def cart_ready(session: Session, facts: PickFacts) -> Answer:
    """CMD-DONE: the walk begins with the totes that were scanned."""
    if not facts.walk:
        return say(session.idle(), replace(facts, work=None), "No tote was scanned.")
    return go_on(session, facts, "The cart is ready.")


def take_over(session: Session, facts: PickFacts) -> Answer:
    """CMD-ACCEPT on the question: the order of a device that is gone becomes this device's, with those in its walk."""
    left = facts.left_work
    assert left is not None, "a lost take-over never gets here"
    others = tuple(one for one in facts.walk if one.fulfillment_order_id != left.fulfillment_order_id)
    orders = (left, *others)
    effects = tuple(Claim(work.fulfillment_order_id, take_over=True) for work in orders)
    walk = tuple(replace(work, device=session.device) for work in facts.walk)
    facts = replace(facts, work=replace(left, device=session.device), walk=walk)
    said = f"{_named(orders)} yours now."
    return go_on(session, facts, said, effects=effects)


def _resume(session: Session, work: Work, facts: PickFacts) -> Answer:
    orders = facts.walk or (work,)
    said = f"Going on with {_orders(orders)}."
    if facts.walk:
        return go_on(session.at(FloorStep.PICK_BIN), facts, said)
    return go_on(session, facts, said)


def _ask_for_left(session: Session, facts: PickFacts) -> Answer:
    if facts.left_work is None:
        return say(session, facts, "No order waits.")
    order = facts.left_work.fulfillment_order_id
    return say(session.at(FloorStep.TAKE_OVER, fulfillment_order_id=order), facts)


def _claim(session: Session, orders: tuple[Work, ...], facts: PickFacts, name: str) -> Answer:
    claimed = tuple(_claimed(session, work, name) for work in orders)
    effects: tuple[Effect, ...] = tuple(Claim(work.fulfillment_order_id, batch=name) for work in orders)
    facts = replace(facts, work=claimed[0], walk=claimed if name else ())
    return go_on(session.at(FloorStep.PICK_BIN), facts, f"{_named(orders)} yours.", effects=effects)


def _claimed(session: Session, work: Work, name: str) -> Work:
    return replace(work, device=session.device, state=FulfillmentState.PICKING, batch=name)


def _orders(orders: tuple[Work, ...]) -> str:
    return f"order {orders[0].fulfillment_order_id}" if len(orders) == 1 else f"{len(orders)} orders"


def _named(orders: tuple[Work, ...]) -> str:
    text = _orders(orders)
    return f"{text[:1].upper()}{text[1:]} {'is' if len(orders) == 1 else 'are'}"


def _in_use(tote_id: str, order: str) -> str:
    return f"{tote_id} holds goods of order {order}. Take an empty one."
