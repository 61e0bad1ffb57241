"""What a node's events do at the hub: each fact is one method, and what a batch changes is gathered here.

Row by row round trips would cap the rate of a whole fleet, so balances are summed per account first and everything
is written with executemany.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bodega.codec import conflict_from_wire, movement_from_wire
from bodega.core.checkpoints import physical_sha256
from bodega.core.conflicts.cancel_races_ship import cancel_races_ship
from bodega.core.conflicts.row import Conflict
from bodega.core.ledger import Account, Disposition, check, places_of_serials
from bodega.core.lifecycles import OverrideState
from bodega.core.rights import spent_by
from bodega.errors import IntegrityBroken
from bodega.host.log import get_logger
from bodega.skimming import PlainMove
from bodega_controlplane.app.applying import reported
from bodega_controlplane.app.applying.arrived import PICK, Arrived, Picked, decode
from bodega_controlplane.app.applying.floor import FloorBook
from bodega_controlplane.app.applying.floor_rows import FLOOR
from bodega_controlplane.app.applying.fulfilling import OpenWork
from bodega_controlplane.app.applying.shortfalls import SHORT, Shortfalls, taken_by, taken_by_move
from bodega_controlplane.app.deciding.proposals import ProposalBook
from bodega_controlplane.app.fleet import epochs
from bodega_controlplane.app.goods import divergence, lots
from bodega_controlplane.app.goods.rights_book import RightsBook
from bodega_controlplane.app.goods.transfers import TransferBook
from bodega_controlplane.store import facts, journal, overrides, stock
from bodega_controlplane.store import lots as lot_rows
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

Values = dict[str, Any]


class Effects:
    """What a batch of one node's events changes; the caller holds the node's row. `epoch`: that of the events."""

    def __init__(self, tx: Transaction, node: Row, now_ms: int) -> None:
        self.node_id: str = node.node_id
        self.epoch: int = node.epoch
        self._tx = tx
        self._now_ms = now_ms
        self._down_epoch: int = node.down_epoch
        self._diverged_seq: int = node.diverged_seq
        self._work = OpenWork(tx, node.node_id, now_ms)
        self._rights = RightsBook(tx, node.node_id, now_ms)
        self._shortfalls = Shortfalls(tx, node.node_id)
        self._transfers = TransferBook(tx, node.node_id, now_ms)
        self._proposals = ProposalBook(tx, node.node_id, now_ms)
        self._floor = FloorBook(tx)
        self._balances: dict[Account, int] = defaultdict(int)
        self._serials: dict[tuple[str, str], Values] = {}
        self._lots: dict[tuple[str, str], Values] = {}
        self._closed: dict[tuple[int, int], int] = {}
        self._overrides: dict[str, Values] = {}
        self._verdicts: list[Values] = []
        self._tasks: dict[str, Values] = {}
        self._conflicts: dict[str, Values] = {}
        self._state: Values = {}

    def load(self, arrived: Sequence[Arrived | PlainMove | Picked]) -> None:
        """Read at once what the events of a batch may touch."""
        named = {
            getattr(one.message, one.fact).fulfillment_order_id
            for one in arrived
            if isinstance(one, Arrived) and one.fact in _NAMES_WORK
        }
        picks = [one.move for one in arrived if isinstance(one, Picked)]
        named.update([move.fulfillment_order_id for move in picks])
        self._work.load(named - {""})
        self._shortfalls.load({move.source.sku_id for move in picks})

    def move(self, plain: PlainMove) -> None:
        """An event that only changes balances."""
        self._balances[plain.source] -= plain.quantity
        self._balances[plain.target] += plain.quantity

    def pick(self, picked: Picked) -> None:
        """Units left a shelf: a promise is kept, or somebody may lack them. Says what `_movement` says of it."""
        move = picked.move
        self.move(move)
        sku_id, units = move.source.sku_id, move.quantity
        covered = 0
        if move.fulfillment_order_id and units > 0 and move.target.disposition == Disposition.IN_PROGRESS:
            covered = units - self._work.picked(move.fulfillment_order_id, sku_id, units)
        taken = taken_by_move(move)
        self._shortfalls.took(sku_id, taken)
        if taken > covered and self._shortfalls.may_be(sku_id):
            self._look_for_shortfall(sku_id, taken - covered, picked.seq)

    def apply(self, arrived: Arrived) -> str:
        """Any other event; the reason why it has no effect, or empty."""
        effect = EFFECTS.get(arrived.fact)
        if effect is None:
            return f"the fact '{arrived.fact}' {journal.NOT_KNOWN}"
        try:
            return effect(self, arrived)
        except IntegrityBroken as error:
            return error.message

    def write(self) -> Values:
        """Write everything; the columns of the node's row that have changed."""
        self._write_stock_and_promises()
        stock.put_serials(self._tx, list(self._serials.values()))
        lot_rows.put(self._tx, list(self._lots.values()))
        self._transfers.write()
        self._proposals.write()
        self._floor.write()
        facts.close_discrepancies(self._tx, self.node_id, self._closed)
        facts.put_overrides(self._tx, list(self._overrides.values()))
        facts.put_vision_decisions(self._tx, self._verdicts)
        facts.put_tasks(self._tx, list(self._tasks.values()))
        facts.put_conflicts(self._tx, list(self._conflicts.values()))
        return {"diverged_seq": self._diverged_seq, **self._state}

    def _write_stock_and_promises(self) -> None:
        """What a question to the database about promises must see; it may be asked in the middle of a batch."""
        self._work.write()
        self._rights.write()
        stock.add(self._tx, self.node_id, self._balances)
        self._balances.clear()
        self._shortfalls.written()

    def _at(self, seq: int) -> Values:
        return {"node_id": self.node_id, "epoch": self.epoch, "seq": seq}

    def _note(self, action: str, detail: Values, subject: str = "") -> None:
        """A line of the audit trail, in the node's name, about it or something else."""
        self._tx.audit(
            at_ms=self._now_ms,
            actor=f"node:{self.node_id}",
            action=action,
            subject=subject or self.node_id,
            detail=detail,
        )

    def _movement(self, arrived: Arrived) -> str:
        movement = movement_from_wire(arrived.message.movement)
        check(movement)
        for account, quantity, _serials in movement.postings:
            self._balances[account] += quantity
        for sku_id, serial, account in places_of_serials(movement):
            row = {**self._at(arrived.seq), **account._asdict(), "serial": serial}
            self._serials[sku_id, serial] = row
        for seen in movement.lots:
            if seen.expiry:
                self._lots[seen.sku_id, seen.lot] = lots.row_of(self.node_id, seen, self._now_ms)
        self._transfers.moved(movement, self.epoch, arrived.seq)
        spent = spent_by(movement)
        self._rights.spent(spent)
        covered: dict[str, int] = defaultdict(int, spent)
        if movement.command == PICK and movement.reference.fulfillment_order_id:
            for account, quantity, _serials in movement.postings:
                if quantity > 0 and account.disposition == Disposition.IN_PROGRESS:
                    over = self._work.picked(
                        movement.reference.fulfillment_order_id, account.sku_id, quantity
                    )
                    covered[account.sku_id] += quantity - over
        for sku_id, taken in taken_by(movement).items():
            self._shortfalls.took(sku_id, taken)
            lost = taken - covered[sku_id]
            if lost > 0 and self._shortfalls.may_be(sku_id):
                reference = movement.reference
                own = reference.fulfillment_order_id if reference.reason == SHORT else ""
                self._look_for_shortfall(sku_id, lost, arrived.seq, short_for=own)
        return ""

    def _look_for_shortfall(self, sku_id: str, lost: int, seq: int, short_for: str = "") -> None:
        """Sellable units have gone that were promised to somebody, perhaps.

        `short_for`: the fulfillment order whose own short pick it is.
        """
        self._write_stock_and_promises()
        in_hand = self._work.order_of(short_for)
        rows, own_short = self._shortfalls.found(sku_id, lost, self._name_of(seq), in_hand)
        for conflict in rows:
            self._open_conflict(conflict, seq)
        for order_id, units in own_short.items():
            self._work.lost(order_id, sku_id, units)

    def _name_of(self, seq: int) -> str:
        """An event of this node, as conflicts name it."""
        return f"{self.node_id}/{self.epoch}/{seq}"

    def _fulfillment_advanced(self, arrived: Arrived) -> str:
        problem = self._work.advanced(arrived.message, self._name_of(arrived.seq))
        for conflict in self._work.found():
            self._open_conflict(conflict, arrived.seq)
        return problem

    def _stands_for_itself(self, arrived: Arrived) -> str:
        self._floor.note(self._at(arrived.seq), arrived)
        if arrived.fact == "transfer_advanced":
            self._transfers.advanced(arrived.message.transfer_advanced, self.epoch, arrived.seq)
        return ""

    def _line_substituted(self, arrived: Arrived) -> str:
        """The units that are sent instead leave their own shelf: the line's promise of its own SKU ends for them."""
        self._stands_for_itself(arrived)
        said = arrived.message.line_substituted
        units = self._floor.substituted(said.fulfillment_order_id, said.line)
        self._work.substituted(said.fulfillment_order_id, said.line, said.substitute_sku_id, units)
        return ""

    def _refund_due(self, arrived: Arrived) -> str:
        due = arrived.message.refund_due
        self._note("refund.due", {"return_id": due.return_id, "seq": arrived.seq}, due.order_id)
        return self._stands_for_itself(arrived)

    def _discrepancy_closed(self, arrived: Arrived) -> str:
        self._closed |= reported.closed_by(arrived.message, arrived.seq)
        return ""

    def _override_changed(self, arrived: Arrived) -> str:
        row = reported.override_row(self.node_id, arrived.message)
        self._overrides[row["override_id"]] = row
        if row["state"] == OverrideState.OPEN:
            self._open_conflict(reported.override_conflict(row), arrived.seq)
        else:
            # One that a person at the centre had set: the node's word on it ends it there too.
            overrides.end_open(
                self._tx,
                row["override_id"],
                state=row["state"],
                now_ms=self._now_ms,
                by=f"node:{self.node_id}",
            )
        return ""

    def _reservation_changed(self, arrived: Arrived) -> str:
        self._rights.promised(arrived.message.reservation_changed)
        said = arrived.message.reservation_changed
        self._shortfalls.promised_more(said.sku_id, said.quantity)
        return ""

    def _rights_taken(self, arrived: Arrived) -> str:
        self._rights.taken(arrived.message.rights_taken, arrived.seq)
        return ""

    def _rights_returned(self, arrived: Arrived) -> str:
        self._rights.returned(arrived.message.rights_returned, arrived.seq)
        return ""

    def _field_proposed(self, arrived: Arrived) -> str:
        self._proposals.proposed(arrived.message.field_proposed, self.epoch, arrived.seq)
        return ""

    def _transfer_settled(self, arrived: Arrived) -> str:
        self._transfers.settled(arrived.message.transfer_settled)
        return ""

    def _store_restored(self, arrived: Arrived) -> str:
        restored = arrived.message.store_restored
        seqs = {"backup_seq": restored.backup_seq, "replaced_seq": restored.replaced_seq}
        self._note("node.restored", {**seqs, "seq": arrived.seq})
        return ""

    def _epoch_begun(self, arrived: Arrived) -> str:
        begun = arrived.message.epoch_begun
        epochs.took_place(self._tx, self.node_id)
        self._note(
            "node.rejoined",
            {
                "epoch": begun.epoch,
                "reason": begun.reason,
                "basis_seq": begun.previous_seq,
                "fork_events": begun.fork_events,
                "seq": arrived.seq,
            },
        )
        return ""

    def _ledger_checkpoint(self, arrived: Arrived) -> str:
        """Hold our copy of the stock against the node's own sum of it, as of the checkpoint's basis."""
        stated = arrived.message.ledger_checkpoint
        place = (self.node_id, self.epoch, arrived.seq)
        ours = divergence.copy_at(self._tx, place, stated.basis_seq, self._balances)
        diverged_seq = 0 if physical_sha256(ours) == stated.physical_sha256 else stated.basis_seq
        if bool(diverged_seq) != bool(self._diverged_seq):
            self._tx.audit(
                at_ms=self._now_ms,
                actor="hub",
                action="node.diverged" if diverged_seq else "node.agrees_again",
                subject=self.node_id,
                detail={"basis_seq": stated.basis_seq, "seq": arrived.seq},
            )
        if diverged_seq:
            log.warning("node_diverged", node_id=self.node_id, basis_seq=diverged_seq)
        divergence.judge(self._tx, self._now_ms, self.node_id, stated.basis_seq, agrees=not diverged_seq)
        self._diverged_seq = diverged_seq
        return ""

    def _vision_decision(self, arrived: Arrived) -> str:
        order_id = self._work.order_of(arrived.message.vision_decision.fulfillment_order_id)
        at = self._at(arrived.seq)
        self._verdicts.append(reported.verdict_row(at, arrived.message, order_id, self._now_ms))
        return ""

    def _cancel_came_too_late(self, arrived: Arrived) -> str:
        late = arrived.message.cancel_came_too_late
        shipped = journal.event_at(self._tx, self.node_id, self.epoch, late.ship_seq)
        if shipped is None:
            return f"it names event {late.ship_seq} as the shipment, which we do not have"
        conflict = cancel_races_ship(
            node_id=self.node_id,
            order_id=late.order_id,
            cancel_event=f"hub/{late.down_epoch or self._down_epoch}/{late.cancel_seq}",
            ship_event=f"{self.node_id}/{shipped.epoch}/{late.ship_seq}",
            seen_seq_at_ship=decode(late.ship_seq, shipped.body).message.seen_seq,
            cancel_seq=late.cancel_seq,
        )
        self._open_conflict(conflict, arrived.seq)
        return ""

    def _conflict_found(self, arrived: Arrived) -> str:
        self._open_conflict(conflict_from_wire(arrived.message.conflict_found.conflict), arrived.seq)
        return ""

    def _open_conflict(self, conflict: Conflict, seq: int) -> None:
        """The same meeting of facts again, from wherever it is told, changes nothing."""
        if conflict.conflict_id in self._conflicts or facts.conflict(self._tx, conflict.conflict_id):
            return
        self._conflicts[conflict.conflict_id] = reported.conflict_row(conflict, self._now_ms)
        detail = {"conflict_id": conflict.conflict_id, "rule": conflict.rule, "seq": seq}
        self._note("conflict.opened", detail, conflict.order_id or conflict.sku_id)

    def _reported(self, arrived: Arrived) -> str:
        self._state |= reported.columns_of(arrived.message)
        return ""

    def _parked_event_applied(self, arrived: Arrived) -> str:
        applied = arrived.message.parked_event_applied
        self._note(
            "node.parked_event_applied",
            {"down_seq": applied.down_seq, "fact": applied.fact, "seq": arrived.seq},
        )
        return ""

    def _task_opened(self, arrived: Arrived) -> str:
        row = reported.task_row(self.node_id, arrived.message)
        self._tasks[row["task_id"]] = row
        divergence.opened(self._tx, self.node_id, arrived.message.task_opened)
        return ""

    def _task_closed(self, arrived: Arrived) -> str:
        """A count is done; for a difference of the books it states the node's book, which ours is set to."""
        done = arrived.message.task_closed
        held = defaultdict(int, stock.of_sku(self._tx, self.node_id, done.sku_id))
        for account, change in self._balances.items():
            if account.sku_id == done.sku_id:
                held[account] += change
        changes = divergence.repair(held, done)
        for account, change in changes.items():
            self._balances[account] += change
        if changes:
            self._note(
                "stock.repaired", {"sku_id": done.sku_id, "accounts": len(changes), "seq": arrived.seq}
            )
        divergence.closed(self._tx, self.node_id, done, arrived.seq)
        return ""


# The fact's name on the wire -> what it does here; the answer is why it could not, or empty.
EFFECTS: Mapping[str, Callable[[Effects, Arrived], str]] = {
    **dict.fromkeys(FLOOR, Effects._stands_for_itself),
    "movement": Effects._movement,
    "fulfillment_advanced": Effects._fulfillment_advanced,
    "discrepancy_closed": Effects._discrepancy_closed,
    "override_changed": Effects._override_changed,
    "reservation_changed": Effects._reservation_changed,
    "rights_taken": Effects._rights_taken,
    "rights_returned": Effects._rights_returned,
    "field_proposed": Effects._field_proposed,
    "transfer_settled": Effects._transfer_settled,
    "store_restored": Effects._store_restored,
    "epoch_begun": Effects._epoch_begun,
    "ledger_checkpoint": Effects._ledger_checkpoint,
    "vision_decision": Effects._vision_decision,
    "cancel_came_too_late": Effects._cancel_came_too_late,
    "conflict_found": Effects._conflict_found,
    "state_reported": Effects._reported,
    "routing_reported": Effects._reported,
    "task_opened": Effects._task_opened,
    "parked_event_applied": Effects._parked_event_applied,
    "task_closed": Effects._task_closed,
    "line_substituted": Effects._line_substituted,
    "refund_due": Effects._refund_due,
}

KNOWN_FACTS = frozenset(EFFECTS)
_NAMES_WORK = frozenset({"movement", "fulfillment_advanced", "vision_decision", "line_substituted"})
