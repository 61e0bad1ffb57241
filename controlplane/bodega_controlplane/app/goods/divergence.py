"""When a node's book and our copy of it differ: open it, narrow it to SKUs, have them counted, close it.

found      a checkpoint of the node does not agree with our copy. The node is asked which SKUs, when it is there.
counting   the node was sent the places to count. Each count that it closes states its whole book of that SKU, and
           our copy is set to it: the node's word on what lies there is final, once a person has looked.
counted    no count is open. The node's next checkpoint closes the difference, or opens another.
closed
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bodega.codec import account_from_wire, movement_from_wire, parse_node_event
from bodega.core.ledger import Account
from bodega.limits import DIVERGENCE_PLACES_MAX, DIVERGENCE_SKUS_MAX
from bodega.v1 import journal_pb2
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.views import Caller, DivergenceView
from bodega_controlplane.store import divergence, journal, nodes, stock
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

FOUND, COUNTING, COUNTED, CLOSED = "found", "counting", "counted", divergence.CLOSED

Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Book:
    """Our copy of a node's stock at a position of its journal, with the chain hash there (None: not known)."""

    node_id: str
    basis_seq: int
    basis_hash: bytes | None
    physical: Mapping[Account, int]


def judge(tx: Transaction, now_ms: int, node_id: str, basis_seq: int, *, agrees: bool) -> None:
    """A checkpoint of the node at `basis_seq` was held against our copy."""
    known = divergence.open_of(tx, node_id)
    if agrees:
        if known is not None:
            divergence.change(tx, known.divergence_id, state=CLOSED, problem="")
        return
    if known is not None and known.state == FOUND:
        divergence.change(tx, known.divergence_id, basis_seq=basis_seq, problem="")
        return
    if known is not None and known.state == COUNTING:
        return
    if known is not None:
        divergence.change(tx, known.divergence_id, state=CLOSED, problem="the counts did not settle it")
    name = sha256(f"{node_id}\n{basis_seq}\n{now_ms}".encode()).hexdigest()[:12]
    row = {"divergence_id": f"DIV-{name}", "node_id": node_id, "basis_seq": basis_seq, "state": FOUND}
    divergence.put(tx, {**row, "found_at_ms": now_ms, "sku_ids": "[]", "problem": ""})


def book_at(tx: Transaction, row: Row) -> Book:
    """Our copy at the basis of a difference: what we hold now, less what moved since."""
    node = nodes.by_id(tx, row.node_id)
    assert node is not None, "a difference is of a node that is known"
    held = dict(stock.physical_at(tx, row.node_id))
    for body in journal.movements_between(
        tx, row.node_id, node.epoch, row.basis_seq, node.applied_seq + 1, applied_only=True
    ):
        for account, quantity, _serials in movement_from_wire(parse_node_event(body).movement).postings:
            held[account] = held.get(account, 0) - quantity
    basis_hash = journal.hash_at(tx, row.node_id, node.epoch, row.basis_seq)
    return Book(row.node_id, row.basis_seq, basis_hash, held)


def copy_at(
    tx: Transaction, place: tuple[str, int, int], basis_seq: int, pending: Mapping[Account, int]
) -> dict[Account, int]:
    """Our copy after `basis_seq`, as an event at `place` (node, epoch, sequence) finds it.

    It is what the database holds and `pending` adds to it, less what came between the two.
    """
    node_id, epoch, seq = place
    held = defaultdict(int, stock.physical_at(tx, node_id))
    for account, change in pending.items():
        held[account] += change
    for body in journal.movements_between(tx, node_id, epoch, basis_seq, seq):
        for account, quantity, _serials in movement_from_wire(parse_node_event(body).movement).postings:
            held[account] -= quantity
    return held


def want_counts(
    tx: Transaction, caller: Caller, row: Row, sku_ids: Sequence[str], places: Sequence[Place]
) -> bool:
    """Send the node the places (SKU, bin, lot) to count; False if somebody else has done it meanwhile.

    At most DIVERGENCE_SKUS_MAX SKUs and DIVERGENCE_PLACES_MAX places at once: the rest shows at the next checkpoint.
    """
    tx.lock_nodes([row.node_id])
    known = divergence.open_of(tx, row.node_id)
    if known is None or (known.divergence_id, known.state) != (row.divergence_id, FOUND):
        return False
    chosen = set(sku_ids[:DIVERGENCE_SKUS_MAX])
    wanted = sorted(place for place in places if place[0] in chosen)[:DIVERGENCE_PLACES_MAX]
    event = _count_wanted(row, len(sku_ids), wanted)
    outbox.post(tx, caller, row.node_id, [event], cmd_id=row.divergence_id)
    told = sorted({place[0] for place in wanted})
    divergence.change(tx, row.divergence_id, state=COUNTING, sku_ids=json.dumps(told), problem="")
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="node.count_wanted",
        subject=row.node_id,
        detail={"divergence_id": row.divergence_id, "skus": len(sku_ids), "places": len(wanted)},
    )
    return True


def _count_wanted(row: Row, skus: int, places: Sequence[Place]) -> journal_pb2.HubEvent:
    reason = f"{skus} SKUs differ between the node's book and the hub's copy at event {row.basis_seq}"
    return journal_pb2.HubEvent(
        count_wanted=journal_pb2.CountWanted(
            divergence_id=row.divergence_id,
            reason=reason,
            places=[journal_pb2.CountWanted.Place(sku_id=s, bin_id=b, lot=lot) for s, b, lot in places],
        )
    )


def said_again(tx: Transaction, node_id: str) -> Iterator[journal_pb2.HubEvent]:
    """What a node must hear where its stream begins anew: the counts that it was sent.

    Of the places that it was sent, those in its own book it knows itself; those in ours are said.
    """
    row = divergence.open_of(tx, node_id)
    if row is None or row.state != COUNTING:
        return
    sku_ids = set(json.loads(row.sku_ids))
    ours = {
        (account.sku_id, account.bin, account.lot)
        for account, quantity in stock.physical_at(tx, node_id).items()
        if quantity and account.sku_id in sku_ids
    }
    places = sorted(ours | {(sku_id, "", "") for sku_id in sku_ids})
    yield _count_wanted(row, len(sku_ids), places[:DIVERGENCE_PLACES_MAX])


def note_problem(tx: Transaction, row: Row, problem: str) -> None:
    """Why it does not go on, for people; forgotten with the next step."""
    if problem != row.problem:
        divergence.change(tx, row.divergence_id, problem=problem)


def nothing_differs(tx: Transaction, row: Row) -> None:
    """The books agree by now: the next checkpoint will say so."""
    divergence.change(tx, row.divergence_id, state=COUNTED, problem="")


def opened(tx: Transaction, node_id: str, task: journal_pb2.TaskOpened) -> None:
    """A node has opened a count for a difference."""
    if task.divergence_id:
        divergence.count_opened(tx, node_id, task.task_id, task.divergence_id)


def closed(tx: Transaction, node_id: str, task: journal_pb2.TaskClosed, seq: int) -> None:
    """A node has closed a count; with the last one of a difference, all is counted."""
    divergence.count_closed(tx, node_id, task.task_id, seq)
    if not task.divergence_id or divergence.counts_open(tx).get(task.divergence_id):
        return
    known = divergence.open_of(tx, node_id)
    if known is not None and (known.divergence_id, known.state) == (task.divergence_id, COUNTING):
        divergence.change(tx, known.divergence_id, state=COUNTED)


def repair(ours: Mapping[Account, int], task: journal_pb2.TaskClosed) -> dict[Account, int]:
    """What to add to our copy of one SKU (all of its accounts) so that it is what the node's book says."""
    if not task.divergence_id or task.book_left_out:
        return {}
    stated = {account_from_wire(row.account): row.quantity for row in task.book}
    return {
        account: stated.get(account, 0) - ours.get(account, 0)
        for account in stated.keys() | ours.keys()
        if stated.get(account, 0) != ours.get(account, 0)
    }


def views(tx: Transaction) -> dict[str, DivergenceView]:
    """Node -> the difference that is not settled."""
    counts = divergence.counts_open(tx)
    return {
        row.node_id: DivergenceView(
            divergence_id=row.divergence_id,
            basis_seq=row.basis_seq,
            state=row.state,
            found_at_ms=row.found_at_ms,
            sku_ids=tuple(json.loads(row.sku_ids)),
            counts_open=counts.get(row.divergence_id, 0),
            problem=row.problem,
        )
        for row in divergence.all_open(tx)
    }
