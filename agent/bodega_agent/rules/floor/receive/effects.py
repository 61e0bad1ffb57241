"""What receive asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Entered, Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class Receive(Effect):
    """`receive`: supplier -> DOCK, in_progress. `expiry` of the lot and what was `entered`, as the code said."""

    logged_as: ClassVar[str] = "goods_received"

    goods: Goods
    expiry: str = ""
    entered: Entered | None = None
