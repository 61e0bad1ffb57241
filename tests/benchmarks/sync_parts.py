"""The parts of the sync benchmarks: a broker and a hub as processes, real agents, and a wire that counts.

The broker runs as `packaging/examples/nats.conf` does, but for accounts and TLS. Everybody shares this machine's
cores, the bench among them.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bodega_agent.demo.handheld import ask
from bodega_agent.demo.processes import Child, Recipe
from bodega_controlplane.app.fleet import nodes
from bodega_controlplane.app.goods import catalogue
from bodega_controlplane.keys import load_hub_key
from bodega_controlplane.store.engine import open_store
from bodega_controlplane.store.transaction import Transaction
from support.controlplane import OPERATOR, node_draft, sku
from support.nats import NatsServer
from support.waiting import until_async

DRAINED_WITHIN_S = 600.0

_WORKER = Path(__file__).with_name("sync_worker.py")
_LINE_BYTES_MAX = 64 * 1024 * 1024


class Centre:
    """A broker and a hub with these nodes registered. `database`: "sqlite" or a PostgreSQL URL.

    `skus`: how large the catalogue is, of `ledger_rows`' SKUs. `instances` of the hub share the database.
    """

    def __init__(
        self,
        folder: Path,
        node_ids: Sequence[str],
        database: str = "sqlite",
        skus: int = 0,
        *,
        instances: int = 1,
    ) -> None:
        folder.mkdir(parents=True)
        self.broker = NatsServer(folder / "nats")
        self._folder = folder
        self._database = database
        data_dir = folder / "hub"
        data_dir.mkdir()
        self.verify_key = base64.b64encode(load_hub_key(data_dir).verify_key).decode()
        _register(database, data_dir, node_ids, skus)
        self.data_dirs = [data_dir, *(folder / f"hub-{number}" for number in range(1, instances))]
        self.hubs = [self._instance(one.name) for one in self.data_dirs]
        self.hub = self.hubs[0]

    def _instance(self, name: str) -> Child:
        config = self._folder / f"{name}.toml"
        argv = (sys.executable, "-m", "bodega_controlplane.cli", "serve", "--config", str(config))
        recipe = Recipe(name, argv, self._folder / f"{name}.log", env=as_installed(self._folder))
        return Child(recipe, self._folder)

    async def start(self) -> None:
        """Broker first, then the hub, which is ready when this returns; others have its keys and tokens."""
        self.broker.start()
        for hub, data_dir in zip(self.hubs, self.data_dirs, strict=True):
            if hub is not self.hub:
                shutil.copytree(self.data_dirs[0], data_dir)
            (self._folder / f"{data_dir.name}.toml").write_text(
                f'data_dir = "{data_dir}"\ndatabase = "{self._database}"\n'
                f'[nats]\nurl = "{self.broker.url}"\n[http]\nport = 0\n[grpc]\nport = 0\n'
            )
            await hub.start()

    async def stop(self) -> None:
        """Every hub in order; the broker's streams are needed by nobody any more."""
        for hub in self.hubs:
            await hub.stop()
        self.broker.kill()

    def agent(self, node_id: str, state_dir: Path, broker_url: str) -> Agent:
        """An agent of this centre, whose ledger lies in `state_dir`; not started yet."""
        config = self._folder / f"{node_id}.toml"
        config.write_text(
            f'node_id = "{node_id}"\nstate_dir = "{state_dir}"\ncontrol_socket = "{state_dir / "s"}"\n'
            f'[hub]\nnats_url = "{broker_url}"\nverify_key = "{self.verify_key}"\n[disk]\nballast = "1 MiB"\n'
        )
        argv = (sys.executable, "-m", "bodega_agent.cli", "run", "--config", str(config))
        return Agent(
            Child(
                Recipe(node_id, argv, self._folder / f"{node_id}.log", env=as_installed(self._folder)),
                self._folder,
            ),
            state_dir / "s",
        )


class Agent:
    """A real agent process and its control socket."""

    def __init__(self, child: Child, socket: Path) -> None:
        self.child = child
        self._socket = socket

    async def sync(self) -> dict[str, Any]:
        """Where its sync stands: `services.syncing.SyncStatus`."""
        status: dict[str, Any] = await ask(self._socket, "sync")
        return status

    async def receive(self, cmd_id: str, sku: int) -> None:
        """A unit of the catalogue's SKU of this number has come."""
        command = {"command": "receive", "cmd_id": cmd_id, "sku_id": f"SKU-{sku:04}", "quantity": 1}
        await ask(self._socket, "ledger.command", command=command)

    async def until_acked(self, seq: int, within_s: float = DRAINED_WITHIN_S) -> None:
        """Return once the hub's signed word that it has committed `seq` is here."""

        async def acked() -> bool:
            return int((await self.sync())["acked_seq"]) >= seq

        await until_async(acked, within_s, f"the hub's ack of {seq}")


class Worker:
    """A process of `sync_worker.py`: nodes of a centre that do as they are told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(
        cls, kind: str, centre: Centre, node_ids: Sequence[str], told: dict[str, object]
    ) -> AsyncIterator[Worker]:
        """Started, and killed in the end: it has said all that it had to say."""
        asked = {
            "kind": kind,
            "url": centre.broker.url,
            "verify_key": centre.verify_key,
            "nodes": list(node_ids),
            **told,
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(_WORKER),
            json.dumps(asked),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LINE_BYTES_MAX,
        )
        try:
            yield cls(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def begin(self) -> None:
        """What it waits for."""
        assert self._process.stdin is not None, "it was started with a pipe"
        self._process.stdin.write(b"\n")

    async def said(self, what: str) -> Any:
        """The value of its next line, which must be of this name."""
        assert self._process.stdout is not None, "it was started with a pipe"
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"a worker ended before it said '{what}'")
        return json.loads(line)[what]


def as_installed(folder: Path) -> dict[str, str]:
    """For the environment of a process whose code is compiled once and not at each start, whatever ours says.

    An installation has its bytecode beside its code; here it is kept in `folder`.
    """
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


@asynccontextmanager
async def running(centre: Centre) -> AsyncIterator[Centre]:
    """Started, and stopped in any case."""
    try:
        await centre.start()
        yield centre
    finally:
        await centre.stop()


@asynccontextmanager
async def at_work(agent: Agent) -> AsyncIterator[Agent]:
    """Started, and stopped in any case."""
    try:
        await agent.child.start()
        yield agent
    finally:
        await agent.child.stop()


def _register(database: str, data_dir: Path, node_ids: Sequence[str], skus: int) -> None:
    def work(tx: Transaction) -> None:
        for number, node_id in enumerate(node_ids):
            nodes.register_node(tx, OPERATOR, node_draft(node_id, number=number))
        if skus:
            catalogue.upsert_skus(tx, OPERATOR, [sku(f"SKU-{number:04}") for number in range(skus)])

    store = open_store(database, data_dir)
    try:
        store.write(work)
    finally:
        store.close()


async def moments(seconds: float) -> None:
    """Let things run for so long: a measurement's own time, not a wait for something."""
    await asyncio.sleep(seconds)
