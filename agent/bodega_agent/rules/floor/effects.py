"""What a step asks the service to do, in order, in one store transaction with the new session.

Each flow has effects of its own in its room (`<flow>/effects.py`); the store does each in one function
(`store/floor/<flow>.py`). Those here belong to more than one flow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from bodega_agent.rules.floor.alone import Decided


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to do. Movements name a ledger command of `bodega.core.recipes.RECIPES`.

    `Goods.owner` is left empty in all of them: the store fills it from the SKU. `logged_as`: the log's name of it.
    """

    logged_as: ClassVar[str]


@dataclass(frozen=True, slots=True)
class NoteException(Effect):
    """Something went otherwise than it should: `ExceptionNoted`, counted in the node's figures by kind and reason."""

    logged_as: ClassVar[str] = "exception_noted"

    kind: str
    reason: str = ""
    reference: str = ""
    bin_id: str = ""
    sku_id: str = ""
    lot: str = ""
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class KeepDecision(Effect):
    """What the node has decided alone is kept, to be explained and made again. Personal data may be in `made`."""

    logged_as: ClassVar[str] = "decided_alone"

    fulfillment_order_id: str
    decision: str
    rule: str
    made: Decided = field(repr=False)

    @classmethod
    def of(cls, made: Decided) -> KeepDecision:
        """Of a decision about a fulfillment order."""
        return cls(made.subject, made.decision, made.choice.rule, made)


@dataclass(frozen=True, slots=True)
class CancelWork(Effect):
    """FulfillmentEvent.CANCEL, with `reason` in the event."""

    logged_as: ClassVar[str] = "work_cancelled"

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class Unpack(Effect):
    """`unpack`: the closed parcel goes back to the stage by book."""

    logged_as: ClassVar[str] = "parcel_unpacked"

    fulfillment_order_id: str
    sscc: str


@dataclass(frozen=True, slots=True)
class OpenPutBack(Effect):
    """A task: put back what lies on the stage of this cancelled order."""

    logged_as: ClassVar[str] = "put_back_opened"

    fulfillment_order_id: str
    place: str


@dataclass(frozen=True, slots=True)
class ReportLateCancel(Effect):
    """The parcel had left before the cancel arrived: CancelCameTooLate."""

    logged_as: ClassVar[str] = "late_cancel_reported"

    fulfillment_order_id: str
