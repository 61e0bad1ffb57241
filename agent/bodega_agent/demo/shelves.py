"""The physical truth of one node's shelves: what really lies in each bin, which no program can know.

Associates move units here with their hands, and thieves take some; the agent's book is compared with it at
the end. Units are counted per SKU, as a person would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Shelves:
    """Units by (bin, SKU) on shelves, and by SKU elsewhere.

    `dock`: unloaded and not put away. `hands`: taken out of a bin, and not scanned yet. `stages`: picked, by
    fulfillment order (and what is packed of it); `origin`: the bin that a SKU on a stage came from last.
    `taken`: stolen; `reported_empty`: where an associate looked, and said so. `unloaded` and `shipped` count
    what came through the door, in and out; `parcels`: what went out, by fulfillment order.
    """

    bins: Counter[tuple[str, str]] = field(default_factory=Counter)
    dock: Counter[str] = field(default_factory=Counter)
    hands: Counter[tuple[str, str]] = field(default_factory=Counter)
    stages: dict[str, Counter[str]] = field(default_factory=dict)
    unloaded: Counter[str] = field(default_factory=Counter)
    shipped: Counter[str] = field(default_factory=Counter)
    parcels: dict[str, Counter[str]] = field(default_factory=dict)
    taken: Counter[tuple[str, str]] = field(default_factory=Counter)
    reported_empty: set[tuple[str, str]] = field(default_factory=set)
    origin: dict[tuple[str, str], str] = field(default_factory=dict)

    def unload(self, sku_id: str, quantity: int) -> None:
        """Goods come off the lorry onto the dock."""
        self.unloaded[sku_id] += quantity
        self.dock[sku_id] += quantity

    def put_away(self, sku_id: str, quantity: int, bin_id: str) -> None:
        """From the dock into a bin."""
        assert self.dock[sku_id] >= quantity, f"there are no {quantity} of {sku_id} on the dock"
        self.dock[sku_id] -= quantity
        self.bins[bin_id, sku_id] += quantity

    def put_back(self, stages: Sequence[str], sku_id: str, quantity: int, bin_id: str) -> None:
        """From the stages of cancelled orders, one after the other, into a bin."""
        left = quantity
        for fulfillment_order_id in stages:
            taken = min(left, self.on_stage(fulfillment_order_id, sku_id))
            if taken:
                self.stages[fulfillment_order_id][sku_id] -= taken
            left -= taken
        assert not left, f"{left} of {quantity} {sku_id} are on none of these stages"
        self.bins[bin_id, sku_id] += quantity

    def on_shelf(self, bin_id: str, sku_id: str) -> int:
        """What a person sees in the bin."""
        return self.bins[bin_id, sku_id]

    def on_stage(self, fulfillment_order_id: str, sku_id: str) -> int:
        """What a person counts of a SKU on the stage of a fulfillment order."""
        return self.stages.get(fulfillment_order_id, Counter())[sku_id]

    def stages_with(self, sku_id: str) -> list[str]:
        """The fulfillment orders on whose stages units of a SKU lie."""
        return [order for order in self.stages if self.on_stage(order, sku_id)]

    def take(self, bin_id: str, sku_id: str) -> None:
        """One unit out of a bin into somebody's hand."""
        assert self.bins[bin_id, sku_id] > 0, f"nobody can take {sku_id} out of {bin_id}: it is not there"
        self.bins[bin_id, sku_id] -= 1
        self.hands[bin_id, sku_id] += 1

    def is_in_hand(self, sku_id: str) -> bool:
        """Whether anybody has a unit of it in hand."""
        return any(units for (_, held), units in self.hands.items() if held == sku_id)

    def put_down(self, bin_id: str, sku_id: str) -> None:
        """A unit that was taken goes back where it lay."""
        self.hands[bin_id, sku_id] -= 1
        self.bins[bin_id, sku_id] += 1

    def pick(self, bin_id: str, sku_id: str, fulfillment_order_id: str) -> None:
        """A unit in hand, taken out of a bin, goes onto the stage of a fulfillment order."""
        assert self.hands[bin_id, sku_id] > 0, f"nobody has {sku_id} of {bin_id} in hand"
        self.hands[bin_id, sku_id] -= 1
        self.stages.setdefault(fulfillment_order_id, Counter())[sku_id] += 1
        self.origin[fulfillment_order_id, sku_id] = bin_id

    def came_from(self, fulfillment_order_id: str, sku_id: str) -> str:
        """The bin that the picked units of this order came from, the last of them."""
        return self.origin[fulfillment_order_id, sku_id]

    def hand_over(self, fulfillment_order_id: str) -> None:
        """The parcel of a fulfillment order leaves with the carrier."""
        parcel = self.stages.pop(fulfillment_order_id, Counter())
        self.parcels[fulfillment_order_id] = parcel
        self.shipped.update(parcel)

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
