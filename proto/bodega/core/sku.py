"""What a node must know of a SKU to book, store and pack it: units, lots, serials, expiry, parts, size and class.

Everything is counted in base units; what was entered in another unit is kept beside it, with the version of
the conversion. A rule gives all faults of a line at once, each as (field, what is wrong and what to do).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bodega.core.floor_words import TemperatureClass, VelocityClass
from bodega.core.ledger import Entered
from bodega.limits import QUANTITY_MAX

EACH = "each"

Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Unit:
    """A larger unit of a SKU; `gtins` (14 digits) mean one of it."""

    unit: str
    base_units: int
    gtins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sku:
    """One SKU as the hub describes it; `gtins` mean one base unit, `components` are (SKU, base units) of a kit.

    Weight and measures are of one base unit; 0 where nobody has said.
    """

    sku_id: str
    name: str = ""
    owner: str = ""
    lot_tracked: bool = False
    serial_tracked: bool = False
    expiry_tracked: bool = False
    base_unit: str = EACH
    units: tuple[Unit, ...] = ()
    units_version: int = 0
    gtins: tuple[str, ...] = ()
    components: tuple[tuple[str, int], ...] = ()
    weight_g: int = 0
    volume_ml: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    temperature_class: str = TemperatureClass.AMBIENT
    velocity_class: str = VelocityClass.C
    fragile: bool = False

    def factor(self, unit: str) -> int | None:
        """Base units in one `unit` (empty means the base unit); None if it has no such unit."""
        if unit in {"", self.base_unit}:
            return 1
        return next((known.base_units for known in self.units if known.unit == unit), None)

    @property
    def unit_names(self) -> list[str]:
        """The base unit and the others."""
        return [self.base_unit, *(known.unit for known in self.units)]


@dataclass(frozen=True, slots=True)
class Line:
    """Goods as a command names them: `quantity` of `unit`, not yet base units. Empty means not said."""

    quantity: int
    sku_id: str = ""
    gtin: str = ""
    unit: str = ""
    lot: str = ""
    expiry: str = ""
    serials: tuple[str, ...] = ()
    reservation_id: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A quantity in base units, and what was entered if that was another unit."""

    base_units: int
    entered: Entered | None = None


def in_base_units(sku: Sku, quantity: int, unit: str) -> Counted | Fault:
    """Convert; the fault is about an unknown unit, or about too much."""
    factor = sku.factor(unit)
    if factor is None:
        return "unit", f"'{unit}' is no unit of {sku.sku_id}: use one of {', '.join(sku.unit_names)}"
    base_units = quantity * factor
    if abs(base_units) > QUANTITY_MAX:
        return "quantity", f"{quantity} {unit} are {base_units} base units, {QUANTITY_MAX} is the most"
    if unit in {"", sku.base_unit} or not quantity:
        return Counted(base_units)
    return Counted(base_units, Entered(sku.sku_id, abs(quantity), unit, sku.units_version))


def naming_faults(sku: Sku, line: Line) -> Iterator[Fault]:
    """What a line may not name because the SKU has no such thing; all that a promise is asked."""
    if line.lot and not sku.lot_tracked:
        yield "lot", f"{sku.sku_id} has no lots, this says '{line.lot}': leave it out"
    if line.serials and not sku.serial_tracked:
        yield (
            "serials",
            f"{sku.sku_id} has no serial numbers, this names {len(line.serials)}: leave them out",
        )


def tracking_faults(
    sku: Sku, line: Line, base_units: int, *, lot_expiry: str | None, brings_in: bool
) -> Iterator[Fault]:
    """What the SKU's lots, serials and expiry ask of a line that moves `base_units`.

    `lot_expiry` is what the node knows of the lot: None if it was never seen, empty if its expiry was never
    said. `brings_in` is a command by which goods enter the node, with their label in somebody's hand.
    """
    yield from naming_faults(sku, line)
    if sku.lot_tracked and not line.lot:
        yield "lot", f"{sku.sku_id} is kept by lot: name it (AI 10 of the label)"
    if line.expiry and not line.lot:
        yield "expiry", f"{line.expiry} belongs to a lot, and none is named"
    if sku.expiry_tracked and brings_in and line.lot and not (line.expiry or lot_expiry):
        yield "expiry", f"lot '{line.lot}' of {sku.sku_id} is new here: say its expiry as YYYY-MM-DD"
    if sku.serial_tracked and len(line.serials) != abs(base_units):
        yield (
            "serials",
            f"{sku.sku_id} needs one serial for each unit: {abs(base_units)}, not {len(line.serials)}",
        )
