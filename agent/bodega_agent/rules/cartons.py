"""Which box a parcel goes into.

`smallest_that_holds` looks at volume, weight and the longest sides. It is one `CartonChoice`: an engine that packs in
three dimensions takes its place without anybody else knowing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Units of one SKU. Weight, volume and sides are of one unit; 0 or empty where nobody has said."""

    name: str
    quantity: int
    weight_g: int = 0
    volume_ml: int = 0
    sides_mm: tuple[int, ...] = ()
    fragile: bool = False

    @property
    def room_ml(self) -> int:
        """What all its units fill, as far as anybody knows."""
        if self.volume_ml or not self.sides_mm:
            return self.quantity * self.volume_ml
        length, width, height = self.sides_mm
        return -(-self.quantity * length * width * height // 1000)


@dataclass(frozen=True, slots=True)
class Carton:
    """A box of the node's list: inner sides, its own weight with padding, and the most that it may weigh (0: any)."""

    carton_id: str
    sides_mm: tuple[int, int, int]
    weight_g: int
    max_weight_g: int

    @property
    def room_ml(self) -> int:
        """What it holds."""
        length, width, height = self.sides_mm
        return length * width * height // 1000


CartonChoice = Callable[[Sequence[Piece], Sequence[Carton]], str]
"""(what is to be packed, the node's cartons) -> the id of the one to take; empty if none holds it."""


def why_not(carton: Carton, pieces: Sequence[Piece]) -> str:
    """Why a carton does not hold this, by what is known of it; empty if it does."""
    sides = sorted(carton.sides_mm)
    for piece in pieces:
        if any(side > room for side, room in zip(sorted(piece.sides_mm), sides, strict=False)):
            return f"{piece.name} is longer than it"
    room_ml = sum(piece.room_ml for piece in pieces)
    if room_ml > carton.room_ml:
        return f"{room_ml} ml do not go into {carton.room_ml} ml"
    total_g = contents_g(pieces) + carton.weight_g
    if carton.max_weight_g and total_g > carton.max_weight_g:
        return f"{total_g} g are more than the {carton.max_weight_g} g that it bears"
    return ""


def smallest_that_holds(pieces: Sequence[Piece], cartons: Sequence[Carton]) -> str:
    """The carton with the least room, of equal ones the lightest, that holds the volume and the weight."""
    holding = [carton for carton in cartons if not why_not(carton, pieces)]
    best = min(holding, key=lambda one: (one.room_ml, one.weight_g, one.carton_id), default=None)
    return best.carton_id if best else ""


def contents_g(pieces: Sequence[Piece]) -> int:
    """Weight of what is known."""
    return sum(piece.quantity * piece.weight_g for piece in pieces)


def expected_g(pieces: Sequence[Piece], carton: Carton | None) -> int:
    """What the closed parcel should weigh; 0 if a weight is missing, of a SKU or of the box."""
    if carton is None or not all(piece.weight_g for piece in pieces):
        return 0
    return contents_g(pieces) + carton.weight_g


def dunnage(pieces: Sequence[Piece], carton: Carton | None) -> tuple[str, ...]:
    """How to pad it: what breaks, and a box that is more than half empty."""
    notes = [f"pad {piece.name}: it breaks" for piece in pieces if piece.fragile]
    room_ml = sum(piece.room_ml for piece in pieces)
    if carton is not None and room_ml and 2 * room_ml < carton.room_ml:
        notes.append(f"fill about {(carton.room_ml - room_ml + 50) // 100 / 10:g} l of air")
    return tuple(notes)
