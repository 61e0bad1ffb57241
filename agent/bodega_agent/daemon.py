"""The composition root of the node: the only place that names concrete classes and wires them.

Order of start: ledger, floor, devices, control socket, sync. The node is ready before the network is. On
SIGTERM the transaction in hand is finished and everything stops within STOP_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any
from uuid import uuid4

from bodega.errors import BodegaError, InvalidInput, NotFound
from bodega.host import log as logs
from bodega.host.notify import notify
from bodega.limits import FRAMES_KEPT_BYTES_MAX, STOP_S
from bodega_adapters.ports import Scan
from bodega_adapters.registry import open_printer, open_scanner
from bodega_agent.config import AgentConfig
from bodega_agent.identity import HubKey
from bodega_agent.rules.facts import VisionMode
from bodega_agent.services.control import ControlServer, Json
from bodega_agent.services.floor import FloorService
from bodega_agent.services.health import HealthService, Parts
from bodega_agent.services.inspecting import InspectingService
from bodega_agent.services.intake import IntakeService
from bodega_agent.services.printing import PrintService
from bodega_agent.services.prompts import PromptBoard, Shown
from bodega_agent.services.schedule import Schedule
from bodega_agent.services.syncing import SyncService
from bodega_agent.store import labels
from bodega_agent.store.inbound import Applied, settings_of
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from bodega_agent.vision.client import VisionClient
from bodega_agent.vision.messages import CameraSpec, WorkerSpec

log = logs.get_logger(__name__)


def run(config: AgentConfig) -> None:
    """`bodega run`: until SIGTERM or SIGINT. Raises what keeps the node from starting."""
    logs.configure(level=config.log_level)
    with logs.bound(node_id=config.node_id):
        asyncio.run(_main(config))


async def _main(config: AgentConfig) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    node = Node(config)
    try:
        await node.start()
        await node.run_until(stop)
    finally:
        notify("STOPPING=1")
        await node.close()
        log.info("stopped")


class Node:
    """Everything of one running agent."""

    def __init__(self, config: AgentConfig) -> None:
        self._config = config
        self._nonce = uuid4().hex
        self._tasks: list[Coroutine[Any, Any, None]] = []
        self._closing = contextlib.AsyncExitStack()
        self._settings: dict[str, str] = {}

    async def start(self) -> None:
        """Open the ledger and the devices, and listen; nothing waits for the network here."""
        config = self._config
        hub_key = HubKey(config.hub.verify_key_bytes) if config.hub else None
        self._store = Store(
            config.ledger_path,
            node_id=config.node_id,
            now_ms=lambda: time.time_ns() // 1_000_000,
            verify=lambda signature, text: hub_key is not None and hub_key.has_signed(text, signature),
        )
        self._closing.callback(self._store.close)
        self._settings = await self._store.write(settings_of)
        self._store.on_hub_events = self._hear_hub
        self._board = PromptBoard(self._nonce)
        self._floor = FloorService(
            self._store, self._board, present=lambda: self._intake.present(), vision=self._vision_mode
        )
        self._start_devices()
        sync = self._make_sync(hub_key) if hub_key else None
        self._health = self._make_health(sync)
        self._schedule = Schedule(self._store, self._health)
        self._control = ControlServer(config.socket_path, self._answers(), {"watch": self._watch})
        await self._control.start()
        self._closing.push_async_callback(self._control.close)

    async def run_until(self, stop: asyncio.Event) -> None:
        """Run every service until `stop`; a service that fails takes the process down, and says so."""
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(work) for work in self._tasks]
            self._schedule.start()
            self._closing.callback(self._schedule.stop)
            _give_back_start_up_memory()
            log.info("ready", socket=str(self._config.socket_path), version=self._health_version())
            notify("READY=1")
            await stop.wait()
            log.info("stopping")
            for task in running:
                task.cancel()

    async def close(self) -> None:
        """Release everything, within STOP_S."""
        for work in self._tasks:
            work.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._closing.aclose()

    def _start_devices(self) -> None:
        config = self._config
        scanners = [open_scanner(s.driver, s.name, s.options) for s in config.scanners]
        self._intake = IntakeService(scanners, self._floor)
        self._closing.push_async_callback(self._intake.close)
        printer = config.printer and open_printer(
            config.printer.driver, config.printer.name, config.printer.options
        )
        self._printing = PrintService(self._store, printer or None, self._floor.label_changed)
        self._closing.push_async_callback(self._printing.close)
        self._floor.on_print = self._printing.wake
        self._tasks += [self._intake.run(), self._printing.run()]
        self._eyes = self._make_eyes()

    def _make_eyes(self) -> VisionClient | None:
        vision = self._config.vision
        if vision is None or vision.mode == VisionMode.OFF:
            return None
        spec = WorkerSpec(
            cameras={c.name: CameraSpec(c.driver, c.options) for c in self._config.cameras},
            frames_dir=str(self._config.state_dir / "frames"),
            frames_bytes_max=FRAMES_KEPT_BYTES_MAX,
            providers=tuple(vision.providers),
        )
        eyes = VisionClient(spec)
        inspecting = InspectingService(self._store, self._floor, eyes, vision.camera)
        self._floor.on_inspect = inspecting.ask
        self._closing.push_async_callback(eyes.stop)
        self._tasks += [eyes.start(), inspecting.run()]
        return eyes

    def _make_sync(self, hub_key: HubKey) -> SyncService:
        # Imported here: a node without a hub never pays for the NATS client.
        from bodega_agent.transport.nats_link import NatsLink  # noqa: PLC0415  # see the sentence above

        hub = self._config.hub
        assert hub is not None, "sync is only made for a node with a hub"
        link = NatsLink(
            node_id=self._config.node_id,
            url=hub.nats_url,
            user=hub.nats_user,
            password_file=hub.nats_password_file,
        )
        sync = SyncService(
            node_id=self._config.node_id,
            boot_nonce=self._nonce,
            journal=self._store,
            link=link,
            hub_key=hub_key,
            health=lambda: self._health.report(),
        )
        self._tasks.append(sync.run())
        return sync

    def _make_health(self, sync: SyncService | None) -> HealthService:
        eyes = self._eyes
        parts = Parts(
            printing=self._printing,
            present=self._intake.present,
            sync=sync,
            vision_ready=(lambda: eyes.ready) if eyes else None,
            vision_provider=(lambda: eyes.provider) if eyes else None,
            vision_mode=lambda: str(self._vision_mode()),
        )
        return HealthService(self._config, self._store, parts, self._nonce)

    def _vision_mode(self) -> VisionMode:
        vision = self._config.vision
        if vision is None or self._eyes is None:
            return VisionMode.OFF
        return VisionMode(self._settings.get("vision.mode", vision.mode))

    async def _hear_hub(self, applied: Applied) -> None:
        if "desired_state" in applied.facts:
            self._settings = await self._store.write(settings_of)
        for fulfillment_order_id in applied.cancelled:
            await self._floor.work_cancelled(fulfillment_order_id)
