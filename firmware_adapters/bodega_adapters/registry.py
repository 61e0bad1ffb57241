"""Which drivers there are: one explicit table per port, plus the entry points of other packages.

- A driver is named as "module:attribute" and imported when it is first opened: reading this table costs
  nothing, and the agent's daemon never loads OpenCV because a camera is in the list.
- A factory is called with the device's name and the options of its configuration. Its signature is the
  contract: only parameters of type str, int, float or bool are options, and each is checked here, so that
  every driver answers a wrong option in the same words. A factory with a parameter `recorder` gets the caller's.
- Other packages add drivers with the entry-point group `bodega.adapters`; the entry's name is the kind, a
  dot and the driver's name, such as `scanner.acme`. The built-in table wins over an entry of the same name.
- A driver that lacks a member of its port is refused, and the members are named.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, TypeAlias

from bodega.errors import BodegaError, FieldFault, InvalidInput, NotFound, Unavailable
from bodega_adapters.options import Factory, Option, option_faults, options_of, takes
from bodega_adapters.ports import Camera, LabelPrinter, Recognition, Scale, Scanner

if TYPE_CHECKING:
    from bodega_adapters.wires.tape import Recorder  # it brings asyncio with it

Device: TypeAlias = Scanner | LabelPrinter | Camera | Scale

ENTRY_POINT_GROUP = "bodega.adapters"

SCANNERS: dict[str, str] = {
    "serial": "bodega_adapters.scanners.serial:SerialScanner",
    "evdev": "bodega_adapters.scanners.evdev:EvdevScanner",
    "hidraw": "bodega_adapters.scanners.hidraw:HidrawScanner",
    "camera": "bodega_adapters.scanners.camera:CameraScanner",
}
PRINTERS: dict[str, str] = {
    "zpl-tcp": "bodega_adapters.printers.zpl_tcp:ZplTcpPrinter",
    "zpl-serial": "bodega_adapters.printers.zpl_serial:ZplSerialPrinter",
    "zpl-usb": "bodega_adapters.printers.zpl_usb:ZplUsbPrinter",
    "escpos-tcp": "bodega_adapters.printers.escpos:EscPosTcpPrinter",
    "escpos-serial": "bodega_adapters.printers.escpos:EscPosSerialPrinter",
    "escpos-usb": "bodega_adapters.printers.escpos:EscPosUsbPrinter",
    "ipp": "bodega_adapters.printers.ipp:IppPrinter",
    "pdf": "bodega_adapters.printers.pdf_folder:PdfFolderPrinter",
}
CAMERAS: dict[str, str] = {
    "folder": "bodega_adapters.cameras.folder:FolderCamera",
    "v4l2": "bodega_adapters.cameras.v4l2:V4l2Camera",
    "rtsp": "bodega_adapters.cameras.rtsp:RtspCamera",
}
SCALES: dict[str, str] = {"mt-sics": "bodega_adapters.scales.mt_sics:MtSicsScale"}

_TABLES = {"scanner": SCANNERS, "printer": PRINTERS, "camera": CAMERAS, "scale": SCALES}
_PORTS: dict[str, type] = {"scanner": Scanner, "printer": LabelPrinter, "camera": Camera, "scale": Scale}
KINDS = tuple(_TABLES)


def open_scanner(
    driver: str, name: str, options: Mapping[str, object], *, recorder: Recorder | None = None
) -> Scanner:
    """A scanner of this driver. Raises `InvalidInput` for an unknown driver or a wrong option."""
    scanner: Scanner = _build("scanner", driver, name, options, recorder)
    return scanner


def open_printer(
    driver: str, name: str, options: Mapping[str, object], *, recorder: Recorder | None = None
) -> LabelPrinter:
    """A label printer of this driver. Raises `InvalidInput` for an unknown driver or a wrong option."""
    printer: LabelPrinter = _build("printer", driver, name, options, recorder)
    return printer


def open_camera(
    driver: str, name: str, options: Mapping[str, object], *, recorder: Recorder | None = None
) -> Camera:
    """A camera of this driver, not opened yet. Raises `InvalidInput` for an unknown driver or a wrong
    option.
    """
    camera: Camera = _build("camera", driver, name, options, recorder)
    return camera


def open_scale(
    driver: str, name: str, options: Mapping[str, object], *, recorder: Recorder | None = None
) -> Scale:
    """A scale of this driver. Raises `InvalidInput` for an unknown driver or a wrong option."""
    scale: Scale = _build("scale", driver, name, options, recorder)
    return scale


def device_faults(kind: str, driver: str, options: Mapping[str, object]) -> list[FieldFault]:
    """What is wrong with a device's configuration, without opening it; `where` is "driver" or "options.NAME".

    `kind` is one of KINDS.
    """
    try:
        factory = factory_of(kind, driver)
    except (InvalidInput, Unavailable) as error:
        return [FieldFault("driver", f"{error.message}; {error.hint}")]
    return [replace(fault, where=f"options.{fault.where}") for fault in option_faults(factory, options)]


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """One driver as `bodega devices drivers` shows it. `package` is the distribution that brings it.

    `recognises` is None and `problem` says why when it can not be used.
    """

    kind: str
    driver: str
    package: str
    options: tuple[Option, ...] = ()
    recognises: Recognition | None = None
    records: bool = False
    problem: str = ""


def drivers() -> list[DriverInfo]:
    """Every driver there is, of all kinds; imports them all, so it is for a command and not for the daemon."""
    found = []
    for kind in KINDS:
        added = _added_drivers(kind)
        for driver in sorted({*_TABLES[kind], *added}):
            ours = driver in _TABLES[kind]
            package = "bodega" if ours else _package_of(added[driver])
            found.append(_info(kind, driver, package))
    return found


def kind_of(driver: str) -> str:
    """The kind of the device that a driver is for; raises `NotFound`, or `InvalidInput` if two kinds have it."""
    kinds = [kind for kind in KINDS if driver in _TABLES[kind] or driver in _added_drivers(kind)]
    if not kinds:
        raise NotFound(f"there is no driver {driver!r}", hint="bodega devices drivers lists them")
    if len(kinds) > 1:
        raise InvalidInput(
            f"driver {driver!r} is ambiguous", hint=f"it is one of a {' and of a '.join(kinds)}"
        )
    return kinds[0]


def records(kind: str, driver: str) -> bool:
    """Whether what crosses the wire of this driver's devices can be recorded."""
    try:
        return takes(factory_of(kind, driver), "recorder")
    except BodegaError:
        return False


def open_device(
    kind: str, driver: str, name: str, options: Mapping[str, object], *, recorder: Recorder | None = None
) -> Device:
    """A device of any kind, as the `open_...` of its kind."""
    device: Device = _build(kind, driver, name, options, recorder)
    return device


def _info(kind: str, driver: str, package: str) -> DriverInfo:
    try:
        factory = factory_of(kind, driver)
    except (BodegaError, ImportError) as error:
        return DriverInfo(kind, driver, package, problem=str(error))
    return DriverInfo(
        kind,
        driver,
        package,
        options=tuple(options_of(factory).values()),
        recognises=getattr(factory, "recognises", None),
        records=takes(factory, "recorder"),
    )


def _build(
    kind: str, driver: str, name: str, options: Mapping[str, object], recorder: Recorder | None
) -> Any:
    factory = factory_of(kind, driver)
    faults = tuple(replace(fault, where=f"{name}.{fault.where}") for fault in option_faults(factory, options))
    if faults:
        problems = "; ".join(map(str, faults))
        raise InvalidInput(
            f"{kind} {name} (driver {driver}): {problems}",
            hint=f"options of this driver: {', '.join(options_of(factory))}",
            faults=faults,
        )
    recorded = {"recorder": recorder} if recorder is not None and takes(factory, "recorder") else {}
    device = factory(name, **options, **recorded)
    _demand(kind, driver, [each for each in _members(kind) if not _has(device, each)])
    return device


def factory_of(kind: str, driver: str) -> Factory:
    """What makes devices of this driver. Raises InvalidInput if there is none, Unavailable if it does not load."""
    table = _TABLES[kind]
    if driver in table:
        module, _, attribute = table[driver].partition(":")
        factory: Factory = getattr(import_module(module), attribute)
        return factory
    added = _added_drivers(kind)
    if driver not in added:
        known = ", ".join(sorted({*table, *added}))
        raise InvalidInput(f"there is no {kind} driver {driver!r}", hint=f"known {kind} drivers: {known}")
    try:
        loaded: Factory = added[driver].load()
    except (ImportError, AttributeError) as error:
        raise Unavailable(
            f"{kind} driver {driver!r} of another package does not load: {error}",
            hint="install that package again, with what it needs",
        ) from error
    if inspect.isclass(loaded):
        _demand(kind, driver, [each for each in _methods(kind) if not hasattr(loaded, each)])
    return loaded


def _added_drivers(kind: str) -> dict[str, EntryPoint]:
    prefix = f"{kind}."
    entries = entry_points(group=ENTRY_POINT_GROUP)
    return {entry.name.removeprefix(prefix): entry for entry in entries if entry.name.startswith(prefix)}


def _package_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else entry.module


def _members(kind: str) -> list[str]:
    """What the port demands of a device, by name."""
    port = _PORTS[kind]
    own = {*vars(port), *inspect.get_annotations(port)}
    return sorted(each for each in own if not each.startswith("_"))


def _methods(kind: str) -> list[str]:
    """What the port demands of a class already: all but what `__init__` may still set."""
    port = vars(_PORTS[kind])
    return [each for each in _members(kind) if not isinstance(port.get(each), property)]


def _has(device: object, member: str) -> bool:
    missing = object()
    return inspect.getattr_static(device, member, missing) is not missing


def _demand(kind: str, driver: str, missing: list[str]) -> None:
    if missing:
        port = _PORTS[kind].__name__
        raise InvalidInput(
            f"{kind} driver {driver!r} is no {port}: it lacks {', '.join(missing)}",
            hint=f"its author finds what each must do in bodega_adapters.ports.{port}",
        )
