"""The composition root of the node: the only place that names concrete classes and wires them.

Order of start: disk, ledger, floor, devices, control socket, sync. The node is ready before the network is. On
SIGTERM the transaction in hand is finished and everything stops within STOP_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import random
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bodega import __version__
from bodega.errors import Unavailable
from bodega.host import log as logs
from bodega.host.notify import notify
from bodega.host.tasks import end, failure_of
from bodega.limits import STOP_S
from bodega_adapters.labels.press import Press
from bodega_adapters.scanners.camera import CameraScanner
from bodega_agent.config import AgentConfig, DeviceConfig
from bodega_agent.identity import CERTIFICATE_FILE, HubKey
from bodega_agent.rules.disk import FOLDERS, DataClass, DiskRung
from bodega_agent.rules.floor.facts import VisionMode
from bodega_agent.services.archiving import ArchiveService
from bodega_agent.services.cell import DeviceSpec
from bodega_agent.services.control import ControlServer, ensure_free
from bodega_agent.services.device_control import DeviceControl
from bodega_agent.services.devices import DeviceService
from bodega_agent.services.disk import DiskService, total_bytes
from bodega_agent.services.expiry import ExpiryService
from bodega_agent.services.figures import floor_findings
from bodega_agent.services.floor import FloorService
from bodega_agent.services.health import HealthService, Parts
from bodega_agent.services.inspecting import InspectingService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.label_control import LabelControl
from bodega_agent.services.operations import Operations
from bodega_agent.services.printing import PrintService
from bodega_agent.services.prompts import PromptBoard
from bodega_agent.services.rejoining import RejoinService
from bodega_agent.services.renewing import RenewingService
from bodega_agent.services.schedule import Schedule
from bodega_agent.services.snapshots import SnapshotService, camera_rows
from bodega_agent.services.stations import RECEIPTS, Station
from bodega_agent.services.sync_control import SyncControl, paused_at_ms
from bodega_agent.services.syncing import SyncService
from bodega_agent.services.telemetry import TelemetryService
from bodega_agent.services.weighing import WeighingService
from bodega_agent.store import rejoin
from bodega_agent.store.clock import boot_time
from bodega_agent.store.floor.look import Equipment
from bodega_agent.store.gate import Gate
from bodega_agent.store.inbound import Applied
from bodega_agent.store.lock import held
from bodega_agent.store.settings import settings_of
from bodega_agent.store.store import Store
from bodega_agent.store.telemetry import TelemetryBox
from bodega_agent.vision.client import VisionClient
from bodega_agent.vision.messages import CameraSpec, WorkerSpec

if TYPE_CHECKING:
    from bodega.broker.rpc_wire import Answering  # it brings the NATS client with it
    from bodega_agent.simulation import Simulation  # only `bodega run --simulate` pays for it

log = logs.get_logger(__name__)


def run(config: AgentConfig, simulation: Simulation | None = None) -> None:
    """`bodega run`: until SIGTERM or SIGINT. Raises what keeps the node from starting."""
    logs.configure(level=config.log_level)
    with logs.bound(node_id=config.node_id), logs.last_words():
        asyncio.run(_main(config, simulation))


async def _main(config: AgentConfig, simulation: Simulation | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        if simulation is not None:
            await simulation.start()
            config = simulation.over(config)
        while not stop.is_set():
            await _one_life(config, simulation, stop)
        log.info("stopped")
    finally:
        notify("STOPPING=1")
        if simulation is not None:
            await simulation.close()


async def _one_life(config: AgentConfig, simulation: Simulation | None, stop: asyncio.Event) -> None:
    """From start to stop, or until a new epoch waits for the next start."""
    node = Node(config, simulation)
    try:
        await node.start()
        await node.run_until(stop)
    finally:
        await node.close()


class Node:
    """Everything of one running agent."""

    def __init__(self, config: AgentConfig, simulation: Simulation | None = None) -> None:
        self._config = config
        self._simulation = simulation
        self._nonce = uuid4().hex
        self._tasks: list[Coroutine[Any, Any, None]] = []
        self._closing = contextlib.AsyncExitStack()
        self._settings: dict[str, str] = {}
        self._renewing: RenewingService | None = None
        self._served: Answering | None = None
        self._refused: Callable[[], int] = lambda: 0
        self._start_again = asyncio.Event()

    async def start(self) -> None:
        """Open the ledger and the devices, and listen; nothing waits for the network here."""
        config = self._config
        await ensure_free(config.socket_path)
        self._closing.enter_context(held(config.ledger_path))
        hub_key = HubKey(config.hub.verify_key_bytes) if config.hub else None
        gate = await self._keep_the_disk()
        await self._take_place()
        self._store = Store(
            config.ledger_path,
            node_id=config.node_id,
            now_ms=_now_ms,
            verify=lambda signature, text: hub_key is not None and hub_key.has_signed(text, signature),
            clock=boot_time,
            gate=gate,
        )
        self._closing.callback(self._store.close)
        self._disk.on_archives_dropped = self._store.archives_dropped
        self._integrity = IntegrityService(self._store)
        await self._integrity.start()
        self._closing.push_async_callback(self._integrity.close)
        await self._store.apply_parked()
        self._settings = await self._store.write(settings_of)
        self._store.on_hub_events = self._hear_hub
        self._tasks.append(ExpiryService(self._store).run())
        self._board = PromptBoard(self._nonce)
        self._devices = DeviceService(_specs(config), cameras=lambda: camera_rows(self._eyes, config.cameras))
        self._floor = FloorService(self._store, self._board, present=self._present, vision=self._vision_mode)
        self._tasks.append(self._devices.run(self._floor))
        self._start_printer()
        self._start_scale()
        self._eyes = self._make_eyes()
        parts = self._health_parts()
        self._health = HealthService(config, self._store, self._integrity, parts, self._nonce)
        parts.sync = await self._make_sync(hub_key, parts) if hub_key else None
        needs_ack = hub_key is not None
        archives = ArchiveService(
            self._store, self._integrity, node_id=config.node_id, needs_ack=needs_ack, now_ms=_now_ms
        )
        self._schedule = Schedule(self._store, self._integrity, archives, self._disk, self._renewing)
        asked = Operations(
            self._store, self._floor, self._board, self._printing, self._health, self._integrity, archives
        )
        told = SyncControl(self._store, self._integrity, parts.sync)
        shown = DeviceControl(self._devices)
        labelled = LabelControl(self._store, self._printing, self._floor)
        pictured = SnapshotService(self._eyes)
        answers = {
            **asked.answers,
            **told.answers,
            **shown.answers,
            **labelled.answers,
            **pictured.answers,
        }
        if self._simulation is not None:
            answers["device.simulate"] = self._simulation.answer
        self._control = ControlServer(config.socket_path, answers, {**asked.streams, **shown.streams})
        await self._control.start()
        self._closing.push_async_callback(self._control.close)

    async def run_until(self, stop: asyncio.Event) -> None:
        """Run every service until `stop`; a service that fails takes the process down, and says so."""

        def stop_if_failed(ended: asyncio.Task[None]) -> None:
            if ended.cancelled() or failure_of(ended):
                self._start_again.set()

        running = [asyncio.create_task(work) for work in self._tasks]
        for task in running:
            task.add_done_callback(stop_if_failed)
        self._schedule.start()
        self._closing.callback(self._schedule.stop)
        _settle_start_up_memory()
        log.info("ready", socket=str(self._config.socket_path), version=__version__)
        notify("READY=1")
        await _first_of(stop, self._start_again)
        log.info("stopping" if stop.is_set() else "starting_again")
        lost = [task for task in running if task.cancelled()]
        await end(running, within_s=STOP_S / 2)
        for task in running:
            if failure := failure_of(task):
                raise failure
        if lost:
            raise RuntimeError(f"{lost[0].get_coro()} took something else for a cancel")

    async def close(self) -> None:
        """Release everything, within STOP_S."""
        for work in self._tasks:
            work.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._closing.aclose()

    async def _keep_the_disk(self) -> Gate:
        # Before the ledger is opened: on a full disk it could not be.
        gate, folder = Gate(), self._config.state_dir
        folder.mkdir(parents=True, exist_ok=True)
        self._limits = self._config.disk.limits(total_bytes(folder))
        self._disk = DiskService(folder, self._limits, gate)
        await self._disk.sweep()
        return gate

    async def _take_place(self) -> None:
        """Begin the epoch that the hub has granted to the start before this one, if it has."""
        path, node_id = self._config.ledger_path, self._config.node_id
        try:
            await asyncio.to_thread(rejoin.finish, path, node_id=node_id, now_ms=_now_ms)
        except Unavailable as error:
            # The old line goes on; the hub is asked again.
            log.warning("new_epoch_waits", reason=error.message, hint=error.hint)

    def _start_printer(self) -> None:
        printers = self._config.all_printers
        stations = [Station(self._devices.printer(one.name), one.prints) for one in printers]
        press = Press.of(self._config.labels.fonts, self._config.labels.layouts)
        self._printing = PrintService(self._store, stations, self._floor.label_changed, press)
        self._devices.trouble = lambda: {one.name: one.trouble for one in stations if one.trouble}
        self._closing.push_async_callback(self._printing.close)
        self._floor.on_print = self._printing.wake
        self._tasks.append(self._printing.run())

    def _present(self) -> set[str]:
        """Scanners are there or not; of a terminal only its scans tell."""
        return self._devices.present() | (self._board.active() - self._devices.cells.keys())

    def _start_scale(self) -> None:
        scales = self._config.scales  # of several nobody knows which one a parcel stands on: a person types
        at_hand = Equipment(scale=len(scales) == 1, slips=self._config.printer_of(RECEIPTS) is not None)
        self._floor.equipment = lambda: at_hand
        if at_hand.scale:
            weighing = WeighingService(self._store, self._floor, self._devices.scale(scales[0].name))
            self._floor.on_weigh = weighing.ask
            self._tasks.append(weighing.run())

    def _make_eyes(self) -> VisionClient | None:
        vision = self._config.vision
        judges = vision is not None and vision.mode != VisionMode.OFF
        if not judges and not self._config.watched_cameras:
            return None
        spec = WorkerSpec(
            cameras={c.name: CameraSpec(c.driver, c.options) for c in self._config.cameras},
            frames_dir=str(self._config.state_dir / FOLDERS[DataClass.FRAMES]),
            frames_bytes_max=self._limits.budgets[DataClass.FRAMES],
            free_bytes_min=self._limits.refuse_promises_below_bytes,
            providers=tuple(vision.providers) if vision else (),
            watched=self._config.watched_cameras,
        )
        eyes = VisionClient(spec)
        eyes.lookers = lambda: [
            cell.device for cell in self._devices.cells.values() if isinstance(cell.device, CameraScanner)
        ]
        self._closing.push_async_callback(eyes.stop)
        self._tasks.append(eyes.start())
        if vision is not None and judges:
            inspecting = InspectingService(self._store, self._floor, eyes, vision.camera)
            self._floor.on_inspect = inspecting.ask
            self._tasks.append(inspecting.run())
        return eyes

    async def _make_sync(self, hub_key: HubKey, parts: Parts) -> SyncService:
        # Imported here: a node without a hub never pays for the NATS client.
        from bodega.broker.connection import Broker  # noqa: PLC0415  # see the sentence above
        from bodega_agent.transport.nats_link import NatsLink  # noqa: PLC0415  # see the sentence above
        from bodega_agent.transport.node_sync import HubNodeSync  # noqa: PLC0415  # see the sentence above

        hub = self._config.hub
        assert hub is not None, "sync is only made for a node with a hub"
        certificate = self._config.state_dir / CERTIFICATE_FILE
        broker = Broker(hub.nats_url, hub.nats_user, hub.nats_password_file, certificate)
        link = NatsLink(self._config.node_id, broker, calls=self._calls)
        self._renewing = RenewingService(self._config.node_id, certificate, link.channel, now_s=time.time)
        sync = SyncService(
            node_id=self._config.node_id,
            boot_nonce=self._nonce,
            journal=self._store,
            link=link,
            hub_key=hub_key,
            health=self._health.report,
            fenced=self._integrity.restored.advice if self._integrity.restored else "",
        )
        telemetry = TelemetryService(
            self._config.node_id,
            TelemetryBox(self._config.state_dir / FOLDERS[DataClass.TELEMETRY], time.time_ns),
            link,
            look=self._health.condition,
            may_speak=lambda: sync.at_rest,
            may_keep=lambda: self._disk.rung is DiskRung.ROOMY,
            figures=lambda: floor_findings(self._store, _now_ms),
        )
        self._closing.push_async_callback(sync.keep_last_ack)
        sync.pause(await self._store.read(paused_at_ms))
        self._refused = lambda: sync.refused
        rejoining = RejoinService(
            node_id=self._config.node_id,
            boot_nonce=self._nonce,
            store=self._store,
            hub=HubNodeSync(link.channel),
            restored=self._integrity.restored is not None,
            place_lost=sync.wait_for_place_lost,
            on_ready=self._start_again.set,
            draw=random.random,
        )
        parts.new_epoch_refusal = lambda: rejoining.refusal
        self._tasks += [sync.run(), telemetry.run(), rejoining.run()]
        return sync

    def _calls(self) -> Answering:
        """The server of what the hub may call: made when it first calls, because it brings gRPC with it."""
        if self._served is None:
            from bodega_agent.services.diagnosing import Diagnosis, server  # noqa: PLC0415  # see the sentence above

            self._served = server(Diagnosis(self._store, self._health, self._refused))
        return self._served

    def _health_parts(self) -> Parts:
        eyes = self._eyes
        return Parts(
            printing=self._printing,
            disk=self._disk,
            devices=self._devices,
            vision_ready=(lambda: eyes.ready) if eyes else None,
            vision_provider=(lambda: eyes.provider) if eyes else None,
            vision_mode=lambda: str(self._vision_mode()),
        )

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


def _specs(config: AgentConfig) -> list[DeviceSpec]:
    """The devices that live in this process."""
    kinds: dict[str, Sequence[DeviceConfig]] = {
        "scanner": config.scanners,
        "printer": config.all_printers,
        "scale": config.scales,
    }
    return [
        DeviceSpec(kind, device.name, device.driver, device.options)
        for kind, devices in kinds.items()
        for device in devices
    ]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _settle_start_up_memory() -> None:
    """Importing frees megabytes that the allocator keeps; on a small box they are better given back.

    What stays, stays for good: the collector need not walk it again, which would hold up a scan for 20 ms.
    """
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


async def _first_of(*events: asyncio.Event) -> None:
    """Return once one of them is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
