"""What is going to happen, as values: the plan of one run. Made by `scenario.py` from one seed.

The plan says what people will do (deliver, order, cancel, steal), never what Bodega must answer; the audit
judges the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from bodega_agent.demo.catalogue import Product
from bodega_agent.demo.places import Site

ORDERS_DEFAULT, ORDERS_MIN, ORDERS_MAX = 40, 10, 500
NODES_DEFAULT, NODES_MIN, NODES_MAX = 2, 1, 5
ASSOCIATES_DEFAULT, ASSOCIATES_MIN, ASSOCIATES_MAX = 1, 1, 8
SEED_DEFAULT, SEED_MAX = 1, 2**31 - 1


class Wave(StrEnum):
    """When an order is placed."""

    BEFORE = "before the cut"
    DURING = "during the cut"
    AFTER = "after the heal"


class Cancel(StrEnum):
    """When a customer changes their mind; decided by what happens on the floor, never by a clock."""

    NEVER = "never"
    AT_ONCE = "at once"
    IN_PICK = "when its first unit is in the associate's hand"
    OFFLINE = "while its node is cut off"


class Repeat(StrEnum):
    """How often the shop sends the same request, with the same Idempotency-Key."""

    NEVER = "never"
    LATER = "again after the answer"
    AT_ONCE = "twice at the same time"


@dataclass(frozen=True, slots=True)
class Barcode:
    """What an associate points the scanner at: text, AIM identifier, and the units that it stands for."""

    text: str
    symbology: str
    units: int = 0


@dataclass(frozen=True, slots=True)
class Intake:
    """Goods that come off the lorry for one bin: cases with a count on their label, and single items.

    `damaged`: so many units more that came broken; they belong to no shelf.
    """

    product: Product
    bin_id: str
    cases: tuple[int, ...]
    singles: int
    damaged: int = 0

    @property
    def units(self) -> int:
        """Base units that are fit for the shelf."""
        return sum(self.cases) + self.singles

    def barcodes(self) -> Iterator[Barcode]:
        """One per case (AI 02 + 37) and one per single item (EAN-13)."""
        for units in self.cases:
            yield case_barcode(self.product, units)
        for _ in range(self.singles):
            yield item_barcode(self.product)


@dataclass(frozen=True, slots=True)
class Theft:
    """Units that leave a bin without a scan; the book does not know."""

    bin_id: str
    sku_id: str
    units: int


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """One customer's wish. `site` is the index of the node next door; `lines` are (SKU, units)."""

    reference: str
    key: str
    site: int
    lines: tuple[tuple[str, int], ...]
    wave: Wave = Wave.BEFORE
    cancel: Cancel = Cancel.NEVER
    repeat: Repeat = Repeat.NEVER


@dataclass(frozen=True, slots=True)
class SitePlan:
    """One node: what it is, what it gets before opening and later, and what is stolen."""

    site: Site
    intakes: tuple[Intake, ...]
    late_intakes: tuple[Intake, ...]
    thefts: tuple[Theft, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole run.

    `associates` work at each node. `orders` can all be served. Of `race`, wishes for the last units, exactly
    `race_units` can. Of `beyond`, wishes for more than there is, none can.
    """

    seed: int
    products: tuple[Product, ...]
    sites: tuple[SitePlan, ...]
    orders: tuple[OrderPlan, ...]
    race: tuple[OrderPlan, ...]
    race_units: int
    beyond: tuple[OrderPlan, ...]
    associates: int = ASSOCIATES_DEFAULT

    @property
    def cut_site(self) -> int:
        """Index of the node whose network is cut."""
        return len(self.sites) - 1

    @property
    def killed_site(self) -> int:
        """Index of the node that is killed: another one, where there is one."""
        return 0

    @property
    def kill_wave(self) -> Wave:
        """Orders among which the kill strikes: a node alone is first cut off, and killed after the heal."""
        return kill_wave(self.cut_site)

    def wave(self, wave: Wave) -> list[OrderPlan]:
        """Orders of one wave, in the order in which they are placed."""
        return [order for order in self.orders if order.wave is wave]


def kill_wave(cut_site: int) -> Wave:
    """See `Plan.kill_wave`."""
    return Wave.DURING if cut_site != 0 else Wave.AFTER


def item_barcode(product: Product) -> Barcode:
    """The retail barcode: EAN-13."""
    return Barcode(product.ean13, "]E0", units=1)


def case_barcode(product: Product, units: int) -> Barcode:
    """The label of a case: GS1-128 with AI 02 (contained GTIN) and 37 (count), the count last."""
    return Barcode(f"02{product.gtin}37{units}", "]C1", units=units)


def bin_barcode(bin_id: str) -> Barcode:
    """The label on a bin: Code 128, plain text."""
    return Barcode(bin_id, "]C0")


def sscc_barcode(sscc: str) -> Barcode:
    """The label of a parcel: GS1-128 with AI 00."""
    return Barcode(f"00{sscc}", "]C1")


def badge_barcode(gsrn: str) -> Barcode:
    """The badge of an associate: GS1-128 with AI 8018."""
    return Barcode(f"8018{gsrn}", "]C1")


def typed(text: str) -> Barcode:
    """What is typed on the hand-held's keys, or scanned from the sheet of answers: a number, a word, a PIN."""
    return Barcode(text, "]C0")


def control_barcode(word: str) -> Barcode:
    """One of the control words on the card at the bench."""
    return Barcode(word, "]C0")
