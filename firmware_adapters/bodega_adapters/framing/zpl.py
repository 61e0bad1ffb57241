"""PURE pieces of ZPL II: field data that is never a command, compressed graphics, and a linter for our own labels.

Rules:
- Data never becomes a command. Every text goes through `^FH`, and every byte but letters, digits, space and a few marks
  is sent as `_XX`: `^`, `~`, `\\` and `_` in an address are print, not ZPL.
- A graphic goes as `^GFA` in the shorter of two forms: runs of hexadecimal digits ("ACS"), or zlib in base64 with a
  CRC-16 ("Z64"), as the ZPL II Programming Guide has them.
- Printers ignore commands that they do not know, so a slip in ours shows only on paper: the linter knows every command
  that we send, with its parameters.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,-/:()")


def escape_field(text: str) -> str:
    """`text` as ASCII field data to follow `^FH`: all but plain characters become `_XX` of their UTF-8."""
    return "".join(chr(byte) if byte in _SAFE else f"_{byte:02X}" for byte in text.encode("utf-8", "replace"))


def graphic_field(rows: bytes, row_bytes: int) -> str:
    """`^GFA` for rows of dots, black 1, leftmost in the most significant bit."""
    runs = _runs(rows, row_bytes)
    packed = base64.b64encode(zlib.compress(rows, 9)).decode("ascii")
    checked = f":Z64:{packed}:{binascii.crc_hqx(packed.encode(), 0):04X}"
    data = runs if len(runs) <= len(checked) else checked
    return f"^GFA,{len(rows)},{len(rows)},{row_bytes},{data}"


def _runs(rows: bytes, row_bytes: int) -> str:
    lines, before = [], ""
    for at in range(0, len(rows), row_bytes):
        line = rows[at : at + row_bytes].hex().upper()
        if line == before:
            lines.append(":")
            continue
        before = line
        rest = ""
        for fill, sign in (("0", ","), ("F", "!")):
            if line.endswith(fill):
                line, rest = line.rstrip(fill), sign
                break
        lines.append("".join(_run(found[0]) for found in re.finditer(r"(.)\1*", line)) + rest)
    return "".join(lines)


def _run(digits: str) -> str:
    """Repeated digits: g to z count twenties, G to Y ones; a lone or a doubled digit is shorter as it is."""
    text, count = "", len(digits)
    while count > 419:
        text, count = text + "z" + "Y" + digits[0], count - 419
    if count < 3:
        return text + digits[0] * count
    twenties, ones = divmod(count, 20)
    return (
        text
        + (chr(ord("f") + twenties) if twenties else "")
        + (chr(ord("F") + ones) if ones else "")
        + digits[0]
    )


_NUMBER = r"\d{1,5}"
# Every command that we send, with what may follow it up to the next one.
_COMMANDS = {
    "^XA": "",
    "^XZ": r"\n?",
    "^CI": "28",
    "^LH": "0,0",
    "^PW": _NUMBER,
    "^LL": r"\d{1,5}\n",
    "^FO": rf"{_NUMBER},{_NUMBER}",
    "^FS": r"\n?",
    "^FR": "",
    "^FH": "",
    "^FB": rf"{_NUMBER},1,0,[CR],0",
    "^A0": rf"N,{_NUMBER},{_NUMBER}",
    "^FD": r"[ -\]`-}_]*",
    "^GB": rf"{_NUMBER},{_NUMBER},{_NUMBER}",
    "^GF": rf"A,({_NUMBER}\d?),\1,{_NUMBER},(?:[0-9A-Fg-zG-Y,!:]*|:Z64:[A-Za-z0-9+/=]+:[0-9A-F]{{4}})",
    "^BY": rf"\d{{1,2}},3,{_NUMBER}",
    "^BC": rf"N,{_NUMBER},N,N,N,N",
    "^BX": r"N,\d{1,2},200,\d{2},\d{2},,_",
    "^BQ": r"N,2,\d{1,2}",
    "^PQ": "1",
}
# What a field needs before its data or its graphic ends: exactly one of these.
_CONTENTS = frozenset({"^FD", "^GB", "^GF"})


def lint(zpl: bytes) -> list[str]:
    """What is not as we write labels, as sentences; empty if all is well. For labels of ours only."""
    faults = []
    pieces = re.findall(r"([\^~].{2})([^\^~]*)", zpl.decode("ascii", "replace"), re.DOTALL)
    names = [name for name, _ in pieces]
    if "".join(name + rest for name, rest in pieces) != zpl.decode("ascii", "replace"):
        faults.append("there is text outside of commands")
    for name, rest in pieces:
        known = _COMMANDS.get(name)
        if known is None:
            faults.append(f"{name} is no command of ours")
        elif not re.fullmatch(known, rest, re.DOTALL):
            faults.append(f"{name} can not have {rest[:40]!r}")
    for edge, at in (("^XA", 0), ("^XZ", -1)):
        if names.count(edge) != 1 or names[at] != edge:
            faults.append(f"{edge} is not there exactly once, at its end of the label")
    field: list[str] = []
    for name in names:
        if name == "^FO":
            field = []
        if name == "^FS" and sum(one in _CONTENTS for one in field) != 1:
            faults.append(f"a field has no content, or two: {' '.join(field)}")
        field.append(name)
    return faults
