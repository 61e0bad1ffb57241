"""Asks nodes whose book differs from our copy which SKUs it is, and sends them what to count.

By a sweep: a node that is out of touch is asked when it is back, by whichever instance of the hub looks first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bodega.broker.rpc_asking import ask
from bodega.core.digests import (
    BUCKETS,
    bucket_digests,
    differing_buckets,
    differing_skus,
    in_buckets,
    sku_digests,
)
from bodega.core.ledger import Account
from bodega.errors import BodegaError, PeerFault
from bodega.host.log import get_logger
from bodega.limits import DIVERGENCE_SKUS_MAX, DIVERGENCE_SWEEP_S, HEARTBEAT_S, RPC_DEFAULT_S
from bodega.v1 import diagnosis_pb2 as pb
from bodega.v1.diagnosis_pb2_grpc import DiagnosisServiceStub
from bodega_controlplane.app.goods import divergence
from bodega_controlplane.app.goods.divergence import Book, Place
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.services.attempts import attempt
from bodega_controlplane.store import divergence as rows
from bodega_controlplane.store import nodes
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction

log = get_logger(__name__)

_SILENT_AFTER_MS = 3 * HEARTBEAT_S * 1000


@dataclass(frozen=True, slots=True)
class Theirs:
    """What a node says of the SKUs in some buckets: digest, and (bin, lot) of each."""

    digests: Mapping[str, bytes]
    places: Mapping[str, list[tuple[str, str]]]


class Reconciler:
    """`channel`: from a node's id to a channel for stubs of what it serves (`NatsFleet.channel`)."""

    def __init__(self, hub: Hub, channel: Callable[[str], Any]) -> None:
        self._hub = hub
        self._channel = channel

    async def run(self) -> None:
        """For ever."""
        while True:
            with attempt("divergences_not_read"):
                await self.sweep()
            await asyncio.sleep(DIVERGENCE_SWEEP_S)

    async def sweep(self) -> None:
        """Ask every node that is there about its difference; one that fails does not stop the others."""
        for row in await self._hub.read(self._to_ask):
            try:
                await self._narrow(row)
            except BodegaError as error:
                log.info("divergence_not_narrowed", node_id=row.node_id, reason=error.message)
                await self._hub.run(partial(divergence.note_problem, row=row, problem=error.message))

    def _to_ask(self, tx: Transaction) -> list[Row]:
        """Differences that nobody has narrowed yet, of nodes that were heard of lately."""
        heard_ms = self._hub.now_ms() - _SILENT_AFTER_MS
        there = {node.node_id for node in nodes.all_of(tx) if node.last_contact_ms >= heard_ms}
        return [row for row in rows.all_open(tx) if row.state == divergence.FOUND and row.node_id in there]

    async def _narrow(self, row: Row) -> None:
        book = await self._hub.read(lambda tx: divergence.book_at(tx, row))
        ours = await asyncio.to_thread(sku_digests, book.physical)
        stub = DiagnosisServiceStub(self._channel(row.node_id))
        buckets = differing_buckets(bucket_digests(ours), await _buckets(stub, book))
        if not buckets:
            await self._hub.run(lambda tx: divergence.nothing_differs(tx, row))
            return
        theirs = await _skus(stub, book.basis_seq, buckets)
        differing = differing_skus(in_buckets(ours, buckets), theirs.digests)
        places = _places(book.physical, theirs, set(differing[:DIVERGENCE_SKUS_MAX]))
        caller = self._hub.caller("hub", "reconcile")
        log.warning("divergence_narrowed", node_id=row.node_id, basis_seq=row.basis_seq, skus=len(differing))
        await self._hub.run(lambda tx: divergence.want_counts(tx, caller, row, differing, places))


async def _buckets(stub: DiagnosisServiceStub, book: Book) -> list[bytes]:
    request = pb.GetBucketDigestsRequest(basis_seq=book.basis_seq)
    answer: pb.GetBucketDigestsResponse = await ask(stub.GetBucketDigests, request, timeout_s=RPC_DEFAULT_S)
    if len(answer.buckets) != BUCKETS:
        raise PeerFault(f"the node answered with {len(answer.buckets)} buckets instead of {BUCKETS}")
    if book.basis_hash is not None and answer.basis_hash != book.basis_hash:
        raise PeerFault(f"the node's journal is another one than ours at event {book.basis_seq}")
    return list(answer.buckets)


async def _skus(stub: DiagnosisServiceStub, basis_seq: int, buckets: list[int]) -> Theirs:
    digests: dict[str, bytes] = {}
    places: dict[str, list[tuple[str, str]]] = {}
    after, more = "", True
    while more:
        request = pb.GetSkuDigestsRequest(basis_seq=basis_seq, buckets=buckets, after_sku_id=after)
        answer: pb.GetSkuDigestsResponse = await ask(stub.GetSkuDigests, request, timeout_s=RPC_DEFAULT_S)
        for one in answer.skus:
            digests[one.sku_id] = one.sha256
            places[one.sku_id] = [(place.bin_id, place.lot) for place in one.places]
        last = answer.skus[-1].sku_id if answer.skus else after
        if answer.more and last <= after:
            raise PeerFault("the node's pages of digests do not go on")
        after, more = last, answer.more
    return Theirs(digests, places)


def _places(ours: Mapping[Account, int], theirs: Theirs, skus: set[str]) -> list[Place]:
    """Where either book has these SKUs; one that differs lies somewhere in one of the two."""
    found = {
        (account.sku_id, account.bin, account.lot)
        for account, quantity in ours.items()
        if quantity and account.is_physical and account.sku_id in skus
    }
    found |= {(sku_id, *place) for sku_id in skus for place in theirs.places.get(sku_id, [])}
    return sorted(found)
