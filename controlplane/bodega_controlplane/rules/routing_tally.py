"""What a set of routing decisions comes to: parcels, cost, how many are on time, and where the work lands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bodega.core.routing.choice import Choice, Share
from bodega.core.routing.inputs import Inputs
from bodega.core.routing.question import Candidate, Question


@dataclass(slots=True)
class Tally:
    """Sums over decisions. `cost_minor`: minor units by ISO 4217 code, of shares with a service.

    `on_time`: shares whose service keeps the days of the order's class and leaves by its ship-by day, as the node's
    calendar has it; `unpriced`: shares without a service, of which that is not known.
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
        site = next(one for one in inputs.sites if one.node_id == share.node_id)
        offer = next((one for one in site.offers if one.service == share.service), None)
        if offer is None:
            self.unpriced += 1
            return
        self.cost_minor[offer.currency] += share.price_minor
        node = Candidate.of(Question.of(inputs), site)
        if node.question.keeps_class(offer) and node.in_time(offer):
            self.on_time += 1
        else:
            self.late += 1
