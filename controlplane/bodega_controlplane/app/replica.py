"""One node's events -> rows: gathers what a batch of events changes, and writes it in a few statements.

Every event goes into the journal as it came. One that this version cannot apply (a newer fact, a movement
that does not add up, work of another node) is parked beside it with the reason: it has no effect yet, and
the events after it go on. Row by row round trips would cap the rate of a whole fleet, so balances are
summed per account first and everything is written with executemany.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bodega.codec import (
    conflict_from_wire,
    fact_of,
    movement_from_wire,
    parse_node_event,
    without_zero_characters,
)
from bodega.core.checkpoints import physical_sha256
from bodega.core.conflicts.cancel_races_ship import cancel_races_ship
from bodega.core.conflicts.row import Conflict
from bodega.core.ledger import Account, Disposition, check, places_of_serials
from bodega.core.rights import spent_by
from bodega.core.sync import Head
from bodega.errors import IntegrityBroken, PeerFault
from bodega.host.log import get_logger
from bodega.v1 import journal_pb2
from bodega_controlplane.app import reported
from bodega_controlplane.app.fulfilling import OpenWork
from bodega_controlplane.app.rights_book import RightsBook
from bodega_controlplane.store import facts, journal, nodes, stock
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

Values = dict[str, Any]

# What the journal says of bytes that are no NodeEvent at all.
UNREADABLE_FACT = "unreadable"


class _Arrived(NamedTuple):
    """One event, decoded."""

    seq: int
    fact: str
    message: journal_pb2.NodeEvent


class Replica:
    """What the hub holds of one node, and what a batch of events makes of it."""

    def __init__(self, tx: Transaction, node: Row, now_ms: int) -> None:
        self.node_id: str = node.node_id
        self.head = Head(node.epoch, node.applied_seq, node.applied_hash)
        self._tx = tx
        self._now_ms = now_ms
        self._down_epoch: int = node.down_epoch
        self._diverged_seq: int = node.diverged_seq
        self._head_seq: int = node.head_seq
        self._work = OpenWork(tx, node.node_id, now_ms)
        self._rights = RightsBook(tx, node.node_id, now_ms)
        self._arrived: list[_Arrived] = []
        self._journal: list[Values] = []
        self._parked: list[Values] = []
        self._balances: dict[Account, int] = defaultdict(int)
        self._serials: dict[tuple[str, str], Values] = {}
        self._labels: dict[str, Values] = {}
        self._discrepancies: list[Values] = []
        self._closed: dict[tuple[int, int], int] = {}
        self._overrides: dict[str, Values] = {}
        self._verdicts: list[Values] = []
        self._tasks: dict[str, Values] = {}
        self._conflicts: dict[str, Values] = {}
        self._state: Values = {}

    def take(
        self, first_seq: int, events: Sequence[bytes], hashes: Sequence[bytes], *, problem: str = ""
    ) -> None:
        """Take judged events; nothing is written before `write`. With a `problem` they are parked, without effect."""
        epoch = self.head.epoch
        for seq, body, digest in zip(range(first_seq, first_seq + len(events)), events, hashes, strict=True):
            arrived = _decode(seq, body)
            if problem:
                self._parked.append({**self._at(seq), "reason": problem})
            else:
                self._arrived.append(arrived)
            self._journal.append(
                {
                    "node_id": self.node_id,
                    "epoch": epoch,
                    "seq": seq,
                    "cmd_id": arrived.message.cmd_id,
                    "fact": arrived.fact,
                    "at_ms": arrived.message.at_ms,
                    "committed_ms": self._now_ms,
                    "body": body,
                    "hash": digest,
                }
            )
        self.head = Head(epoch, first_seq + len(events) - 1, hashes[-1])

    def take_parked(self, epoch: int, events: Sequence[tuple[int, bytes]]) -> None:
        """Take events (sequence, bytes) that are in the journal and have had no effect yet; the head stays."""
        self.head = self.head._replace(epoch=epoch)
        self._arrived = [_decode(seq, body) for seq, body in events]

    @property
    def parked_events(self) -> int:
        """How many events of this batch had no effect, after `write`."""
        return len(self._parked)

    def write(self) -> None:
        """Write the journal, the effects and the new head."""
        if not (self._arrived or self._journal):
            return
        journal.append(self._tx, self._journal)
        self._work.load(self._works_named())
        for arrived in self._arrived:
            self._apply(arrived)
        self._work.write()
        self._rights.write()
        stock.add(self._tx, self.node_id, self._balances)
        stock.put_serials(self._tx, list(self._serials.values()))
        facts.put_labels(self._tx, list(self._labels.values()))
        facts.put_discrepancies(self._tx, self._discrepancies)
        facts.close_discrepancies(self._tx, self.node_id, self._closed)
        facts.put_overrides(self._tx, list(self._overrides.values()))
        facts.put_vision_decisions(self._tx, self._verdicts)
        facts.put_tasks(self._tx, list(self._tasks.values()))
        facts.put_conflicts(self._tx, list(self._conflicts.values()))
        journal.park(self._tx, self._parked)
        nodes.change(
            self._tx,
            self.node_id,
            applied_seq=self.head.seq,
            applied_hash=self.head.hash,
            head_seq=max(self.head.seq, self._head_seq),
            diverged_seq=self._diverged_seq,
            **self._state,
        )

    def _works_named(self) -> set[str]:
        """Fulfillment orders that the effects of this batch may touch."""
        named = {
            getattr(arrived.message, arrived.fact).fulfillment_order_id
            for arrived in self._arrived
            if arrived.fact in _NAMES_WORK
        }
        return named - {""}

    def _apply(self, arrived: _Arrived) -> None:
        effect = _EFFECTS.get(arrived.fact)
        problem = "" if effect else f"the fact '{arrived.fact}' {journal.NOT_KNOWN}"
        try:
            problem = effect(self, arrived) if effect else problem
        except IntegrityBroken as error:
            problem = error.message
        if problem:
            self._parked.append({**self._at(arrived.seq), "reason": problem})
            log.warning(
                "event_parked", node_id=self.node_id, seq=arrived.seq, fact=arrived.fact, reason=problem
            )

    def _at(self, seq: int) -> Values:
        return {"node_id": self.node_id, "epoch": self.head.epoch, "seq": seq}

    def _movement(self, arrived: _Arrived) -> str:
        movement = movement_from_wire(arrived.message.movement)
        check(movement)
        for account, quantity, _serials in movement.postings:
            self._balances[account] += quantity
        for sku_id, serial, account in places_of_serials(movement):
            row = {**self._at(arrived.seq), **account._asdict(), "serial": serial}
            self._serials[sku_id, serial] = row
        self._rights.spent(spent_by(movement))
        if movement.command == "pick" and movement.reference.fulfillment_order_id:
            for account, quantity, _serials in movement.postings:
                if quantity > 0 and account.disposition == Disposition.IN_PROGRESS:
                    self._work.picked(movement.reference.fulfillment_order_id, account.sku_id, quantity)
        return ""

    def _fulfillment_advanced(self, arrived: _Arrived) -> str:
        return self._work.advanced(arrived.message.fulfillment_advanced, arrived.seq)

    def _discrepancy_opened(self, arrived: _Arrived) -> str:
        self._discrepancies.append(reported.discrepancy_row(self._at(arrived.seq), arrived.message))
        return ""

    def _discrepancy_closed(self, arrived: _Arrived) -> str:
        self._closed |= reported.closed_by(arrived.message, arrived.seq)
        return ""

    def _override_changed(self, arrived: _Arrived) -> str:
        row = reported.override_row(self.node_id, arrived.message)
        self._overrides[row["override_id"]] = row
        return ""

    def _reservation_changed(self, arrived: _Arrived) -> str:
        self._rights.promised(arrived.message.reservation_changed)
        return ""

    def _rights_taken(self, arrived: _Arrived) -> str:
        self._rights.taken(arrived.message.rights_taken, arrived.seq)
        return ""

    def _rights_returned(self, arrived: _Arrived) -> str:
        self._rights.returned(arrived.message.rights_returned, arrived.seq)
        return ""

    def _store_restored(self, arrived: _Arrived) -> str:
        restored = arrived.message.store_restored
        self._tx.audit(
            at_ms=self._now_ms,
            actor=f"node:{self.node_id}",
            action="node.restored",
            subject=self.node_id,
            detail={
                "backup_seq": restored.backup_seq,
                "replaced_seq": restored.replaced_seq,
                "seq": arrived.seq,
            },
        )
        return ""

    def _ledger_checkpoint(self, arrived: _Arrived) -> str:
        """Hold our copy of the stock against the node's own sum of it, as of the checkpoint's basis."""
        stated = arrived.message.ledger_checkpoint
        ours = self._physical_at(stated.basis_seq, arrived.seq)
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
        self._diverged_seq = diverged_seq
        return ""

    def _physical_at(self, basis_seq: int, before: int) -> dict[Account, int]:
        """Our copy after `basis_seq`: what the database and this batch hold before `before`, less what came since."""
        held = defaultdict(int, stock.physical_at(self._tx, self.node_id))
        for account, change in self._balances.items():
            held[account] += change
        for body in journal.movements_between(self._tx, self.node_id, self.head.epoch, basis_seq, before):
            for account, quantity, _serials in movement_from_wire(parse_node_event(body).movement).postings:
                held[account] -= quantity
        return held

    def _label_advanced(self, arrived: _Arrived) -> str:
        row = reported.label_row(self.node_id, arrived.message)
        self._labels[row["print_job_id"]] = row
        return ""

    def _vision_decision(self, arrived: _Arrived) -> str:
        order_id = self._work.order_of(arrived.message.vision_decision.fulfillment_order_id)
        at = self._at(arrived.seq)
        self._verdicts.append(reported.verdict_row(at, arrived.message, order_id, self._now_ms))
        return ""

    def _cancel_came_too_late(self, arrived: _Arrived) -> str:
        late = arrived.message.cancel_came_too_late
        shipped = journal.body_at(self._tx, self.node_id, self.head.epoch, late.ship_seq)
        if shipped is None:
            return f"it names event {late.ship_seq} as the shipment, which we do not have"
        conflict = cancel_races_ship(
            node_id=self.node_id,
            order_id=late.order_id,
            cancel_event=f"hub/{self._down_epoch}/{late.cancel_seq}",
            ship_event=f"{self.node_id}/{self.head.epoch}/{late.ship_seq}",
            seen_seq_at_ship=_decode(late.ship_seq, shipped).message.seen_seq,
            cancel_seq=late.cancel_seq,
        )
        self._open_conflict(conflict, arrived.seq)
        return ""

    def _conflict_found(self, arrived: _Arrived) -> str:
        self._open_conflict(conflict_from_wire(arrived.message.conflict_found.conflict), arrived.seq)
        return ""

    def _open_conflict(self, conflict: Conflict, seq: int) -> None:
        self._conflicts[conflict.conflict_id] = reported.conflict_row(conflict, self._now_ms)
        self._tx.audit(
            at_ms=self._now_ms,
            actor=f"node:{self.node_id}",
            action="conflict.opened",
            subject=conflict.order_id or conflict.sku_id or self.node_id,
            detail={"conflict_id": conflict.conflict_id, "rule": conflict.rule, "seq": seq},
        )

    def _state_reported(self, arrived: _Arrived) -> str:
        self._state = reported.reported_state(arrived.message)
        return ""

    def _parked_event_applied(self, arrived: _Arrived) -> str:
        applied = arrived.message.parked_event_applied
        self._tx.audit(
            at_ms=self._now_ms,
            actor=f"node:{self.node_id}",
            action="node.parked_event_applied",
            subject=self.node_id,
            detail={"down_seq": applied.down_seq, "fact": applied.fact, "seq": arrived.seq},
        )
        return ""

    def _task_opened(self, arrived: _Arrived) -> str:
        row = reported.task_row(self.node_id, arrived.message)
        self._tasks[row["task_id"]] = row
        return ""


def _decode(seq: int, body: bytes) -> _Arrived:
    try:
        message = without_zero_characters(parse_node_event(body), body)
    except PeerFault:
        return _Arrived(seq, UNREADABLE_FACT, journal_pb2.NodeEvent())
    return _Arrived(seq, fact_of(message), message)


# The fact's name on the wire -> what it does here; the answer is why it could not, or empty.
_EFFECTS: Mapping[str, Callable[[Replica, _Arrived], str]] = {
    "movement": Replica._movement,
    "fulfillment_advanced": Replica._fulfillment_advanced,
    "discrepancy_opened": Replica._discrepancy_opened,
    "discrepancy_closed": Replica._discrepancy_closed,
    "override_changed": Replica._override_changed,
    "reservation_changed": Replica._reservation_changed,
    "rights_taken": Replica._rights_taken,
    "rights_returned": Replica._rights_returned,
    "store_restored": Replica._store_restored,
    "ledger_checkpoint": Replica._ledger_checkpoint,
    "label_advanced": Replica._label_advanced,
    "vision_decision": Replica._vision_decision,
    "cancel_came_too_late": Replica._cancel_came_too_late,
    "conflict_found": Replica._conflict_found,
    "state_reported": Replica._state_reported,
    "task_opened": Replica._task_opened,
    "parked_event_applied": Replica._parked_event_applied,
}

KNOWN_FACTS = frozenset(_EFFECTS)
_NAMES_WORK = frozenset({"movement", "fulfillment_advanced", "vision_decision"})
