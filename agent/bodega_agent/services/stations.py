"""The printers of a node: what each prints, how it was when it was last used, and who stands in for whom.

Of several printers for the same things the first one prints, and the next one while those before it are out. A printer
that says that it is not ready (no paper) is out at once; one that does not answer only after three misses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from bodega.limits import DEVICE_MISSES_BEFORE_GONE
from bodega_adapters.ports import LabelPrinter, PrinterStatus

LABELS = "labels"
RECEIPTS = "receipts"


@dataclass(slots=True, eq=False)
class Station:
    """One printer at work. `unfit`: jobs that wait and that do not fit this printer, but another one."""

    printer: LabelPrinter
    prints: str = LABELS
    status: PrinterStatus | None = None
    trouble: str = ""
    misses: int = 0
    unfit: set[str] = field(default_factory=set)
    work: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The printer's name in the configuration."""
        return self.printer.name

    @property
    def is_out(self) -> bool:
        """Whether another printer shall do its work."""
        says_no = self.status is not None and not self.status.ready
        return bool(self.trouble) and (says_no or self.misses >= DEVICE_MISSES_BEFORE_GONE)

    def went_well(self) -> None:
        """It has answered, and nothing is wrong with it."""
        self.status = PrinterStatus(
            ready=True, paper_out=False, head_open=False, paused=False, queued_labels=0, detail="ready"
        )
        self.trouble, self.misses = "", 0

    def says(self, status: PrinterStatus) -> None:
        """It has answered when it was asked."""
        self.status, self.misses = status, 0
        self.trouble = "" if status.ready else status.detail or "not ready"

    def missed(self, trouble: str) -> None:
        """It did not answer."""
        self.status, self.trouble = None, trouble
        self.misses += 1


def before(station: Station, stations: Sequence[Station]) -> list[Station]:
    """Those that do the same work and come first."""
    alike = [one for one in stations if one.prints == station.prints]
    return alike[: alike.index(station)]
