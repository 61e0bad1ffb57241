"""What putaway asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class PutAway(Effect):
    """`put_away`: from `source_place` (DOCK or a cancelled order's stage) into the bin, sellable."""

    logged_as: ClassVar[str] = "goods_put_away"

    goods: Goods
    source_place: str
    bin_id: str
