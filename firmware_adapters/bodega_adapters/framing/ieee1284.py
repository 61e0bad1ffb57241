"""What a printer calls itself: the device identity of IEEE 1284-2000, clause 7.6, as USB printers give it too.

Two bytes of length (which count themselves, high byte first), then "KEY:value;" pairs in Latin-1. MFG (or
MANUFACTURER), MDL (or MODEL) and CMD (or COMMAND SET) are the ones that every device has.
"""

from __future__ import annotations

from dataclasses import dataclass

from bodega.errors import PeerFault

_LENGTH_BYTES = 2
_LONG_NAMES = {
    "MANUFACTURER": "MFG",
    "MODEL": "MDL",
    "COMMAND SET": "CMD",
    "SERIALNUMBER": "SN",
    "SERN": "SN",
}


@dataclass(frozen=True, slots=True)
class DeviceId:
    """`languages`: what the printer says it understands, such as "ZPL" or "ESC/POS", in its own words."""

    maker: str
    model: str
    languages: tuple[str, ...]
    serial: str = ""


def parse_device_id(answer: bytes) -> DeviceId:
    """Read an identity with its length in front; raises `PeerFault` if it is none.

    Some devices count the length without its own two bytes, or low byte first: what is there is read.
    """
    text = answer[_LENGTH_BYTES:].split(b"\x00", 1)[0].decode("latin-1")
    pairs: dict[str, str] = {}
    for pair in text.split(";"):
        key, colon, value = pair.partition(":")
        if colon:
            name = key.strip().upper()
            pairs.setdefault(_LONG_NAMES.get(name, name), value.strip())
    if not {"MFG", "MDL"} & pairs.keys():
        raise PeerFault(f"not the identity of a printer: {answer[:60]!r}", hint="is it a printer?")
    languages = tuple(word.strip() for word in pairs.get("CMD", "").split(",") if word.strip())
    return DeviceId(pairs.get("MFG", ""), pairs.get("MDL", ""), languages, pairs.get("SN", ""))
