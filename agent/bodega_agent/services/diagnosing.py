"""What the hub may ask this node: how it is, and what its book adds up to at a checkpoint. Reads only.

Imported when the hub first calls: it brings gRPC with it.
"""
# ruff: noqa: N802, ARG002 - names and parameters of the methods are given by the generated code

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from bodega.broker.rpc_server import RpcServer
from bodega.codec import UNKNOWN_FACT, fact_of, parse_hub_event
from bodega.core.digests import bucket_digests, in_buckets, sku_digests
from bodega.core.ledger import Account
from bodega.errors import NotFound, PeerFault
from bodega.host.log import recent_lines
from bodega.limits import (
    DIAGNOSIS_LOG_LINES_MAX,
    DIAGNOSIS_PARKED_EVENTS_MAX,
    DIGEST_SKUS_PER_PAGE_MAX,
)
from bodega.v1 import diagnosis_pb2 as pb
from bodega.v1 import diagnosis_pb2_grpc as services
from bodega_agent.services.health import HealthService
from bodega_agent.store import checkpoints
from bodega_agent.store.integrity import Fold
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store

A = TypeVar("A")


class Diagnosis(services.DiagnosisServiceServicer):
    """`refused`: how many envelopes of the hub contradicted what we hold, since the start."""

    def __init__(self, store: Store, health: HealthService, refused: Callable[[], int]) -> None:
        self._store = store
        self._health = health
        self._refused = refused

    async def Diagnose(self, request: pb.DiagnoseRequest, context: Any) -> pb.DiagnoseResponse:
        """The same facts as `bodega status` and `bodega sync status`, and the newest lines of the log."""
        parked, basis_seqs = await self._store.read(lambda reader: (_parked(reader), _basis_seqs(reader)))
        return pb.DiagnoseResponse(
            status=_json(await self._health.status()),
            sync=_json(self._health.sync_status()),
            parked=parked,
            refused_envelopes=self._refused(),
            log_lines=recent_lines(min(request.log_lines, DIAGNOSIS_LOG_LINES_MAX)),
            basis_seqs=basis_seqs,
        )

    async def GetBucketDigests(
        self, request: pb.GetBucketDigestsRequest, context: Any
    ) -> pb.GetBucketDigestsResponse:
        """NOT_FOUND when the node has let this checkpoint go."""

        def answer(fold: Fold) -> pb.GetBucketDigestsResponse:
            return pb.GetBucketDigestsResponse(
                basis_hash=fold.hash, buckets=bucket_digests(sku_digests(fold.balances))
            )

        return await self._at(request.basis_seq, answer)

    async def GetSkuDigests(self, request: pb.GetSkuDigestsRequest, context: Any) -> pb.GetSkuDigestsResponse:
        """Pages of DIGEST_SKUS_PER_PAGE_MAX SKUs."""

        def answer(fold: Fold) -> pb.GetSkuDigestsResponse:
            found = in_buckets(sku_digests(fold.balances), request.buckets)
            wanted = [sku_id for sku_id in found if sku_id > request.after_sku_id]
            page = wanted[:DIGEST_SKUS_PER_PAGE_MAX]
            places = _places(fold.balances, page)
            return pb.GetSkuDigestsResponse(
                skus=[pb.SkuDigest(sku_id=one, sha256=found[one], places=places[one]) for one in page],
                more=len(wanted) > len(page),
            )

        return await self._at(request.basis_seq, answer)

    async def _at(self, basis_seq: int, answer: Callable[[Fold], A]) -> A:
        def read(reader: Reader) -> A | None:
            fold = checkpoints.trusted_at(reader.connection, basis_seq)
            return answer(fold) if fold is not None else None

        found = await self._store.read_aside(read)
        if found is None:
            raise NotFound(
                f"the node keeps no checkpoint at event {basis_seq} any more", hint="take a newer checkpoint"
            )
        return found


def server(servicer: Diagnosis) -> RpcServer:
    """A server of all that the hub may call."""
    made = RpcServer()
    services.add_DiagnosisServiceServicer_to_server(servicer, cast("Any", made))
    return made


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, default=str)


def _parked(reader: Reader) -> list[pb.ParkedHubEvent]:
    rows = reader.rows("SELECT seq, body FROM parked ORDER BY seq DESC LIMIT ?", DIAGNOSIS_PARKED_EVENTS_MAX)
    return [pb.ParkedHubEvent(seq=row["seq"], fact=_fact(row["body"])) for row in rows]


def _fact(body: bytes) -> str:
    try:
        return fact_of(parse_hub_event(body))
    except PeerFault:
        return UNKNOWN_FACT


def _basis_seqs(reader: Reader) -> list[int]:
    return [row["basis_seq"] for row in reader.rows("SELECT basis_seq FROM checkpoint ORDER BY basis_seq")]


def _places(balances: Mapping[Account, int], skus: list[str]) -> dict[str, list[pb.BinOfSku]]:
    found: dict[str, set[tuple[str, str]]] = {sku_id: set() for sku_id in skus}
    for account, quantity in balances.items():
        if quantity and account.is_physical and account.sku_id in found:
            found[account.sku_id].add((account.bin, account.lot))
    return {
        sku_id: [pb.BinOfSku(bin_id=bin_id, lot=lot) for bin_id, lot in sorted(places)]
        for sku_id, places in found.items()
    }
