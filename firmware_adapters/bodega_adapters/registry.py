"""Which drivers there are: one explicit table per port, plus the entry points of other packages.

- A driver is named as "module:attribute" and imported when it is first opened: reading this table costs
  nothing, and the agent's daemon never loads OpenCV because a camera is in the list.
- A factory is called with the device's name and the options of its configuration. Its signature is the
  contract: only parameters of type str, int, float or bool are options, and each is checked here, so that
  every driver answers a wrong option in the same words.
- Other packages add drivers with the entry-point group `bodega.adapters`; the entry's name is the kind, a
  dot and the driver's name, such as `scanner.acme`. The built-in table wins over an entry of the same name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_type_hints

from bodega.errors import FieldFault, InvalidInput, Unavailable
from bodega_adapters.ports import Camera, LabelPrinter, Scanner

ENTRY_POINT_GROUP = "bodega.adapters"

SCANNERS: dict[str, str] = {"serial": "bodega_adapters.scanners.serial:SerialScanner"}
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
CAMERAS: dict[str, str] = {"folder": "bodega_adapters.cameras.folder:FolderCamera"}

_OPTION_TYPES: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


def open_scanner(driver: str, name: str, options: Mapping[str, object]) -> Scanner:
    """A scanner of this driver. Raises `InvalidInput` for an unknown driver or a wrong option."""
    scanner: Scanner = _build("scanner", SCANNERS, driver, name, options)
    return scanner


def open_printer(driver: str, name: str, options: Mapping[str, object]) -> LabelPrinter:
    """A label printer of this driver. Raises `InvalidInput` for an unknown driver or a wrong option."""
    printer: LabelPrinter = _build("printer", PRINTERS, driver, name, options)
    return printer


def open_camera(driver: str, name: str, options: Mapping[str, object]) -> Camera:
    """A camera of this driver, not opened yet. Raises `InvalidInput` for an unknown driver or a wrong
    option.
    """
    camera: Camera = _build("camera", CAMERAS, driver, name, options)
    return camera


_TABLES = {"scanner": SCANNERS, "printer": PRINTERS, "camera": CAMERAS}


def device_faults(kind: str, driver: str, options: Mapping[str, object]) -> list[FieldFault]:
    """What is wrong with a device's configuration, without opening it; `where` is "driver" or "options.NAME".

    `kind` is "scanner", "printer" or "camera".
    """
    try:
        factory = _factory(kind, _TABLES[kind], driver)
    except (InvalidInput, Unavailable) as error:
        return [FieldFault("driver", f"{error.message}; {error.hint}")]
    return [replace(fault, where=f"options.{fault.where}") for fault in _faults(factory, options)]


def _build(kind: str, table: Mapping[str, str], driver: str, name: str, options: Mapping[str, object]) -> Any:
    factory = _factory(kind, table, driver)
    faults = tuple(replace(fault, where=f"{name}.{fault.where}") for fault in _faults(factory, options))
    if faults:
        problems = "; ".join(map(str, faults))
        raise InvalidInput(
            f"{kind} {name} (driver {driver}): {problems}",
            hint=f"options of this driver: {', '.join(_options_of(factory))}",
            faults=faults,
        )
    return factory(name, **options)


def _factory(kind: str, table: Mapping[str, str], driver: str) -> Callable[..., Any]:
    if driver in table:
        module, _, attribute = table[driver].partition(":")
        factory: Callable[..., Any] = getattr(import_module(module), attribute)
        return factory
    added = _added_drivers(kind)
    if driver not in added:
        known = ", ".join(sorted({*table, *added}))
        raise InvalidInput(f"there is no {kind} driver {driver!r}", hint=f"known {kind} drivers: {known}")
    try:
        loaded: Callable[..., Any] = added[driver].load()
    except (ImportError, AttributeError) as error:
        raise Unavailable(
            f"{kind} driver {driver!r} of another package does not load: {error}",
            hint="install that package again, with what it needs",
        ) from error
    return loaded


def _added_drivers(kind: str) -> dict[str, EntryPoint]:
    prefix = f"{kind}."
    entries = entry_points(group=ENTRY_POINT_GROUP)
    return {entry.name.removeprefix(prefix): entry for entry in entries if entry.name.startswith(prefix)}


def _options_of(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    parameters = list(inspect.signature(factory).parameters.values())
    return {p.name: p for p in parameters[1:] if hints.get(p.name) in _OPTION_TYPES}


def _faults(factory: Callable[..., Any], options: Mapping[str, object]) -> list[FieldFault]:
    hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    known = _options_of(factory)
    faults = [
        FieldFault(option, "is needed")
        for option, parameter in known.items()
        if parameter.default is inspect.Parameter.empty and option not in options
    ]
    for option, value in options.items():
        if option not in known:
            known_ones = ", ".join(known)
            faults.append(FieldFault(option, f"is not an option of this driver; known: {known_ones}"))
        elif not _fits(value, hints[option]):
            faults.append(FieldFault(option, f"is not of type {hints[option].__name__}: {value!r}"))
    return faults


def _fits(value: object, expected: type) -> bool:
    if isinstance(value, bool):
        return expected is bool
    return isinstance(value, _OPTION_TYPES[expected])
