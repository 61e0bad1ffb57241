"""A receipt printer that speaks ESC/POS, on a TCP port and, if asked, on a pseudo-terminal.

It prints what comes until a cut (GS V), which ends a receipt. It answers DLE EOT out of turn.
"""

from __future__ import annotations

import re

from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.simulated.faces import Faces, PrinterMemory

_QUESTION = re.compile(rb"\x10\x04([\x01-\x04])")
_CUT = re.compile(rb"\x1dV(?:[\x00\x01\x30\x31]|[\x41\x42].)", re.DOTALL)
_QUIET = 0b0001_0010


class ReceiptMemory(PrinterMemory):
    """Faults, free to set at any time: `paper_out`, `cover_open`, `answer_status` (False keeps silent)."""

    def __init__(self) -> None:
        super().__init__()
        self.receipts: list[bytes] = []
        self.paper_out = False
        self.cover_open = False
        self.answer_status = True
        self._received = b""

    def take(self, data: bytes) -> bytes:
        """See PrinterMemory."""
        if not self.is_on:
            return b""
        self._received += data
        questions = _QUESTION.findall(self._received)
        self._received = _QUESTION.sub(b"", self._received)[-LABEL_BYTES_MAX:]
        while not (self.paper_out or self.cover_open) and (cut := _CUT.search(self._received)):
            self.receipts.append(self._received[: cut.end()])
            self._received = self._received[cut.end() :]
        return b"".join(map(self._answer, questions)) if self.answer_status else b""

    def lose_power(self) -> None:
        """See PrinterMemory."""
        super().lose_power()
        self._received = b""

    def _answer(self, number: bytes) -> bytes:
        stopped = self.paper_out or self.cover_open
        raised = {
            b"\x01": stopped << 3,
            b"\x02": self.cover_open << 2 | self.paper_out << 5,
            b"\x03": 0,
            b"\x04": 0b0110_0000 * self.paper_out,
        }
        return bytes((_QUIET | raised[number],))


class SimulatedReceiptPrinter(Faces, ReceiptMemory):
    """The device side; its faults are those of `ReceiptMemory` and of `Faces`."""
