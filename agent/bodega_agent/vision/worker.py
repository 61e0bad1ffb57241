"""The vision worker: `python -m bodega_agent.vision.worker`, started and watched over by `VisionClient`.

It owns the cameras and the model and nothing else. It reads requests on standard input and writes verdicts
on standard output (`wire.py`), and ends when its input closes. It must not outlive the agent: the kernel
kills it when the agent dies, and the closed pipe ends it where the kernel did not. Whatever is wrong, it
says so in one line on standard error and ends with an exit code of `bodega.errors`; it is never repaired,
only replaced.

With `--spec JSON` it takes its cameras from the command line, for trials by hand. `VisionClient` sends the
spec through the pipe instead: a camera's address may hold a password, and any user can read a command line.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO

from bodega.errors import BodegaError, ExitCode, PeerFault, outcome_of
from bodega.host.log import configure, get_logger
from bodega_agent.vision.messages import WorkerSpec

log = get_logger(__name__)

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
# Steps of nice(2).
GIVES_WAY_BY = 10


def main() -> ExitCode:
    """Run until the input closes; the process exit code."""
    _die_with_parent()
    _give_way()
    # Ctrl-C at a terminal reaches the whole group; the agent decides when its worker stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    spec_json = _arguments().spec
    inbound, outbound = _claim_pipes()
    configure()
    try:
        spec = None if spec_json is None else _parsed(spec_json)
        # cv2, onnxruntime and the decoder come in here, once the process is set up to survive them.
        from bodega_agent.vision.service import serve  # noqa: PLC0415 -- said above

        asyncio.run(serve(inbound, outbound, spec))
    except BodegaError as fault:
        log.error("vision_worker_stopped", error=fault.message, hint=fault.hint)  # noqa: TRY400 -- expected: no trace
        return outcome_of(fault).exit
    except ImportError as fault:
        log.error("vision_not_installed", error=str(fault), hint="pip install 'bodega[agent,vision-cpu]'")  # noqa: TRY400 -- expected: no trace
        return ExitCode.UNAVAILABLE
    except Exception:
        # The last line of the process: tell it in the log's own form, then be replaced.
        log.exception("vision_worker_failed")
        return ExitCode.INTERNAL
    return ExitCode.OK


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Vision worker; the agent starts it.")
    parser.add_argument(
        "--spec", metavar="JSON", help="the WorkerSpec; without it, the first message on stdin"
    )
    return parser.parse_args()


def _parsed(spec_json: str) -> WorkerSpec:
    try:
        return WorkerSpec.from_json(json.loads(spec_json))
    except ValueError as fault:
        raise PeerFault(f"--spec is not JSON: {fault}") from fault


def _die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG)."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It died before the kernel knew what to do about it.
        sys.exit(ExitCode.UNAVAILABLE)


def _give_way() -> None:
    """A picture must never hold up a scan: the daemon goes first where both want the processor.

    Before any library starts its threads, which inherit it. SCHED_IDLE would starve the worker of a busy box until its
    verdicts are too late; scans are as quick with this (`make bench BENCH=devices.scan`).
    """
    os.nice(GIVES_WAY_BY)


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the wire for ourselves: a library that prints on stdout must not break a message."""
    inbound, outbound = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return inbound, outbound


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Not sys.exit: a camera that hangs in its driver would hold up a polite exit for ever.
    os._exit(code)
