"""Printers and scales for the rest of the agent: the port's promises are kept even where a driver breaks them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

from bodega.errors import BodegaError, PeerFault, Unavailable
from bodega.limits import DEVICE_CALL_S
from bodega_adapters.ports import (
    LabelPrinter,
    PrinterAbilities,
    PrinterStatus,
    PrintReceipt,
    Recognition,
    Scale,
    ScaleAbilities,
    Starting,
    Weight,
)
from bodega_agent.services.cell import Cell

T = TypeVar("T")


class GuardedPrinter:
    """A `LabelPrinter` in a cell. A driver that breaks in mid-job leaves the label `unknown`, never sent again."""

    recognises: ClassVar[Recognition] = Recognition()

    def __init__(self, cell: Cell[LabelPrinter], *, looks: bool = False) -> None:
        """`looks`: for the one who looks whether it is there, and need not be told to look again."""
        self.cell = cell
        self.looks = looks
        self._abilities: PrinterAbilities | None = None

    @property
    def name(self) -> str:
        """See LabelPrinter."""
        return self.cell.spec.name

    @property
    def abilities(self) -> PrinterAbilities:
        """See LabelPrinter: those of now, or the last ones known. Raises Unavailable before it was ever open."""
        device = self.cell.device
        if device is not None:
            self._abilities = self.cell.look_at("its abilities", lambda: device.abilities) or self._abilities
        if self._abilities is None:
            raise Unavailable(f"printer {self.name} is not open yet", hint="ask again in a moment")
        return self._abilities

    async def status(self) -> PrinterStatus:
        """See LabelPrinter."""
        return await _asked(self, "its status", lambda printer: printer.status(), PrinterStatus)

    async def print_label(self, label: bytes, starting: Starting | None = None) -> PrintReceipt:
        """See LabelPrinter."""
        cell = self.cell
        if cell.device is None:
            return PrintReceipt("failed", f"printer {self.name} is not open")
        faults = cell.faults
        try:
            receipt = await cell.call(
                "printing", 2 * DEVICE_CALL_S, lambda printer: printer.print_label(label, starting)
            )
        except BodegaError as error:
            cell.look_again()
            if cell.faults == faults:
                raise  # the driver's own voice, or `starting`'s
            # It broke its port, so nobody can know how far it came.
            return PrintReceipt("unknown", error.message)
        if not isinstance(receipt, PrintReceipt):
            cell.blame(f"printing: the driver answered {receipt!r:.100}")
            return PrintReceipt("unknown", f"the driver answered {receipt!r}")
        if receipt.outcome == "confirmed":
            cell.answered()
            cell.last = {"outcome": receipt.outcome, "text": receipt.detail}
        else:
            cell.look_again()
        return receipt

    async def close(self) -> None:
        """The cell closes it."""


class GuardedScale:
    """A `Scale` in a cell."""

    recognises: ClassVar[Recognition] = Recognition()

    def __init__(self, cell: Cell[Scale], *, looks: bool = False) -> None:
        """`looks`: for the one who looks whether it is there, and need not be told to look again."""
        self.cell = cell
        self.looks = looks

    @property
    def name(self) -> str:
        """See Scale."""
        return self.cell.spec.name

    @property
    def abilities(self) -> ScaleAbilities:
        """See Scale; raises Unavailable while the driver is not open."""
        device = self.cell.device
        found = self.cell.look_at("its abilities", lambda: device.abilities) if device is not None else None
        if found is None:
            raise Unavailable(f"scale {self.name} is not open", hint="ask again in a moment")
        return found

    async def weigh(self, *, stable: bool = True) -> Weight:
        """See Scale."""
        weight = await _asked(self, "its weight", lambda scale: scale.weigh(stable=stable), Weight)
        self.cell.last = {"at_ms": weight.at_ms, "milligrams": weight.milligrams, "stable": weight.stable}
        return weight

    async def zero(self) -> None:
        """See Scale."""
        await _asked(self, "setting it to zero", lambda scale: scale.zero(), type(None))

    async def tare(self) -> None:
        """See Scale."""
        await _asked(self, "its tare", lambda scale: scale.tare(), type(None))

    async def close(self) -> None:
        """The cell closes it."""


async def _asked(
    guard: GuardedPrinter | GuardedScale,
    what: str,
    work: Callable[[Any], Awaitable[T]],
    answer: type[T],
) -> T:
    cell = guard.cell
    try:
        result = await cell.call(what, DEVICE_CALL_S, work)
    except BodegaError as error:
        cell.missed(error.message)
        if not guard.looks:
            cell.look_again()
        raise
    if not isinstance(result, answer):
        cell.blame(f"{what}: the driver answered {result!r:.100}")
        raise PeerFault(f"{cell.spec.kind} {cell.spec.name}: its driver answered {result!r:.100}")
    cell.answered()
    return result
