"""What the hold flow asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Disposition, Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class Judge(Effect):
    """`change_disposition` of goods where they lie; `scrap` if `becomes` is None."""

    logged_as: ClassVar[str] = "goods_judged"

    goods: Goods
    bin_id: str
    was: Disposition
    becomes: Disposition | None
