"""What receiving must know: the delivery that it is about, and what the scan names.

| fact | read when |
|---|---|
| `delivery` | the session has a receipt; at idle: the open one that this device has begun |
| `named` | the scan names a notice, a receipt, or a pallet of a notice |
| `unit` | the scan is an SSCC |
| `lacks_expiry` | a lot is typed: whether its expiry must be said, and nobody has |
| `next_sscc` | CMD-PACK |
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.floor.facts import Facts
from bodega_agent.rules.floor.receive.against import Line


@dataclass(frozen=True, slots=True)
class Delivery:
    """A receipt and its notice. `receipt_id` is empty before anything has come in, `notice_id` of a blind one.

    `all_here`: nothing of the notice is still to come. `gtins` are those of what is to come next.
    """

    receipt_id: str
    notice_id: str = ""
    supplier: str = ""
    is_open: bool = True
    withdrawn: bool = False
    all_here: bool = False
    lines: tuple[Line, ...] = ()
    gtins: tuple[str, ...] = ()

    @property
    def received(self) -> int:
        """Units that came in."""
        return sum(line.received for line in self.lines)

    @property
    def missing(self) -> tuple[Line, ...]:
        """Lines of which not all has come."""
        return tuple(line for line in self.lines if line.open)


@dataclass(frozen=True, slots=True)
class UnitLine:
    """What an announced pallet holds of one SKU and lot; `lacks` says what of it nobody has said: "lot", "expiry"..."""

    sku_id: str
    name: str
    lot: str
    expiry: str
    quantity: int
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """A pallet, by its SSCC. `own`: of this node's numbers; `here`: it has come in; `proven`: its label was scanned."""

    sscc: str
    own: bool = False
    here: bool = False
    proven: bool = False
    lines: tuple[UnitLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveFacts(Facts):
    """See the module's text."""

    delivery: Delivery | None = None
    named: Delivery | None = None
    unit: Unit | None = None
    next_receipt_id: str = ""
    next_sscc: str = ""
    lacks_expiry: bool = False
    today: str = ""
    is_full: bool = False
