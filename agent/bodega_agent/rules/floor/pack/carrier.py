"""Which carrier takes a parcel: the one that the hub has chosen; where that can not be, what the node decides alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from bodega.core import rates
from bodega.core.rates import Consignment, Quote
from bodega.core.routing.alone import CARRIER
from bodega.core.routing.inputs import Offer
from bodega_agent.rules.floor.alone import Alone, Decided, decided
from bodega_agent.rules.floor.pack.facts import Shipping


class Taken(NamedTuple):
    """Who takes a parcel; None: nobody does, or nobody here may say who. `decided`: if the node has said it alone."""

    quote: Quote | None
    decided: Decided | None = None


def choose(shipping: Shipping, sent: Consignment, order: str) -> Taken:
    """The service for the parcel of an order.

    A node that the hub has given no bundle takes the cheapest that keeps the promise.
    """
    alone = shipping.alone
    quotes = rates.quotes_of(shipping.card, sent, shipping.now, without=shipping.without)
    is_there = any(quote.service == sent.service for quote in quotes)
    if alone is None or is_there or not (sent.service or alone.bundle.allows_edge(CARRIER)):
        return Taken(rates.choose(shipping.card, sent, shipping.now, without=shipping.without))
    return by_bundle(alone, quotes, order, _why(sent))


def _why(sent: Consignment) -> str:
    return f"{sent.service} can not take it" if sent.service else "no service was named"


def by_bundle(alone: Alone, quotes: Sequence[Quote], order: str, reason: str) -> Taken:
    """What the bundle's rules for nodes choose of what the carriers offer here."""
    offers = tuple(
        Offer(
            one.service,
            one.carrier,
            one.service_class,
            one.price_minor,
            one.currency,
            one.ship_date.isoformat(),
            one.due_date.isoformat(),
            one.misses,
        )
        for one in quotes
    )
    (site,) = alone.inputs.sites
    asked = replace(alone.inputs, sites=(replace(site, offers=offers),))
    made = decided(alone, CARRIER, order, inputs=asked, reason=reason)
    chosen = {share.service for share in made.choice.shares}
    return Taken(next((one for one in quotes if one.service in chosen), None), made)
