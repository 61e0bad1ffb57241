"""How the node is: one set of facts for the CLI, the heartbeat and the watchdog.

What is wrong is shown everywhere in the same words, with a code, and never goes away by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bodega import __version__
from bodega.v1 import fleet_pb2
from bodega_agent.config import AgentConfig
from bodega_agent.rules.disk import DiskRung
from bodega_agent.rules.telemetry import Condition
from bodega_agent.services.devices import DeviceService
from bodega_agent.services.disk import DiskService
from bodega_agent.services.integrity import IntegrityService
from bodega_agent.services.printing import PrintService
from bodega_agent.services.syncing import SyncService
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store

Json = dict[str, Any]

_MISSING = ("lost", "faulty", "not_ready")


@dataclass(slots=True)
class Parts:
    """The running services that health looks at; None for what the node does not have."""

    printing: PrintService
    disk: DiskService
    devices: DeviceService
    sync: SyncService | None = None
    vision_ready: Callable[[], bool] | None = None
    vision_provider: Callable[[], str] | None = None
    vision_mode: Callable[[], str] = lambda: "off"
    new_epoch_refusal: Callable[[], str] = lambda: ""


class HealthService:
    """Answers `bodega status`, fills the heartbeat and feeds the watchdog."""

    def __init__(
        self, config: AgentConfig, store: Store, integrity: IntegrityService, parts: Parts, boot_nonce: str
    ) -> None:
        self._config = config
        self._store = store
        self._integrity = integrity
        self._parts = parts
        self._boot_nonce = boot_nonce
        self._started_s = time.monotonic()

    @property
    def ledger_ok(self) -> bool:
        """False once anything was found that does not add up."""
        return self._integrity.trouble is None

    def _ledger_problem(self) -> str:
        trouble, restored = self._integrity.trouble, self._integrity.restored
        return trouble.problem if trouble else restored.advice if restored else ""

    async def report(self) -> fleet_pb2.Health:
        """What goes up with every heartbeat."""
        facts = await self._store.read(self._facts)
        disk = self._parts.disk.status()
        return fleet_pb2.Health(
            version=__version__,
            generation=facts["generation"],
            oldest_unacked_ms=facts["oldest_unacked_ms"],
            disk_free_bytes=disk["free_bytes"],
            disk_rung=disk["rung"],
            devices_lost=sorted(self._missing()),
            vision_provider=self._parts.vision_provider() if self._parts.vision_provider else "",
            labels_unknown=facts["labels_unknown"],
            ledger_ok=self.ledger_ok,
            ledger_problem=self._ledger_problem(),
        )

    async def condition(self) -> Condition:
        """What telemetry compares from one look to the next."""
        sync, disk = self._parts.sync, self._parts.disk.status()
        exchange = sync.status() if sync else None
        return Condition(
            devices_lost=self._missing(),
            disk_rung=disk["rung"],
            vision_provider=self._parts.vision_provider() if self._parts.vision_provider else "",
            connected=bool(exchange and exchange.connected),
            head_seq=exchange.head_seq if exchange else 0,
            acked_seq=exchange.acked_seq if exchange else 0,
            disk_free_bytes=disk["free_bytes"],
        )

    async def status(self) -> Json:
        """What `bodega status` shows; see the control socket's contract."""
        facts = await self._store.read(self._facts)
        devices = self._parts.devices.rows()
        sync = self._parts.sync.status() if self._parts.sync else None
        disk = self._parts.disk.status()
        return {
            "node_id": self._config.node_id,
            "version": __version__,
            "boot_nonce": self._boot_nonce,
            "uptime_s": round(time.monotonic() - self._started_s, 1),
            "connected": bool(sync and sync.connected),
            "devices": devices,
            "printer": self._printer(),
            "vision": self._vision(),
            "ledger_ok": self.ledger_ok,
            "ledger": self._integrity.status(),
            "disk": disk,
            "health": [
                *self._problems(devices, facts, sync.fenced if sync else ""),
                *_disk_problems(disk),
            ],
            **facts,
        }

    def sync_status(self) -> Json:
        """The `sync` operation of the control socket."""
        if self._parts.sync is None:
            return {"connected": False, "configured": False}
        return {
            "configured": True,
            **asdict(self._parts.sync.status()),
            "new_epoch": self._parts.new_epoch_refusal(),
        }

    def _facts(self, reader: Reader) -> Json:
        head = reader.head()
        oldest = reader.oldest_unacked_at_ms() if self._config.hub else None
        age = max(0, int(time.time() * 1000) - oldest) if oldest is not None else 0
        return {
            "epoch": head.epoch,
            "head_seq": head.seq,
            "acked_seq": reader.acked().seq,
            "hub_seen_seq": reader.meta("down_seq", 0),
            "generation": reader.meta("generation", 0),
            "oldest_unacked_ms": age,
            **reader.counts(),
        }

    def _missing(self) -> frozenset[str]:
        return frozenset(row["name"] for row in self._parts.devices.rows() if row["state"] in _MISSING)

    def _printer(self) -> Json | None:
        status = next((one.status for one in self._parts.printing.stations if one.status), None)
        return asdict(status) if status else None

    def _vision(self) -> Json | None:
        if self._parts.vision_ready is None or self._parts.vision_provider is None:
            return None
        return {
            "ready": self._parts.vision_ready(),
            "provider": self._parts.vision_provider(),
            "mode": self._parts.vision_mode(),
        }

    def _problems(self, devices: list[Json], facts: Json, fenced: str) -> list[Json]:
        found = [
            {
                "code": f"device-{device['state'].replace('_', '-')}",
                "text": f"{device['kind']} {device['name']} is {device['state'].replace('_', ' ')}: {device['detail']}",
            }
            for device in devices
            if device["state"] in _MISSING
        ]
        if facts["labels_unknown"]:
            text = f"{facts['labels_unknown']} labels in doubt: look, then bodega labels ls --unknown"
            found.append({"code": "labels-unknown", "text": text})
        if facts["labels_failed"]:
            text = (
                f"{facts['labels_failed']} labels can not be printed as they are: bodega labels ls --failed"
            )
            found.append({"code": "labels-failed", "text": text})
        if facts["hub_events_parked"]:
            text = (
                f"{facts['hub_events_parked']} events of the hub have no effect here yet: upgrade this node"
            )
            found.append({"code": "hub-events-parked", "text": text})
        if (trouble := self._integrity.trouble) is not None:
            text = f"{trouble.problem}; no new promises are made: bodega ledger verify"
            found.append({"code": "ledger-broken", "text": text})
        if (restored := self._integrity.restored) is not None:
            found.append({"code": "restored", "text": restored.advice})
        elif fenced:
            found.append({"code": "fenced", "text": f"the hub does not take this node's events: {fenced}"})
        return found


# Code and what it means for the people at the node, by rung.
_DISK_PROBLEMS = {
    DiskRung.DROPPING: ("disk-low", "old frames, telemetry and archives are dropped"),
    DiskRung.NO_NEW_PROMISES: ("disk-no-promises", "new promises are refused"),
    DiskRung.PHYSICAL_ONLY: ("disk-full", "only physical scans are recorded, until there is room"),
}


def _disk_problems(disk: Json) -> list[Json]:
    found = []
    if problem := _DISK_PROBLEMS.get(disk["rung"]):
        code, meaning = problem
        found.append({"code": code, "text": f"{disk['reason']}: {meaning}"})
    if disk["ballast_trouble"]:
        text = f"the disk's ballast can not be made: {disk['ballast_trouble']}"
        found.append({"code": "ballast-missing", "text": text})
    return found
