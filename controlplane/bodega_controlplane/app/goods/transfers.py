"""Transfers between nodes: summed as journals arrive, closed when they add up, settled when they never will."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bodega.core.conflicts.row import Conflict
from bodega.core.conflicts.transfer_differs import transfer_differs
from bodega.core.ledger import Movement
from bodega.core.transfers import (
    TRANSFER,
    Amounts,
    Kind,
    Said,
    Side,
    TransferEvent,
    TransferState,
    adds_up,
    in_transit,
    is_over,
    said_by,
    settling_node,
)
from bodega.errors import NotFound, Refused
from bodega.limits import COMMAND_SERIALS_MAX
from bodega.v1 import floor_pb2, journal_pb2, stock_pb2
from bodega_controlplane.app.applying import reported
from bodega_controlplane.app.checks import Faults
from bodega_controlplane.app.fleet import outbox
from bodega_controlplane.app.ids import new_id
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.app.views import Caller
from bodega_controlplane.store import facts, transfers
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

BOTH_FINAL = "both final"

# States of a node's end, as in TransferAdvanced, after which it has nothing more to add.
_FINAL_STATES = frozenset({"shipped", "received"})


class TransferBook:
    """What a batch of one node's events says of transfers."""

    def __init__(self, tx: Transaction, node_id: str, now_ms: int) -> None:
        self._tx = tx
        self._node_id = node_id
        self._caller = Caller("hub", "hub", now_ms)
        self._said: dict[tuple[str, Kind], Amounts] = {}
        self._sides: dict[str, dict[str, Any]] = {}
        self._settled: set[str] = set()

    def moved(self, movement: Movement, epoch: int, seq: int) -> None:
        """A movement; most are about no transfer."""
        if not movement.reference.transfer_id:
            return
        for key, more in said_by(movement).items():
            self._said[key] = self._said.get(key, Amounts()).plus(more)
            self._put_side(key[0], epoch, seq, final=movement.reference.final)

    def advanced(self, said: floor_pb2.TransferAdvanced, epoch: int, seq: int) -> None:
        """The floor of a node is done with its end: nothing follows, though no goods say so."""
        if said.state in _FINAL_STATES:
            self._put_side(said.transfer_id, epoch, seq, final=True)

    def _put_side(self, transfer_id: str, epoch: int, seq: int, *, final: bool) -> None:
        self._sides[transfer_id] = {
            "transfer_id": transfer_id,
            "node_id": self._node_id,
            "final": final,
            "epoch": epoch,
            "last_seq": seq,
        }

    def settled(self, said: stock_pb2.TransferSettled) -> None:
        """The node has done what it was told."""
        self._settled.add(said.transfer_id)

    def write(self) -> None:
        """Save what has changed, and take each transfer as far as it goes."""
        touched = sorted(self._sides.keys() | self._settled)
        if not touched:
            return
        transfers.hold(self._tx, touched, TRANSFER.start, self._caller.now_ms)
        transfers.add(self._tx, self._node_id, self._said)
        transfers.put_sides(self._tx, list(self._sides.values()))
        said, sides = transfers.said_of(self._tx, touched), transfers.sides_of(self._tx, touched)
        for transfer_id in touched:
            row = transfers.of(self._tx, transfer_id)
            assert row is not None, "it is held"
            self._advance(row, said.get(transfer_id, {}), sides.get(transfer_id, []))

    def _advance(self, row: Row, said: Said, sides: list[Side]) -> None:
        state = TransferState(row.state)
        if row.transfer_id in self._settled and state is TransferState.CLOSING:
            state = TRANSFER.step(state, TransferEvent.SETTLED)
        elif state is TransferState.CLOSED and not adds_up(said):
            state = TRANSFER.step(state, TransferEvent.DIFFERS)
        if state is TransferState.OPEN and adds_up(said):
            state = TRANSFER.step(state, TransferEvent.ADDS_UP)
        if state is TransferState.OPEN and is_over(said, sides):
            _tell(self._tx, self._caller, row, said, sides, BOTH_FINAL)
        elif state != row.state:
            transfers.change(self._tx, row.transfer_id, state=state)


def _tell(tx: Transaction, caller: Caller, row: Row, said: Said, sides: list[Side], why: str) -> Conflict:
    """Tell the receiving node that nothing more comes; its answer settles the difference."""
    conflict = transfer_differs(row.transfer_id, said, sides, why)
    node_id = settling_node(said)
    event = _closing(tx, row.transfer_id, said, node_id, why)
    outbox.post(
        tx, caller, node_id, [event], cmd_id=new_id("T", caller.now_ms), correlation_id=row.transfer_id
    )
    facts.put_conflicts(tx, [reported.conflict_row(conflict, caller.now_ms)])
    transfers.change(
        tx,
        row.transfer_id,
        state=TransferState.CLOSING,
        told_node=node_id,
        told_why=why,
        conflict_id=conflict.conflict_id,
        changed_at_ms=caller.now_ms,
    )
    tx.audit(
        at_ms=caller.now_ms,
        actor=caller.actor,
        action="transfer.told_to_settle",
        subject=row.transfer_id,
        detail={"node_id": node_id, "conflict_id": conflict.conflict_id, "why": why},
    )
    return conflict


def _closing(tx: Transaction, transfer_id: str, said: Said, node_id: str, why: str) -> journal_pb2.HubEvent:
    others = in_transit(said, but=node_id)
    lines = [
        stock_pb2.TransferLine(
            **kind._asdict(),
            in_transit=others.get(kind, 0),
            serials=transfers.serials_under_way(tx, transfer_id, kind, COMMAND_SERIALS_MAX),
        )
        for kind in sorted(in_transit(said))
    ]
    closed = stock_pb2.TransferClosed(transfer_id=transfer_id, lines=lines, reason=why)
    return journal_pb2.HubEvent(transfer_closed=closed)


def said_again(tx: Transaction, node_id: str) -> Iterator[journal_pb2.HubEvent]:
    """What a node must hear where its stream begins anew: transfers that it was told to settle, and has not."""
    for row in transfers.told_to(tx, node_id, TransferState.CLOSING):
        said = transfers.said_of(tx, [row.transfer_id]).get(row.transfer_id, {})
        yield _closing(tx, row.transfer_id, said, node_id, row.told_why)


@dataclass(frozen=True, slots=True)
class TransferView:
    """A transfer; `in_transit` sums all kinds of goods, `goods` are by (node, kind)."""

    transfer_id: str
    state: str
    opened_at_ms: int
    changed_at_ms: int
    in_transit: int
    sides: tuple[Side, ...]
    goods: tuple[tuple[str, Kind, Amounts], ...] = ()


def list_transfers(tx: Transaction, *, size: int = 0, open_only: bool = False) -> tuple[TransferView, ...]:
    """Newest first, without their goods."""
    states = set(TransferState) - ({TransferState.CLOSED} if open_only else set())
    return _views(tx, transfers.page(tx, limit_of(size), states=states), goods=False)


def get_transfer(tx: Transaction, transfer_id: str) -> TransferView:
    """One transfer with what each node says. Raises NotFound."""
    return _views(tx, [_known(tx, transfer_id)], goods=True)[0]


def close_transfer(
    tx: Transaction, caller: Caller, transfer_id: str, reason: str
) -> tuple[TransferView, str]:
    """A person says that nothing more comes; the transfer after it, and the conflict that tells what is missing.

    Raises InvalidInput, NotFound, and Refused with code "nothing-missing" where everything adds up.
    """
    faults = Faults()
    faults.identifier("transfer_id", transfer_id)
    faults.text("reason", reason)
    faults.raise_if_any("the request")
    _known(tx, transfer_id)
    transfers.hold(tx, [transfer_id], TRANSFER.start, caller.now_ms)
    row = _known(tx, transfer_id)
    said = transfers.said_of(tx, [transfer_id]).get(transfer_id, {})
    if adds_up(said):
        raise Refused(
            f"transfer {transfer_id} adds up: nothing is under way",
            code="nothing-missing",
            hint=f"see what each node says: bodegactl transfers show {transfer_id}",
        )
    TRANSFER.step(TransferState(row.state), TransferEvent.TELL)
    sides = transfers.sides_of(tx, [transfer_id])[transfer_id]
    conflict = _tell(tx, caller, row, said, sides, reason)
    return get_transfer(tx, transfer_id), conflict.conflict_id


def _known(tx: Transaction, transfer_id: str) -> Row:
    row = transfers.of(tx, transfer_id)
    if row is None:
        raise NotFound(
            f"there is no transfer '{transfer_id}'", hint="list the transfers: bodegactl transfers ls"
        )
    return row


def _views(tx: Transaction, rows: Iterable[Row], *, goods: bool) -> tuple[TransferView, ...]:
    kept = list(rows)
    ids = {row.transfer_id for row in kept}
    said, sides = transfers.said_of(tx, ids), transfers.sides_of(tx, ids)
    return tuple(
        TransferView(
            row.transfer_id,
            row.state,
            row.opened_at_ms,
            row.changed_at_ms,
            sum(in_transit(said.get(row.transfer_id, {})).values()),
            tuple(sides.get(row.transfer_id, ())),
            tuple(
                (node_id, kind, amounts) for (node_id, kind), amounts in said.get(row.transfer_id, {}).items()
            )
            if goods
            else (),
        )
        for row in kept
    )
