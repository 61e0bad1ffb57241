"""The answer of a ZPL printer to `~HS` (host status), read field by field.

ZPL II Programming Guide, "~HS Host Status Return": three lines, each STX, fields with commas, ETX, CR, LF.

    line 1: aaa,b,c,dddd,eee,f,g,h,iii,j,k,l      line 2: mmm,n,o,p,q,r,s,t,uuuuuuuu,v,www      line 3: xxxx,y

    b  paper out            h  partial format in progress      o  head up (open)
    c  paused               j  corrupt RAM                     p  ribbon out
    eee formats in buffer   k  under temperature               uuuuuuuu  labels left in the batch
    f  buffer full          l  over temperature

A partial format counts as a queued label: the printer has begun to receive it and has not printed it.
"""

from __future__ import annotations

import re

from bodega.errors import PeerFault
from bodega_adapters.ports import PrinterStatus

HOST_STATUS_REQUEST = b"~HS"
HOST_STATUS_LINES = 3
_LINE = re.compile(rb"\x02([^\x02\x03]*)\x03")
_FIELD_COUNTS = (12, 11, 2)
_FIELD_BYTES_MAX = 8


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
    )


def _lines(reply: bytes) -> list[list[bytes]]:
    lines = [line.split(b",") for line in _LINE.findall(reply)]
    if tuple(map(len, lines)) != _FIELD_COUNTS:
        raise PeerFault(
            f"the answer to ~HS is not a host status: {reply[:80]!r}",
            hint="check that the printer speaks ZPL, and that nothing else shares its port",
        )
    return lines


def _flag(field: bytes) -> bool:
    return _number(field) != 0


def _number(field: bytes) -> int:
    # `bytes.isdigit` is ASCII only, unlike `str.isdigit`.
    if not (field.strip().isdigit() and len(field) <= _FIELD_BYTES_MAX):
        raise PeerFault(
            f"the answer to ~HS has {field[:20]!r} where a number belongs",
            hint="check that the printer speaks ZPL, and that nothing else shares its port",
        )
    return int(field)
