"""What one scanner device is in the middle of: small, frozen, and durable in the store.

What stock did is never in a session: that is in the ledger, and facts win over the session at every
step. So a lost or stale session costs at most one scan of a bin, and never a unit.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from bodega.errors import InvalidInput


class FloorStep(StrEnum):
    """What the next scan of a device is about."""

    IDLE = "idle"
    RECEIVE_ITEM = "receive_item"
    PUTAWAY_ITEM = "putaway_item"
    PUTAWAY_BIN = "putaway_bin"
    TAKE_OVER = "take_over"
    PICK_BIN = "pick_bin"
    PICK_ITEM = "pick_item"
    PICK_CHECK = "pick_check"
    PACK = "pack"
    LABEL = "label"
    HANDOVER = "handover"


FLOWS: dict[FloorStep, str] = {
    FloorStep.IDLE: "idle",
    FloorStep.RECEIVE_ITEM: "receive",
    FloorStep.PUTAWAY_ITEM: "putaway",
    FloorStep.PUTAWAY_BIN: "putaway",
    FloorStep.TAKE_OVER: "pick",
    FloorStep.PICK_BIN: "pick",
    FloorStep.PICK_ITEM: "pick",
    FloorStep.PICK_CHECK: "pick",
    FloorStep.PACK: "pack",
    FloorStep.LABEL: "pack",
    FloorStep.HANDOVER: "handover",
}

WORK_STEPS = frozenset(
    {FloorStep.PICK_BIN, FloorStep.PICK_ITEM, FloorStep.PICK_CHECK, FloorStep.PACK, FloorStep.LABEL}
)


@dataclass(frozen=True, slots=True)
class InHand:
    """Goods that a person holds between two scans of put-away; the book still has them where they were."""

    sku_id: str
    name: str
    lot: str
    quantity: int
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One device's place in its flow.

    `fulfillment_order_id` is set in the steps of pick, pack and take-over, `bin_id` once a pick's bin was
    scanned, `in_hand` between item and bin of put-away.
    """

    device: str
    actor: str = "associate"
    step: FloorStep = FloorStep.IDLE
    fulfillment_order_id: str = ""
    bin_id: str = ""
    in_hand: InHand | None = None

    def at(
        self,
        step: FloorStep,
        *,
        fulfillment_order_id: str = "",
        bin_id: str = "",
        in_hand: InHand | None = None,
    ) -> Session:
        """The same device and actor at another step; context that is not given is dropped."""
        return replace(
            self, step=step, fulfillment_order_id=fulfillment_order_id, bin_id=bin_id, in_hand=in_hand
        )

    def idle(self) -> Session:
        """Out of every flow."""
        return self.at(FloorStep.IDLE)

    def to_json(self) -> dict[str, Any]:
        """Plain values for the store; `from_json` reads them back to an equal session."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Session:
        """Read what `to_json` wrote; raises InvalidInput when it is something else."""
        try:
            held = stored["in_hand"]
            return cls(
                device=stored["device"],
                actor=stored["actor"],
                step=FloorStep(stored["step"]),
                fulfillment_order_id=stored["fulfillment_order_id"],
                bin_id=stored["bin_id"],
                in_hand=None
                if held is None
                else InHand(**{**held, "serials": tuple(held.get("serials", ()))}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput(
                f"a stored floor session is not readable: {error}",
                hint="start the flow again with its CMD- barcode",
            ) from error
