"""A cancel that arrives while several orders are picked in one walk: the others go on."""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor import leaving
from bodega_agent.rules.floor.answer import Answer, say
from bodega_agent.rules.floor.pick.doing import doing_of
from bodega_agent.rules.floor.pick.facts import PickFacts
from bodega_agent.rules.floor.pick.going import walk_on
from bodega_agent.rules.floor.prompt import Tone
from bodega_agent.rules.floor.scans import WorkCancelled
from bodega_agent.rules.floor.session import FloorStep, Session


def cancelled(session: Session, scan: WorkCancelled, facts: PickFacts) -> Answer:
    """Whoever picks the order, alone or with others, is told; its goods are to be put back."""
    order = facts.cancelled
    if order is None or not order.batch or not facts.walk or facts.walk[0].batch != order.batch:
        return leaving.cancelled(session, scan, facts)
    said = f"Order {scan.fulfillment_order_id} is cancelled: leave it."
    if order.picked:
        where = f" ({', '.join(order.totes)})" if order.totes else ""
        said = (
            f"Order {scan.fulfillment_order_id} is cancelled. Put its goods{where} back later: CMD-PUTAWAY."
        )
    if session.step is FloorStep.CART_TOTE:
        return say(session, facts, said, tone=Tone.ERROR)
    doing = doing_of(session.doing)
    if doing.in_hand and doing.in_hand.fulfillment_order_id == scan.fulfillment_order_id:
        doing = replace(doing, in_hand=None)
    return walk_on(replace(session, doing=doing), facts, said, tone=Tone.ERROR)
