"""Everything at a node that is not Bodega: shelves, scanners, a label printer, a tray under a camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bodega_adapters.simulated.folder_camera import SimulatedTray
from bodega_adapters.simulated.pty_scanner import SimulatedScanner
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter
from bodega_agent.demo.huddle import Huddle
from bodega_agent.demo.shelves import Shelves


def scanner_name(number: int) -> str:
    """What the configuration calls the `number`th scanner of a node, from 1 on."""
    return f"scanner-{number}"


SCANNER = scanner_name(1)
PRINTER = "label-printer"
CAMERA = "bench"


@dataclass(slots=True)
class Bench:
    """The devices of one node, plugged in by `set_up`; `shelves` is what really lies there.

    `scanners` by name, one for each associate. `watched`: whether the agent has a camera that looks at the tray.
    """

    scanners: Mapping[str, SimulatedScanner]
    printer: SimulatedZplPrinter
    tray: SimulatedTray
    watched: bool
    shelves: Shelves = field(default_factory=Shelves)
    huddle: Huddle = field(default_factory=Huddle)

    @property
    def scanner(self) -> SimulatedScanner:
        """The first one."""
        return self.scanners[SCANNER]

    def label_is_there(self, sscc: str) -> bool:
        """Whether a label of this parcel lies in the printer's output."""
        return any(label.sscc == sscc for label in self.printer.labels)

    def look_after_printer(self) -> None:
        """Whoever waits for a label looks: a lid that is open is closed, a roll that has ended is changed."""
        self.printer.head_open = self.printer.paper_out = False

    async def close(self) -> None:
        """Unplug everything."""
        for scanner in self.scanners.values():
            scanner.close()
        await self.printer.close()


async def set_up(folder: Path, *, watched: bool = True, scanners: int = 1) -> Bench:
    """Plug in the devices of one node; `folder` holds the scanners' links and the tray's pictures."""
    printer = SimulatedZplPrinter()
    await printer.start()
    names = [scanner_name(number) for number in range(1, scanners + 1)]
    plugged = {name: SimulatedScanner(folder / f"tty-{name}") for name in names}
    return Bench(plugged, printer, SimulatedTray(folder / "tray"), watched)
