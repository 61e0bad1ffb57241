"""Office printers and CUPS queues, over IPP (RFC 8011): a PDF is given as a job, and the job is watched to its end.

    Get-Printer-Attributes   no answer, stopped, takes no jobs           -> failed
                             does not take PDF                           -> refused
    `starting`               says no                                     -> failed
    Print-Job                can not connect                             -> failed
                             answered: busy, takes no jobs, not HTTP 200 -> failed: the printer made no job
                             answered: this document is nothing for it   -> refused
                             anything else                               -> unknown
    Get-Job-Attributes       completed                                   -> confirmed
                             aborted, canceled, no end within `done_s`   -> unknown

The job's id is what makes it certain: the printer itself says of this very job that it is completed.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from bodega.errors import InvalidInput, PeerFault, Unavailable
from bodega.host.log import get_logger
from bodega.limits import (
    IPP_DONE_S,
    IPP_POLL_S,
    LABEL_BYTES_MAX,
    PRINT_CONNECT_S,
    PRINT_STATUS_S,
)
from bodega_adapters.framing import ipp
from bodega_adapters.framing.ipp import Operation, Tag
from bodega_adapters.ports import PrinterAbilities, PrinterStatus, PrintReceipt, Recognition, Starting
from bodega_adapters.presence import Presence
from bodega_adapters.printers import http_call
from bodega_adapters.printers.zpl_tcp import tcp_place
from bodega_adapters.wires.tape import Recorder

log = get_logger(__name__)

PDF = "application/pdf"
_WIDTH_MM = 101
_DOTS_PER_MM = 12
_HTTP_OK = 200
_HTTP_REFUSED = range(400, 500)
_STOPPED = 5
_COMPLETED = 9
_FIRST_FINAL_STATE = 7
_JOB_STATES = {7: "canceled", 8: "aborted", 9: "completed"}
_FIRST_ERROR = 0x0400
_TRY_AGAIN = {0x0502: "out of service", 0x0506: "takes no jobs", 0x0507: "busy"}
_NEVER = {
    0x0408: "too large",
    0x040A: "a document format that it does not take",
    0x040B: "options it lacks",
    0x0411: "a document that it can not read",
}
_ASKED_OF_PRINTER = [
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "queued-job-count",
    "document-format-supported",
]
_REASONS_OF_PAPER = ("media-empty", "media-needed")


class IppPrinter:
    """A `LabelPrinter` over IPP.

    Options: `host`, `port`, `path` (of the printer's URI), and the waits in seconds: `connect_s`; `status_s` for one
    answer; `done_s` from the first byte of the job to its completion.
    """

    recognises: ClassVar = Recognition(address="ipp://HOST:631/ipp/print")
    abilities: ClassVar = PrinterAbilities("pdf", _DOTS_PER_MM, _WIDTH_MM, says_status=True, confirms=True)

    def __init__(  # its options
        self,
        name: str,
        host: str,
        port: int = 631,
        path: str = "/ipp/print",
        *,
        connect_s: float = PRINT_CONNECT_S,
        status_s: float = PRINT_STATUS_S,
        done_s: float = IPP_DONE_S,
        recorder: Recorder | None = None,
    ) -> None:
        if not path.startswith("/") or not path.isascii() or any(c.isspace() for c in path):
            raise InvalidInput(f"printer {name}: {path!r} is not a path", hint="/ipp/print is the usual one")
        if min(connect_s, status_s, done_s) <= 0:
            raise InvalidInput(f"printer {name}: waits must be longer than 0 s", hint="leave them out")
        self.name = name
        self.presence = Presence("printer", name, place=f"{host}:{port}{path}")
        self._place = tcp_place(name, host, port, connect_s, recorder)
        self._host, self._path = f"{host}:{port}", path
        self._uri = f"ipp://{host}:{port}{path}"
        self._status_s, self._done_s = status_s, done_s
        self._turn = asyncio.Lock()

    async def status(self) -> PrinterStatus:
        """Ask the printer now; see LabelPrinter."""
        async with self._turn:
            return _status(await self._printer())

    async def print_label(self, label: bytes, starting: Starting | None = None) -> PrintReceipt:
        """Give the printer one PDF, once; the table in this module's docstring says how each case ends."""
        if not 0 < len(label) <= LABEL_BYTES_MAX:
            raise InvalidInput(f"a label of {len(label)} bytes is not between 1 and {LABEL_BYTES_MAX}")
        async with self._turn:
            receipt = await self._obstacle()
            if receipt is None and starting is not None and not await starting():
                receipt = PrintReceipt("failed", "taken back before its first byte")
            if receipt is None:
                receipt = await self._print(label)
        level = log.info if receipt.outcome == "confirmed" else log.warning
        level(
            "label_sent", device=self.name, outcome=receipt.outcome, detail=receipt.detail, bytes=len(label)
        )
        return receipt

    async def close(self) -> None:
        """Wait for the job in hand; no connection is held between jobs."""
        async with self._turn:
            return

    async def _obstacle(self) -> PrintReceipt | None:
        try:
            printer = await self._printer()
        except (Unavailable, PeerFault) as error:
            return PrintReceipt("failed", error.message)
        status = _status(printer)
        if not status.ready:
            return PrintReceipt("failed", f"the printer is not ready: {status.detail}")
        formats = printer.attributes.get("document-format-supported", (PDF,))
        if not {PDF, "application/octet-stream"} & set(map(str, formats)):
            return PrintReceipt("refused", f"the printer takes no PDF, but {', '.join(map(str, formats))}")
        return None

    async def _print(self, label: bytes) -> PrintReceipt:
        body = ipp.request(
            Operation.PRINT_JOB,
            self._uri,
            (Tag.NAME, "job-name", ["bodega label"]),
            (Tag.MIME, "document-format", [PDF]),
            document=label,
        )
        try:
            async with asyncio.timeout(self._done_s):
                try:
                    wire = await self._place.open_wire()
                except (OSError, UnicodeError) as error:
                    return PrintReceipt("failed", f"can not be reached: {error}")
                try:
                    response = await http_call.post(wire, self._host, self._path, "application/ipp", body)
                finally:
                    wire.close()
                refusal = _refusal(response)
                return refusal or await self._watch(ipp.read(response.body).number("job-id"))
        except TimeoutError:
            return PrintReceipt("unknown", "the printer did not report the job as completed in time")
        except (OSError, PeerFault) as error:
            return PrintReceipt("unknown", f"trouble after the first byte: {error}")

    async def _watch(self, job_id: int) -> PrintReceipt:
        """Until the job has ended; the caller bounds the time."""
        wanted: ipp.Sent = (Tag.KEYWORD, "requested-attributes", ["job-state", "job-state-reasons"])
        body = ipp.request(Operation.GET_JOB_ATTRIBUTES, self._uri, (Tag.INTEGER, "job-id", [job_id]), wanted)
        while True:
            try:
                job = await self._ask(body)
            except (Unavailable, PeerFault):
                job = None
            state = job.number("job-state") if job else 0
            if job is not None and state >= _FIRST_FINAL_STATE:
                break
            await asyncio.sleep(IPP_POLL_S)
        word = _JOB_STATES.get(state, str(state))
        if state == _COMPLETED:
            return PrintReceipt("confirmed", f"job {job_id} {word}")
        return PrintReceipt("unknown", f"job {job_id} {word}: {job.text('job-state-reasons')}")

    async def _printer(self) -> ipp.Message:
        wanted: ipp.Sent = (Tag.KEYWORD, "requested-attributes", _ASKED_OF_PRINTER)
        answer = await self._ask(ipp.request(Operation.GET_PRINTER_ATTRIBUTES, self._uri, wanted))
        self.presence.answered()
        return answer

    async def _ask(self, body: bytes) -> ipp.Message:
        """Raises `Unavailable`, and `PeerFault` for an answer that is none."""
        try:
            async with asyncio.timeout(self._status_s):
                wire = await self._place.open_wire()
                try:
                    response = await http_call.post(wire, self._host, self._path, "application/ipp", body)
                finally:
                    wire.close()
        except (OSError, UnicodeError) as error:
            self.presence.missed(str(error) or "no answer in time")
            raise Unavailable(
                f"printer {self.name} at {self._uri} does not answer: {error or 'too slow'}",
                hint=self._place.hint,
            ) from error
        if response.status != _HTTP_OK:
            raise PeerFault(f"printer {self.name} answers HTTP {response.status}", hint="check host and path")
        answer = ipp.read(response.body)
        if answer.code >= _FIRST_ERROR:
            raise PeerFault(
                f"printer {self.name} answers IPP status {answer.code:#06x}", hint="check the path"
            )
        return answer


def _refusal(response: http_call.Response) -> PrintReceipt | None:
    """What an answer to Print-Job says if it is not that there is a job now."""
    if response.status in _HTTP_REFUSED:
        return PrintReceipt("failed", f"the printer answers HTTP {response.status}: check host and path")
    if response.status != _HTTP_OK:
        # A server that breaks may have made the job before it did.
        return PrintReceipt("unknown", f"the printer answers HTTP {response.status}")
    code = ipp.read(response.body).code
    if code < _FIRST_ERROR:
        return None
    if code in _TRY_AGAIN:
        return PrintReceipt("failed", f"the printer made no job of it: {_TRY_AGAIN[code]}")
    if code in _NEVER:
        return PrintReceipt("refused", f"the printer refuses it: {_NEVER[code]}")
    return PrintReceipt("unknown", f"the printer answers IPP status {code:#06x}")


def _status(printer: ipp.Message) -> PrinterStatus:
    reasons = [
        str(reason).removesuffix("-error").removesuffix("-report")
        for reason in printer.attributes.get("printer-state-reasons", ())
        if reason != "none" and not str(reason).endswith("-warning")
    ]
    stopped = printer.number("printer-state") == _STOPPED
    accepts = printer.attributes.get("printer-is-accepting-jobs", (True,))[0]
    problems = [*(reasons if stopped else []), *(["stopped"] if stopped else [])]
    problems += [] if accepts else ["takes no jobs"]
    return PrinterStatus(
        ready=not problems,
        paper_out=stopped and any(reason in _REASONS_OF_PAPER for reason in reasons),
        head_open=stopped and "cover-open" in reasons,
        paused=stopped and "paused" in reasons,
        queued_labels=printer.number("queued-job-count"),
        detail=", ".join(problems) or "ready",
        warnings=() if stopped else tuple(reasons),
    )
