"""The fork, event by event, onto the hub's line: `core.conflicts.restored_node` says what becomes of each.

Everything runs in the transaction that makes the new ledger file, so there is no state in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import apsw

from bodega.codec import fact_of, fulfillment_state_from_wire, movement_from_wire
from bodega.core.conflicts.restored_node import Fate, Reckoning, fate_of
from bodega.core.ledger import Account, Goods, Movement
from bodega.core.lifecycles import FULFILLMENT, OverrideState, PrintState, ReservationState
from bodega.core.rebase import book_again
from bodega.core.rights import spent_by
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.store import count_tasks, labels, ledger, rights, work
from bodega_agent.store.rebuild import events_after, places_of
from bodega_agent.store.standing import own_rights
from bodega_agent.store.transaction import Context, Transaction

PENDING = ReservationState.PENDING
_STAGE = "STAGE-"


class Rebase:
    """Takes the events of an old file after `ancestor_seq`.

    `done`: commands whose effects the hub has. `used_sscc`: the last SSCC that the hub has seen of this node, or
    empty; one that the fork has given out up to there is on two parcels. `reckoning` says what became of the events,
    `touched` which bins they moved goods at.
    """

    def __init__(
        self, tx: Transaction, old: apsw.Connection, old_epoch: int, done: frozenset[str], used_sscc: str
    ) -> None:
        self._tx = tx
        self._old = old
        self._old_epoch = old_epoch
        self._done = done
        self._used_sscc = used_sscc
        self._doubled: set[str] = set()
        self._jobs: dict[str, None] = {}
        self._stages: set[str] = set()
        self.reckoning = Reckoning()
        self.touched: set[str] = set()

    def run(self, ancestor_seq: int) -> None:
        """Judge every event, in order."""
        for seq, event in events_after(self._old, ancestor_seq):
            fact = fact_of(event)
            fate = fate_of(fact, event.cmd_id, self._done).fate
            if fate is Fate.DROP:
                self.reckoning.dropped += 1
                continue
            context = Context(
                event.cmd_id, event.actor, event.device, event.correlation_id, f"{self._old_epoch}/{seq}"
            )
            if _RECORD.get(fact, Rebase._as_it_is)(self, context, event):
                self.reckoning.kept += 1
            else:
                self.reckoning.dropped += 1
        self._take_over_commands(ancestor_seq)
        self._take_over_counts(ancestor_seq)

    def finish(self, context: Context) -> None:
        """What hangs in the air: labels in doubt, promises that no right stands behind any more, goods on the stages
        of orders that are over; and a count of every bin that was touched.
        """
        for print_job_id in self._jobs:
            self._put_job(context, print_job_id)
        for (sku_id,) in list(
            self._tx.execute("SELECT DISTINCT sku_id FROM reservation WHERE state = 'pending'")
        ):
            self._void_beyond_rights(context, sku_id)
        for place in sorted(self._stages):
            self._put_back(context, place)
        for bin_id in sorted(self.touched):
            count_tasks.open_task(self._tx, context, bin_id)
            self.reckoning.effects.append(f"counts:{bin_id}")

    def _movement(self, context: Context, event: journal_pb2.NodeEvent) -> bool:
        movement = movement_from_wire(event.movement)
        held = ledger.held_at(self._tx, _goods_in(movement), *_bins_in(movement))
        booking = book_again(movement, held)
        if booking is None:
            return False
        ledger.record_booking(self._tx, context, booking)
        self.touched |= places_of(
            {posting.account: posting.quantity for posting in booking.movement.postings}
        )
        self._stages |= {bin_id for bin_id in _bins_in(booking.movement) if bin_id.startswith(_STAGE)}
        for sku_id, units in spent_by(movement).items():
            rights.spend_at_most(self._tx, sku_id, units)
        self._count_picked(movement)
        return True

    def _count_picked(self, movement: Movement) -> None:
        order = work.find_or_none(self._tx, movement.reference.fulfillment_order_id)
        if movement.command != "pick" or order is None or order.state in FULFILLMENT.terminal:
            return
        picked: dict[str, int] = {}
        for account, quantity, _serials in movement.postings:
            if quantity > 0 and account.bin.startswith(_STAGE):
                picked[account.sku_id] = picked.get(account.sku_id, 0) + quantity
        work.pick_lines(self._tx, order, picked)

    def _put_back(self, context: Context, place: str) -> None:
        """They were picked for an order that had left on the hub's line, or is not the node's any more."""
        fulfillment_order_id = place.removeprefix(_STAGE)
        order = work.find_or_none(self._tx, fulfillment_order_id)
        if (order and order.state not in FULFILLMENT.terminal) or not work.staged_goods(self._tx, place):
            return
        task = journal_pb2.TaskOpened(
            task_id=f"put-back-{fulfillment_order_id}",
            kind="put_back",
            bin_id=place,
            fulfillment_order_id=fulfillment_order_id,
        )
        self._tx.append(context, task_opened=task)
        self.reckoning.effects.append(f"put_back:{fulfillment_order_id}")

    def _fulfillment_advanced(self, context: Context, event: journal_pb2.NodeEvent) -> bool:
        said = event.fulfillment_advanced
        state = fulfillment_state_from_wire(said.state)
        order = work.find_or_none(self._tx, said.fulfillment_order_id)
        steps = FULFILLMENT.steps.items() if order is not None else ()
        step = next(
            (by for (before, by), after in steps if order and (before, after) == (order.state, state)), None
        )
        if order is None or step is None or order.fencing_token != said.fencing_token:
            self.reckoning.unfit(said.fulfillment_order_id, str(state))
            return False
        for line in said.lines:
            self._tx.execute(
                "UPDATE fulfillment_line SET short = min(?, quantity - picked)"
                " WHERE fulfillment_order_id = ? AND line = ? AND short < ?",
                (line.short, said.fulfillment_order_id, line.line, line.short),
            )
        if said.sscc:
            self._tx.execute(
                "UPDATE fulfillment_order SET sscc = ? WHERE fulfillment_order_id = ?",
                (said.sscc, said.fulfillment_order_id),
            )
        work.advance(self._tx, context, said.fulfillment_order_id, step)
        self._tx.execute(
            "UPDATE fulfillment_order SET device = ? WHERE fulfillment_order_id = ? AND device = ''",
            (context.device, said.fulfillment_order_id),
        )
        return True

    def _reservation_changed(self, context: Context, event: journal_pb2.NodeEvent) -> bool:
        said = event.reservation_changed
        known = self._tx.one(
            "SELECT state, posted FROM reservation WHERE reservation_id = ?", (said.reservation_id,)
        )
        if known is None:
            return self._promise_again(context, said)
        if known[0] != PENDING:
            return False
        # Either line may have posted more of it.
        said.posted = max(said.posted, known[1])
        said.voided = (
            said.quantity - said.posted
            if said.state != PENDING
            else min(said.voided, said.quantity - said.posted)
        )
        self._keep_promise(said)
        self._tx.append(context, reservation_changed=said)
        return True

    def _promise_again(self, context: Context, said: stock_pb2.ReservationChanged) -> bool:
        """A promise that the hub never heard of: made from the rights that are left, or void."""
        if said.event != "reserve":
            return False
        free = own_rights(self._tx, said.sku_id).free
        if said.quantity > free:
            void = stock_pb2.ReservationChanged()
            void.CopyFrom(said)
            void.voided, void.state, void.event = said.quantity, ReservationState.VOIDED, "void"
            self._tx.append(context, reservation_changed=void)
            self._keep_promise(void)
            self.reckoning.voided(said.reservation_id, said.quantity)
            return True
        self._tx.append(context, reservation_changed=said)
        self._keep_promise(said)
        return True

    def _keep_promise(self, said: stock_pb2.ReservationChanged) -> None:
        ends = next(
            iter(
                self._old.execute(
                    "SELECT boot_id, expires_at_ms, expires_after_ms FROM reservation WHERE reservation_id = ?",
                    (said.reservation_id,),
                )
            )
        )
        self._tx.execute(
            "INSERT INTO reservation(reservation_id, sku_id, quantity, posted, voided, state, reference, boot_id,"
            " expires_at_ms, expires_after_ms, opened_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET posted = excluded.posted, voided = excluded.voided, state = excluded.state",
            (
                said.reservation_id,
                said.sku_id,
                said.quantity,
                said.posted,
                said.voided,
                said.state,
                said.reference,
                *ends,
                self._tx.head.seq,
            ),
        )

    def _void_beyond_rights(self, context: Context, sku_id: str) -> None:
        """Goods that left without a right have used up others': the newest promises give way."""
        for reservation_id, quantity, posted, voided, reference in list(
            self._tx.execute(_PENDING, (sku_id,))
        ):
            if own_rights(self._tx, sku_id).free >= 0:
                return
            left = quantity - posted - voided
            state = ReservationState.POSTED if posted else ReservationState.VOIDED
            said = stock_pb2.ReservationChanged(
                reservation_id=reservation_id,
                sku_id=sku_id,
                quantity=quantity,
                posted=posted,
                voided=voided + left,
                state=state,
                event="void",
                reference=reference,
            )
            self._tx.append(context, reservation_changed=said)
            self._tx.execute(
                "UPDATE reservation SET voided = voided + ?, state = ? WHERE reservation_id = ?",
                (left, state, reservation_id),
            )
            self.reckoning.voided(reservation_id, left)

    def _label_advanced(self, _context: Context, event: journal_pb2.NodeEvent) -> bool:
        """Only the last word on a job counts; it is said at the end, from the old file's own row."""
        said = event.label_advanced
        if said.event == "queued" and said.copy == 1 and said.sscc[:-1] <= self._used_sscc[:-1]:
            self.reckoning.doubled(said.sscc)
            self._doubled.add(said.sscc)
        if said.sscc in self._doubled:
            return False
        self._jobs[said.print_job_id] = None
        return True

    def _put_job(self, context: Context, print_job_id: str) -> None:
        row = next(iter(self._old.execute(_JOB, (print_job_id,))), None)
        if row is not None:
            job = labels.PrintJob(row[0], row[1], row[2], PrintState(row[3]), row[4], row[5], row[6], row[7])
            labels.put_back(self._tx, context, job)

    def _override_changed(self, context: Context, event: journal_pb2.NodeEvent) -> bool:
        said = event.override_changed
        self._tx.append(context, override_changed=said)
        row = next(iter(self._old.execute(_OVERRIDE, (said.override_id,))), None)
        if row is not None and said.state == OverrideState.OPEN:
            marks = ", ".join("?" * (len(row) + 1))
            sql = f"INSERT OR REPLACE INTO rule_override VALUES ({marks})"  # noqa: S608  # marks only
            self._tx.execute(sql, (*row, self._tx.head.seq))
        else:
            sql = "UPDATE rule_override SET state = ? WHERE override_id = ?"
            self._tx.execute(sql, (said.state, said.override_id))
        return True

    def _task_opened(self, context: Context, event: journal_pb2.NodeEvent) -> bool:
        task = event.task_opened
        if task.kind != count_tasks.COUNT:
            return self._as_it_is(context, event)
        count_tasks.open_task(self._tx, context, task.bin_id, task.sku_id, task.lot, task.divergence_id)
        return True

    def _as_it_is(self, context: Context, event: journal_pb2.NodeEvent) -> bool:
        fact = fact_of(event)
        self._tx.append(context, **{fact: getattr(event, fact)})
        return True

    def _conflict_found(self, context: Context, event: journal_pb2.NodeEvent) -> bool:
        found = event.conflict_found.conflict
        seq = self._tx.append(context, conflict_found=event.conflict_found)
        self._tx.execute(
            "INSERT OR IGNORE INTO conflict(conflict_id, seq, body) VALUES (?, ?, ?)",
            (found.conflict_id, seq, found.SerializeToString()),
        )
        return True

    def _take_over_counts(self, ancestor_seq: int) -> None:
        """What was to be counted before the lines parted is to be counted still."""
        for row in self._old.execute(_COUNTS, (ancestor_seq,)):
            count_tasks.open_task(self._tx, Context("rejoin-counts"), *row)

    def _take_over_commands(self, ancestor_seq: int) -> None:
        """The same cmd_id gives the same stored result, on this line too."""
        rows = self._old.execute("SELECT cmd_id, digest, result, seq FROM command")
        self._tx.executemany(
            "INSERT OR REPLACE INTO command(cmd_id, digest, result, seq) VALUES (?, ?, ?, ?)",
            (
                (*row[:3], self._tx.head.seq if row[3] > ancestor_seq else min(row[3], ancestor_seq))
                for row in rows
            ),
        )


_COUNTS = (
    "SELECT bin, sku_id, lot, divergence_id FROM count_task WHERE closed_seq = 0 AND seq <= ? ORDER BY seq"
)
_PENDING = (
    "SELECT reservation_id, quantity, posted, voided, reference FROM reservation"
    " WHERE sku_id = ? AND state = 'pending' ORDER BY opened_seq DESC, reservation_id DESC"
)
_JOB = (
    "SELECT print_job_id, sscc, fulfillment_order_id, state, copy, detail, document, updated_at_ms FROM print_job"
    " WHERE print_job_id = ?"
)
_OVERRIDE = (
    "SELECT override_id, rule, sku_id, lot, quantity, reason, actor, state, boot_id, expires_at_ms,"
    " expires_after_ms FROM rule_override WHERE override_id = ?"
)

# How an event that is kept, or checked again, comes to the new line if not as it is; the answer is whether it did.
_RECORD: Mapping[str, Callable[[Rebase, Context, Any], bool]] = {
    "movement": Rebase._movement,
    "fulfillment_advanced": Rebase._fulfillment_advanced,
    "reservation_changed": Rebase._reservation_changed,
    "label_advanced": Rebase._label_advanced,
    "task_opened": Rebase._task_opened,
    "override_changed": Rebase._override_changed,
    "conflict_found": Rebase._conflict_found,
}


def _goods_in(movement: Movement) -> list[Goods]:
    return [
        Goods(account.sku_id, abs(quantity), account.lot, account.owner, serials)
        for account, quantity, serials in movement.postings
    ]


def _bins_in(movement: Movement) -> list[str]:
    return sorted({account.bin for account in map(_account_of, movement.postings) if account.bin})


def _account_of(posting: tuple[Account, int, tuple[str, ...]]) -> Account:
    return posting[0]
