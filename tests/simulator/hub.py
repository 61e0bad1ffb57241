"""The hub: its real use cases, SQLite store and link services, on a simulated network and clock."""

from __future__ import annotations

import itertools
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from structlog.testing import capture_logs

from bodega.broker.rpc_server import RpcServer
from bodega.v1.nodesync_pb2_grpc import add_NodeSyncServiceServicer_to_server
from bodega_controlplane.api.grpc.interceptor import Guard
from bodega_controlplane.api.node.node_sync import NodeSync
from bodega_controlplane.app import idempotency
from bodega_controlplane.app.hub import Hub
from bodega_controlplane.app.idempotency import StoredResponse
from bodega_controlplane.app.views import Caller
from bodega_controlplane.keys import HubKey
from bodega_controlplane.rules.policy import Policy
from bodega_controlplane.services.linking import LinkService
from bodega_controlplane.services.upkeep import UpkeepService
from bodega_controlplane.store.engine import Store, open_store
from bodega_controlplane.store.transaction import Transaction
from simulator.connection import BrokerEnd
from simulator.links import SimFleet
from simulator.loop import SimLoop
from simulator.machine import Machine
from simulator.network import Network
from simulator.process import PROCESS
from support.quick_stores import share_statements

FILES = ("hub.db", "hub.db-wal")
NAME = "hub"
LATE_COMMITS = 4


class SimHub(Machine):
    """The centre's box. Its database lies in a folder of each life; what is not committed dies with a life."""

    def __init__(
        self,
        loop: SimLoop,
        said: Callable[[str], None],
        *,
        network: Network,
        end: BrokerEnd,
        key: HubKey,
        policy: Policy,
        folder: Path,
        first: Path,
        seed: str,
    ) -> None:
        super().__init__(NAME, loop, said)
        self._end = end
        self._wire = network.wire(NAME)
        self._key = key
        self.policy = policy
        self._folder = folder
        self._source = first
        self.luck = Random(f"{seed} hub")
        self.hub: Hub | None = None
        self.store: Store | None = None
        self.commits_late = False
        self._copies = itertools.count()
        self._before_commits: deque[Path] = deque(maxlen=LATE_COMMITS)
        self.on_boot: Callable[[SimHub], None] = lambda _hub: None

    @property
    def folder(self) -> Path:
        """The data folder of this life."""
        return self._folder / f"hub-{self.lives}"

    def boot(self) -> None:
        """See Machine."""
        copy_database(self._source, self.folder)
        self.hub = self.store = None

    async def live(self) -> None:
        """See Machine."""
        store = self.store = open_store("sqlite", self.folder)
        share_statements(store)
        process = PROCESS.get()
        assert process is not None, "it lives in a process"
        sa.event.listen(store._engine, "before_cursor_execute", lambda *_: process.point("sql"))
        sa.event.listen(store._engine, "commit", lambda *_: process.point("sql"))
        sa.event.listen(store._engine, "begin", self._note_begin)
        hub = self.hub = Hub(store, self._key, self.policy, self.clock.now_s, self.clock.boot_time)
        self.on_boot(self)
        self.ready()
        calls = RpcServer(interceptors=(Guard(),))
        add_NodeSyncServiceServicer_to_server(NodeSync(hub), calls)
        fleet = SimFleet(self._end, self._wire, calls)
        await LinkService(hub, fleet, draw=self.luck.random).run()

    def save(self, *, power_cut: bool) -> None:
        """See Machine. A power cut is a kill here: every commit is synced."""
        self._source = self._before_commits[0] if self._before_commits else self.copy(f"after-{self.lives}")
        self._before_commits.clear()

    def _note_begin(self, connection: sa.Connection) -> None:
        """With `commits_late`, a kill undoes the last commits although they were answered."""
        if self.commits_late and connection.get_execution_options()["bodega_begin"] == "BEGIN IMMEDIATE":
            self._before_commits.append(self.copy(f"before-{self.lives}-{next(self._copies)}"))

    def copy(self, name: str) -> Path:
        """The database as it is at this very point, in a folder of its own."""
        return copy_database(self.folder, self._folder / name)

    def restore(self, backup: Path) -> None:
        """Put an older database in the place of the present one; only while it is down."""
        assert not self.is_alive, "its database is open"
        self._source = backup

    def burial(self) -> Callable[[], None]:
        """See Machine."""
        hub, store = self.hub, self.store

        def bury() -> None:
            if hub is not None:
                hub.close()
            elif store is not None:
                store.close()

        return bury

    def request(self, request_id: str, channel: str, work: Callable[[Transaction, Caller], bytes]) -> None:
        """A shop or an operator has a use case done, once for its key."""

        async def once() -> StoredResponse:
            assert self.hub is not None, "only who is ready is asked"
            caller = self.hub.caller(channel, channel)
            digest = idempotency.digest_of("POST", channel, request_id.encode())
            return await self.hub.run_once(
                caller, request_id, digest, lambda tx: StoredResponse(200, work(tx, caller))
            )

        self.ask(request_id, once)

    def look_after(self, request_id: str) -> None:
        """One round of its upkeep."""

        async def once() -> None:
            assert self.hub is not None, "only who is ready is asked"
            with capture_logs() as said:
                await UpkeepService(self.hub).round()
            assert not [line for line in said if line["log_level"] == "error"], (
                "a bug is told, and not raised"
            )

        self.ask(request_id, once)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the database from outside of the world."""
        assert self.store is not None, "it has booted"
        return self.store.read(lambda tx: [tuple(row) for row in tx.connection.exec_driver_sql(sql, values)])


def copy_database(source: Path, target: Path) -> Path:
    """The files of a database, in a folder of their own."""
    target.mkdir()
    for name in FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    return target
