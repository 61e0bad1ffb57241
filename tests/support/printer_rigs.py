"""One rig a printer driver: the driver as the registry opens it, and the device at the other end, with its faults."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from bodega_adapters.framing.check_digit import make_sscc
from bodega_adapters.labels.document import parcel, render
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


class ZplRig:
    """`driver` over one simulated printer with a port and a terminal."""

    def __init__(self, driver: str, folder: Path, *, quick: bool = False) -> None:
        self.device = SimulatedZplPrinter(link=folder / "printer")
        self._driver = driver
        self._waits = QUICK_WAITS if quick else WAITS

    async def start(self) -> None:
        await self.device.start()

    async def close(self) -> None:
        await self.device.close()

    def open(self) -> LabelPrinter:
        places: dict[str, dict[str, object]] = {
            "zpl-tcp": {"host": self.device.host, "port": self.device.port},
            "zpl-serial": {"port": self.device.path, "baud": 115_200},
            "zpl-usb": {"path": self.device.path},
        }
        return open_printer(self._driver, "bench", {**places[self._driver], **self._waits})

    def job(self, serial: int) -> bytes:
        return zpl_label(serial)

    def printed(self) -> list[bytes]:
        return [label.zpl + b"\n" for label in self.device.labels]

    def set_ready(self, ready: bool) -> None:
        self.device.paused = not ready

    async def off(self) -> None:
        # A USB printer that is off is gone from the bus.
        if self._driver == "zpl-usb":
            self.device.unplug()
        await self.device.power_off()

    async def on(self) -> None:
        self.device.plug()
        await self.device.power_on()


class ReceiptRig:
    """As ZplRig, for receipts."""

    def __init__(self, driver: str, folder: Path) -> None:
        self.device = SimulatedReceiptPrinter(link=folder / "printer")
        self._driver = driver

    async def start(self) -> None:
        await self.device.start()

    async def close(self) -> None:
        await self.device.close()

    def open(self) -> LabelPrinter:
        places: dict[str, dict[str, object]] = {
            "escpos-tcp": {"host": self.device.host, "port": self.device.port},
            "escpos-serial": {"port": self.device.path, "baud": 115_200},
            "escpos-usb": {"path": self.device.path},
        }
        return open_printer(self._driver, "bench", {**places[self._driver], **WAITS})

    def job(self, serial: int) -> bytes:
        # A raster line with bytes that a line discipline or flow control would eat.
        return (
            b"\x1b@receipt %d\n\x1dv0\x00\x08\x00\x01\x00\x03\x04\x0d\x11\x13\x1a\x7f\xff\x1dV\x00" % serial
        )

    def printed(self) -> list[bytes]:
        return self.device.receipts

    def set_ready(self, ready: bool) -> None:
        self.device.paper_out = not ready

    async def off(self) -> None:
        if self._driver == "escpos-usb":
            self.device.unplug()
        await self.device.power_off()

    async def on(self) -> None:
        self.device.plug()
        await self.device.power_on()


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
