"""The control socket: JSON lines over a Unix socket that only the agent's own user may open.

A request is one line `{"op": ..., ...}`, an answer one line `{"ok": true, "result": ...}` or
`{"ok": false, "error": {code, message, hint, exit, faults}}`. `watch` answers a line per change.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

from bodega.errors import AddressInUse, BodegaError, InvalidInput, Unavailable, outcome_of
from bodega.host.log import get_logger
from bodega.limits import CONTROL_CLIENTS_MAX, CONTROL_REQUEST_BYTES_MAX

log = get_logger(__name__)

Json = dict[str, Any]
Answer = Callable[[Json], Awaitable[Any]]
Stream = Callable[[Json], AsyncGenerator[Any, None]]


class ControlServer:
    """Serves `answers` (one answer each) and `streams` (a line per change) until closed."""

    def __init__(self, path: Path, answers: dict[str, Answer], streams: dict[str, Stream]) -> None:
        self._path = path
        self._answers = answers
        self._streams = streams
        self._clients: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; raises AddressInUse while another agent answers on the socket."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        await ensure_free(self._path)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._accept, self._path, limit=CONTROL_REQUEST_BYTES_MAX
            )
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Stop listening and let go of every client."""
        if self._server is None:
            return
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs every connection in a task"
        self._clients.add(task)
        try:
            if len(self._clients) > CONTROL_CLIENTS_MAX:
                await _send(writer, _refusal(Unavailable("too many clients of the control socket")))
                return
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            # The client has gone, or we are stopping: either way nobody waits for an answer.
            return
        finally:
            self._clients.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                await _send(writer, _refusal(InvalidInput("the request is too long")))
                return
            await self._answer(line, writer)

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = _parse(line)
            op = request.pop("op", "")
            if op in self._streams:
                # Closed at once when the client has gone: a stream may hold something.
                async with aclosing(self._streams[op](request)) as stream:
                    async for item in stream:
                        await _send(writer, {"ok": True, "result": item})
            elif op in self._answers:
                await _send(writer, {"ok": True, "result": await self._answers[op](request)})
            else:
                known = ", ".join(sorted({*self._answers, *self._streams}))
                raise InvalidInput(f"there is no operation '{op}'", hint=f"use one of: {known}")
        except BodegaError as error:
            await _send(writer, _refusal(error))


def _parse(line: bytes) -> Json:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the request is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise InvalidInput("the request must be a JSON object")
    return request


def _refusal(error: BodegaError) -> Json:
    return {
        "ok": False,
        "error": {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "exit": int(outcome_of(error).exit),
            "faults": [
                {"where": fault.where, "problem": fault.problem, "line": fault.line} for fault in error.faults
            ],
        },
    }


async def _send(writer: asyncio.StreamWriter, answer: Json) -> None:
    writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
    await writer.drain()


async def ensure_free(path: Path) -> None:
    """Remove the socket of an agent that was killed; raises AddressInUse if one is alive."""
    try:
        _reader, writer = await asyncio.open_unix_connection(path)
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        os.unlink(path)  # noqa: PTH108  # one syscall at start-up, not worth a thread
        return
    writer.close()
    raise AddressInUse(f"another agent answers on {path}", hint="stop it first: systemctl stop bodega-agent")
