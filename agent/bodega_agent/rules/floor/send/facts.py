"""What sending must know.

`open` are the transfers that this node should send, the oldest first; `transfer` is the one that the session is about,
or whose label was scanned. `shelves` hold what is still wanted of it; lots that have expired are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.pick.facts import Shelf


class LegState(StrEnum):
    """How far this node is with its end of a transfer."""

    ORDERED = "ordered"
    PICKING = "picking"
    SHIPPED = "shipped"
    RECEIVING = "receiving"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class TransferLine:
    """One SKU of a transfer in base units: what should go, what was picked, what can not be found."""

    sku_id: str
    name: str
    gtins: tuple[str, ...]
    quantity: int
    picked: int = 0
    short: int = 0

    @property
    def outstanding(self) -> int:
        """Still to be picked."""
        return max(0, self.quantity - self.picked - self.short)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer to `to_node_id`, as far as it is; `device` sends it."""

    transfer_id: str
    to_node_id: str
    state: LegState
    lines: tuple[TransferLine, ...]
    shelves: tuple[Shelf, ...] = ()
    device: str = ""

    @property
    def picked(self) -> int:
        """Units that stand ready."""
        return sum(line.picked for line in self.lines)

    @property
    def outstanding(self) -> int:
        """Units still to be picked."""
        return sum(line.outstanding for line in self.lines)

    def with_line(self, changed: TransferLine) -> Transfer:
        """The same transfer with one line changed."""
        lines = tuple(changed if line.sku_id == changed.sku_id else line for line in self.lines)
        return replace(self, lines=lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFacts(Facts):
    """See the module's text."""

    open: tuple[str, ...] = ()
    transfer: Transfer | None = None
