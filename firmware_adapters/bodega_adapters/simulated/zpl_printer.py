"""A ZPL printer on a TCP port of this machine and, if asked, on a pseudo-terminal: one memory behind both."""

from __future__ import annotations

from bodega_adapters.simulated.faces import Faces
from bodega_adapters.simulated.zpl_memory import PrintedLabel, ZplMemory

__all__ = ["PrintedLabel", "SimulatedZplPrinter"]


class SimulatedZplPrinter(Faces, ZplMemory):
    """The device side; its faults are those of `ZplMemory` and of `Faces`."""
