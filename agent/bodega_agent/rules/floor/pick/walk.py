"""Orders that one device picks in one walk, one or several, as facts; and the pick that is next.

Everything is derived anew at every step. An order alone is a walk too; in a batch a bin's goods are taken for all
orders at once, on a cart for one order after the other, because each has a tote of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from bodega.core.lifecycles import FulfillmentState
from bodega.core.routing.shelves import Place
from bodega_agent.rules.floor.pick.doing import Picking, doing_of
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf, Work, WorkLine
from bodega_agent.rules.floor.pick.plan import Wanted, plan_picks
from bodega_agent.rules.floor.session import Session


@dataclass(frozen=True, slots=True)
class Task:
    """The pick in hand: `quantity` units of one SKU and lot, the first of them for `line` of `work`.

    `orders` share it. `bin_id` is empty when no bin holds it by the book: a person has to find it.
    """

    work: Work
    line: WorkLine
    lot: str
    bin_id: str
    quantity: int
    orders: int = 1


def orders_of(facts: PickFacts) -> tuple[Work, ...]:
    """What is still being picked, as it was released."""
    work = facts.work
    if work is None:
        return ()
    if work.batch:
        return facts.walk
    return (work,) if work.state is FulfillmentState.PICKING else ()


def changed(facts: PickFacts, work: Work) -> PickFacts:
    """The facts once an order is as `work`; who is not being picked any more leaves the walk."""
    is_same = work.fulfillment_order_id
    walk = tuple(
        one
        for each in facts.walk
        if (one := work if each.fulfillment_order_id == is_same else each).state is FulfillmentState.PICKING
    )
    own = facts.work
    return replace(facts, work=work if own and own.fulfillment_order_id == is_same else own, walk=walk)


def seen_from(facts: PickFacts, session: Session) -> PickFacts:
    """The facts with the session's order as `work`, which may be another one of the walk than before."""
    order = session.fulfillment_order_id
    return replace(
        facts, work=next((work for work in facts.walk if work.fulfillment_order_id == order), facts.work)
    )


def shelves_of(facts: PickFacts, *, without: Collection[str] = ()) -> list[Shelf]:
    """Every shelf once; those of the bins `without` are left out."""
    shelves = {
        (shelf.sku_id, shelf.lot, shelf.bin_id): shelf
        for work in orders_of(facts)
        for shelf in work.shelves
        if shelf.bin_id not in without
    }
    return list(shelves.values())


def shelves_for(facts: PickFacts, doing: Picking) -> list[Shelf]:
    """The shelves that this walk takes from: within reach, and such that rules about shelves have not left out."""
    ranked = costs_of(doing)
    return [
        shelf
        for shelf in shelves_of(facts, without=doing.passed)
        if shelf.sku_id not in ranked or (shelf.bin_id, shelf.lot) in ranked[shelf.sku_id]
    ]


def costs_of(doing: Picking) -> dict[str, dict[Place, float]]:
    """By SKU, what rules have said of its shelves; only SKUs of which they were asked."""
    return {one.sku_id: {(each.bin_id, each.lot): each.cost for each in one.shelves} for one in doing.instead}


def less_on_shelf(facts: PickFacts, bin_id: str, sku_id: str, lot: str, quantity: int) -> PickFacts:
    """The facts after `quantity` units left a shelf; an empty shelf is left out."""

    def rest(work: Work) -> Work:
        shelves = (
            replace(shelf, quantity=shelf.quantity - quantity)
            if (shelf.bin_id, shelf.sku_id, shelf.lot) == (bin_id, sku_id, lot)
            else shelf
            for shelf in work.shelves
        )
        return replace(work, shelves=tuple(shelf for shelf in shelves if shelf.quantity > 0))

    work = facts.work
    return replace(facts, work=work and rest(work), walk=tuple(map(rest, facts.walk)))


def more_on_shelf(facts: PickFacts, found: Shelf) -> PickFacts:
    """The facts once units were found on a shelf that was empty by the book."""

    def more(work: Work) -> Work:
        return replace(work, shelves=(*work.shelves, found))

    work = facts.work
    return replace(facts, work=work and more(work), walk=tuple(map(more, facts.walk)))


def lines_for(facts: PickFacts, task: Task) -> list[tuple[Work, WorkLine]]:
    """The lines that a scan of the task's SKU may serve, as they are served."""
    return [
        (work, line)
        for work in orders_of(facts)
        if not work.is_on_cart or work.fulfillment_order_id == task.work.fulfillment_order_id
        for line in work.lines
        if line.sku_id == task.line.sku_id and line.outstanding
    ]


def task_of(facts: PickFacts, session: Session) -> Task | None:
    """What to pick now, seen from the bin at which the person stands; None if nothing is outstanding."""
    doing = doing_of(session.doing)
    orders = {work.fulfillment_order_id: work for work in orders_of(facts)}
    wanted = [
        Wanted(line.line, line.sku_id, line.outstanding, order)
        for order, work in orders.items()
        for line in work.lines
        if line.outstanding
    ]
    if not wanted:
        return None
    plan = plan_picks(
        wanted,
        shelves_for(facts, doing),
        at_bin=session.bin_id,
        lot=doing.lot,
        skipped=doing.skipped,
        costs=costs_of(doing),
    )
    if not plan.steps:
        alike = [want for want in plan.unplaceable if want.sku_id == plan.unplaceable[0].sku_id]
        return _task(orders, alike, "", "")
    first = plan.steps[0]
    here = (first.sku_id, first.lot, first.bin_id)
    shares = [step for step in plan.steps if (step.sku_id, step.lot, step.bin_id) == here]
    same = [Wanted(step.line, step.sku_id, step.quantity, step.fulfillment_order_id) for step in shares]
    return _task(orders, same, first.lot, first.bin_id)


def _task(orders: dict[str, Work], shares: list[Wanted], lot: str, bin_id: str) -> Task:
    first = shares[0]
    work = orders[first.fulfillment_order_id]
    if work.is_on_cart:
        shares = [share for share in shares if share.fulfillment_order_id == first.fulfillment_order_id]
    else:
        # Whoever was released first gets the unit, whichever bin the plan had meant for whom.
        work = next(
            one
            for one in orders.values()
            if any(line.sku_id == first.sku_id and line.outstanding for line in one.lines)
        )
    line = next(line for line in work.lines if line.sku_id == first.sku_id and line.outstanding)
    named = {share.fulfillment_order_id for share in shares}
    return Task(work, line, lot, bin_id, sum(share.quantity for share in shares), len(named))
