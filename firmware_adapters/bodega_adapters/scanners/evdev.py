"""Barcode scanners that pose as a keyboard ("wedge"), over the kernel's input events.

The keyboard is grabbed, so that what is scanned is typed nowhere else: no console and no desktop sees it. Use a stable
path such as /dev/input/by-id/...-event-kbd: event numbers change with every replug.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from functools import partial

import evdev
from evdev import ecodes

from bodega.errors import FieldFault, InvalidInput
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.hid_keys import KeyFramer
from bodega_adapters.framing.hid_layouts import LAYOUTS
from bodega_adapters.ports import Recognition
from bodega_adapters.scanners.wired import SCANNER_MAKERS, WiredScanner
from bodega_adapters.wires.descriptor import DescriptorWire
from bodega_adapters.wires.tape import Recorder
from bodega_adapters.wires.wire import Opener

# Wedges type slowly; silence ends a scan only where no key does.
WEDGE_GAP_MS = 200


class EvdevScanner(WiredScanner):
    """A `Scanner` that types. See `bodega_adapters.ports.Scanner` for its duties.

    Options: `path` of the event file, `layout` that the scanner was set up for (us, de, fr), `terminators` (Enter is
    "\\r", Tab is "\\t"; empty: silence of `gap_ms` ends a scan), `prefix` and `suffix` as it was set up to type.
    `opener` opens something else in place of the kernel's device.
    """

    recognises = Recognition(subsystem="input", usb=SCANNER_MAKERS, name="*[Bb]ar[ -_]*[Cc]ode*")

    def __init__(  # noqa: PLR0913  # its options
        self,
        name: str,
        path: str,
        *,
        layout: str = "us",
        terminators: str = "\r\n\t",
        prefix: str = "",
        suffix: str = "",
        gap_ms: int = WEDGE_GAP_MS,
        clock: Callable[[], int] = wall_clock_ms,
        recorder: Recorder | None = None,
        opener: Opener | None = None,
    ) -> None:
        if layout not in LAYOUTS:
            problem = f"is none of {', '.join(LAYOUTS)}: {layout!r}"
            raise InvalidInput(
                f"scanner {name}: layout {problem}",
                hint="take the keyboard layout that the scanner was set up for",
                faults=(FieldFault("layout", problem),),
            )
        framer = KeyFramer(
            layout,
            terminators=terminators.encode(),
            prefix=prefix.encode(),
            suffix=suffix.encode(),
            gap_ms=gap_ms,
        )
        super().__init__(
            name,
            place=path,
            opener=opener or partial(open_grabbed, path),
            framer=framer,
            gap_ms=gap_ms,
            clock=clock,
            recorder=recorder,
        )


_REFUSALS = {
    errno.EACCES: "may not be opened: {path}; add the agent's user to the group input",
    errno.EBUSY: "is held by another program: {path}; stop that program",
    errno.ENOTTY: "is no keyboard: {path}; a scanner has its event file in /dev/input/by-id",
}


async def open_grabbed(path: str) -> DescriptorWire:
    """A keyboard for us alone (EVIOCGRAB). Raises OSError that says what is in the way."""
    try:
        with contextlib.closing(evdev.InputDevice(path)) as keyboard:
            _demand_enter(keyboard)
            keyboard.grab()
            # The duplicate keeps the grab, which belongs to the open file.
            return DescriptorWire(os.dup(keyboard.fd))
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        raise OSError(error.errno, _REFUSALS[error.errno].format(path=path)) from error


def _demand_enter(device: evdev.InputDevice[str]) -> None:
    """Mice and lid switches have event files too."""
    if ecodes.KEY_ENTER not in device.capabilities().get(ecodes.EV_KEY, ()):
        raise OSError(errno.ENOTTY, "it has no Enter key")
