"""A catalogue of groceries with valid GTINs, the same on every machine.

GTINs are made under company prefix 9521234: prefix 952 is what GS1 keeps for demonstrations and examples
(GS1 General Specifications, section 1.4.2), so no label printed here can collide with real goods.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bodega_adapters.framing.check_digit import gs1_check_digit

COMPANY_PREFIX = "9521234"
SKUS_DEFAULT = 240

# One line: shelf | five products | the four sizes that each of them comes in.
_SHELVES = """
Dairy | Whole milk, Semi-skimmed milk, Oat drink, Kefir, Buttermilk | 250 ml, 500 ml, 1 l, 1.5 l
Dairy | Plain yoghurt, Greek yoghurt, Butter, Gouda, Mozzarella | 125 g, 200 g, 250 g, 500 g
Bakery | Rye bread, Wholemeal toast, Baguette, Tortillas, Crispbread | 250 g, 400 g, 500 g, 750 g
Pantry | Basmati rice, Spaghetti, Penne, Couscous, Red lentils | 250 g, 500 g, 1 kg, 2 kg
Pantry | Wheat flour, Cane sugar, Sea salt, Rolled oats, Muesli | 250 g, 500 g, 1 kg, 2 kg
Tins | Chopped tomatoes, Chickpeas, Kidney beans, Sweetcorn, Tuna in oil | 80 g, 160 g, 240 g, 400 g
Oils | Olive oil, Sunflower oil, Rapeseed oil, White wine vinegar, Soy sauce | 150 ml, 250 ml, 500 ml, 1 l
Drinks | Still water, Sparkling water, Orange juice, Apple juice, Tonic water | 200 ml, 500 ml, 1 l, 1.5 l
Drinks | Ground coffee, Espresso beans, Black tea, Green tea, Cocoa powder | 100 g, 250 g, 500 g, 1 kg
Snacks | Dark chocolate, Salted crackers, Roasted almonds, Raisins, Popcorn | 75 g, 100 g, 150 g, 300 g
Spreads | Strawberry jam, Honey, Peanut butter, Mustard, Mayonnaise | 100 g, 200 g, 350 g, 500 g
Household | Washing powder, Dish soap, Hand soap, Shampoo, Toothpaste | 75 ml, 250 ml, 500 ml, 1 l
"""


@dataclass(frozen=True, slots=True)
class Product:
    """One SKU of the demo. `gtin` has 14 digits; `ean13` is what its retail barcode says."""

    sku_id: str
    name: str
    gtin: str
    weight_g: int

    @property
    def ean13(self) -> str:
        """The same number as the 13 digits of an EAN-13 barcode."""
        return self.gtin[1:]

    def as_json(self) -> dict[str, Any]:
        """The row of `POST /v1/catalogue`."""
        side_mm = round((self.weight_g * 1000) ** (1 / 3))
        return {
            "sku_id": self.sku_id,
            "name": self.name,
            "gtins": [self.gtin],
            "weight_g": self.weight_g,
            # Groceries are about as dense as water.
            "volume_ml": self.weight_g,
            **dict.fromkeys(("length_mm", "width_mm", "height_mm"), side_mm),
        }


def catalogue(count: int = SKUS_DEFAULT) -> tuple[Product, ...]:
    """The first `count` products; at most `SKUS_DEFAULT`, all different in id, name and GTIN."""
    rows = [
        (shelf, name, size)
        for shelf, names, sizes in (line.split(" | ") for line in _SHELVES.strip().splitlines())
        for name in names.split(", ")
        for size in sizes.split(", ")
    ]
    assert count <= len(rows) == SKUS_DEFAULT, f"the catalogue has {len(rows)} products"
    return tuple(_product(number, *row) for number, row in enumerate(rows[:count], start=1))


def _product(number: int, shelf: str, name: str, size: str) -> Product:
    return Product(f"{shelf.upper()}-{number:03d}", f"{name} {size}", gtin14(number), _weight_g(size))


def gtin14(item: int) -> str:
    """The GTIN of item reference `item` (0 to 99,999) under the demonstration prefix, as 14 digits."""
    assert 0 <= item < 100_000, "an item reference has five digits under a seven-digit company prefix"
    payload = f"{COMPANY_PREFIX}{item:05d}"
    return f"0{payload}{gs1_check_digit(payload)}"


def _weight_g(size: str) -> int:
    """Grams of a size such as "1.5 l"; a litre of groceries weighs about a kilogram."""
    found = re.fullmatch(r"([\d.]+) (g|kg|ml|l)", size)
    assert found, f"a size is a number and a unit, not {size!r}"
    return round(float(found[1]) * (1000 if found[2] in {"kg", "l"} else 1))
