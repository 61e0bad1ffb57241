"""What nodes sent that has no place in the books, for operators: refused, parked, told."""

from __future__ import annotations

from dataclasses import dataclass

from bodega.errors import NotFound
from bodega_controlplane.app.paging import limit_of
from bodega_controlplane.store import journal, nodes, refused, telemetry
from bodega_controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RefusedView:
    """Something that the hub could not take; `body` as it came the first time, times in milliseconds."""

    node_id: str
    subject: str
    reason: str
    times: int
    first_ms: int
    last_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class ParkedView:
    """An event of a journal without an effect."""

    node_id: str
    epoch: int
    seq: int
    fact: str
    reason: str


@dataclass(frozen=True, slots=True)
class ToldView:
    """A row of telemetry; the time is the node's own, in milliseconds."""

    at_ms: int
    kind: str
    subject: str
    detail: str


def list_refused(tx: Transaction, node_id: str, size: int) -> list[RefusedView]:
    """The newest first; of all nodes if `node_id` is empty, for which an unknown one has nothing."""
    return [
        RefusedView(
            row.node_id, row.subject, row.reason, row.times, row.at_ms, row.last_ms or row.at_ms, row.body
        )
        for row in refused.newest(tx, node_id, limit_of(size))
    ]


def list_parked(tx: Transaction, node_id: str, size: int) -> list[ParkedView]:
    """By node, epoch and sequence; of all nodes if `node_id` is empty. Raises NotFound."""
    if node_id:
        _check_known(tx, node_id)
    return [
        ParkedView(row.node_id, row.epoch, row.seq, row.fact, row.reason)
        for row in journal.parked_rows(tx, node_id, limit_of(size))
    ]


def list_telemetry(tx: Transaction, node_id: str, size: int) -> list[ToldView]:
    """The newest first. Raises NotFound."""
    _check_known(tx, node_id)
    return [
        ToldView(row.at_ms, row.kind, row.subject, row.detail)
        for row in telemetry.newest(tx, node_id, limit_of(size))
    ]


def _check_known(tx: Transaction, node_id: str) -> None:
    if nodes.by_id(tx, node_id) is None:
        raise NotFound(f"there is no node '{node_id}'", hint="list the nodes: bodegactl nodes ls")
