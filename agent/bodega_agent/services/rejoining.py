"""A node that has lost its place asks the hub for a new epoch, fetches what it begins from, and starts anew.

It runs beside all other work: people go on scanning into the old line until the agent starts again on the new one
(`store.rejoin`). What the hub refuses is told and asked again: a person may have approved it meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bodega.core.chain import GENESIS
from bodega.core.sync import Head
from bodega.errors import BodegaError, PeerFault
from bodega.host.log import get_logger
from bodega.limits import ANCESTOR_PROOFS_MAX, HEARTBEAT_JITTER_RATIO, REJOIN_RETRY_S
from bodega.v1 import nodesync_pb2 as pb
from bodega_agent.services.ports import NodeSyncClient
from bodega_agent.store import forks, rejoin
from bodega_agent.store.archive import FOLDER
from bodega_agent.store.store import Store

log = get_logger(__name__)


class RejoinService:
    """`place_lost` returns once only a new epoch can help. `restored`: the store came from a backup.

    `on_ready`: the next start begins the new epoch; it is called once. `draw`: random numbers in [0, 1).
    """

    def __init__(
        self,
        *,
        node_id: str,
        boot_nonce: str,
        store: Store,
        hub: NodeSyncClient,
        restored: bool,
        place_lost: Callable[[], Awaitable[None]],
        on_ready: Callable[[], None],
        draw: Callable[[], float],
    ) -> None:
        self._node_id = node_id
        self._boot_nonce = boot_nonce
        self._store = store
        self._hub = hub
        self._restored = restored
        self._place_lost = place_lost
        self._on_ready = on_ready
        self._draw = draw
        self.refusal = ""
        self.exported = ""

    async def run(self) -> None:
        """Wait for the need, then try until it is granted."""
        if self._store.path.with_name(rejoin.PLAN).exists():
            # This start could not follow the plan that is there; the next one may.
            await asyncio.sleep(REJOIN_RETRY_S)
            self._on_ready()
            return
        while True:
            await self._place_lost()
            try:
                await self._export_fork()
                plan = await self.ask()
                await asyncio.to_thread(rejoin.keep, self._store.path, plan)
            except BodegaError as error:
                self._note(error)
            else:
                log.warning("new_epoch_granted", epoch=plan.begun.epoch, basis_seq=plan.begun.basis.seq)
                self._on_ready()
                return
            jitter = 1 + HEARTBEAT_JITTER_RATIO * (2 * self._draw() - 1)
            await asyncio.sleep(REJOIN_RETRY_S * jitter)

    def _note(self, error: BodegaError) -> None:
        said = f"{error.message}: {error.hint}" if error.hint else error.message
        if said != self.refusal:
            log.warning("new_epoch_refused", code=error.code, reason=error.message, hint=error.hint)
        self.refusal = said

    async def _export_fork(self) -> None:
        """What the hub does not have, in a file that a person can hand in, before anything else is tried."""
        if self.exported:
            return
        folder = self._store.path.parent / FOLDER
        acked = await self._store.acked()
        path = await self._store.read_aside(
            lambda reader: forks.export_tail(reader, folder, node_id=self._node_id, after=acked)
        )
        if path is not None:
            self.exported = path.name
            log.warning("fork_exported", file=f"{FOLDER}/{path.name}", from_seq=acked.seq + 1)

    async def ask(self) -> rejoin.Plan:
        """Ask for the epoch and fetch its snapshot. Raises Refused, Unavailable, PeerFault."""
        head = await self._store.head()
        hub, ancestor = await self._find_ancestor(head)
        begun = await self._hub.begin_epoch(
            pb.BeginEpochRequest(
                boot_nonce=self._boot_nonce,
                epoch=head.epoch,
                head=pb.Position(seq=head.seq, hash=head.hash),
                ancestor=ancestor,
                reason=self._reason(hub, ancestor),
            )
        )
        return rejoin.Plan(
            node_id=self._node_id,
            begun=begun,
            reason=self._reason(hub, ancestor),
            ancestor=ancestor,
            snapshot=await self._fetch(begun),
        )

    def _reason(self, hub: pb.Position, ancestor: pb.Position) -> pb.EpochReason.ValueType:
        if self._restored:
            return pb.EPOCH_REASON_RESTORED
        return pb.EPOCH_REASON_WIPED if hub.seq and not ancestor.seq else pb.EPOCH_REASON_FORKED

    async def _find_ancestor(self, head: Head) -> tuple[pb.Position, pb.Position]:
        """(the hub's head, the last event that both have): the hub looks at samples, ever closer together."""
        found = await self._hub.find_ancestor(pb.FindAncestorRequest())
        low, high = 0, min(head.seq, found.hub.seq)
        while low < high:
            proofs = await self._proofs(low, high)
            if not proofs:
                break
            same = (await self._hub.find_ancestor(pb.FindAncestorRequest(proofs=proofs))).same_seq
            low = max(low, same)
            high = min((proof.seq - 1 for proof in proofs if proof.seq > low), default=high)
        return found.hub, pb.Position(seq=low, hash=await self._store.hash_at(low) or GENESIS)

    async def _proofs(self, low: int, high: int) -> list[pb.Position]:
        """Own positions from `low + 1` to `high`, evenly spread; those whose events are gone are left out."""
        step = max(1, -(-(high - low) // ANCESTOR_PROOFS_MAX))
        seqs = range(high, low, -step)
        hashes = [(seq, await self._store.hash_at(seq)) for seq in seqs]
        return [pb.Position(seq=seq, hash=chain_hash) for seq, chain_hash in hashes if chain_hash is not None]

    async def _fetch(self, begun: pb.BeginEpochResponse) -> bytes:
        body = bytearray()
        while len(body) < begun.snapshot_bytes:
            request = pb.GetSnapshotRequest(snapshot_id=begun.snapshot_id, offset=len(body))
            part = (await self._hub.get_snapshot(request)).part
            if not part:
                raise PeerFault(f"the snapshot ends at {len(body)} of {begun.snapshot_bytes} bytes")
            body += part
        return bytes(body)
