"""Which carriers there are: one table, and the entry points of other packages.

A driver is named as "module:attribute" and imported when it is opened. Other packages add drivers with the entry-point
group `bodega.carriers`; the entry's name is the driver's. A factory is called with the carrier's name and the options
of its configuration.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points

from bodega.errors import InvalidInput, Unavailable
from bodega_controlplane.carriers.ports import Carrier

ENTRY_POINT_GROUP = "bodega.carriers"

CARRIERS: dict[str, str] = {"rate-card": "bodega_controlplane.carriers.rate_card:RateCardCarrier"}

_MEMBERS = ("name", "check", "services", "close")


def open_carrier(driver: str, name: str, options: Mapping[str, object]) -> Carrier:
    """A carrier of this driver. Raises InvalidInput for an unknown driver, a wrong option, or what is no Carrier;
    Unavailable if the driver does not load.
    """
    factory = _factory(driver)
    try:
        inspect.signature(factory).bind(name, **options)
    except TypeError as error:
        raise InvalidInput(
            f"carrier {name} (driver {driver}): {error}", hint="see the options of this driver"
        ) from error
    carrier = factory(name, **options)
    missing = [one for one in _MEMBERS if not hasattr(carrier, one)]
    if missing:
        raise InvalidInput(
            f"driver {driver!r} is no Carrier: it lacks {', '.join(missing)}",
            hint="its author finds what each must do in bodega_controlplane.carriers.ports.Carrier",
        )
    return carrier


def _factory(driver: str) -> Callable[..., Carrier]:
    if driver in CARRIERS:
        module, _, attribute = CARRIERS[driver].partition(":")
        built_in: Callable[..., Carrier] = getattr(import_module(module), attribute)
        return built_in
    added = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if driver not in added:
        known = ", ".join(sorted({*CARRIERS, *added}))
        raise InvalidInput(f"there is no carrier driver {driver!r}", hint=f"known drivers: {known}")
    try:
        loaded: Callable[..., Carrier] = added[driver].load()
    except (ImportError, AttributeError) as error:
        raise Unavailable(
            f"carrier driver {driver!r} of another package does not load: {error}",
            hint="install that package again, with what it needs",
        ) from error
    return loaded
