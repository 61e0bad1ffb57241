"""A child process says at its stop how its life has ended."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bodega_agent.demo.processes import Child, Recipe
from support.waiting import until

LIVES = "import time; time.sleep(600)"


def child(folder: Path, program: str) -> Child:
    return Child(Recipe("one", (sys.executable, "-c", program), folder / "log", notifies=False), folder)


@pytest.mark.parametrize("code", [0, 3])
async def test_one_that_has_ended_by_itself_is_told_of(tmp_path: Path, code: int) -> None:
    one = child(tmp_path, f"raise SystemExit({code})")
    await one.start()
    await until(lambda: not one.running, what="it ends")
    assert await one.stop() == f"one had ended by itself, with exit code {code}"


async def test_one_that_we_have_killed_or_never_started_is_no_surprise(tmp_path: Path) -> None:
    one = child(tmp_path, LIVES)
    assert await one.stop() == ""
    await one.start()
    await one.kill()
    assert await one.stop() == ""


async def test_one_that_is_stopped_and_fails_at_it_says_with_what(tmp_path: Path) -> None:
    program = (
        f"import signal, sys; signal.signal(15, lambda *_: sys.exit(4)); open('{tmp_path}/up', 'w'); {LIVES}"
    )
    one = child(tmp_path, program)
    await one.start()
    await until((tmp_path / "up").exists, what="it listens")
    assert await asyncio.wait_for(one.stop(), 60) == "one stopped with exit code 4"
