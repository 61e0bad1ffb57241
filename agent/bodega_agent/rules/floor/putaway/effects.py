"""What putaway asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Disposition, Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class PutAway(Effect):
    """From `source_place` (DOCK, a pallet, a cancelled order's stage) into the bin.

    `put_away` for what waits to be sold; what is set apart keeps its `disposition`, and is a `move`.
    """

    logged_as: ClassVar[str] = "goods_put_away"

    goods: Goods
    source_place: str
    bin_id: str
    disposition: str = Disposition.IN_PROGRESS.value
