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

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from bodega_adapters.framing.gs1 import Element

    Pixels: TypeAlias = npt.NDArray[np.uint8]

PrintOutcome: TypeAlias = Literal["confirmed", "unknown", "failed", "refused"]
Language: TypeAlias = Literal["zpl", "escpos", "pdf"]
# Resolutions of label printers: 152, 203, 300 and 600 dpi.
DOTS_PER_MM = frozenset({6, 8, 12, 24})


@dataclass(frozen=True, slots=True)
class UsbId:
    """Vendor and product number of the USB descriptor; `product` None: any product of this vendor."""

    vendor: int
    product: int | None = None


@dataclass(frozen=True, slots=True)
class Recognition:
    """How a driver knows its device among what is plugged in; `bodega devices scan` proposes drivers by it.

    `subsystem` is the kernel's name for the kind of device file (tty, input, hidraw, usbmisc, video4linux; empty for
    a device on the network). A device matches when its subsystem does and, where they are given, one of `usb` and the
    shell pattern `name` (of its name in /dev/serial/by-id, or of what the kernel calls it) do. `address` is the form of
    the address of a network device, such as "tcp HOST:9100".
    """

    subsystem: str = ""
    usb: tuple[UsbId, ...] = ()
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ScannerAbilities:
    """`aim`: the device can send AIM identifiers. `keeps_gs`: the GS character (FNC1) arrives as such."""

    aim: bool
    keeps_gs: bool


@dataclass(frozen=True, slots=True)
class PrinterAbilities:
    """What may be sent to a printer, and what it can say.

    `dots_per_mm` is one of DOTS_PER_MM, most often 8 (203 dpi) or 12 (300 dpi), `width_mm` the printable width.
    `says_status`: it answers `status`. `confirms`: it can say that a label came out; without, every label that was sent
    is `unknown` until its scan-back.
    """

    language: Language
    dots_per_mm: int
    width_mm: int
    says_status: bool
    confirms: bool


@dataclass(frozen=True, slots=True)
class CameraAbilities:
    """`live`: pictures of now, not of a file. `controls`: names of settings that are set and read back."""

    live: bool
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScaleAbilities:
    """`says_unstable`: a reading says whether it was still moving. `tares`: it can be set to zero or tared."""

    says_unstable: bool
    tares: bool


Abilities: TypeAlias = ScannerAbilities | PrinterAbilities | CameraAbilities | ScaleAbilities


@dataclass(frozen=True, slots=True)
class Scan:
    """One barcode as the device sent it.

    `raw` is the frame without terminator, prefix and suffix; `text` is the barcode's content, with the GS
    character kept and the AIM identifier taken off; `symbology` is that identifier with its bracket ("]C1",
    ISO/IEC 15424) or None where the device sends none. `device_counter` counts the scans of this driver
    object from 1 without gaps; a device that keeps a counter of its own over restarts gives that one, and names it
    in `counter_name` (another name where it begins anew), so that a scan which it sends again is known as the same.
    `at_ms` is wall-clock time (Unix, milliseconds): for people, never for ordering. `elements` is what the barcode
    carries in GS1's words; empty where it is not GS1's, or is malformed. Drivers make scans with
    `bodega_adapters.scanning.make_scan`.
    """

    raw: bytes
    text: str
    symbology: str | None
    device: str
    device_counter: int
    at_ms: int
    counter_name: str = ""
    elements: tuple[Element, ...] = ()


class Scanner(Protocol):
    """A source of scans that outlives its cable."""

    recognises: ClassVar[Recognition]

    @property
    def abilities(self) -> ScannerAbilities:
        """What this device can do, as configured."""
        ...

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
    `detail` names every flag that is; `warnings` are those that do not stop it, such as a print head to be cleaned.
    """

    ready: bool
    paper_out: bool
    head_open: bool
    paused: bool
    queued_labels: int
    detail: str
    ribbon_out: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrintReceipt:
    """How one print attempt ended; see `LabelPrinter.print_label` for the strict meaning of `outcome`."""

    outcome: PrintOutcome
    detail: str


# Awaited once, when the printer has said that it is ready and before the first byte of the job leaves: the caller makes
# it durable there that the job is being sent. False takes the job back.
Starting: TypeAlias = Callable[[], Awaitable[bool]]


class LabelPrinter(Protocol):
    """A printer of labels in the language that its abilities name."""

    recognises: ClassVar[Recognition]

    @property
    def abilities(self) -> PrinterAbilities:
        """What this device can do, as configured."""
        ...

    @property
    def name(self) -> str:
        """The name that configuration gave to this device."""
        ...

    async def status(self) -> PrinterStatus:
        """Ask the printer now, everything it can say of itself.

        Raises `Unavailable` when it can not be reached or does not answer in time, `PeerFault` when it
        answers nonsense.
        """
        ...

    async def print_label(self, label: bytes, starting: Starting | None = None) -> PrintReceipt:
        """Send one label, once, and say what is known about it.

        - "failed": provably no byte of the job reached the printer. It may be tried again.
        - "refused": the printer has answered that it does not print this, ever: the job is to be mended first.
        - "confirmed": every byte was sent, and afterwards the printer answered its status with no error and
          an empty queue (or whatever else its abilities call a confirmation).
        - "unknown": anything else after the first byte. Nobody prints this job again blindly: a person or a
          scan-back of the label decides.

        A printer that says that it is not ready gets no byte, and `starting` is not asked. A driver never sends a job
        twice on its own. If the call is cancelled, the caller knows as much as "unknown". Raises `InvalidInput` for an
        empty job or one above `LABEL_BYTES_MAX`, what `starting` raises (and then no byte has left), and no device
        error.
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

    recognises: ClassVar[Recognition]

    @property
    def abilities(self) -> CameraAbilities:
        """What this device can do, as configured."""
        ...

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


@dataclass(frozen=True, slots=True)
class Weight:
    """One reading of a scale. `milligrams` is net (gross less tare); `stable`: the goods had stopped moving.

    `text` is the device's own line, for the record; `at_ms` is wall-clock time.
    """

    milligrams: int
    stable: bool
    text: str
    device: str
    at_ms: int


class Scale(Protocol):
    """A scale, asked when a weight is needed; on the agent's event loop."""

    recognises: ClassVar[Recognition]

    @property
    def name(self) -> str:
        """The name that configuration gave to this device."""
        ...

    @property
    def abilities(self) -> ScaleAbilities:
        """What this device can do, as configured."""
        ...

    async def weigh(self, *, stable: bool = True) -> Weight:
        """The weight: the next stable one, or with `stable=False` the one of now.

        Raises `Unavailable` when the scale can not be reached, does not answer in time, does not come to rest, or is
        over or under its range, `PeerFault` when it answers nonsense.
        """
        ...

    async def zero(self) -> None:
        """Set the empty scale to zero; raises as `weigh`."""
        ...

    async def tare(self) -> None:
        """Take what is on it now as packing, until the next `zero`: weights are net of it. Raises as `weigh`."""
        ...

    async def close(self) -> None:
        """Release the device; safe to call twice."""
        ...
