"""What ZPL printers answer to `~HS` (host status) and `~HQES` (error and warning flags), read field by field.

ZPL II Programming Guide, "~HS Host Status Return": three lines, each STX, fields with commas, ETX, CR, LF.

    line 1: aaa,b,c,dddd,eee,f,g,h,iii,j,k,l      line 2: mmm,n,o,p,q,r,s,t,uuuuuuuu,v,www      line 3: xxxx,y

    b  paper out            h  partial format in progress      o  head up (open)
    c  paused               j  corrupt RAM                     p  ribbon out
    eee formats in buffer   k  under temperature               uuuuuuuu  labels left in the batch
    f  buffer full          l  over temperature

A partial format counts as a queued label: the printer has begun to receive it and has not printed it.

The same guide, "~HQ Host Query", error flags and warning flags: one frame from STX to ETX.

    PRINTER STATUS
    ERRORS:   flag nibbles-16-to-9 nibbles-8-to-1
    WARNINGS: flag nibbles-16-to-9 nibbles-8-to-1

It knows more than `~HS` (cutter, print head, jams), and older printers do not answer it at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bodega.errors import PeerFault
from bodega_adapters.ports import PrinterStatus

HOST_STATUS_REQUEST = b"~HS"
HOST_STATUS_LINES = 3
ERROR_STATUS_REQUEST = b"~HQES"
_LINE = re.compile(rb"\x02([^\x02\x03]*)\x03")
_FIELD_COUNTS = (12, 11, 2)
_FIELD_BYTES_MAX = 8
_FLAGS = re.compile(
    rb"\x02\s*PRINTER STATUS\s+"
    rb"ERRORS:\s*([01])\s+([0-9A-Fa-f]{8})\s+([0-9A-Fa-f]{8})\s+"
    rb"WARNINGS:\s*([01])\s+([0-9A-Fa-f]{8})\s+([0-9A-Fa-f]{8})\s*\x03"
)
_HINT = "check that the printer speaks ZPL, and that nothing else shares its port"

# Bits of nibbles 8 to 1.
ERRORS = {
    0x00001: "paper out",
    0x00002: "ribbon out",
    0x00004: "head open",
    0x00008: "cutter fault",
    0x00010: "print head too hot",
    0x00020: "motor too hot",
    0x00040: "bad print head element",
    0x00080: "print head not detected",
    0x00100: "firmware configuration invalid",
    0x00200: "print head thermistor open",
    0x01000: "paper jam during retract",
    0x02000: "presenter not running",
    0x04000: "paper feed error",
    0x08000: "paper path not cleared",
    0x10000: "paused",
    0x20000: "retract timed out",
    0x40000: "black mark calibration error",
    0x80000: "black mark not found",
}
# The other warnings only say where in a kiosk's presenter the paper is.
WARNINGS = {
    0x1: "media needs calibration",
    0x2: "print head needs cleaning",
    0x4: "print head needs replacing",
    0x8: "paper near its end",
}


@dataclass(frozen=True, slots=True)
class ErrorStatus:
    """What `~HQES` says: flags in words; an error stops the printer, a warning does not."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def parse_host_status(reply: bytes) -> PrinterStatus:
    """Read a whole `~HS` answer; raises `PeerFault` if it is anything else."""
    comms, state, _memory = _lines(reply)
    faults = {
        "paper out": _flag(comms[1]),
        "head open": _flag(state[2]),
        "paused": _flag(comms[2]),
        "ribbon out": _flag(state[3]),
        "receive buffer full": _flag(comms[5]),
        "memory corrupt": _flag(comms[9]),
        "too cold": _flag(comms[10]),
        "too hot": _flag(comms[11]),
    }
    raised = [problem for problem, is_raised in faults.items() if is_raised]
    return PrinterStatus(
        ready=not raised,
        paper_out=faults["paper out"],
        head_open=faults["head open"],
        paused=faults["paused"],
        queued_labels=_number(comms[4]) + _number(state[8]) + _flag(comms[7]),
        detail=", ".join(raised) or "ready",
        ribbon_out=faults["ribbon out"],
    )


def parse_error_status(reply: bytes) -> ErrorStatus:
    """Read a whole `~HQES` answer, STX to ETX; raises `PeerFault` if it is anything else."""
    found = _FLAGS.fullmatch(reply.strip())
    if found is None:
        raise PeerFault(f"the answer to ~HQES is not an error status: {reply[:80]!r}", hint=_HINT)
    error, error_high, error_low, warning, _, warning_low = found.groups()
    errors = _named(error_low, ERRORS)
    if error == b"1" and not errors:
        # A flag that this list does not know stops a printer all the same.
        errors = (f"error {(error_high + error_low).decode()}",)
    return ErrorStatus(errors, _named(warning_low, WARNINGS) if warning == b"1" else ())


def with_flags(status: PrinterStatus, flags: ErrorStatus) -> PrinterStatus:
    """The host status, and what only the flags know."""
    host = [] if status.ready else status.detail.split(", ")
    raised = [*host, *(error for error in flags.errors if error not in host)]
    return replace(
        status,
        ready=not raised,
        paper_out=status.paper_out or "paper out" in raised,
        head_open=status.head_open or "head open" in raised,
        paused=status.paused or "paused" in raised,
        ribbon_out=status.ribbon_out or "ribbon out" in raised,
        detail=", ".join(raised) or "ready",
        warnings=flags.warnings,
    )


def _named(low: bytes, names: dict[int, str]) -> tuple[str, ...]:
    bits = int(low, 16)
    return tuple(name for bit, name in names.items() if bits & bit)


def _lines(reply: bytes) -> list[list[bytes]]:
    lines = [line.split(b",") for line in _LINE.findall(reply)]
    if tuple(map(len, lines)) != _FIELD_COUNTS:
        raise PeerFault(f"the answer to ~HS is not a host status: {reply[:80]!r}", hint=_HINT)
    return lines


def _flag(field: bytes) -> bool:
    return _number(field) != 0


def _number(field: bytes) -> int:
    # `bytes.isdigit` is ASCII only, unlike `str.isdigit`.
    if not (field.strip().isdigit() and len(field) <= _FIELD_BYTES_MAX):
        raise PeerFault(f"the answer to ~HS has {field[:20]!r} where a number belongs", hint=_HINT)
    return int(field)
