"""From what a device sent to a `Scan`: the one place that all scanner drivers share."""

from __future__ import annotations

from bodega_adapters.framing.aim import split_aim
from bodega_adapters.framing.gs1 import elements_in
from bodega_adapters.ports import Scan


def make_scan(
    raw: bytes,
    *,
    device: str,
    counter: int,
    at_ms: int,
    symbology: str | None = None,
    counter_name: str = "",
) -> Scan:
    """The scan of one frame (without terminator, prefix and suffix); never raises.

    `symbology` is the AIM identifier ("]C1") where the device says it beside the content; without, one that stands
    in front of the content is taken off. The other arguments are as in `Scan`.
    """
    text = _text_of(raw)
    if symbology is None:
        symbology, text = split_aim(text)
    return Scan(
        raw=raw,
        text=text,
        symbology=symbology,
        device=device,
        device_counter=counter,
        at_ms=at_ms,
        counter_name=counter_name,
        elements=elements_in(text, symbology),
    )


def _text_of(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        # Code 128 and QR may carry ISO 8859-1; every byte has a meaning there, so nothing is lost.
        return raw.decode("latin-1")
