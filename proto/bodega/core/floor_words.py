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
    """How the goods of an order reach the customer."""

    PARCEL = "parcel"
    PICKUP = "pickup"
    LOCKER = "locker"


class TrackingScheme(StrEnum):
    """How a carrier's tracking numbers are made: UPU S10, or digits that end in a GS1 check digit."""

    S10 = "s10"
    MOD10 = "mod10"
