"""The words that hub and nodes share for places, goods and people: each is a value of a field of the protocol."""

from __future__ import annotations

from enum import StrEnum


class TemperatureClass(StrEnum):
    """How cold goods are kept; a place has one, and holds no goods of another."""

    AMBIENT = "ambient"
    CHILLED = "chilled"
    FROZEN = "frozen"


class VelocityClass(StrEnum):
    """How often goods are asked for, most first (the ABC analysis of a warehouse)."""

    A = "A"
    B = "B"
    C = "C"


class BinKind(StrEnum):
    """What a place is for."""

    PICK_FACE = "pick_face"
    RESERVE = "reserve"
    QUALITY = "quality"
    RETURNS = "returns"
    PICKUP = "pickup"
    LOCKER = "locker"


class Role(StrEnum):
    """What a person may do at a node."""

    ASSOCIATE = "associate"
    LEAD = "lead"
    TECHNICIAN = "technician"


class Method(StrEnum):
    """How the goods of an order reach the customer.

    A courier's parcel is a parcel for the floor, and what nodes are told is that; routing tells them apart.
    """

    PARCEL = "parcel"
    COURIER = "courier"
    PICKUP = "pickup"
    LOCKER = "locker"


# Somebody carries the goods to the customer, so that any node may send them.
CARRIED = frozenset({Method.PARCEL, Method.COURIER})


class TrackingScheme(StrEnum):
    """How a carrier's tracking numbers are made: UPU S10, or digits that end in a GS1 check digit."""

    S10 = "s10"
    MOD10 = "mod10"
