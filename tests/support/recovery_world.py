"""A real hub and a real node whose ledger is lost, put back or copied: both stores, and the calls between them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bodega.codec import envelope_to_bytes, parse_node_event
from bodega.core.sync import Envelope, Head, Verdict, judge, pack
from bodega.v1 import journal_pb2, nodesync_pb2
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.rejoining import RejoinService
from bodega_agent.store import backup, rejoin
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store as AgentStore
from bodega_controlplane.app import audit
from bodega_controlplane.app.applying.journal import Applied, Delivery
from bodega_controlplane.app.fleet import epochs, heartbeat, outbox
from bodega_controlplane.app.fleet.epochs import EpochRequest
from bodega_controlplane.app.fleet.heartbeat import Heartbeat
from bodega_controlplane.app.views import HealthView
from bodega_controlplane.store import nodes
from bodega_controlplane.store.engine import Store as HubStore
from bodega_controlplane.store.rows import Row
from bodega_controlplane.store.transaction import Transaction as HubTransaction
from support.controlplane import OPERATOR, deliver, open_test_store, settle
from support.promising import Clocks

NODE = "lisbon-01"
HEALTH = HealthView("1.0", 0, 0, 1, (), "", 0, ledger_ok=True)
REASONS = {1: "restored", 2: "wiped", 3: "forked"}


@dataclass
class HubInProcess:
    """NodeSyncClient over the hub's use cases; `part_bytes` cuts the snapshot finely."""

    hub: Callable[[], HubStore]
    now_ms: Callable[[], int]
    part_bytes: int = 64

    async def find_ancestor(
        self, request: nodesync_pb2.FindAncestorRequest
    ) -> nodesync_pb2.FindAncestorResponse:
        proofs = [(proof.seq, proof.hash) for proof in request.proofs]
        head, same = self.hub().read(lambda tx: epochs.find_ancestor(tx, NODE, proofs))
        return nodesync_pb2.FindAncestorResponse(
            hub=nodesync_pb2.Position(seq=head.seq, hash=head.hash), epoch=head.epoch, same_seq=same
        )

    async def begin_epoch(self, request: nodesync_pb2.BeginEpochRequest) -> nodesync_pb2.BeginEpochResponse:
        asked = EpochRequest(
            NODE,
            request.boot_nonce,
            request.epoch,
            (request.head.seq, request.head.hash),
            (request.ancestor.seq, request.ancestor.hash),
            REASONS[request.reason],
        )
        begun, _ = self.hub().write(lambda tx: epochs.begin(tx, self.now_ms(), asked))
        return nodesync_pb2.BeginEpochResponse(
            epoch=begun.epoch,
            previous_epoch=begun.basis.epoch,
            basis=nodesync_pb2.Position(seq=begun.basis.seq, hash=begun.basis.hash),
            down_epoch=begun.down_epoch,
            snapshot_id=begun.snapshot_id,
            snapshot_bytes=begun.snapshot_bytes,
            snapshot_sha256=begun.snapshot_sha256,
        )

    async def get_snapshot(
        self, request: nodesync_pb2.GetSnapshotRequest
    ) -> nodesync_pb2.GetSnapshotResponse:
        part = self.hub().read(lambda tx: epochs.snapshot_part(tx, NODE, request.snapshot_id, request.offset))
        return nodesync_pb2.GetSnapshotResponse(part=part[: self.part_bytes])


@dataclass
class RecoveryWorld:
    """`folder/node` is the node's state, `folder/hub` the hub's; stores are open only inside a `node()`."""

    folder: Path
    clocks: Clocks = field(default_factory=Clocks)
    starts: int = 0

    def __post_init__(self) -> None:
        (self.folder / "hub").mkdir()
        self.hub = open_test_store("sqlite", self.folder / "hub")
        settle(self.hub, "TEA", "SALT")

    @property
    def ledger(self) -> Path:
        return self.folder / "node" / "ledger.db"

    @asynccontextmanager
    async def node(self, folder: str = "node") -> AsyncIterator[AgentStore]:
        """The node's store, started and stopped as the agent does it."""
        path = self.folder / folder / "ledger.db"
        path.parent.mkdir(exist_ok=True)
        self.starts += 1
        rejoin.finish(path, node_id=NODE, now_ms=self.clocks.now_ms, clock=self.clocks.clock)
        store = AgentStore(
            path, node_id=NODE, now_ms=self.clocks.now_ms, clock=self.clocks.clock, verify=lambda *_: True
        )
        integrity = IntegrityService(store)
        try:
            await integrity.start()
            yield store
            await integrity.close()
        finally:
            store.close()

    async def sync(self, store: AgentStore, upto: int = 0) -> tuple[Applied, ...]:
        """Bring the hub's word down and the node's up, as far as both let it be; acks come back."""
        await self.bring_down(store)
        acked = await store.acked()
        events = await store.events_after(acked.seq, 10_000)
        answers: list[Applied] = []
        while events and (not upto or events[0].seq <= upto):
            envelope = pack(NODE, acked, events[: upto - acked.seq] if upto else events)
            (answer,) = deliver(self.hub, Delivery(NODE, "up", envelope_to_bytes(envelope)))
            answers.append(answer)
            if answer.verdict is Verdict.REFUSE or answer.head is None:
                break
            acked = answer.head
            await store.record_ack(acked)
            events = await store.events_after(acked.seq, 10_000)
        return tuple(answers)

    async def bring_down(self, store: AgentStore) -> None:
        """Everything of the hub's stream that the node has not got; a new epoch begins at 1."""
        row = self.row()
        if row.down_epoch > (await store.down_head()).epoch:
            await store.apply_down((), Head(row.down_epoch))
        while True:
            have = await store.down_head()
            envelope = self.hub.read(partial(_following, have=have))
            if envelope is None:
                return
            judged = judge(have, envelope)
            assert judged.verdict is Verdict.APPLY
            head = Head(envelope.epoch, envelope.last_seq, envelope.last_hash)
            await store.apply_down(list(enumerate(judged.events, start=judged.first_seq)), head)

    async def beat(self, store: AgentStore, nonce: str = "now", **said: object) -> heartbeat.Answer:
        """The heartbeat that this store would send."""
        head, down, acked = await store.head(), await store.down_head(), await store.acked()
        beat = Heartbeat(NODE, head.epoch, nonce, head.seq, down, HEALTH, acked, **said)  # type: ignore[arg-type]  # the test's choice
        return self.hub.write(lambda tx: heartbeat.beat(tx, self.clocks.now_ms(), beat))[0]

    async def rejoin(self, store: AgentStore, *, restored: bool = False, nonce: str = "") -> rejoin.Plan:
        """What the service does once the place is lost; the next `node()` begins the new epoch."""
        ready = asyncio.Event()

        async def lost() -> None:
            return

        service = RejoinService(
            node_id=NODE,
            boot_nonce=nonce or f"start-{self.starts}",
            store=store,
            hub=HubInProcess(lambda: self.hub, self.clocks.now_ms),
            restored=restored,
            place_lost=lost,
            on_ready=ready.set,
            draw=lambda: 0.5,
        )
        plan = await service.ask()
        rejoin.keep(store.path, plan)
        return plan

    def readmit(self) -> None:
        """A person approves."""
        caller = replace(OPERATOR, now_ms=self.clocks.now_ms())
        self.hub.write(lambda tx: epochs.readmit(tx, caller, NODE, "the right machine"))

    def backup_node(self, name: str = "copy.db") -> Path:
        """A backup of the ledger, as `bodega ledger backup` makes it."""
        backup.backup(self.ledger, self.folder / name)
        return self.folder / name

    def restore_node(self, source: Path) -> None:
        """`bodega ledger restore`."""
        backup.restore(
            self.ledger, source, node_id=NODE, actor="ana", reason="new disk", now_ms=self.clocks.now_ms()
        )

    def wipe_node(self) -> None:
        """The disk is gone."""
        shutil.rmtree(self.folder / "node")

    def backup_hub(self) -> None:
        """Copy the hub's database, while it is closed for a moment."""
        self.hub.close()
        shutil.copytree(self.folder / "hub", self.folder / "hub-backup", dirs_exist_ok=True)
        self.hub = open_test_store("sqlite", self.folder / "hub")

    def restore_hub(self) -> None:
        """Put the copy back."""
        self.hub.close()
        shutil.rmtree(self.folder / "hub")
        shutil.copytree(self.folder / "hub-backup", self.folder / "hub")
        self.hub = open_test_store("sqlite", self.folder / "hub")

    def row(self) -> Row:
        """What the hub knows of the node."""
        row = self.hub.read(lambda tx: nodes.by_id(tx, NODE))
        assert row is not None
        return row

    def actions(self) -> list[str]:
        """The audit of the node, oldest first."""
        return [
            entry.action
            for entry in reversed(self.hub.read(lambda tx: audit.list_audit(tx, subject=NODE, size=500)))
        ]

    def verified(self) -> dict[str, object]:
        """`bodega ledger verify` on the node's file."""
        with closing(Reader(self.ledger)) as reader:
            return reader.verify()


def _following(tx: HubTransaction, have: Head) -> Envelope | None:
    return outbox.envelope_from(tx, NODE, have.epoch, have.seq + 1)


async def facts(store: AgentStore, after: int = 0) -> list[journal_pb2.NodeEvent]:
    """Every event after a sequence."""
    return [parse_node_event(one.body) for one in await store.events_after(after, 10_000)]


def names(events: list[journal_pb2.NodeEvent]) -> list[str]:
    """Their facts."""
    return [str(event.WhichOneof("fact")) for event in events]
