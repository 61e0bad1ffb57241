"""The inside of a ZPL printer: its memory, its roll of labels, its faults and what it says of them; no wire.

It behaves as far as exactly-once printing can tell: bytes of all connections go into one receive buffer
that survives hang-ups and loses everything with the power; `^XA` ... `^XZ` is a label, and a new `^XA`
before `^XZ` starts over; a label prints when nothing stops the printer, else it waits; `~HS` and `~HQES` are
answered out of turn.

Where it lies, and only there, what it says is not so: `claims_ready` (it says "ready, nothing queued" whatever is)
and `blank_labels` (it feeds empty paper and takes that for a label).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.clock import wall_clock_ms
from bodega_adapters.framing.printer_status import ERROR_STATUS_REQUEST, ERRORS, HOST_STATUS_REQUEST
from bodega_adapters.simulated.faces import PrinterMemory

_START = b"^XA"
_END = b"^XZ"
_QUESTION = re.compile(re.escape(HOST_STATUS_REQUEST) + b"|" + re.escape(ERROR_STATUS_REQUEST))
_SSCC_FIELD = re.compile(rb"\^FD>;>800([0-9]{18})\^FS")
_BITS = {name: bit for bit, name in ERRORS.items()}


@dataclass(frozen=True, slots=True)
class PrintedLabel:
    """A label that came out. `sscc` is read from its barcode field; `at_ms` is wall-clock time."""

    zpl: bytes
    sscc: str | None
    at_ms: int


class _Stop:
    """An attribute of the printer that holds up labels while it is True; clearing it prints what waits."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __get__(self, printer: ZplMemory, _owner: type) -> bool:
        return printer.stops[self.name]

    def __set__(self, printer: ZplMemory, value: bool) -> None:
        printer.set_stop(self.name, value=value)


class ZplMemory(PrinterMemory):
    """Faults, all free to set at any time:

    - `paper_out`, `head_open`, `paused`, `ribbon_out`, `too_hot`, `cutter_fault`: labels wait, and the status says so
      (`~HS` does not know the cutter). Clearing them prints what waits.
    - `labels_on_roll`: the printer runs out of paper after so many labels; None for an endless roll. The label at which
      it ends waits for new paper, or is forgotten without `reprints_after_error`.
    - `print_s`: how long a label takes; what stops the printer meanwhile spoils the label in hand.
    - `power_off_after_bytes`: the power goes when so many more bytes have come; once.
    - `answer_status`: False keeps silent. `answers_lost`: so many next answers are lost on their way.
      `knows_error_flags`: False does not know `~HQES`.
    - `claims_ready`: True answers "ready, nothing queued" whatever is. `blank_labels`: so many next labels come out
      empty, and nobody notices.
    """

    paper_out = _Stop()
    head_open = _Stop()
    paused = _Stop()
    ribbon_out = _Stop()
    too_hot = _Stop()
    cutter_fault = _Stop()

    def __init__(self) -> None:
        super().__init__()
        self.labels: list[PrintedLabel] = []
        self.spoiled: list[bytes] = []
        self.labels_on_roll: int | None = None
        self.reprints_after_error = True
        self.print_s = 0.0
        self.power_off_after_bytes: int | None = None
        self.answer_status = True
        self.answers_lost = 0
        self.knows_error_flags = True
        self.claims_ready = False
        self.blank_labels = 0
        self.stops = dict.fromkeys(
            ("paper_out", "head_open", "paused", "ribbon_out", "too_hot", "cutter_fault"), False
        )
        self._received = b""
        self._waiting: list[bytes] = []
        self._printing: asyncio.TimerHandle | None = None

    @property
    def queued_labels(self) -> int:
        """Labels received and not printed, counting one that has only begun to arrive."""
        return len(self._waiting) + (_START in self._received)

    def set_stop(self, name: str, *, value: bool) -> None:
        """Raise or clear one of the flags that hold labels up."""
        self.stops[name] = value
        if name == "paper_out" and not value and self.labels_on_roll == 0:
            self.labels_on_roll = None
        if any(self.stops.values()):
            self._spoil()
        self._print_waiting()

    def take(self, data: bytes) -> bytes:
        """Bytes arrive, of any connection; returns what the printer answers. Nothing arrives without power."""
        if not self.is_on:
            return b""
        if self.power_off_after_bytes is not None:
            data, rest = data[: self.power_off_after_bytes], data[self.power_off_after_bytes :]
            self.power_off_after_bytes -= len(data)
            if rest or self.power_off_after_bytes == 0:
                self.power_off_after_bytes = None
                self._keep(data)
                self.lose_power()
                return b""
        return self._keep(data)

    def lose_power(self) -> None:
        """Everything that was not printed is forgotten, and what was being printed is spoiled."""
        super().lose_power()
        self._spoil()
        self._received = b""
        self._waiting.clear()

    def _keep(self, data: bytes) -> bytes:
        """Put bytes into the memory, print what is complete, and answer questions after that."""
        self._received += data
        questions = _QUESTION.findall(self._received)
        self._received = _QUESTION.sub(b"", self._received)
        while (end := self._received.find(_END)) >= 0:
            whole, self._received = self._received[: end + len(_END)], self._received[end + len(_END) :]
            start = whole.rfind(_START)
            if start >= 0:
                self._waiting.append(whole[start:])
        # What a full memory can not hold is lost, but never the start of a command.
        self._received = self._received[-LABEL_BYTES_MAX:]
        self._print_waiting()
        return b"".join(self._answer(question) for question in questions)

    def _answer(self, question: bytes) -> bytes:
        if not self.answer_status:
            return b""
        if self.answers_lost:
            self.answers_lost -= 1
            return b""
        if question == HOST_STATUS_REQUEST:
            return self._host_status()
        return self._error_status() if self.knows_error_flags else b""

    def _print_waiting(self) -> None:
        while self._waiting and self._printing is None and not any(self.stops.values()):
            if self.labels_on_roll == 0:
                if not self.reprints_after_error:
                    self._waiting.pop(0)
                self.stops["paper_out"] = True
                return
            if self.print_s > 0:
                self._printing = asyncio.get_running_loop().call_later(self.print_s, self._printed)
                return
            self._come_out()

    def _printed(self) -> None:
        self._printing = None
        self._come_out()
        self._print_waiting()

    def _come_out(self) -> None:
        zpl = self._waiting.pop(0)
        if self.labels_on_roll is not None:
            self.labels_on_roll -= 1
        if self.blank_labels:
            self.blank_labels -= 1
            self.spoiled.append(zpl)
            return
        found = _SSCC_FIELD.search(zpl)
        sscc = found.group(1).decode() if found is not None else None
        self.labels.append(PrintedLabel(zpl, sscc, wall_clock_ms()))

    def _spoil(self) -> None:
        if self._printing is None:
            return
        self._printing.cancel()
        self._printing = None
        self.spoiled.append(self._waiting[0])
        if not self.reprints_after_error:
            self._waiting.pop(0)

    def _host_status(self) -> bytes:
        """The three lines of `~HS`; fields as in `bodega_adapters.framing.printer_status`."""
        honest = not self.claims_ready

        def flag(stop: str) -> int:
            return int(self.stops[stop] and honest)

        partial = int(_START in self._received and honest)
        waiting = len(self._waiting) if honest else 0
        return (
            f"\x02030,{flag('paper_out')},{flag('paused')},1218,{waiting:03d},0,0,{partial},000,0,0,"
            f"{flag('too_hot')}\x03\r\n"
            f"\x02000,0,{flag('head_open')},{flag('ribbon_out')},1,2,6,0,00000000,1,000\x03\r\n"
            "\x021234,0\x03\r\n"
        ).encode()

    def _error_status(self) -> bytes:
        """The frame of `~HQES`."""
        names = {name: name.replace("_", " ") for name, raised in self.stops.items() if raised}
        names |= {"too_hot": "print head too hot"} if "too_hot" in names else {}
        bits = 0 if self.claims_ready else sum(_BITS[name] for name in names.values())
        return (
            "\x02\r\n  PRINTER STATUS\r\n"
            f"   ERRORS:         {int(bits > 0)} 00000000 {bits:08X}\r\n"
            "   WARNINGS:       0 00000000 00000000\r\n\x03"
        ).encode()
