"""The small protocols that a device driver keeps, and the values that cross them.

A driver author reads this file and `framing/`, and nothing else of Bodega. Rules that all drivers keep:

- A driver owns its device and its connection, and no other state: what a scan or a label means is the
  agent's matter.
- Trouble with the hardware is `Unavailable`, nonsense from the hardware is `PeerFault`, a wrong option is
  `InvalidInput` (all from `bodega.errors`); nothing else leaves a driver, and one dead device never stops
  another.
- Scanners and printers live on the agent's event loop and never block it; cameras are synchronous, because
  they live in the vision process.
- Values are frozen. This module imports no numpy, no OpenCV and no serial library at run time: the agent's
  daemon reads it too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels: TypeAlias = npt.NDArray[np.uint8]

PrintOutcome: TypeAlias = Literal["confirmed", "unknown", "failed"]


@dataclass(frozen=True, slots=True)
class Scan:
    """One barcode as the device sent it.

    `raw` is the frame without terminator, prefix and suffix; `text` is the barcode's content, with the GS
    character kept and the AIM identifier taken off; `symbology` is that identifier with its bracket ("]C1",
    ISO/IEC 15424) or None where the device sends none. `device_counter` counts the scans of this driver
    object from 1 without gaps; a device that keeps a counter of its own over restarts gives that one, and names it
    in `counter_name` (another name where it begins anew), so that a scan which it sends again is known as the same.
    `at_ms` is wall-clock time (Unix, milliseconds): for people, never for ordering.
    """

    raw: bytes
    text: str
    symbology: str | None
    device: str
    device_counter: int
    at_ms: int
    counter_name: str = ""


class Scanner(Protocol):
    """A source of scans that outlives its cable."""

    @property
    def name(self) -> str:
        """The name that configuration gave to this device."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the device is open now; for status pages, not for control."""
        ...

    def scans(self) -> AsyncIterator[Scan]:
        """Yield scans until `close`; one consumer at a time.

        Survives unplug and replug by itself: warns once when the device is lost, once when it is back, and
        tries again with backoff and jitter in between. Never raises because a device is missing.
        """
        ...

    async def close(self) -> None:
        """Release the device and end `scans`; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What the printer says of itself. `queued_labels` counts labels received and not yet printed.

    `ready` means that a label sent now would be printed now as far as the printer knows: no flag is raised.
    """

    ready: bool
    paper_out: bool
    head_open: bool
    paused: bool
    queued_labels: int
    detail: str


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """How one print attempt ended; see `LabelPrinter.print_label` for the strict meaning of `outcome`."""

    outcome: PrintOutcome
    detail: str


class LabelPrinter(Protocol):
    """A printer of ZPL labels."""

    @property
    def name(self) -> str:
        """The name that configuration gave to this device."""
        ...

    async def status(self) -> PrinterStatus:
        """Ask the printer now.

        Raises `Unavailable` when it can not be reached or does not answer in time, `PeerFault` when it
        answers nonsense.
        """
        ...

    async def print_label(self, zpl: bytes) -> PrintReceipt:
        """Send one label, once, and say what is known about it.

        - "failed": provably no byte of the job reached the printer. It may be tried again.
        - "confirmed": every byte was sent, and afterwards the printer answered its status with no error and
          an empty queue.
        - "unknown": anything else after the first byte. Nobody prints this job again blindly: a person or a
          scan-back of the label decides.

        A driver never sends a job twice on its own. If the call is cancelled, the caller knows as much as
        "unknown". Raises `InvalidInput` for an empty job or one above `LABEL_BYTES_MAX`, and no device error.
        """
        ...

    async def close(self) -> None:
        """Let the job in hand end, then release the device; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture. `pixels` has shape (height, width, 3), dtype uint8, channels blue, green, red.

    `digest` is the SHA-256 (hex) of the encoded bytes where there are any, else of the raw pixels: the name
    of this evidence in decision records. `at_ms` is wall-clock time; `source` says where it came from,
    without credentials.
    """

    pixels: Pixels
    digest: str
    at_ms: int
    source: str


class Camera(Protocol):
    """A source of frames, synchronous: it lives in the vision process, away from the ledger."""

    @property
    def name(self) -> str:
        """The name that configuration gave to this device."""
        ...

    def open(self) -> None:
        """Get the device; raises `Unavailable` with a hint. Opening an open camera is nothing."""
        ...

    def read(self) -> Frame:
        """The newest frame; raises `Unavailable` when there is none, or the camera is not open."""
        ...

    def close(self) -> None:
        """Release the device; safe to call twice."""
        ...
