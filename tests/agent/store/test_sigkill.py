"""SIGKILL at any moment: what the store acknowledged stays, and the next process goes on with the same file."""

from __future__ import annotations

from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from support.faulty_disk_story import Day, Inspection
from support.faulty_disk_vfs import Trace
from support.killed_store import working
from support.long_run import by_length

KILLS = by_length(40, 500)
BATCHES = 60
ANSWERS_BEFORE_KILL_MAX = 60
LINGER_S = 0.004
OPENING_S = 0.02
FIRST_ANSWER_S = 30.0


def _killed(folder: Path, day: Day, luck: Random) -> dict[str, Any]:
    """Let a process work, kill it after some answers and a little more; all that it acknowledged."""
    wanted = luck.choice((0, luck.randint(1, ANSWERS_BEFORE_KILL_MAX)))
    told: dict[str, Any] = {}
    with working(folder, day) as (process, answers):
        while len(told) < wanted and answers.poll(FIRST_ANSWER_S):
            told.update([answers.recv()])
        until = monotonic() + luck.random() * (LINGER_S if wanted else OPENING_S)
        while (left := until - monotonic()) > 0 and answers.poll(left):
            told.update([answers.recv()])
        process.kill()
        process.join()
        try:
            while answers.poll():
                told.update([answers.recv()])
        except EOFError:
            pass
    return told


async def test_a_process_killed_at_any_moment_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    promised: dict[str, Any] = {}
    killed_at_work = 0
    for kill in range(KILLS):
        day = Day(kill, batches=BATCHES)
        told = _killed(tmp_path, day, Random(kill))
        promised |= told
        killed_at_work += 0 < len(told) < len(day.commands)
        inspection = Inspection(tmp_path, promised, None)
        await inspection.run(day.commands[: len(told) + 5], Trace())
        assert inspection.problems == [], f"kill {kill}"
    assert killed_at_work > KILLS / 4
    assert len(promised) > KILLS


async def test_an_answer_before_the_commit_is_found_out(tmp_path: Path) -> None:
    day = Day(0, batches=2)
    with working(tmp_path, day, too_early=True) as (process, answers):
        assert answers.poll(FIRST_ANSWER_S)
        told = dict([answers.recv()])
        process.kill()
        process.join()
    inspection = Inspection(tmp_path, told, None)
    await inspection.run([], Trace())
    assert any("is lost" in problem for problem in inspection.problems)
