"""One rig a printer driver: the driver as the registry opens it, and the device at the other end, with its faults."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.labels.document import parcel
from bodega_adapters.labels.making import render
from bodega_adapters.ports import LabelPrinter, PrinterAbilities
from bodega_adapters.registry import open_printer
from bodega_adapters.simulated.ipp_printer import SimulatedIppPrinter
from bodega_adapters.simulated.receipt_printer import SimulatedReceiptPrinter
from bodega_adapters.simulated.zpl_printer import SimulatedZplPrinter

WAITS = {"status_s": 0.4, "done_s": 1.5}
QUICK_WAITS = {"status_s": 0.04, "done_s": 0.3}


def sscc(serial: int = 1) -> str:
    """A valid SSCC."""
    return make_sscc(3, "9501101", serial)


def zpl_label(serial: int = 1) -> bytes:
    """A whole parcel label."""
    document = parcel(
        sscc=sscc(serial),
        order_id="ord-1",
        ship_to=("Ana Example", "1 High St"),
        ship_from=("Bodega",),
        service="NEXT DAY",
    )
    return render(document, PrinterAbilities("zpl", 8, 102, says_status=True, confirms=True))


class PrinterRig(Protocol):
    """What the contract needs of a device."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...
    def open(self) -> LabelPrinter: ...
    def job(self, serial: int) -> bytes: ...
    def printed(self) -> list[bytes]: ...
    def set_ready(self, ready: bool) -> None: ...
    async def off(self) -> None: ...
    async def on(self) -> None: ...


class CabledRig:
    """`driver` over one simulated printer that has a port and a terminal: TCP, serial or USB."""

    def __init__(
        self, driver: str, device: SimulatedZplPrinter | SimulatedReceiptPrinter, waits: dict[str, float]
    ) -> None:
        self._driver = driver
        self._cabled = device
        self._waits = waits

    async def start(self) -> None:
        await self._cabled.start()

    async def close(self) -> None:
        await self._cabled.close()

    def open(self) -> LabelPrinter:
        places: dict[str, dict[str, object]] = {
            "tcp": {"host": self._cabled.host, "port": self._cabled.port},
            "serial": {"port": self._cabled.path, "baud": 115_200},
            "usb": {"path": self._cabled.path},
        }
        place = places[self._driver.rpartition("-")[2]]
        return open_printer(self._driver, "bench", {**place, **self._waits})

    async def off(self) -> None:
        # A USB printer that is off is gone from the bus.
        if self._driver.endswith("-usb"):
            self._cabled.unplug()
        await self._cabled.power_off()

    async def on(self) -> None:
        self._cabled.plug()
        await self._cabled.power_on()


class ZplRig(CabledRig):
    """A label printer."""

    def __init__(self, driver: str, folder: Path, *, quick: bool = False) -> None:
        self.device = SimulatedZplPrinter(link=folder / "printer")
        super().__init__(driver, self.device, QUICK_WAITS if quick else WAITS)

    def job(self, serial: int) -> bytes:
        return zpl_label(serial)

    def printed(self) -> list[bytes]:
        return [label.zpl + b"\n" for label in self.device.labels]

    def set_ready(self, ready: bool) -> None:
        self.device.paused = not ready


class ReceiptRig(CabledRig):
    """A receipt printer."""

    def __init__(self, driver: str, folder: Path) -> None:
        self.device = SimulatedReceiptPrinter(link=folder / "printer")
        super().__init__(driver, self.device, WAITS)

    def job(self, serial: int) -> bytes:
        # A raster line with bytes that a line discipline or flow control would eat.
        return (
            b"\x1b@receipt %d\n\x1dv0\x00\x08\x00\x01\x00\x03\x04\x0d\x11\x13\x1a\x7f\xff\x1dV\x00" % serial
        )

    def printed(self) -> list[bytes]:
        return self.device.receipts

    def set_ready(self, ready: bool) -> None:
        self.device.paper_out = not ready


class PdfRig:
    """A folder."""

    def __init__(self, driver: str, folder: Path) -> None:
        self._driver = driver
        self._folder = folder / "labels"

    async def start(self) -> None:
        self._folder.mkdir(exist_ok=True)

    async def close(self) -> None:
        """Nothing is open."""

    def open(self) -> LabelPrinter:
        return open_printer(self._driver, "bench", {"path": str(self._folder)})

    def job(self, serial: int) -> bytes:
        return b"%%PDF-1.4 label %d" % serial

    def printed(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted(self._folder.glob("*.pdf"))]

    def set_ready(self, ready: bool) -> None:
        home = self._folder.with_suffix(".away")
        (home.rename(self._folder) if ready else self._folder.rename(home))

    async def off(self) -> None:
        self.set_ready(False)

    async def on(self) -> None:
        self.set_ready(True)


class IppRig:
    """An office printer."""

    def __init__(self, driver: str, _folder: Path) -> None:
        self._driver = driver
        self.device = SimulatedIppPrinter()

    async def start(self) -> None:
        await self.device.start()

    async def close(self) -> None:
        await self.device.close()

    def open(self) -> LabelPrinter:
        options: dict[str, object] = {"host": self.device.host, "port": self.device.port, **WAITS}
        return open_printer(self._driver, "bench", options)

    def job(self, serial: int) -> bytes:
        return b"%%PDF-1.4 label %d" % serial

    def printed(self) -> list[bytes]:
        return self.device.printed

    def set_ready(self, ready: bool) -> None:
        self.device.paper_out = not ready

    async def off(self) -> None:
        await self.device.close()

    async def on(self) -> None:
        await self.device.start()


ZPL_DRIVERS = ("zpl-tcp", "zpl-serial", "zpl-usb")
RIGS: dict[str, Callable[[str, Path], PrinterRig]] = {
    **dict.fromkeys(ZPL_DRIVERS, ZplRig),
    **dict.fromkeys(("escpos-tcp", "escpos-serial", "escpos-usb"), ReceiptRig),
    "ipp": IppRig,
    "pdf": PdfRig,
}


@asynccontextmanager
async def zpl_bench(
    driver: str, *, quick: bool = False
) -> AsyncIterator[tuple[SimulatedZplPrinter, LabelPrinter]]:
    """A ZPL printer and its driver."""
    with TemporaryDirectory() as folder:
        rig = ZplRig(driver, Path(folder), quick=quick)
        await rig.start()
        printer = rig.open()
        try:
            yield rig.device, printer
        finally:
            await printer.close()
            await rig.close()
