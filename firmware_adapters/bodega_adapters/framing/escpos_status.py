"""What receipt printers answer to DLE EOT (real-time status), one byte a question.

ESC/POS Application Programming Guide, "DLE EOT n": of every answer bits 1 and 4 are set and bits 0 and 7 are not.

    n = 1  printer   bit 3 offline
    n = 2  offline   bit 2 cover open, bit 5 stopped for want of paper, bit 6 error
    n = 3  error     bit 3 cutter, bit 5 unrecoverable, bit 6 recovers by itself (too hot)
    n = 4  paper     bits 2 and 3 near its end, bits 5 and 6 out
"""

from __future__ import annotations

from bodega.errors import PeerFault
from bodega_adapters.ports import PrinterStatus

STATUS_REQUEST = b"".join(bytes((0x10, 0x04, number)) for number in (1, 2, 3, 4))
STATUS_BYTES = 4
_FIXED_MASK, _FIXED = 0b1001_0011, 0b0001_0010
_FLAGS = (
    (1, 1 << 2, "cover open"),
    (3, 0b0110_0000, "paper out"),
    (1, 1 << 5, "paper out"),
    (2, 1 << 3, "cutter fault"),
    (2, 1 << 5, "error that needs a technician"),
    (2, 1 << 6, "too hot"),
    (1, 1 << 6, "error"),
    (0, 1 << 3, "offline"),
)


def parse_receipt_status(answers: bytes) -> PrinterStatus:
    """Read the answers to `STATUS_REQUEST`; raises `PeerFault` if they are anything else."""
    if len(answers) != STATUS_BYTES or any(one & _FIXED_MASK != _FIXED for one in answers):
        raise PeerFault(
            f"the answer to DLE EOT is not a status: {answers.hex()}",
            hint="check that the printer speaks ESC/POS, and that nothing else shares its port",
        )
    raised = list(dict.fromkeys(name for number, bits, name in _FLAGS if answers[number] & bits))
    return PrinterStatus(
        ready=not raised,
        paper_out="paper out" in raised,
        head_open="cover open" in raised,
        paused=False,
        queued_labels=0,
        detail=", ".join(raised) or "ready",
        warnings=("paper near its end",) if answers[3] & 0b0000_1100 else (),
    )
