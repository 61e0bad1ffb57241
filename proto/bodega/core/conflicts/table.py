"""Every case of two facts that can meet, and the rule that resolves it: what `bodegactl conflicts` explains.

A rule that changes what it decides gets a new version; rows keep the version that made them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Case(NamedTuple):
    """A kind of conflict: its rule as "name@version", and in one sentence what the rule does."""

    rule: str
    sentence: str


CASES: Mapping[str, Case] = {
    "cancel_races_ship": Case(
        "cancel_races_ship@1",
        "A parcel that left before the node knew of the cancel stays shipped and is intercepted or taken back.",
    ),
}
