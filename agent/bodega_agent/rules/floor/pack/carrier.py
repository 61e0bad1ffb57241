"""Which carrier takes a parcel: the one that the hub has chosen; where that can not be, what the node decides alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bodega.core import rates
from bodega.core.rates import Consignment, Quote
from bodega.core.routing.decide import decide
from bodega.core.routing.inputs import Offer
from bodega_agent.rules.floor.pack.alone import Alone
from bodega_agent.rules.floor.pack.facts import Shipping


def choose(shipping: Shipping, sent: Consignment) -> Quote | None:
    """The service for a parcel; None: nobody takes it, or nobody here may decide who does.

    A node that the hub has given no bundle takes the cheapest that keeps the promise.
    """
    alone = shipping.alone
    quotes = rates.quotes_of(shipping.card, sent, shipping.now, without=shipping.without)
    is_there = any(quote.service == sent.service for quote in quotes)
    if alone is None or is_there or not (sent.service or alone.bundle.allows_edge("carrier")):
        return rates.choose(shipping.card, sent, shipping.now, without=shipping.without)
    return by_bundle(alone, quotes) if alone.bundle.allows_edge("carrier") else None


def by_bundle(alone: Alone, quotes: Sequence[Quote]) -> Quote | None:
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
    chosen = {share.service for share in decide(alone.bundle, asked, edge=True).shares}
    return next((one for one in quotes if one.service in chosen), None)
