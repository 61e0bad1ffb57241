"""The story of a run, all of it decided beforehand from one seed: the same seed, the same plan.

A few things are arranged so that each rule is really tried:

- a site gets enough stock for the orders near it, so that a refusal by accident would show;
- one SKU has fewer units on the shelf than in the book: its order ends honestly short;
- one SKU is not on its shelf at all, whatever the book says: its order ends with nothing;
- one SKU is missing from its first bin and lies in a second one: nothing is short in the end;
- some goods come in broken: they are set apart at the dock and never reach a shelf;
- one SKU is wanted by more customers at once than it has units: exactly as many get it;
- a few orders ask for more than there is anywhere, and must be refused whole.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bodega_agent.demo.catalogue import Product, catalogue
from bodega_agent.demo.places import Site, sites
from bodega_agent.demo.plan import ASSOCIATES_DEFAULT, NODES_MAX, Intake, OrderPlan, Plan, SitePlan, Theft
from bodega_agent.demo.timetable import timetable

SAFETY_STOCK = 2
RACE_UNITS = 2
RACE_CUSTOMERS = 5
BEYOND_STOCK_UNITS = 100_000
CASE_UNITS, SMALL_CASE_UNITS = 12, 6
COMMON_SKUS = 8
OWN_SKUS = 14
LATE_SKUS = 8
LATE_UNITS_PER_SKU = 20
# One lorry's pallet in so many has broken units on it.
DAMAGED_EVERY, DAMAGED_UNITS = 5, 2


def make_plan(*, orders: int, nodes: int, seed: int, associates: int = ASSOCIATES_DEFAULT) -> Plan:
    """The plan for `orders` orders that can be served (the race's winners among them) on `nodes` nodes."""
    dice = random.Random(seed)  # noqa: S311 (a story, not a secret)
    products = catalogue()
    common = dice.sample(products[::NODES_MAX], COMMON_SKUS)
    shops = [_Shop(place, index, products, common, dice) for index, place in enumerate(sites(nodes))]
    arranged = [wish for index in sorted({0, nodes - 1}) for wish in shops[index].arranged()]
    everyday = [shops[number % nodes].wish() for number in range(orders - RACE_UNITS - len(arranged))]
    timed = timetable(arranged, everyday, cut_site=nodes - 1)
    return Plan(
        seed=seed,
        products=products,
        sites=tuple(shop.site_plan(timed) for shop in shops),
        orders=timed,
        race=tuple(
            shops[0].order(((shops[0].scarce.sku_id, 1),), f"race-{number}")
            for number in range(RACE_CUSTOMERS)
        ),
        race_units=RACE_UNITS,
        beyond=tuple(shops[number % nodes].beyond(number) for number in range(max(2, orders // 10))),
        associates=associates,
    )


class _Shop:
    """One site's products and the dice that its customers and its lorry are drawn with."""

    def __init__(
        self,
        place: Site,
        index: int,
        products: Sequence[Product],
        common: Sequence[Product],
        dice: random.Random,
    ) -> None:
        # Every fifth product is nobody's own: the common ones come from there.
        own = [product for n, product in enumerate(products) if n % NODES_MAX != 0]
        chosen = dice.sample(own[index::NODES_MAX], 4 + LATE_SKUS + OWN_SKUS)
        self.place, self.index, self._dice = place, index, dice
        self.short, self.gone, self.split, self.scarce = chosen[:4]
        self.late = chosen[4 : 4 + LATE_SKUS]
        self.regular = [*common, *chosen[4 + LATE_SKUS :]]
        self._bins = iter(dice.sample(place.bins, len(place.bins)))

    def wish(self) -> OrderPlan:
        """An everyday basket: one to three products, one to four units of each."""
        chosen = self._dice.sample(self.regular, self._dice.choice((1, 1, 2, 2, 3)))
        return self.order(tuple((product.sku_id, self._dice.choice((1, 1, 2, 3, 4))) for product in chosen))

    def arranged(self) -> list[OrderPlan]:
        """The orders that meet a shelf with less on it than in the book."""
        return [
            self.order(((self.short.sku_id, 3), (self.regular[0].sku_id, 1))),
            self.order(((self.gone.sku_id, 2),)),
            self.order(((self.split.sku_id, 3),)),
        ]

    def beyond(self, number: int) -> OrderPlan:
        """More than there is: refused whole, the line that could be served too."""
        lines = ((self.regular[1].sku_id, 1), (self.regular[2].sku_id, BEYOND_STOCK_UNITS))
        return self.order(lines, f"beyond-{number}")

    def order(self, lines: tuple[tuple[str, int], ...], reference: str = "") -> OrderPlan:
        """An order of somebody who lives next door."""
        return OrderPlan(reference, f"basket-{self._dice.getrandbits(64):016x}", self.index, lines)

    def site_plan(self, orders: Sequence[OrderPlan]) -> SitePlan:
        """Enough stock for these orders, each product in a bin of its own; and what the shelf lacks."""
        wanted: Counter[str] = Counter()
        for order in orders:
            if order.site == self.index:
                wanted.update(dict(order.lines))
        regular = [
            replace(
                self._intake(product, wanted[product.sku_id] + SAFETY_STOCK + self._dice.randint(1, 5)),
                damaged=DAMAGED_UNITS * (place % DAMAGED_EVERY == 0),
            )
            for place, product in enumerate(self.regular)
        ]
        short, gone, scarce = (
            self._intake(product, units + SAFETY_STOCK)
            for product, units in ((self.short, 3), (self.gone, 2), (self.scarce, RACE_UNITS))
        )
        split = sorted(
            (self._intake(self.split, 3 + SAFETY_STOCK) for _ in range(2)),
            key=lambda intake: self.place.walk_order(intake.bin_id),
        )
        thefts = (
            Theft(short.bin_id, self.short.sku_id, short.units - 2),
            Theft(gone.bin_id, self.gone.sku_id, gone.units),
            Theft(split[0].bin_id, self.split.sku_id, split[0].units - 1),
        )
        late = tuple(Intake(product, next(self._bins), (), LATE_UNITS_PER_SKU) for product in self.late)
        return SitePlan(self.place, (*regular, short, gone, *split, scarce), late, thefts)

    def _intake(self, product: Product, units: int) -> Intake:
        large, rest = divmod(units, CASE_UNITS)
        small, singles = divmod(rest, SMALL_CASE_UNITS)
        cases = (CASE_UNITS,) * large + (SMALL_CASE_UNITS,) * small
        return Intake(product, next(self._bins), cases, singles)
