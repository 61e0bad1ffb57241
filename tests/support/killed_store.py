"""A process of its own that works with the real store and tells its answers through a pipe, to be killed.

Processes are forked from a server that has the store imported, so that dozens of them cost little.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bodega_agent.store.transaction import Transaction
from support.faulty_disk_story import Command, Day, Json, set_checkpoint_pages
from support.node_under_test import opened_store

END_S = 30.0


@contextmanager
def working(
    folder: Path, day: Day, *, too_early: bool = False
) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """A process that works through a day on the ledger in `folder`; its pipe carries (cmd_id, result)."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.killed_store"])
    answers, told = context.Pipe(duplex=False)
    process = context.Process(target=_work_until_killed, args=(folder, day.batches, told, too_early))
    process.start()
    told.close()
    try:
        yield process, answers
    finally:
        process.kill()
        process.join(END_S)
        process.close()
        answers.close()


def _work_until_killed(folder: Path, batches: list[list[Command]], told: Connection, too_early: bool) -> None:
    async def work() -> None:
        with opened_store(folder) as store:
            await store.write(set_checkpoint_pages)
            for batch in batches:
                jobs = [_TooEarly(command, told).run if too_early else command.run for command in batch]
                waiting = [asyncio.ensure_future(store.write(job)) for job in jobs]
                for command, answer in zip(batch, waiting, strict=True):
                    answer.add_done_callback(lambda done, cmd_id=command.cmd_id: _tell(told, cmd_id, done))
                await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(work())


def _tell(told: Connection, cmd_id: str, done: asyncio.Future[Json]) -> None:
    if done.exception() is None:
        told.send((cmd_id, done.result()))


class _TooEarly:
    """A mutant: it answers when its job is done, and never comes to the commit."""

    def __init__(self, command: Command, told: Connection) -> None:
        self._command = command
        self._told = told

    def run(self, tx: Transaction) -> Json:
        """Do it, tell it, and stay in the transaction."""
        result = self._command.run(tx)
        self._told.send((self._command.cmd_id, result))
        self._told.close()
        while True:
            threading.Event().wait(END_S)
