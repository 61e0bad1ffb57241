"""An office printer on a TCP port of this machine, as far as IPP can tell: it takes PDF jobs and completes them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from bodega.limits import LABEL_BYTES_MAX
from bodega_adapters.framing import ipp
from bodega_adapters.framing.ipp import JOB_GROUP, OPERATION_GROUP, PRINTER_GROUP, Operation, Tag

_IDLE, _STOPPED = 3, 5
_PENDING, _ABORTED, _COMPLETED = 3, 8, 9
_OK, _NOT_FOUND, _NOT_SUPPORTED, _NO_JOBS = 0x0000, 0x0406, 0x040A, 0x0506


class SimulatedIppPrinter:
    """The device side. Faults, free to set at any time:

    - `paper_out`: the printer is stopped; jobs wait. `aborts`: it gives every job up.
    - `takes`: the document formats. `accepts_jobs`. `answer_status`: False keeps silent, whatever it is asked.
    - `hang_up_after_job`: it takes the next job and hangs up without an answer; once.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host, self.port = host, port
        self.printed: list[bytes] = []
        self.paper_out = self.aborts = self.hang_up_after_job = False
        self.accepts_jobs = self.answer_status = True
        self.takes = ["application/pdf"]
        self._jobs: dict[int, int] = {}
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; `port` is the real one afterwards."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Switch off; safe to call twice."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            size = int(head.partition("content-length:")[2].split("\r\n")[0])
            answer = self._answer(ipp.read(await reader.readexactly(min(size, 2 * LABEL_BYTES_MAX))))
            if self.answer_status and answer:
                # In chunks, as CUPS answers.
                parts = [answer[:7], answer[7:], b""]
                chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
            elif not self.answer_status:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the client hung up: a printer does not mind
        finally:
            writer.close()

    def _answer(self, asked: ipp.Message) -> bytes:
        """Empty for a hang-up."""
        if asked.code == Operation.PRINT_JOB:
            return self._take(asked)
        if asked.code == Operation.GET_JOB_ATTRIBUTES:
            state = self._jobs.get(asked.number("job-id"))
            rows: list[ipp.Sent] = [(Tag.ENUM, "job-state", [state])] if state else []
            return _say(_OK if state else _NOT_FOUND, JOB_GROUP, rows)
        state = _STOPPED if self.paper_out else _IDLE
        return _say(
            _OK,
            PRINTER_GROUP,
            [
                (Tag.ENUM, "printer-state", [state]),
                (Tag.KEYWORD, "printer-state-reasons", ["media-empty-error" if self.paper_out else "none"]),
                (Tag.BOOLEAN, "printer-is-accepting-jobs", [self.accepts_jobs]),
                (Tag.INTEGER, "queued-job-count", [0]),
                (Tag.MIME, "document-format-supported", self.takes),
            ],
        )

    def _take(self, asked: ipp.Message) -> bytes:
        if asked.text("document-format") not in self.takes:
            return _say(_NOT_SUPPORTED, JOB_GROUP, [])
        if not self.accepts_jobs:
            return _say(_NO_JOBS, JOB_GROUP, [])
        number = next(self._numbers)
        self._jobs[number] = _ABORTED if self.aborts else _PENDING if self.paper_out else _COMPLETED
        if self._jobs[number] == _COMPLETED:
            self.printed.append(asked.document)
        if self.hang_up_after_job:
            self.hang_up_after_job = False
            return b""
        return _say(_OK, JOB_GROUP, [(Tag.INTEGER, "job-id", [number]), (Tag.ENUM, "job-state", [_PENDING])])


def _say(status: int, group: int, rows: Sequence[ipp.Sent]) -> bytes:
    first: list[ipp.Sent] = [
        (Tag.CHARSET, "attributes-charset", ["utf-8"]),
        (Tag.LANGUAGE, "attributes-natural-language", ["en"]),
    ]
    return ipp.write(status, [(OPERATION_GROUP, first), (group, rows)])
