"""What a set of routing decisions comes to: parcels, cost, how many are on time, and where the work lands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bodega.core.rates import keeps
from bodega.core.routing.choice import Choice, Share
from bodega.core.routing.inputs import Inputs, Offer


@dataclass(slots=True)
class Tally:
    """Sums over decisions. `cost_minor`: minor units by ISO 4217 code, of shares with a service.

    `on_time`: shares whose service keeps the order's class and leaves by its ship-by day (UTC); `unpriced`: shares
    without a service, of which that is not known.
    """

    decisions: int = 0
    unserved: int = 0
    splits: int = 0
    shares: int = 0
    on_time: int = 0
    late: int = 0
    unpriced: int = 0
    cost_minor: Counter[str] = field(default_factory=Counter)
    by_node: Counter[str] = field(default_factory=Counter)

    def add(self, inputs: Inputs, choice: Choice) -> None:
        """One more decision."""
        self.decisions += 1
        self.unserved += not choice.shares
        self.splits += len(choice.shares) > 1
        for share in choice.shares:
            self._add_share(inputs, share)

    def _add_share(self, inputs: Inputs, share: Share) -> None:
        self.shares += 1
        self.by_node[share.node_id] += 1
        offer = offer_of(inputs, share)
        if offer is None:
            self.unpriced += 1
            return
        self.cost_minor[offer.currency] += share.price_minor
        if keeps_promise(inputs, offer):
            self.on_time += 1
        else:
            self.late += 1


def offer_of(inputs: Inputs, share: Share) -> Offer | None:
    """What the carrier service of a share had offered; None where none was chosen."""
    offers = (one for site in inputs.sites if site.node_id == share.node_id for one in site.offers)
    return next((one for one in offers if one.service == share.service), None)


def keeps_promise(inputs: Inputs, offer: Offer) -> bool:
    """Whether a service keeps what the order was promised: its class or a faster one, and to leave by its day."""
    last_day = datetime.fromtimestamp(inputs.ship_by_ms / 1000, UTC).date().isoformat()
    in_time = not inputs.ship_by_ms or offer.ship_date <= last_day
    return in_time and keeps(offer.service_class, inputs.service_class)
