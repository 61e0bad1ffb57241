"""A node: the agent's real store and sync on a simulated disk, network and clock."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import apsw

from bodega.errors import Unavailable
from bodega.v1 import fleet_pb2
from bodega_agent.identity import HubKey
from bodega_agent.services.expiry import ExpiryService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.rejoining import RejoinService
from bodega_agent.services.syncing import SyncService
from bodega_agent.store import rejoin
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from bodega_agent.store.writer import Writer
from bodega_agent.transport.node_sync import HubNodeSync
from simulator import jobs
from simulator.connection import BrokerEnd
from simulator.disk import Drive, SimVfs
from simulator.ledger_files import LEDGER, backup_of, restored, worked_on
from simulator.links import SimHubLink
from simulator.loop import SimLoop
from simulator.machine import Machine
from simulator.network import Network
from simulator.process import PROCESS
from support.faulty_disk import Disk
from support.faulty_disk_vfs import Fault

T = TypeVar("T")
Json = dict[str, Any]

EXPIRY_SWEEP_S = 5.0
NEW_EPOCH = "ended to begin a new epoch"
DISK_S = (0.0002, 0.005)


class SimWriter(Writer):
    """The writer without its thread: what has gathered is committed in the loop, a little later."""

    def start(self) -> None:
        """See Writer; raises what opening raised."""
        self._connection, self._transaction = self._open()
        self._turn_is_due = False
        process = PROCESS.get()
        if process is not None:
            self._connection.exec_trace = lambda *_statement: process.point("sql") or True
        self.luck = Random(f"writer {process.name if process else ''}")

    def submit(self, work: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """See Writer."""
        future = super().submit(work)
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_later(self.luck.uniform(*DISK_S), self._turn)
        return future

    def _turn(self) -> None:
        self._turn_is_due = False
        while not self._jobs.empty():
            self._commit(self._connection, self._transaction, self._next_batch())

    def close(self) -> None:
        """See Writer."""
        with contextlib.suppress(apsw.Error):
            self._connection.close()


class SimStore(Store):
    """The agent's store with a writer that has no thread."""

    writer_class = SimWriter

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the ledger from outside of the world."""
        return list(self._reader.connection.execute(sql, values))


class SimNode(Machine):
    """One node's box; a clone has a name of its own, and says that it is `node_id`.

    `deaf`: suffixes of the files whose fsync its disk answers and does not do. `forgets_cursor`: it does not know
    after a start how far it has applied the hub's stream. `plan`: what the hub has granted lies beside its ledger.
    """

    def __init__(
        self,
        name: str,
        loop: SimLoop,
        said: Callable[[str], None],
        *,
        network: Network,
        end: BrokerEnd,
        hub_key: bytes,
        vfs: SimVfs,
        folder: Path,
        seed: str,
        node_id: str = "",
    ) -> None:
        super().__init__(name, loop, said)
        self._end = end
        self._wire = network.wire(name)
        self._hub_key = HubKey(hub_key)
        self._vfs = vfs
        self._folder = folder
        self.luck = Random(f"{seed} {name}")
        self.node_id = node_id or name
        self.disk = Disk()
        self.plan = b""
        self._asides = itertools.count()
        self.deaf: frozenset[str] = frozenset()
        self.forgets_cursor = False
        self.store: SimStore | None = None
        self.sync: SyncService | None = None
        self.drive: Drive | None = None
        self.disk_was_broken = False
        self._disk_fault: Fault | None = None

    def break_disk(self, fault: Fault | None) -> None:
        """From now on its disk fails like this; None mends it."""
        self._disk_fault = fault
        self.disk_was_broken |= fault is not None
        if self.drive is not None:
            self.drive.fault = fault

    @property
    def path(self) -> Path:
        """The ledger of this life."""
        return self._folder / f"{self.name}-{self.lives}" / LEDGER

    def boot(self) -> None:
        """See Machine."""
        self.store = self.sync = None
        self._take_place()
        self.drive = self._vfs.mount(self.path.parent, self.disk, deaf=self.deaf)
        self.drive.fault = self._disk_fault
        if self.plan:
            self.path.with_name(rejoin.PLAN).write_bytes(self.plan)

    def _take_place(self) -> None:
        """Begin the epoch that the hub has granted to the life before this one, if it has."""
        if not self.plan:
            return

        def finish(ledger: Path) -> None:
            ledger.with_name(rejoin.PLAN).write_bytes(self.plan)
            rejoin.finish(ledger, node_id=self.node_id, now_ms=self.clock.now_ms, clock=self.clock.boot_time)

        with contextlib.suppress(Unavailable):
            self.disk = worked_on(self.disk, self._aside(), finish)
            self.plan = b""

    def _aside(self) -> Path:
        return self._folder / f"{self.name}-aside-{next(self._asides)}"

    def present_disk(self) -> Disk:
        """A copy of its disk, as programs see it now."""
        return self.drive.copied() if self.drive is not None and self.is_alive else copy.deepcopy(self.disk)

    def backup_of(self, disk: Disk) -> Path:
        """A backup of the ledger on a disk."""
        return backup_of(disk, self._aside())

    def restored(self, source: Path) -> Disk:
        """Its disk with a backup in the ledger's place; only while it is down."""
        return restored(self.disk, self._aside(), source, node_id=self.node_id, now_ms=self.clock.now_ms())

    async def live(self) -> None:
        """See Machine."""
        store = self.store = SimStore(
            self.path,
            node_id=self.node_id,
            now_ms=self.clock.now_ms,
            verify=lambda signature, text: self._hub_key.has_signed(text, signature),
            clock=self.clock.boot_time,
        )
        if self.forgets_cursor:
            await store.write(lambda tx: list(tx.execute("DELETE FROM meta WHERE key LIKE 'down_%'")))
        integrity = IntegrityService(store)
        await integrity.start()
        boot_nonce = f"{self.name}-{self.lives}"
        link = SimHubLink(self.node_id, self._end, self._wire, draw=self.luck.random)
        sync = self.sync = SyncService(
            node_id=self.node_id,
            boot_nonce=boot_nonce,
            journal=store,
            link=link,
            hub_key=self._hub_key,
            health=_health,
            fenced=integrity.restored.advice if integrity.restored else "",
            draw=self.luck.random,
        )
        rejoining = RejoinService(
            node_id=self.node_id,
            boot_nonce=boot_nonce,
            store=store,
            hub=HubNodeSync(link.channel),
            restored=integrity.restored is not None,
            place_lost=sync.wait_for_place_lost,
            on_ready=lambda: self.kill(NEW_EPOCH),
            draw=self.luck.random,
        )
        self.ready()
        async with asyncio.TaskGroup() as running:
            running.create_task(sync.run())
            running.create_task(ExpiryService(store, EXPIRY_SWEEP_S).run())
            running.create_task(rejoining.run())

    def save(self, *, power_cut: bool) -> None:
        """See Machine."""
        assert self.drive is not None, "it was alive, so it has booted"
        self.disk = self.drive.after_power_cut(self.luck) if power_cut else self.drive.copied()
        plan = self.path.with_name(rejoin.PLAN)
        self.plan = plan.read_bytes() if plan.exists() else b""

    def burial(self) -> Callable[[], None]:
        """See Machine."""
        store, folder, drive = self.store, self.path.parent, self.drive

        def bury() -> None:
            if drive is not None:
                drive.fault = None
            if store is not None:
                with contextlib.suppress(apsw.Error):
                    store.close()
            self._vfs.unmount(folder)

        return bury

    def command(self, body: Json, *, device: str = "scanner-1") -> None:
        """A person with a device has a ledger command done."""
        cmd_id = body["cmd_id"]
        context = Context(cmd_id, actor="ana", device=device)
        self.write(cmd_id, lambda tx: jobs.do(tx, context, body))

    def write(self, request_id: str, job: Callable[[Transaction], Any]) -> None:
        """Have a job of the store done."""

        async def work() -> Any:
            assert self.store is not None, "only who is ready is asked"
            return await self.store.write(job)

        self.ask(request_id, work)


async def _health() -> fleet_pb2.Health:
    return fleet_pb2.Health(version="simulated", ledger_ok=True)
