"""Totes: whose goods are in which. Goods of a second order never go into the tote of a first."""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.answer import Answer, refuse, say
from bodega_agent.rules.floor.pick.doing import doing_of
from bodega_agent.rules.floor.pick.effects import UseTote
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.going import go_on, walk_on
from bodega_agent.rules.floor.pick.walk import changed, task_of
from bodega_agent.rules.floor.prompt import units
from bodega_agent.rules.floor.scans import NamedScan
from bodega_agent.rules.floor.session import FloorStep, Session


def put_in(session: Session, scan: NamedScan, facts: PickFacts) -> Answer:
    """What is in hand goes into a tote of its order."""
    work = _work(facts)
    held = doing_of(session.doing).in_hand
    assert held is not None, "without goods in hand nobody is asked for a tote"
    if scan.name not in work.totes:
        return refuse(session, facts, _wrong_tote(scan.name, work, facts))
    said = f"{units(held.units, held.name)} in {scan.name}."
    return go_on(_empty_handed(session), facts, said)


def tote(session: Session, scan: NamedScan, facts: PickFacts) -> Answer:
    """A tote while goods are picked: on a cart it takes what is in hand; an order alone gets it for its goods."""
    task = task_of(facts, session)
    assert task is not None, "at a bin something is to be picked"
    work = _of_hand(session, facts) or task.work
    if work.batch and not work.is_on_cart:
        return refuse(session, facts, _NO_TOTES)
    if scan.name in work.totes:
        order = work.fulfillment_order_id
        return say(_empty_handed(session), facts, f"{scan.name} is the tote of order {order}.")
    if facts.tote_order or work.is_on_cart:
        return refuse(session, facts, _wrong_tote(scan.name, work, facts))
    return _bind(session, scan.name, work, facts)


def full(session: Session, facts: PickFacts) -> Answer:
    """CMD-FULL: another tote is wanted for the order whose goods are picked now."""
    task = task_of(facts, session)
    work = _of_hand(session, facts) or (task.work if task else _work(facts))
    if work.batch and not work.is_on_cart:
        return refuse(session, facts, _NO_TOTES)
    order = work.fulfillment_order_id
    return say(
        session.at(
            FloorStep.PICK_FULL, fulfillment_order_id=order, bin_id=session.bin_id, doing=session.doing
        ),
        replace(facts, work=work),
    )


def another(session: Session, scan: NamedScan, facts: PickFacts) -> Answer:
    """The empty tote that was asked for; what is in hand goes into it."""
    work = _work(facts)
    if scan.name in work.totes:
        return refuse(session, facts, f"{scan.name} is of this order already.")
    if facts.tote_order:
        return refuse(session, facts, _wrong_tote(scan.name, work, facts))
    return _bind(session, scan.name, work, facts)


def not_full(session: Session, facts: PickFacts) -> Answer:
    """CMD-PICK: go on with the tote that is there."""
    return walk_on(session, facts)


def _bind(session: Session, tote_id: str, work: Work, facts: PickFacts) -> Answer:
    order = work.fulfillment_order_id
    facts = changed(facts, replace(work, totes=(*work.totes, tote_id)))
    said = f"{tote_id} is for order {order} now."
    return go_on(_empty_handed(session), facts, said, effects=(UseTote(order, tote_id),))


def _wrong_tote(tote_id: str, work: Work, facts: PickFacts) -> str:
    order, own = work.fulfillment_order_id, " or ".join(work.totes)
    if facts.tote_order:
        wanted = f" Put it into {own}." if own else " Take an empty one."
        return f"{tote_id} holds goods of order {facts.tote_order}, not of {order}.{wanted}"
    return f"{tote_id} is no tote of order {order}. Put it into {own}; if that is full, CMD-FULL."


def _of_hand(session: Session, facts: PickFacts) -> Work | None:
    held = doing_of(session.doing).in_hand
    known = (*facts.walk, *((facts.work,) if facts.work else ()))
    return next(
        (work for work in known if held and work.fulfillment_order_id == held.fulfillment_order_id), None
    )


def _empty_handed(session: Session) -> Session:
    return replace(session, doing=replace(doing_of(session.doing), in_hand=None))


def _work(facts: PickFacts) -> Work:
    assert facts.work is not None, "a session that has lost its work never gets here"
    return facts.work


_NO_TOTES = "This batch has no totes: its orders are told apart at the packing bench."
