"""What arriving asks the store to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bodega.core.ledger import Entered, Goods
from bodega_agent.rules.floor.effects import Effect


@dataclass(frozen=True, slots=True)
class BeginArrival(Effect):
    """Goods of this transfer come in now; one that the node has not heard of is known from here on."""

    logged_as: ClassVar[str] = "transfer_arriving"

    transfer_id: str


@dataclass(frozen=True, slots=True)
class Arrive(Effect):
    """`transfer_in`: from the other node to the dock. `expiry` of the lot and what was `entered`, as the code said."""

    logged_as: ClassVar[str] = "transfer_goods_received"

    transfer_id: str
    goods: Goods
    expiry: str = ""
    entered: Entered | None = None


@dataclass(frozen=True, slots=True)
class SetDamaged(Effect):
    """`change_disposition` at the dock: these goods of the transfer came damaged; with an exception."""

    logged_as: ClassVar[str] = "transfer_goods_damaged"

    transfer_id: str
    goods: Goods


@dataclass(frozen=True, slots=True)
class CloseArrival(Effect):
    """All of it is here: `TransferAdvanced` "received" with what came."""

    logged_as: ClassVar[str] = "transfer_received"

    transfer_id: str
