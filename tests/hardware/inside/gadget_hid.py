"""What HID gadgets are made of, and what they send: a HID POS scanner, and a keyboard that a scanner poses as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

REPORT_BYTES = 64
POS_REPORT_ID = 2
# One 63-byte field of decoded data (HID Point of Sale Usage Tables 1.02, bar code scanner page), report id 2.
POS_DESCRIPTOR = bytes.fromhex("068c00 0902 a101 8502 1500 26ff00 7508 953f 09fe 8102 c0")
POS_SCANNER: Mapping[str, bytes] = {
    "report_length": str(REPORT_BYTES).encode(),
    "report_desc": POS_DESCRIPTOR,
}

KEYBOARD_REPORT_BYTES = 8
# The boot keyboard of the HID specification 1.11, appendix B.1: eight modifiers, five lamps, six keys.
KEYBOARD: Mapping[str, bytes] = {
    "protocol": b"1",
    "subclass": b"1",
    "report_length": str(KEYBOARD_REPORT_BYTES).encode(),
    "report_desc": bytes.fromhex(
        "0501 0906 a101 0507 19e0 29e7 1500 2501 7501 9508 8102 9501 7508 8103 9505 7501 0508 1901 2905 9102"
        "9501 7503 9103 9506 7508 1500 2565 0507 1900 2965 8100 c0"
    ),
}
_CTRL, _SHIFT = 0x01, 0x02
_USAGES = {"\r": 0x28, "-": 0x2D, "[": 0x2F, "]": 0x30, "/": 0x38}
_LETTER_A, _DIGIT_1, _DIGIT_0 = 0x04, 0x1E, 0x27
_GS = "\x1d"


def pos_report(code: bytes) -> bytes:
    """One scan of at most 62 bytes: id, count, decoded data, padding."""
    return (bytes([POS_REPORT_ID, len(code)]) + code).ljust(REPORT_BYTES, b"\0")


def typed(text: str) -> Iterator[bytes]:
    """The reports of a keyboard with the US layout that types `text`; GS is Ctrl+], as wedges send it."""
    for char in text:
        modifiers, usage = _stroke(char)
        yield bytes([modifiers, 0, usage]).ljust(KEYBOARD_REPORT_BYTES, b"\0")
        yield bytes(KEYBOARD_REPORT_BYTES)


def _stroke(char: str) -> tuple[int, int]:
    if char == _GS:
        return _CTRL, _USAGES["]"]
    if char in _USAGES:
        return 0, _USAGES[char]
    if char.isdigit():
        return 0, _DIGIT_0 if char == "0" else _DIGIT_1 + int(char) - 1
    return (_SHIFT if char.isupper() else 0), _LETTER_A + ord(char.lower()) - ord("a")
