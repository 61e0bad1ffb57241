"""A process of its own that works with the real store and tells its answers through a pipe, to be killed.

Processes are forked from a server that has the store imported, so that dozens of them cost little.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support.faulty_disk_day import Command
from support.faulty_disk_story import Json, Sending, opened, set_checkpoint_pages

END_S = 30.0
Batches = Sequence[Sequence[Sending]]


@contextmanager
def working(
    folder: Path, batches: Batches, *, too_early: bool = False
) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """A process that sends batches to the ledger in `folder`.

    Its pipe carries (cmd_id, result), or (cmd_id, None) for what was refused, at the moment of the answer.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.killed_store"])
    answers, told = context.Pipe(duplex=False)
    process = context.Process(target=_work_until_killed, args=(folder, batches, told, too_early))
    process.start()
    told.close()
    try:
        yield process, answers
    finally:
        process.kill()
        process.join(END_S)
        process.close()
        answers.close()


def _work_until_killed(folder: Path, batches: Batches, told: Connection, too_early: bool) -> None:
    async def send(store: Store, sending: Sending) -> None:
        if too_early and isinstance(sending, Command):
            sending = _TooEarly(sending.cmd_id, sending.body, sending.at_ms, told)
        try:
            answer = await sending.send(store)
        except Exception:  # noqa: BLE001 - a refusal; the parent sends it again and looks at it
            told.send((sending.cmd_id, None))
        else:
            told.send((sending.cmd_id, answer))

    async def work() -> None:
        with opened(folder) as store:
            await store.write(set_checkpoint_pages)
            for batch in batches:
                await asyncio.gather(*(send(store, sending) for sending in batch))

    asyncio.run(work())


@dataclass(frozen=True)
class _TooEarly(Command):
    """A mutant: it answers when its job is done, and never comes to the commit."""

    told: Connection

    def run(self, tx: Transaction) -> Json:
        """Do it, tell it, and stay in the transaction."""
        self.told.send((self.cmd_id, super().run(tx)))
        threading.Event().wait(END_S)
        raise TimeoutError("nobody killed this process")
