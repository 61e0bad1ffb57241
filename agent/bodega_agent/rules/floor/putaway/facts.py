"""What put-away must know: `waiting` and `suggested_bin` of the SKU that was scanned, or is in hand."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.facts import Facts


@dataclass(frozen=True, slots=True)
class Waiting:
    """Units that wait to be put away: on DOCK, or on the stage of a cancelled fulfillment order."""

    place: str
    sku_id: str
    lot: str
    quantity: int
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAwayFacts(Facts):
    """See the module's text."""

    waiting: tuple[Waiting, ...] = ()
    suggested_bin: str = ""
