"""What must hold after any day of the network: the demo's rules, and some that only a network can break. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import httpx

from bodega.core.ledger import COUNT
from bodega_agent.demo import rules_goods, rules_orders, rules_people, rules_sync, tally
from bodega_agent.demo.evidence import Evidence, Order, Site
from bodega_agent.demo.invariants import Rule
from support.network.customers import Wish

TAKEN, REFUSED = httpx.codes.CREATED, httpx.codes.CONFLICT

RULES: tuple[Rule, ...] = (
    rules_orders.the_api_tells_the_truth,
    rules_orders.each_parcel_has_one_label,
    rules_people.each_parcel_holds_what_was_ordered,
    rules_people.every_scan_says_who,
    rules_goods.units_balance,
    rules_goods.hands_and_books_agree,
    rules_goods.shelves_and_books_agree,
    rules_goods.node_and_centre_agree,
    rules_goods.books_are_the_sum_of_their_events,
    rules_goods.nothing_lies_about,
    rules_goods.the_scanner_is_obeyed,
    rules_sync.heads_agree,
    rules_sync.no_event_is_lost,
    rules_sync.no_event_is_doubled,
    rules_sync.chains_verify,
    rules_sync.the_audit_trail_verifies,
)


def breaches(evidence: Evidence, wishes: Sequence[Wish]) -> list[str]:
    """Every rule's sentences; empty if all is well."""
    found = [f"every_order_ends: {said}" for said in rules_orders.every_order_ends(evidence)]
    evidence = as_the_books_know(less_what_was_called_off(evidence, wishes))
    found += [f"{rule.__name__}: {said}" for rule in RULES for said in rule(evidence)]
    found += [f"each_wish_is_one_order: {said}" for said in each_wish_is_one_order(evidence, wishes)]
    return found + [f"nothing_is_oversold: {said}" for said in nothing_is_oversold(evidence)]


def less_what_was_called_off(evidence: Evidence, wishes: Sequence[Wish]) -> Evidence:
    """Of a split order that was cancelled, what had left has left, and is all that is asked for any more."""
    called_off = {wish.order_id for wish in wishes if wish.cancelled == httpx.codes.ACCEPTED}

    def of(orders: Iterable[Order]) -> tuple[Order, ...]:
        return tuple(
            replace(
                one,
                state="shipped",
                lines=tuple(replace(line, quantity=line.shipped, short=0) for line in one.lines),
            )
            if one.order_id in called_off and one.state == "partially_shipped"
            else one
            for one in orders
        )

    centre = replace(evidence.centre, orders=of(evidence.centre.orders))
    return replace(evidence, centre=centre, till=replace(evidence.till, orders=of(evidence.till.orders)))


def each_wish_is_one_order(evidence: Evidence, wishes: Sequence[Wish]) -> list[str]:
    """Taken once or refused, the same to everybody who asks again; and the centre holds these orders and no others."""
    found = [
        f"{wish.key} was answered with {wish.answers}"
        for wish in wishes
        if len(set(wish.answers)) != 1 or wish.answers[0][0] not in (TAKEN, REFUSED)
    ]
    made = Counter((order.reference, order.order_id) for order in evidence.centre.orders)
    told = Counter((wish.key, wish.order_id) for wish in wishes if wish.order_id)
    found += [f"{reference} was taken, and {order_id} is lost" for reference, order_id in told - made]
    return found + [f"{reference} became {order_id}, and nobody knows" for reference, order_id in made - told]


def nothing_is_oversold(evidence: Evidence) -> list[str]:
    """All that was promised over the network and not called off had come in, and short is only what was stolen."""
    promised: Counter[str] = Counter()
    short: Counter[str] = Counter()
    came_in: Counter[str] = Counter()
    stolen: Counter[str] = Counter()
    for order in evidence.centre.orders:
        for line in order.lines if order.state != "cancelled" else ():
            promised[line.sku_id] += line.quantity
            short[line.sku_id] += line.short
    for site in evidence.sites:
        came_in.update(tally.units_in(site.ledger.balances))
        for (_, sku_id), units in site.floor.taken.items():
            stolen[sku_id] += units
    found = [f"{more} of {sku_id} too many are promised" for sku_id, more in (promised - came_in).items()]
    return found + [
        f"{more} of {sku_id} are short and nobody took them" for sku_id, more in (short - stolen).items()
    ]


def as_the_books_know(evidence: Evidence) -> Evidence:
    """A theft is known where a book has written units of that bin off; somebody may have died before he could say."""
    return replace(evidence, sites=tuple(map(_as_its_book_knows, evidence.sites)))


def _as_its_book_knows(site: Site) -> Site:
    known = {
        (posting.account.bin, posting.account.sku_id)
        for movement in tally.movements(site.ledger.journal)
        if any(posting.account.external == COUNT for posting in movement.postings)
        for posting in movement.postings
        if posting.quantity < 0
    }
    return replace(site, floor=replace(site.floor, reported_empty=frozenset(known)))


def told_once_each_in_order(called: Sequence[str], events: Sequence[str], deaths: int) -> list[str]:
    """Calls of one endpoint: every event, none before those before it; again only what a death has left in doubt.

    Whoever takes over from a hub or a database that died tells a few events again, in order, from one of them on.
    """
    place = {event_id: number for number, event_id in enumerate(events)}
    found: list[str] = []
    last = furthest = -1
    again = 0
    for event_id in called:
        number = place.get(event_id, len(events) + 1)
        if number > furthest + 1:
            missing = events[furthest + 1] if furthest + 1 < len(events) else "anything like it"
            return [f"{event_id} was called out, and {missing} was not before"]
        again += number != last + 1
        last, furthest = number, max(furthest, number)
    found += [f"{event_id} was never called out" for event_id in events[furthest + 1 :]]
    if again > deaths:
        found.append(f"{again} times events were called out again, after {deaths} deaths")
    return found
