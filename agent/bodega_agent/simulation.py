"""`bodega run --simulate`: the agent with simulated devices in place of its own, on any laptop.

The devices are those of `bodega_adapters.simulated`: a scanner and a scale on pseudo-terminals, a printer on a TCP
port, a tray under a camera (where the vision packages are installed). The drivers above them are the real ones. A
script makes them act by themselves; `bodega devices simulate` makes them act now.
"""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

from attrs import evolve

from bodega.errors import ConfigInvalid, FieldFault, InvalidInput
from bodega.host.log import get_logger
from bodega_adapters.simulated.folder_camera import SimulatedTray
from bodega_adapters.simulated.pty_scale import SimulatedScale
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.simulated.script import Step, do, parse_steps, play, read_script
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from bodega_agent.config import AgentConfig, DeviceConfig, PrinterConfig, VisionConfig

log = get_logger(__name__)

Json = dict[str, Any]

_VISION_NEEDS = ("cv2", "numpy", "onnxruntime", "zxingcpp")
# What lies under the camera at the start: the usual example of an EAN-13.
_FIRST_ITEM = "4006381333931"


class Simulation:
    """The simulated devices `scanner`, `printer`, `scale` and `camera`; their links and pictures lie in `folder`."""

    def __init__(self, folder: Path, script: Path | None = None) -> None:
        self._folder = folder
        self._script = script
        self._playing: asyncio.Task[None] | None = None
        self.devices: dict[str, object] = {}

    async def start(self) -> None:
        """Plug everything in. Raises ConfigInvalid for a script with faults, before anything begins."""
        self._folder.mkdir(parents=True, exist_ok=True)
        printer = SimulatedZplPrinter()
        await printer.start()
        tray = SimulatedTray(self._folder / "tray")
        self.devices = {
            "scanner": SimulatedScanner(self._folder / "scanner"),
            "printer": printer,
            "scale": SimulatedScale(self._folder / "scale"),
            "camera": tray,
        }
        if _sees():
            tray.show_item(_FIRST_ITEM)
        steps = read_script(self._script, self.devices) if self._script else []
        self._playing = asyncio.create_task(play(steps, self.devices), name="simulation")
        log.info("simulating", devices=sorted(self.devices), steps=len(steps))

    async def close(self) -> None:
        """Unplug everything."""
        if self._playing is not None:
            self._playing.cancel()
            await asyncio.gather(self._playing, return_exceptions=True)
        for device in self.devices.values():
            closing = getattr(device, "close", None)
            done = closing() if closing is not None else None
            if asyncio.iscoroutine(done):
                await done
        self.devices = {}

    def over(self, config: AgentConfig) -> AgentConfig:
        """The same configuration with these devices in place of its own."""
        scanner, printer = self.devices["scanner"], self.devices["printer"]
        scale, tray = self.devices["scale"], self.devices["camera"]
        assert isinstance(scanner, SimulatedScanner)
        assert isinstance(printer, SimulatedZplPrinter)
        assert isinstance(scale, SimulatedScale)
        assert isinstance(tray, SimulatedTray)
        sees = _sees()
        camera = DeviceConfig(name="camera", driver="folder", options={"path": str(tray.folder)})
        return evolve(
            config,
            scanners=[DeviceConfig(name="scanner", driver="serial", options={"port": scanner.path})],
            printer=None,
            printers=[
                PrinterConfig(
                    name="printer", driver="zpl-tcp", options={"host": printer.host, "port": printer.port}
                )
            ],
            scales=[DeviceConfig(name="scale", driver="mt-sics", options={"port": scale.path})],
            cameras=[camera] if sees else [],
            vision=VisionConfig(camera="camera", providers=["CPUExecutionProvider"]) if sees else None,
        )

    async def answer(self, request: Json) -> Json:
        """`device.simulate`: one action now, refused in the words of a script's faults."""
        name, action, values = request.get("name"), request.get("action"), request.get("values", {})
        if not isinstance(name, str) or not isinstance(action, str) or not isinstance(values, dict):
            raise InvalidInput("'name' and 'action' must be texts and 'values' an object")
        way = {"set": values} if action == "set" else {"do": action, "args": values}
        try:
            steps = parse_steps([Step(at_s=0.0, device=name, **way)], self.devices)
        except ConfigInvalid as error:
            faults = tuple(
                FieldFault(fault.where.rpartition(".")[2], fault.problem) for fault in error.faults
            )
            raise InvalidInput(
                f"that can not be simulated: {faults[0].problem}",
                hint="bodega devices simulate NAME ACTION [NAME=VALUE]...",
                faults=faults,
            ) from error
        await do(steps[0], self.devices[name])
        return {"done": f"{name}: {action}"}


def _sees() -> bool:
    return all(importlib.util.find_spec(one) for one in _VISION_NEEDS)
