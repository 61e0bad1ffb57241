"""Tasks end when they are told to, also those in which a library swallows the first cancel."""

from __future__ import annotations

import asyncio

import pytest

from bodega.host.tasks import end, failure_of, to_its_end


async def stubborn(swallows: int) -> None:
    """Takes so many cancels for something else."""
    for _ in range(swallows):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue
    await asyncio.Event().wait()


async def fail() -> None:
    raise OSError("cable")


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.looptime
async def test_a_swallowed_cancel_is_said_again():
    tasks = [asyncio.create_task(stubborn(swallows)) for swallows in (0, 1, 3)]
    await asyncio.sleep(0)
    await end(tasks)
    assert all(task.cancelled() for task in tasks)
    assert [failure_of(task) for task in tasks] == [None] * 3


@pytest.mark.looptime
async def test_one_that_never_ends_is_left_behind_in_time():
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(stubborn(30))
    await asyncio.sleep(0)
    began_s = loop.time()
    await end([task], within_s=3)
    assert 3 <= loop.time() - began_s < 3.5
    assert not task.done()
    await end([task])
    assert task.cancelled()


async def test_what_a_task_died_of_is_told_and_not_raised():
    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    await end([task])
    assert isinstance(failure_of(task), OSError)


@pytest.mark.looptime
async def test_what_must_come_to_its_end_is_cut_by_no_cancel_and_the_cancel_is_not_lost():
    async def tidy_up() -> None:
        await asyncio.sleep(1)
        done.append("tidy")

    done: list[str] = []
    task = asyncio.create_task(to_its_end(tidy_up()))
    await asyncio.sleep(0)
    await end([task])
    assert done == ["tidy"]
    assert task.cancelled()
    with pytest.raises(OSError, match="cable"):
        await to_its_end(fail())


@pytest.mark.looptime
async def test_a_task_gets_the_time_to_tidy_up_that_it_is_given():
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            done.append("tidy")

    done: list[str] = []
    for again_s in (0.5, 2.0):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await end([task], again_s=again_s)
        assert done == ["tidy"] * (again_s == 2.0)
