"""What one scanner device is in the middle of: small, frozen, and durable in the store.

What stock did is never in a session: that is in the ledger, and facts win over the session at every
step. So a lost or stale session costs at most one scan of a bin, and never a unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

# Who works at a node that has no list of its people.
ANYBODY = "associate"


class FloorStep(StrEnum):
    """What the next scan of a device is about."""

    IDLE = "idle"
    RECEIVE_ITEM = "receive_item"
    RECEIVE_LOT = "receive_lot"
    RECEIVE_EXPIRY = "receive_expiry"
    RECEIVE_APART = "receive_apart"
    RECEIVE_CLOSE = "receive_close"
    HOLD_BIN = "hold_bin"
    HOLD_ITEM = "hold_item"
    HOLD_VERDICT = "hold_verdict"
    PUTAWAY_ITEM = "putaway_item"
    PUTAWAY_WHICH = "putaway_which"
    PUTAWAY_BIN = "putaway_bin"
    PUTAWAY_REASON = "putaway_reason"
    REPLENISH_FROM = "replenish_from"
    REPLENISH_ITEM = "replenish_item"
    REPLENISH_INTO = "replenish_into"
    TAKE_OVER = "take_over"
    PICK_BIN = "pick_bin"
    PICK_ITEM = "pick_item"
    PICK_CHECK = "pick_check"
    CART_TOTE = "cart_tote"
    PICK_TOTE = "pick_tote"
    PICK_FULL = "pick_full"
    PICK_ZERO = "pick_zero"
    PICK_SHORT = "pick_short"
    PICK_DAMAGED = "pick_damaged"
    PICK_SUBSTITUTE = "pick_substitute"
    PACK = "pack"
    PACK_ITEM = "pack_item"
    PACK_SHORT = "pack_short"
    PACK_CARTON = "pack_carton"
    PACK_WEIGH = "pack_weigh"
    LABEL = "label"
    VOID_PARCEL = "void_parcel"
    VOID_REASON = "void_reason"
    HANDOVER = "handover"
    MANIFEST = "manifest"
    MANIFEST_CLOSE = "manifest_close"
    STAGE_PARCEL = "stage_parcel"
    STAGE_PLACE = "stage_place"
    COLLECT_FIND = "collect_find"
    COLLECT_CODE = "collect_code"
    COLLECT_HAND = "collect_hand"
    RETURN_FIND = "return_find"
    RETURN_ITEM = "return_item"
    RETURN_GRADE = "return_grade"
    RETURN_DISPOSE = "return_dispose"
    RETURN_PLACE = "return_place"
    COUNT_BIN = "count_bin"
    COUNT_ITEM = "count_item"
    COUNT_APPROVE = "count_approve"
    RECONCILE_BIN = "reconcile_bin"
    RECONCILE_ITEM = "reconcile_item"
    RECONCILE_POST = "reconcile_post"
    SEND_CHOOSE = "send_choose"
    SEND_BIN = "send_bin"
    SEND_ITEM = "send_item"
    SEND_READY = "send_ready"
    ARRIVE_CHOOSE = "arrive_choose"
    ARRIVE_ITEM = "arrive_item"
    ARRIVE_CLOSE = "arrive_close"
    SIGN_IN_PIN = "sign_in_pin"
    RESUME = "resume"


FLOWS: dict[FloorStep, str] = {
    FloorStep.IDLE: "idle",
    FloorStep.RECEIVE_ITEM: "receive",
    FloorStep.RECEIVE_LOT: "receive",
    FloorStep.RECEIVE_EXPIRY: "receive",
    FloorStep.RECEIVE_APART: "receive",
    FloorStep.RECEIVE_CLOSE: "receive",
    FloorStep.HOLD_BIN: "hold",
    FloorStep.HOLD_ITEM: "hold",
    FloorStep.HOLD_VERDICT: "hold",
    FloorStep.PUTAWAY_ITEM: "putaway",
    FloorStep.PUTAWAY_WHICH: "putaway",
    FloorStep.PUTAWAY_BIN: "putaway",
    FloorStep.PUTAWAY_REASON: "putaway",
    FloorStep.REPLENISH_FROM: "replenish",
    FloorStep.REPLENISH_ITEM: "replenish",
    FloorStep.REPLENISH_INTO: "replenish",
    FloorStep.TAKE_OVER: "pick",
    FloorStep.PICK_BIN: "pick",
    FloorStep.PICK_ITEM: "pick",
    FloorStep.PICK_CHECK: "pick",
    FloorStep.CART_TOTE: "pick",
    FloorStep.PICK_TOTE: "pick",
    FloorStep.PICK_FULL: "pick",
    FloorStep.PICK_ZERO: "pick",
    FloorStep.PICK_SHORT: "pick",
    FloorStep.PICK_DAMAGED: "pick",
    FloorStep.PICK_SUBSTITUTE: "pick",
    FloorStep.PACK: "pack",
    FloorStep.PACK_ITEM: "pack",
    FloorStep.PACK_SHORT: "pack",
    FloorStep.PACK_CARTON: "pack",
    FloorStep.PACK_WEIGH: "pack",
    FloorStep.LABEL: "pack",
    FloorStep.VOID_PARCEL: "void",
    FloorStep.VOID_REASON: "void",
    FloorStep.HANDOVER: "handover",
    FloorStep.MANIFEST: "handover",
    FloorStep.MANIFEST_CLOSE: "handover",
    FloorStep.STAGE_PARCEL: "stage",
    FloorStep.STAGE_PLACE: "stage",
    FloorStep.COLLECT_FIND: "collect",
    FloorStep.COLLECT_CODE: "collect",
    FloorStep.COLLECT_HAND: "collect",
    FloorStep.RETURN_FIND: "return",
    FloorStep.RETURN_ITEM: "return",
    FloorStep.RETURN_GRADE: "return",
    FloorStep.RETURN_DISPOSE: "return",
    FloorStep.RETURN_PLACE: "return",
    FloorStep.COUNT_BIN: "count",
    FloorStep.COUNT_ITEM: "count",
    FloorStep.COUNT_APPROVE: "count",
    FloorStep.RECONCILE_BIN: "reconcile",
    FloorStep.RECONCILE_ITEM: "reconcile",
    FloorStep.RECONCILE_POST: "reconcile",
    FloorStep.SEND_CHOOSE: "send",
    FloorStep.SEND_BIN: "send",
    FloorStep.SEND_ITEM: "send",
    FloorStep.SEND_READY: "send",
    FloorStep.ARRIVE_CHOOSE: "arrive",
    FloorStep.ARRIVE_ITEM: "arrive",
    FloorStep.ARRIVE_CLOSE: "arrive",
    FloorStep.SIGN_IN_PIN: "people",
    FloorStep.RESUME: "resume",
}

# Steps at which an order is picked, alone or in a walk with others.
PICK_STEPS = frozenset(
    {
        FloorStep.PICK_BIN,
        FloorStep.PICK_ITEM,
        FloorStep.PICK_CHECK,
        FloorStep.PICK_TOTE,
        FloorStep.PICK_FULL,
        FloorStep.PICK_ZERO,
        FloorStep.PICK_SHORT,
        FloorStep.PICK_DAMAGED,
        FloorStep.PICK_SUBSTITUTE,
    }
)
WORK_STEPS = PICK_STEPS | {
    FloorStep.PACK,
    FloorStep.PACK_ITEM,
    FloorStep.PACK_SHORT,
    FloorStep.PACK_CARTON,
    FloorStep.PACK_WEIGH,
    FloorStep.LABEL,
}


# Steps at which whatever is typed or scanned is taken as it is, but for control words.
FREE_TEXT_STEPS: frozenset[FloorStep] = frozenset(
    {FloorStep.RECEIVE_LOT, FloorStep.SIGN_IN_PIN, FloorStep.COLLECT_CODE}
)


@dataclass(frozen=True, slots=True)
class Doing:
    """What a flow must remember between two scans; each flow has a class of its own, named in `keeping.DOINGS`."""


@dataclass(frozen=True, slots=True)
class Session:
    """One device's place in its flow.

    `fulfillment_order_id` and `bin_id` are the order and the bin that the step is about, where it is about one. `doing`
    is what else the flow must remember. `actor` is who works: an associate's id, or ANYBODY while nobody is signed in.
    """

    device: str
    actor: str = ANYBODY
    step: FloorStep = FloorStep.IDLE
    fulfillment_order_id: str = ""
    bin_id: str = ""
    doing: Doing | None = None

    def at(
        self,
        step: FloorStep,
        *,
        fulfillment_order_id: str = "",
        bin_id: str = "",
        doing: Doing | None = None,
    ) -> Session:
        """The same device and actor at another step; context that is not given is dropped."""
        return replace(self, step=step, fulfillment_order_id=fulfillment_order_id, bin_id=bin_id, doing=doing)

    def idle(self) -> Session:
        """Out of every flow."""
        return self.at(FloorStep.IDLE)
