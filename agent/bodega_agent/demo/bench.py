"""Everything at a node that is not Bodega: shelves, a scanner, a label printer, a tray under a camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bodega_adapters.simulated.folder_camera import SimulatedTray
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from bodega_agent.demo.shelves import Shelves

SCANNER = "scanner-1"
PRINTER = "label-printer"
CAMERA = "bench"


@dataclass(slots=True)
class Bench:
    """The devices of one node, plugged in by `set_up`; `shelves` is what really lies there.

    `watched`: whether the agent has a camera that looks at the tray.
    """

    scanner: SimulatedScanner
    printer: SimulatedZplPrinter
    tray: SimulatedTray
    watched: bool
    shelves: Shelves = field(default_factory=Shelves)

    def label_is_there(self, sscc: str) -> bool:
        """Whether a label of this parcel lies in the printer's output."""
        return any(label.sscc == sscc for label in self.printer.labels)

    async def close(self) -> None:
        """Unplug everything."""
        self.scanner.close()
        await self.printer.close()


async def set_up(folder: Path, *, watched: bool = True) -> Bench:
    """Plug in the devices of one node; `folder` holds the scanner's link and the tray's pictures."""
    printer = SimulatedZplPrinter()
    await printer.start()
    return Bench(SimulatedScanner(folder / "ttyScanner"), printer, SimulatedTray(folder / "tray"), watched)
