"""Which settings the control plane may push to a running node, and which values each may have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Whole(NamedTuple):
    """Whole numbers from `low` to `high`, both included, written in decimal digits; `default` where nobody says one."""

    low: int
    high: int
    default: int


# A count: differences up to this many units, or this part of the book, are taken as they are. Beyond it a place is
# counted again; beyond the second pair a lead has to approve what was counted twice.
RECOUNT_UNITS, RECOUNT_PERCENT = "count.recount_units", "count.recount_percent"
APPROVE_UNITS, APPROVE_PERCENT = "count.approve_units", "count.approve_percent"
# Days between two counts of a bin, by its velocity class; 0: never by plan.
PLAN_DAYS: Mapping[str, str] = {"A": "count.plan_days_a", "B": "count.plan_days_b", "C": "count.plan_days_c"}

_PERCENT = 100
_DAYS = 3650
_UNITS = 100_000

# Setting: its legal values. Whatever is not here is decided by the node's own file.
KNOWN: Mapping[str, frozenset[str] | Whole] = {
    "vision.mode": frozenset({"off", "advisory", "blocking"}),
    RECOUNT_UNITS: Whole(0, _UNITS, 2),
    RECOUNT_PERCENT: Whole(0, _PERCENT, 5),
    APPROVE_UNITS: Whole(0, _UNITS, 5),
    APPROVE_PERCENT: Whole(0, _PERCENT, 10),
    PLAN_DAYS["A"]: Whole(0, _DAYS, 30),
    PLAN_DAYS["B"]: Whole(0, _DAYS, 90),
    PLAN_DAYS["C"]: Whole(0, _DAYS, 180),
    # Where the person who takes the last unit by the book is asked whether the bin is empty.
    "pick.zero_check": frozenset({"off", "pick_faces", "all"}),
    # Whether the contents of a parcel must be seen before it is closed; unset: where the node has a list of cartons.
    "pack.verify": frozenset({"always", "never"}),
}


def faults_in(settings: Mapping[str, str]) -> list[str]:
    """Every fault as a sentence; an empty list means that the settings may be put in force."""
    faults = []
    for name, value in sorted(settings.items()):
        legal = KNOWN.get(name)
        if legal is None:
            faults.append(f"'{name}' is not a setting; known are {', '.join(sorted(KNOWN))}")
        elif isinstance(legal, Whole):
            if not _is_whole(value, legal):
                faults.append(
                    f"'{name}' must be a whole number from {legal.low} to {legal.high}, is '{value}'"
                )
        elif value not in legal:
            faults.append(f"'{name}' must be one of {', '.join(sorted(legal))}, is '{value}'")
    return faults


def number_of(settings: Mapping[str, str], name: str) -> int:
    """The number that a setting of numbers is: its default where nobody has said one, or said nonsense."""
    legal = KNOWN[name]
    assert isinstance(legal, Whole), "the caller asks for a setting of numbers"
    value = settings.get(name, "")
    return int(value) if _is_whole(value, legal) else legal.default


def _is_whole(value: str, legal: Whole) -> bool:
    digits = value.isascii() and value.isdigit() and len(value) <= len(str(legal.high))
    return digits and legal.low <= int(value) <= legal.high
