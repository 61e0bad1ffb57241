"""Where else in this node a SKU is taken from, once a shelf has not given it: decided by the hub's bundle, alone."""

from __future__ import annotations

from dataclasses import replace

from bodega.core.routing.alone import WITHIN_SITE
from bodega.core.routing.inputs import Inputs, Walk
from bodega.core.routing.inputs import Shelf as Candidate
from bodega.core.routing.shelves import has_rules
from bodega.limits_floor import SHELVES_JUDGED_MAX
from bodega_agent.rules.floor.alone import Decided, decided
from bodega_agent.rules.floor.pick.doing import Instead, Ranked, doing_of
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf
from bodega_agent.rules.floor.pick.walk import Task, orders_of, shelves_of
from bodega_agent.rules.floor.session import Session

_PASSED = "nobody gets at it in this walk"


def decide(session: Session, facts: PickFacts, task: Task, reason: str) -> Decided | None:
    """Which shelves serve what is still wanted of the task's SKU; None where the facts have no question."""
    alone = facts.alone
    asked = _asked(session, facts, task.line.sku_id)
    if alone is None or asked is None:
        return None
    order = task.work.fulfillment_order_id
    return decided(alone, WITHIN_SITE, order, inputs=asked, reason=reason)


def _asked(session: Session, facts: PickFacts, sku_id: str) -> Inputs | None:
    """The shelves as they are now, and every line of the walk that waits for the SKU, as orders were released."""
    base = facts.alone.inputs if facts.alone else None
    known = next((line for line in base.lines if line.sku_id == sku_id), None) if base else None
    if base is None or known is None:
        return None
    open_lines = [
        (work, line)
        for work in orders_of(facts)
        for line in work.lines
        if line.sku_id == sku_id and line.outstanding
    ]
    is_batch = len({work.fulfillment_order_id for work, _line in open_lines}) > 1
    lines = tuple(
        replace(known, line=number if is_batch else line.line, quantity=line.outstanding)
        for number, (_work, line) in enumerate(open_lines, start=1)
    )
    doing = doing_of(session.doing)
    there = [shelf for shelf in shelves_of(facts) if shelf.sku_id == sku_id]
    there = sorted(there, key=lambda one: (one.first_out, one.walk_order, one.bin_id))[:SHELVES_JUDGED_MAX]
    passed = {shelf.bin_id: _PASSED for shelf in there if shelf.bin_id in doing.passed}
    walk = Walk(tuple(_candidate(shelf) for shelf in there), session.bin_id, doing.lot)
    return replace(base, lines=lines, walk=walk, passed_over=passed)


def _candidate(shelf: Shelf) -> Candidate:
    return Candidate(
        shelf.bin_id,
        shelf.quantity,
        shelf.lot,
        shelf.first_out,
        shelf.walk_order,
        shelf.kind,
        shelf.temperature_class,
    )


def follow(session: Session, made: Decided, sku_id: str) -> Session:
    """The walk keeps to what rules about shelves have decided; where there are none, it needs nothing to keep to."""
    if not has_rules(made.bundle):
        return session
    named = {shelf.name: shelf for shelf in made.inputs.walk.shelves}
    ranked = tuple(
        Ranked(named[one.node_id].bin_id, named[one.node_id].lot, one.scores["total"])
        for one in made.choice.candidates
        if one.eligible
    )
    doing = doing_of(session.doing)
    others = tuple(one for one in doing.instead if one.sku_id != sku_id)
    return replace(session, doing=replace(doing, instead=(*others, Instead(sku_id, ranked))))
