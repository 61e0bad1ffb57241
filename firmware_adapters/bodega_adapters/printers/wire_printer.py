"""What printers on wires have in common: one conversation a job, and the table of how it ends.

How an outcome is found (the meaning is in `bodega_adapters.ports.LabelPrinter`):

    open the wire     refused, timed out, in use            -> failed
    ask status first  connection lost, or a flag is raised  -> failed: no byte of the job was written
                      silence                               -> go on: the label matters more; but on a serial line,
                                                               where a printer that is off is silent: failed
    `starting`        says no                               -> failed
    write the job     anything goes wrong from here on      -> unknown
    settle            what the language knows of the end    -> confirmed, or unknown

Nothing is ever written twice. Status is asked around jobs only: polling slows some real printers. A
conversation a job, because most printers serve one client at a time and another agent may want its turn.
"""

from __future__ import annotations

import asyncio
import termios
from abc import ABC, abstractmethod
from dataclasses import dataclass

from bodega.errors import InvalidInput, PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import LABEL_BYTES_MAX, PRINT_CONNECT_S, PRINT_DONE_S, PRINT_STATUS_S
from bodega_adapters.ports import PrinterAbilities, PrinterStatus, PrintReceipt, Starting
from bodega_adapters.presence import Presence
from bodega_adapters.printers.line import Line
from bodega_adapters.wires.wire import Opener

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a driver waits: to connect; for one answer; from the first byte of a job to its confirmation.

    `byte_s` is what the wire itself takes for a byte of the job, on top of `done_s`.
    """

    connect_s: float = PRINT_CONNECT_S
    status_s: float = PRINT_STATUS_S
    done_s: float = PRINT_DONE_S
    byte_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a printer is.

    `late_answers`: what an earlier conversation asked may still come in this one (serial, USB). `silent_when_off`: that
    the wire opens does not say that there is a printer (serial).
    """

    where: str
    open_wire: Opener
    hint: str
    late_answers: bool = False
    silent_when_off: bool = False


class WirePrinter(ABC):
    """A `LabelPrinter` over a `Wire`; a language adds how status is asked and how a job settles."""

    def __init__(self, name: str, abilities: PrinterAbilities, place: Place, waits: Waits) -> None:
        if min(waits.connect_s, waits.status_s, waits.done_s) <= 0:
            raise InvalidInput(
                f"printer {name}: waits must be longer than 0 s", hint="leave them out for the usual"
            )
        self.name = name
        self.abilities = abilities
        self.presence = Presence("printer", name, place=place.where)
        self._place = place
        self._waits = waits
        self._turn = asyncio.Lock()
        # Before the first conversation nobody knows what the one of an earlier process has asked.
        self._answers_may_come = place.late_answers

    @abstractmethod
    async def _ask(self, line: Line) -> PrinterStatus:
        """Ask the status once; raises TimeoutError, OSError, PeerFault."""

    @abstractmethod
    async def _ask_all(self, line: Line) -> PrinterStatus:
        """Everything that the printer can say of itself; raises as `_ask`."""

    @abstractmethod
    async def _settle(self, line: Line) -> PrintReceipt:
        """All bytes are written: find out what became of them; the caller bounds the time. Raises as `_ask`."""

    async def status(self) -> PrinterStatus:
        """Ask the printer now; raises `Unavailable` (no connection, no answer) or `PeerFault` (nonsense)."""
        async with self._turn:
            line = await self._open()
            try:
                status = await self._ask_all(line)
            except TimeoutError as error:
                raise self._missed("does not answer when it is asked for its status") from error
            except OSError as error:
                raise self._missed(f"lost the connection: {error}") from error
            finally:
                self._hang_up(line)
            self.presence.answered()
            return status

    async def print_label(self, label: bytes, starting: Starting | None = None) -> PrintReceipt:
        """Send one label once; the table in this module's docstring says how each case ends."""
        if not 0 < len(label) <= LABEL_BYTES_MAX:
            raise InvalidInput(f"a label of {len(label)} bytes is not between 1 and {LABEL_BYTES_MAX}")
        async with self._turn:
            receipt = await self._attempt(label, starting)
        level = log.info if receipt.outcome == "confirmed" else log.warning
        level(
            "label_sent", device=self.name, outcome=receipt.outcome, detail=receipt.detail, bytes=len(label)
        )
        return receipt

    async def close(self) -> None:
        """Wait for the job in hand; no connection is held between jobs."""
        async with self._turn:
            return

    async def _attempt(self, label: bytes, starting: Starting | None) -> PrintReceipt:
        try:
            line = await self._open()
        except Unavailable as error:
            return PrintReceipt("failed", error.message)
        try:
            obstacle = await self._obstacle(line)
            if obstacle:
                return PrintReceipt("failed", obstacle)
            if starting is not None and not await starting():
                return PrintReceipt("failed", "taken back before its first byte")
            return await self._send(line, label)
        finally:
            self._hang_up(line)

    async def _obstacle(self, line: Line) -> str:
        """Why the job should not be sent now; empty if it may be."""
        try:
            before = await self._ask(line)
        except TimeoutError:
            return "the printer does not answer; is it on?" if self._place.silent_when_off else ""
        except (OSError, PeerFault) as error:
            return f"no usable status before the job: {error}"
        self.presence.answered()
        return "" if before.ready else f"the printer is not ready: {before.detail}"

    async def _send(self, line: Line, label: bytes) -> PrintReceipt:
        try:
            async with asyncio.timeout(self._waits.done_s + len(label) * self._waits.byte_s):
                await line.wire.write(label)
                return await self._settle(line)
        except TimeoutError:
            return PrintReceipt("unknown", "the printer did not report the label as printed in time")
        except (OSError, PeerFault) as error:
            return PrintReceipt("unknown", f"trouble after the first byte: {error}")

    async def _open(self) -> Line:
        """Raises `Unavailable`."""
        try:
            async with asyncio.timeout(self._waits.connect_s):
                line = Line(await self._place.open_wire())
        except TimeoutError as error:
            raise self._missed(f"does not accept a connection in {self._waits.connect_s} s") from error
        except (OSError, UnicodeError, termios.error) as error:
            raise self._missed(f"can not be reached: {_words(error)}") from error
        except InvalidInput as error:
            raise Unavailable(f"printer {self.name}: {error.message}", hint=error.hint) from error
        if self._answers_may_come:
            drained = False
            try:
                await self._drain(line)
                drained = True
            finally:
                if not drained:
                    line.wire.close()
        return line

    async def _drain(self, line: Line) -> None:
        """Throw away what answers an earlier conversation: as an answer to this one it would be a lie."""
        try:
            async with asyncio.timeout(self._waits.done_s):
                while await line.wire.read(self._waits.status_s):
                    pass
        except OSError as error:  # TimeoutError is one: it never stops talking
            raise self._missed(f"can not be talked to: {_words(error)}") from error

    def _hang_up(self, line: Line) -> None:
        self._answers_may_come = self._place.late_answers and line.owed > 0
        line.wire.close()

    def _missed(self, problem: str) -> Unavailable:
        self.presence.missed(problem)
        return Unavailable(f"printer {self.name} at {self._place.where} {problem}", hint=self._place.hint)


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
