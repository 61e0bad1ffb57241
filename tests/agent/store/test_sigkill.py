"""SIGKILL at any moment: what the store acknowledged stays, and the next process goes on with the same file."""

from __future__ import annotations

from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from support.faulty_disk_day import Day
from support.faulty_disk_story import Inspection
from support.faulty_disk_vfs import Trace
from support.killed_store import Batches, working
from support.long_run import by_length

KILLS = by_length(25, 500)
BATCHES_PER_KILL_MAX = 12
LINGER_S = 0.004
OPENING_S = 0.02
FIRST_ANSWER_S = 30.0


def _killed(folder: Path, batches: Batches, luck: Random) -> dict[str, Any]:
    """Let a process work, kill it after some answers and a little more; all that it answered."""
    wanted = luck.choice((0, luck.randint(1, sum(map(len, batches)))))
    told: dict[str, Any] = {}
    with working(folder, batches) as (process, answers):
        try:
            while len(told) < wanted and answers.poll(FIRST_ANSWER_S):
                told.update([answers.recv()])
            until = monotonic() + luck.random() * (LINGER_S if wanted else OPENING_S)
            while (left := until - monotonic()) > 0 and answers.poll(left):
                told.update([answers.recv()])
            process.kill()
            process.join()
            while answers.poll():
                told.update([answers.recv()])
        except EOFError:
            pass  # the pipe is empty, and nobody is at its other end
    return told


async def test_a_process_killed_at_any_moment_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    day = Day(0, batches=KILLS * BATCHES_PER_KILL_MAX)
    told: dict[str, Any] = {}
    killed_at_work = 0
    for kill in range(KILLS):
        at = next(n for n, batch in enumerate(day.batches) if any(s.cmd_id not in told for s in batch))
        batches = day.batches[at : at + BATCHES_PER_KILL_MAX]
        answered = _killed(tmp_path, batches, Random(kill))
        told |= answered
        killed_at_work += 0 < len(answered) < sum(map(len, batches))
        promised = {cmd_id: answer for cmd_id, answer in told.items() if answer is not None}
        inspection = Inspection(tmp_path, promised, None)
        await inspection.run(batches[:1], Trace())
        assert inspection.problems == [], f"kill {kill}"
    assert killed_at_work > KILLS / 4
    assert len(promised) > KILLS


async def test_an_answer_before_the_commit_is_found_out(tmp_path: Path) -> None:
    day = Day(0, batches=0)
    with working(tmp_path, day.batches, too_early=True) as (process, answers):
        told: dict[str, Any] = {}
        while not any(cmd_id.startswith("cmd-") for cmd_id in told):
            assert answers.poll(FIRST_ANSWER_S)
            told.update([answers.recv()])
        process.kill()
        process.join()
    inspection = Inspection(tmp_path, told, None)
    await inspection.run([], Trace())
    assert any("is lost" in problem for problem in inspection.problems)
