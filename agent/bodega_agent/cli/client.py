"""A client of the agent's control socket: JSON lines over a Unix socket, and nothing but the standard library.

An error of the agent is raised here as the same family, with the agent's own words; a socket on which nobody
listens is `Unavailable` with how to start the agent.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bodega.errors import OUTCOMES, BodegaError, FieldFault, PeerFault, PermissionRefused, Unavailable
from bodega.limits import CONTROL_ANSWER_S
from bodega_agent.config import load_config

Json = dict[str, Any]

_FAMILIES = {family.code: family for family in OUTCOMES}


class ControlClient:
    """One connection. Use as a context manager."""

    def __init__(self, path: Path, *, answer_s: float = CONTROL_ANSWER_S) -> None:
        self._path = path
        self._answer_s = answer_s
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(answer_s)
        self._unread = b""

    @classmethod
    def of(cls, config_path: Path, *, answer_s: float = CONTROL_ANSWER_S) -> ControlClient:
        """The client of the agent that runs with this file; it waits `answer_s` for an answer."""
        return cls(load_config(config_path).socket_path, answer_s=answer_s)

    def __enter__(self) -> ControlClient:
        try:
            self._socket.connect(str(self._path))
        except PermissionError as error:
            self._socket.close()
            raise PermissionRefused(
                f"you may not talk to the agent on {self._path}",
                hint="run it as the agent's user: sudo -u bodega",
            ) from error
        except OSError as error:
            self._socket.close()
            raise Unavailable(
                f"no agent answers on {self._path}",
                hint="start it with: systemctl start bodega-agent, or bodega run --config FILE",
            ) from error
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """For `select`: readable when an answer, or the end, is there."""
        return self._socket.fileno()

    def ask(self, op: str, **args: Any) -> Any:
        """The result of one operation; raises the agent's error, or Unavailable when it has gone."""
        self.send(op, **args)
        return self.next_result()

    def next_result(self) -> Any:
        """Wait for the next result of what was sent."""
        return result_of(self._read_line())

    def send(self, op: str, **args: Any) -> None:
        """Ask without waiting, for a stream."""
        request = json.dumps({"op": op, **args}, ensure_ascii=False).encode()
        try:
            self._socket.sendall(request + b"\n")
        except OSError as error:
            raise self._gone() from error

    def received(self) -> Iterator[Any]:
        """Results that have arrived, after `fileno` became readable; raises Unavailable at the end."""
        self._receive()
        while b"\n" in self._unread:
            line, _, self._unread = self._unread.partition(b"\n")
            yield result_of(line)

    def _read_line(self) -> bytes:
        while b"\n" not in self._unread:
            self._receive()
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _receive(self) -> None:
        try:
            chunk = self._socket.recv(65536)
        except TimeoutError as error:
            raise Unavailable(
                f"the agent on {self._path} has not answered for {self._answer_s:g} s",
                hint="look at its log: journalctl -u bodega-agent",
            ) from error
        except OSError as error:
            raise self._gone() from error
        if not chunk:
            raise self._gone()
        self._unread += chunk

    def _gone(self) -> Unavailable:
        return Unavailable(
            f"the agent on {self._path} has stopped before it answered",
            hint="look at its log: journalctl -u bodega-agent; then ask again",
        )


def result_of(line: bytes) -> Any:
    """The result in an answer, or its error raised; PeerFault if it is no answer at all."""
    try:
        answer = json.loads(line)
        if answer["ok"]:
            return answer["result"]
        error = answer["error"]
        code, message, hint = str(error["code"]), str(error["message"]), str(error["hint"])
        exit_code = int(error["exit"])
        faults = tuple(
            FieldFault(fault["where"], fault["problem"], fault["line"]) for fault in error.get("faults", ())
        )
    except (ValueError, KeyError, TypeError) as error:
        raise PeerFault(
            "the agent's answer is not readable",
            hint="is another program on the socket? see bodega config check",
        ) from error
    refusal = _family(code, exit_code)(message, hint=hint, code=code)
    refusal.faults = faults
    raise refusal


def _family(code: str, exit_code: int) -> type[BodegaError]:
    by_exit = (family for family, outcome in OUTCOMES.items() if outcome.exit == exit_code)
    return _FAMILIES.get(code) or next(by_exit, BodegaError)
