"""Whatever happens to the worker, the agent gets an answer, a fresh worker, and no orphan."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from structlog.testing import capture_logs

from bodega.errors import ExitCode, InvalidInput
from bodega.limits import FRAMES_WAITING_MAX, STOP_S, VERDICT_S
from bodega_agent.vision import client as client_module
from bodega_agent.vision import wire
from bodega_agent.vision.client import WORKER_COMMAND, VisionClient
from bodega_agent.vision.messages import Ready, Verdict
from support import tray_frames, vision_worker
from support.vision_worker import request
from support.waiting import BUSY_MACHINE_S

# A test shows that a wait ends by itself; how fast is for the benchmarks.
READY = wire.encode("ready", Ready("m@1", "p").to_json())
ANSWER_FOR_NOBODY = wire.encode("verdict", Verdict("nobody", "pass", ("a: b",)).to_json())


@pytest.fixture
def spec(tmp_path):
    pen_on_tray = tray_frames.with_item(tray_frames.tray(), "4006381333931")
    tray_frames.save(pen_on_tray, tmp_path / "bench" / "frame.png")
    return vision_worker.spec(tmp_path, "bench")


async def test_a_worker_killed_in_mid_request_costs_a_review_and_is_replaced(spec):
    async with vision_worker.running(spec) as client:
        first = client.pid
        os.kill(first, signal.SIGSTOP)
        asked = asyncio.create_task(client.inspect(request("bench")))
        await _until(lambda: client.waiting == 1)
        os.kill(first, signal.SIGKILL)
        verdict = await asked
        assert (verdict.outcome, verdict.codes) == ("review", ("worker_lost",))
        await _until(lambda: not client.ready)
        assert (await client.inspect(request("bench"))).codes == ("worker_lost",)
        async with asyncio.timeout(vision_worker.START_S):
            await client.wait_ready()
        assert client.pid != first
        assert (await client.inspect(request("bench"))).outcome == "pass"


async def test_a_request_made_while_the_worker_starts_waits_for_it(spec):
    client = VisionClient(spec)
    await client.start()
    try:
        assert (client.ready, client.provider) == (False, "")
        assert (await client.inspect(request("bench"))).outcome == "pass"
        assert (client.ready, client.provider) == (True, "CPUExecutionProvider")
    finally:
        await client.stop()


async def test_a_worker_that_falls_silent_costs_reviews_in_time_and_is_replaced(spec):
    async with vision_worker.running(spec) as client:
        silent = client.pid
        os.kill(silent, signal.SIGSTOP)
        began_s = time.monotonic()
        verdicts = await asyncio.gather(*(client.inspect(request("bench")) for _ in range(3)))
        assert time.monotonic() - began_s < VERDICT_S + BUSY_MACHINE_S
        assert {verdict.codes for verdict in verdicts} == {("timeout",)}
        assert all(verdict.duration_ms >= VERDICT_S * 1000 for verdict in verdicts)
        await _until(lambda: client.pid not in (silent, None))
        assert vision_worker.is_gone(silent)
        await client.wait_ready()
        assert (await client.inspect(request("bench"))).outcome == "pass"


async def test_over_the_bound_a_request_is_busy_at_once(spec):
    async with vision_worker.running(spec) as client:
        os.kill(client.pid, signal.SIGSTOP)
        waiting = [asyncio.create_task(client.inspect(request("bench"))) for _ in range(FRAMES_WAITING_MAX)]
        await _until(lambda: client.waiting == FRAMES_WAITING_MAX)
        refused = await client.inspect(request("bench"))
        assert (refused.outcome, refused.codes) == ("review", ("busy",))
        assert refused.duration_ms < VERDICT_S * 1000, "it did not wait for a verdict"
        os.kill(client.pid, signal.SIGCONT)
        assert {verdict.outcome for verdict in await asyncio.gather(*waiting)} <= {"pass", "review"}


async def test_a_stop_is_bounded_and_answers_what_is_open(spec):
    async with vision_worker.running(spec) as client:
        pid = client.pid
        os.kill(pid, signal.SIGSTOP)
        asked = asyncio.create_task(client.inspect(request("bench")))
        await _until(lambda: client.waiting == 1)
        began_s = time.monotonic()
        await client.stop()
        assert time.monotonic() - began_s < STOP_S + BUSY_MACHINE_S
        assert (await asked).codes == ("worker_lost",)
        assert vision_worker.is_gone(pid)
        assert (await client.inspect(request("bench"))).codes == ("worker_lost",)


async def test_a_client_that_was_never_started_says_so(spec):
    client = VisionClient(spec)
    assert (await client.inspect(request("bench"))).codes == ("worker_lost",)
    await client.stop()


@pytest.mark.parametrize(
    "said",
    [
        READY + b"\xff\xff\xff\xff" + b"garbage",
        READY + b"\x00\x00\x00\x03{]}",
        READY + wire.encode("verdict", {"request_id": "x"}),
        READY + wire.encode("chatter", {}),
        READY + ANSWER_FOR_NOBODY + b"\x00\x00",
    ],
    ids=["a length of 4 GiB", "no JSON", "half a verdict", "another kind", "cut off"],
)
async def test_a_worker_that_speaks_nonsense_is_replaced(spec, said):
    seconds = 0 if said.endswith(b"\x00\x00") else 60
    script = f"import sys, time; sys.stdout.buffer.write({said!r}); sys.stdout.flush(); time.sleep({seconds})"
    with capture_logs() as lines:
        async with vision_worker.running(spec, (sys.executable, "-c", script)) as client:
            assert client.model == "m@1"
            assert (await client.inspect(request("bench"))).codes == ("worker_lost",)
            await _until(lambda: _events(lines).count("vision_worker_up") == 2)
    assert _events(lines)[:4] == [
        "vision_worker_up",
        "vision_worker_incoherent",
        "vision_worker_lost",
        "vision_worker_up",
    ]


async def test_a_worker_that_never_gets_ready_is_given_up(spec, monkeypatch):
    monkeypatch.setattr(client_module, "VISION_START_S", 0.2)
    with capture_logs() as lines:
        client = VisionClient(spec, command=(sys.executable, "-c", "import time; time.sleep(60)"))
        await client.start()
        try:
            pid = client.pid
            await _until(lambda: client.pid not in (pid, None))
            assert vision_worker.is_gone(pid)
            assert "vision_worker_start_timeout" in _events(lines)
        finally:
            await client.stop()


async def test_a_worker_that_can_not_be_started_is_tried_again_and_warned_of_once(spec):
    with capture_logs() as lines:
        client = VisionClient(spec, command=("/nonexistent/python",))
        await client.start()
        try:
            await _until(lambda: _events(lines).count("vision_worker_not_started") == 3)
            assert (await client.inspect(request("bench"))).codes == ("worker_lost",)
        finally:
            await client.stop()
    assert _events(lines).count("vision_worker_lost") == 1


@pytest.mark.parametrize("gtin", ["4006381333931", "0400638133393x", "\u0660" * 14])
async def test_a_request_that_no_worker_would_take_is_the_callers_bug(spec, gtin):
    with pytest.raises(InvalidInput, match="14 digits"):
        await VisionClient(spec).inspect(request("bench", gtin))


async def test_one_id_is_in_flight_once(spec):
    async with vision_worker.running(spec) as client:
        asked = request("bench")
        first = asyncio.create_task(client.inspect(asked))
        await _until(lambda: client.waiting == 1)
        with pytest.raises(InvalidInput, match="in flight"):
            await client.inspect(asked)
        assert (await first).outcome == "pass"
        assert (await client.inspect(asked)).outcome == "pass"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"\x7f\xff\xff\xff", "not within"),
        (b"\x00\x00\x00\x05hello", "not JSON"),
        (wire.encode("inspect", {"request_id": "x"}), "must be"),
        (wire.encode("verdict", {}), "expected inspect"),
        (b"\x00\x00", "closed inside"),
    ],
)
def test_a_worker_that_is_told_nonsense_ends_with_one_line(spec, said, why):
    done = _worker_by_hand(json.dumps(spec.to_json()), said)
    assert done.returncode == ExitCode.DATA
    assert b'"kind":"ready"' in done.stdout
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["event"] == "vision_worker_stopped"
    assert why in last["error"]
    assert b"Traceback" not in done.stderr


def test_a_worker_refuses_more_than_may_wait_whoever_asks(tmp_path):
    os.mkfifo(tmp_path / "hanging")
    command = [*WORKER_COMMAND, "--spec", json.dumps(vision_worker.spec(tmp_path, "hanging").to_json())]
    asked = [vision_worker.request("hanging") for _ in range(FRAMES_WAITING_MAX + 1)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        worker.stdin.write(b"".join(wire.encode("inspect", one.to_json()) for one in asked))
        worker.stdin.flush()
        assert _next_message(worker.stdout)[0] == "ready"
        first, *others = (_next_verdict(worker.stdout) for _ in asked)
        worker.kill()
    assert (first.request_id, first.codes) == (asked[-1].request_id, ("busy",))
    assert {other.codes for other in others} <= {("no_frame",), ("timeout",)}


@pytest.mark.parametrize("spec_json", ["{", "[]", '{"cameras": {}}'])
def test_a_spec_that_does_not_fit_ends_the_worker_with_one_line(spec_json):
    done = _worker_by_hand(spec_json, b"")
    assert done.returncode == ExitCode.DATA
    [line] = done.stderr.splitlines()
    assert json.loads(line)["event"] == "vision_worker_stopped"


def test_a_worker_ends_when_its_pipe_closes(spec):
    done = _worker_by_hand(json.dumps(spec.to_json()), b"")
    assert done.returncode == ExitCode.OK


def test_a_worker_does_not_outlive_a_killed_agent(spec, tmp_path):
    agent = subprocess.Popen(
        [sys.executable, "-c", _AGENT, json.dumps(spec.to_json())], stdout=subprocess.PIPE
    )
    with agent:
        worker_pid = int(agent.stdout.readline())
        agent.kill()
    assert vision_worker.is_gone(worker_pid)


def test_the_kernel_ends_the_worker_even_if_somebody_holds_its_pipe(spec):
    reader, writer = os.pipe()
    script = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen(sys.argv[1:], stdin=sys.stdin, stdout=sys.stdout);"
        "print(child.pid, file=sys.stderr, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, *WORKER_COMMAND, "--spec", json.dumps(spec.to_json())]
    parent = subprocess.Popen(command, stdin=reader, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with parent:
        worker_pid = int(parent.stderr.readline())
        assert parent.stdout.read(4), "the worker is ready, so it has told the kernel"
        parent.kill()
        assert vision_worker.is_gone(worker_pid)
    os.close(reader)
    os.close(writer)


_AGENT = """
import asyncio, json, sys
from bodega.host.log import configure
from bodega_agent.vision.client import VisionClient
from bodega_agent.vision.messages import WorkerSpec

async def main():
    client = VisionClient(WorkerSpec.from_json(json.loads(sys.argv[1])))
    await client.start()
    await client.wait_ready()
    sys.stdout.write(f"{client.pid}\\n")
    sys.stdout.flush()
    await asyncio.sleep(60)

configure()
asyncio.run(main())
"""


def _worker_by_hand(spec_json: str, said: bytes) -> subprocess.CompletedProcess:
    command = [*WORKER_COMMAND, "--spec", spec_json]
    return subprocess.run(
        command, input=said, capture_output=True, timeout=vision_worker.START_S, check=False
    )


def _next_verdict(pipe):
    """Past what the worker says of its cameras unasked."""
    while (message := _next_message(pipe))[0] == "camera":
        continue
    assert message[0] == "verdict"
    return Verdict.from_json(message[1])


def _next_message(pipe) -> tuple[str, object]:
    return wire.decode(pipe.read(wire.content_length(pipe.read(wire.PREFIX_BYTES))))


def _events(lines) -> list[str]:
    return [line["event"] for line in lines]


async def _until(condition) -> None:
    """Wait for a fact of another process, looking often, for at most START_S."""
    async with asyncio.timeout(vision_worker.START_S):
        while not condition():  # noqa: ASYNC110 -- the fact lives in another process, it sets no Event
            await asyncio.sleep(0.01)
