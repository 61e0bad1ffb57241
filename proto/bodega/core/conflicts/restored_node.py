"""A node has written beside the hub's line: what becomes of each event, and the one row that tells it.

Goods that people have moved are where they are, so movements are recorded again on the hub's line. A promise is
only as good as the rights behind it, so it is made again or voided. What was said about a state that is not the
hub's is held against it. Nothing of it is lost: the old file stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from bodega.core.conflicts.row import Conflict, conflict_id
from bodega.core.conflicts.table import CASES
from bodega.core.sync import Head
from bodega.limits import CONFLICT_EFFECTS_MAX

KIND = "restored_node"


class Fate(StrEnum):
    """What becomes of an event of the fork."""

    KEEP = "keep"
    RECHECK = "recheck"
    DROP = "drop"


class Rule(NamedTuple):
    """A fate, and why."""

    fate: Fate
    why: str


# By the fact's name on the wire.
FATES: Mapping[str, Rule] = {
    "movement": Rule(Fate.KEEP, "goods that were moved have moved"),
    "reservation_changed": Rule(Fate.RECHECK, "a promise needs rights that the node still holds"),
    "fulfillment_advanced": Rule(Fate.RECHECK, "the order must be the node's and lead to that state"),
    "label_advanced": Rule(
        Fate.RECHECK, "what is not known to be printed is in doubt, and never printed blindly"
    ),
    "discrepancy_opened": Rule(Fate.DROP, "the new book finds its own differences, and the bin is counted"),
    "discrepancy_closed": Rule(Fate.DROP, "the count that closes it comes again"),
    "vision_decision": Rule(Fate.KEEP, "a verdict is evidence"),
    "cancel_came_too_late": Rule(Fate.DROP, "the hub says its cancels again"),
    "routing_reported": Rule(Fate.DROP, "the hub says again what is in force"),
    "state_reported": Rule(Fate.DROP, "the hub sends the configuration again"),
    "task_opened": Rule(Fate.KEEP, "what is to be done stays to be done"),
    "task_closed": Rule(Fate.DROP, "it states the other line's book, and the bin is counted again"),
    "field_proposed": Rule(Fate.KEEP, "a person has asked for it"),
    "transfer_settled": Rule(Fate.KEEP, "its goods are written off"),
    "override_changed": Rule(Fate.KEEP, "a person has decided it"),
    "rights_taken": Rule(Fate.DROP, "rights move again by the hub's stream"),
    "rights_returned": Rule(Fate.DROP, "rights move again by the hub's stream"),
    "ledger_checkpoint": Rule(Fate.DROP, "it sums up the other line"),
    "store_restored": Rule(Fate.KEEP, "it happened"),
    "epoch_begun": Rule(Fate.DROP, "that epoch has ended"),
    "conflict_found": Rule(Fate.KEEP, "a person may still have to decide it"),
    "parked_event_applied": Rule(Fate.DROP, "the hub's stream begins anew, and says it again"),
    "receipt_advanced": Rule(Fate.KEEP, "what came in has come in"),
    "exception_noted": Rule(Fate.KEEP, "it happened"),
    "shift_advanced": Rule(Fate.KEEP, "it happened"),
    "parcel_advanced": Rule(Fate.KEEP, "its label is on a box"),
    "manifest_advanced": Rule(Fate.KEEP, "a carrier has signed for it"),
    "pickup_advanced": Rule(Fate.KEEP, "a customer may have been told"),
    "return_advanced": Rule(Fate.KEEP, "what came back has come back"),
    "refund_due": Rule(Fate.KEEP, "a customer waits for money"),
    "count_advanced": Rule(
        Fate.DROP, "it was held against the other line's book, and the bin is counted again"
    ),
    "transfer_advanced": Rule(Fate.KEEP, "its goods have moved"),
    "line_substituted": Rule(Fate.KEEP, "it is in the parcel"),
}
_UNKNOWN = Rule(Fate.DROP, "this version does not know the fact; it is in the old file")
_DONE_ALREADY = Rule(Fate.DROP, "the hub has this command's effect already")


def fate_of(fact: str, cmd_id: str, done: Collection[str]) -> Rule:
    """What becomes of an event; `done`: commands whose events the hub has."""
    return _DONE_ALREADY if cmd_id in done else FATES.get(fact, _UNKNOWN)


@dataclass(slots=True)
class Reckoning:
    """What a recovery has done, in words for programs ("voided:R-1", "counts:A-01-01") and for people."""

    kept: int = 0
    dropped: int = 0
    effects: list[str] = field(default_factory=list)
    # What a person must look at.
    open_ends: list[str] = field(default_factory=list)

    def voided(self, reservation_id: str, quantity: int) -> None:
        """A promise could not be made again."""
        self.effects.append(f"voided:{reservation_id}")
        self.open_ends.append(f"promise {reservation_id} of {quantity} units is void: tell whoever has it")

    def unfit(self, fulfillment_order_id: str, state: str) -> None:
        """An order's step does not fit the hub's line."""
        self.effects.append(f"unfit:{fulfillment_order_id}:{state}")
        self.open_ends.append(
            f"{fulfillment_order_id} was {state} here, and is not the node's in that state any more"
        )

    def doubled(self, sscc: str) -> None:
        """Two parcels carry one number."""
        self.effects.append(f"sscc_twice:{sscc}")
        self.open_ends.append(f"two parcels carry SSCC {sscc}: find them, and give one a new label")


def restored_node(
    *, node_id: str, reason: str, ancestor: Head, fork: Head, basis: Head, reckoning: Reckoning, kept_in: str
) -> Conflict:
    """Rule restored_node@1: the row of one recovery.

    `ancestor`: the last event that both lines share; `fork`: the node's own head; `basis`: the hub's, which the new
    epoch follows. `kept_in`: the file that holds the old line.
    """
    inputs = tuple(f"{node_id}/{head.epoch}/{head.seq}/{head.hash.hex()[:16]}" for head in (fork, basis))
    said = reckoning.effects[:CONFLICT_EFFECTS_MAX]
    return Conflict(
        conflict_id=conflict_id(KIND, inputs),
        kind=KIND,
        rule=CASES[KIND].rule,
        inputs=inputs,
        knew=(
            f"{node_id} ({reason}) had written events {ancestor.seq + 1} to {fork.seq} beside the hub's line,"
            f" which ends at {basis.seq}"
        ),
        effect=(
            f"{reckoning.kept} events hold and are recorded again, {reckoning.dropped} do not;"
            f" {_count(said, 'voided')} promises are void, {_count(said, 'counts')} bins are to be counted"
        ),
        undo=f"the old line is whole in {kept_in} at the node; correct what is wrong event by event",
        node_id=node_id,
        effects=tuple(said),
        needs="; ".join(reckoning.open_ends[:CONFLICT_EFFECTS_MAX]),
    )


def _count(effects: Sequence[str], word: str) -> int:
    return sum(effect.startswith(f"{word}:") for effect in effects)
