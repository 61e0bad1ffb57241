"""The physical truth of one node's shelves: what really lies in each bin, which no program can know.

Associates move units here with their hands, and thieves take some; the agent's book is compared with it at
the end. Units are counted per SKU, as a person would.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Shelves:
    """Units by (bin, SKU) on shelves, and by SKU elsewhere.

    `dock`: unloaded and not put away. `stages`: picked, by fulfillment order (and what is packed of it).
    `taken`: stolen; `reported_empty`: where an associate looked, and said so. `unloaded` and `shipped` count
    what came through the door, in and out.
    """

    bins: Counter[tuple[str, str]] = field(default_factory=Counter)
    dock: Counter[str] = field(default_factory=Counter)
    stages: dict[str, Counter[str]] = field(default_factory=dict)
    unloaded: Counter[str] = field(default_factory=Counter)
    shipped: Counter[str] = field(default_factory=Counter)
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    reported_empty: set[tuple[str, str]] = field(default_factory=set)

    def unload(self, sku_id: str, quantity: int) -> None:
        """Goods come off the lorry onto the dock."""
        self.unloaded[sku_id] += quantity
        self.dock[sku_id] += quantity

    def put_away(self, sku_id: str, quantity: int, bin_id: str) -> None:
        """From the dock into a bin."""
        assert self.dock[sku_id] >= quantity, f"there are no {quantity} of {sku_id} on the dock"
        self.dock[sku_id] -= quantity
        self.bins[bin_id, sku_id] += quantity

    def put_back(self, fulfillment_order_id: str, sku_id: str, quantity: int, bin_id: str) -> None:
        """From a stage into a bin, after a cancel."""
        stage = self.stages[fulfillment_order_id]
        assert stage[sku_id] >= quantity, f"there are no {quantity} of {sku_id} on that stage"
        stage[sku_id] -= quantity
        self.bins[bin_id, sku_id] += quantity

    def on_shelf(self, bin_id: str, sku_id: str) -> int:
        """What a person sees in the bin."""
        return self.bins[bin_id, sku_id]

    def on_stage(self, fulfillment_order_id: str, sku_id: str) -> int:
        """What a person counts of a SKU on the stage of a fulfillment order."""
        return self.stages.get(fulfillment_order_id, Counter())[sku_id]

    def pick(self, bin_id: str, sku_id: str, fulfillment_order_id: str) -> None:
        """One unit from a bin onto the stage of a fulfillment order."""
        assert self.bins[bin_id, sku_id] > 0, f"nobody can take {sku_id} out of {bin_id}: it is not there"
        self.bins[bin_id, sku_id] -= 1
        self.stages.setdefault(fulfillment_order_id, Counter())[sku_id] += 1

    def hand_over(self, fulfillment_order_id: str) -> None:
        """The parcel of a fulfillment order leaves with the carrier."""
        self.shipped.update(self.stages.pop(fulfillment_order_id, Counter()))

    def steal(self, bin_id: str, sku_id: str, quantity: int) -> None:
        """Shrink: units go, and no scan says so."""
        assert self.bins[bin_id, sku_id] >= quantity, "a thief takes what is there"
        self.bins[bin_id, sku_id] -= quantity
        self.taken[bin_id, sku_id] += quantity

    def staged(self) -> Counter[str]:
        """Units by SKU that were picked and have not left."""
        total: Counter[str] = Counter()
        for stage in self.stages.values():
            total.update(stage)
        return total
