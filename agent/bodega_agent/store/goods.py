"""What the lines and places of a command mean at this node: SKUs, base units, lots, serials, bins.

Every fault of a command is gathered before one is raised, so that a person mends a row once. A place must be a
bin of the node, the dock, or a place where the book has stock. The name of a bin comes from a keyboard or a
file here, and a misspelt one is a mistake and no fact; a scanned label that is no bin never gets this far.
Before the node knows its bins, every name is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bodega.core.commands import Command
from bodega.core.ledger import DOCK, Entered, Goods, LotSeen
from bodega.core.lifecycles import FULFILLMENT
from bodega.core.sku import Counted, Line, Sku, in_base_units, naming_faults, tracking_faults
from bodega.errors import FieldFault, InvalidInput
from bodega_agent.store import catalogue, work
from bodega_agent.store.transaction import Transaction

_PLACES = ("bin_id", "from_bin_id", "to_bin_id")
_STAGE = "STAGE-"
_PARCEL = "PARCEL-"
_NO_SKU = Sku("")


@dataclass(frozen=True, slots=True)
class Known:
    """Goods of a command, understood. `goods.quantity` is in base units; for a count it may be 0, to adjust below 0."""

    goods: Goods
    sku: Sku = _NO_SKU
    entered: Entered | None = None
    lot: LotSeen | None = None


class Understanding:
    """Looks a command up in the catalogue and gathers what is wrong with it; `finish` raises it."""

    def __init__(self, tx: Transaction, command: Command) -> None:
        self._tx = tx
        self._command = command
        self._faults: list[FieldFault] = []

    def fault(self, where: str, problem: str) -> None:
        """One more thing that is wrong."""
        self._faults.append(FieldFault(where, problem))

    def finish(self) -> None:
        """Raise InvalidInput with all that was found."""
        if self._faults:
            many = "1 fault" if len(self._faults) == 1 else f"{len(self._faults)} faults"
            raise InvalidInput(
                f"the command {self._command.command} has {many}: {self._faults[0]}",
                hint="mend each one named and send it again; nothing was written",
                faults=tuple(self._faults),
            )

    def lines(self, *, brings_in: bool = False, moves: bool = True) -> tuple[Known, ...]:
        """The command's goods; a line with faults is left out. A promise `moves` nothing: it names no serials."""
        listed = "lines" in self._command.body
        known = [
            self.line(line, f"lines[{place}]." if listed else "", brings_in=brings_in, moves=moves)
            for place, line in enumerate(self._command.lines)
        ]
        understood = tuple(one for one in known if one is not None)
        self._no_serial_twice(understood)
        return understood

    def parts(self) -> tuple[Known, ...]:
        """The parts of a kit as they were named."""
        known = [self.line(line, f"parts[{place}].") for place, line in enumerate(self._command.parts)]
        return tuple(one for one in known if one is not None)

    def catalogue_parts(self, kit: Known) -> tuple[Known, ...]:
        """The parts of so many kits by the catalogue; a part with lots or serials must be named instead."""
        known = [
            self.line(Line(quantity * kit.goods.quantity, sku_id), "parts.")
            for sku_id, quantity in kit.sku.components
        ]
        return tuple(one for one in known if one is not None)

    def line(
        self,
        line: Line,
        prefix: str,
        *,
        brings_in: bool = False,
        moves: bool = True,
        base_units: int | None = None,
    ) -> Known | None:
        """One line; None if it has faults. `base_units` stands for a quantity that the line does not name."""
        found = self._sku_of(line, prefix)
        if found is None:
            return None
        sku, unit = found
        before = len(self._faults)
        counted = in_base_units(sku, line.quantity, unit) if base_units is None else Counted(base_units)
        if not isinstance(counted, Counted):
            self.fault(prefix + counted[0], counted[1])
            counted = Counted(len(line.serials))
        wants_expiry = line.lot and (line.expiry or sku.expiry_tracked)
        expiry = catalogue.expiry_of(self._tx, sku.sku_id, line.lot) if wants_expiry else None
        for field, problem in (
            tracking_faults(sku, line, counted.base_units, lot_expiry=expiry, brings_in=brings_in)
            if moves
            else naming_faults(sku, line)
        ):
            self.fault(prefix + field, problem)
        if len(self._faults) > before:
            return None
        return Known(
            Goods(sku.sku_id, counted.base_units, line.lot, sku.owner, line.serials),
            sku,
            counted.entered,
            LotSeen(sku.sku_id, line.lot, line.expiry) if line.expiry and line.expiry != expiry else None,
        )

    def _sku_of(self, line: Line, prefix: str) -> tuple[Sku, str] | None:
        """The SKU and the unit; a GTIN of a larger unit means that unit."""
        if not line.gtin:
            sku = catalogue.sku_by_id(self._tx, line.sku_id)
            if sku is None:
                self._unknown(prefix + "sku_id", line.sku_id, "SKU in the catalogue", "sku")
                return None
            return sku, line.unit
        found = catalogue.sku_by_gtin(self._tx, line.gtin)
        if found is None:
            self.fault(prefix + "gtin", f"{line.gtin} is in the catalogue of no SKU: add it at the hub")
            return None
        sku, unit = found
        if unit and line.unit not in {"", unit}:
            self.fault(prefix + "unit", f"{line.gtin} means one {unit}, not one {line.unit}: leave it out")
            return None
        return sku, unit or line.unit

    def _unknown(self, where: str, text: str, what: str, table: str) -> None:
        near = get_close_matches(text, catalogue.known_texts(self._tx, table), n=3)
        self.fault(
            where, f"'{text}' is no {what}: {'did you mean ' + ' or '.join(near) if near else 'look it up'}"
        )

    def _no_serial_twice(self, understood: Sequence[Known]) -> None:
        seen: set[tuple[str, str]] = set()
        for known in understood:
            for serial in known.goods.serials:
                if (known.sku.sku_id, serial) in seen:
                    self.fault("serials", f"'{serial}' of {known.sku.sku_id} is named twice")
                seen.add((known.sku.sku_id, serial))

    def places(self) -> None:
        """Every bin that the command names must be one, and not belong to an order that is being worked on."""
        for name in _PLACES:
            place: str = getattr(self._command, name)
            if not place:
                continue
            if not is_place(self._tx, place):
                self._unknown(name, place, "bin of this node", "bin")
            elif holder := open_work_at(self._tx, place):
                self.fault(name, f"'{place}' belongs to order {holder}: finish it on the floor, or cancel it")


def is_place(tx: Transaction, place: str) -> bool:
    """Whether goods can lie there: see the rule at the top."""
    if place == DOCK or catalogue.has_bin(tx, place):
        return True
    held = tx.one("SELECT 1 FROM balance WHERE bin = ? AND bin <> '' LIMIT 1", (place,))
    return held is not None or tx.one("SELECT 1 FROM bin LIMIT 1") is None


def open_work_at(tx: Transaction, place: str) -> str:
    """The fulfillment order whose stage or parcel this place is, while it is not at its end; else empty."""
    if place.startswith(_STAGE):
        order = work.find_or_none(tx, place.removeprefix(_STAGE))
    elif place.startswith(_PARCEL):
        order = work.find_by_sscc(tx, place.removeprefix(_PARCEL))
    else:
        return ""
    return "" if order is None or order.state in FULFILLMENT.terminal else order.fulfillment_order_id
