"""A day of commands for a node's real store, its books afterwards, and what must still be true after a power cut.

`Day` deals out commands in batches from a seed. `work` sends them through the real `Store`, so that each batch is
one commit, and notes every answer in the disk's trace when it was given, before the disk is used again. `Inspection`
opens what a disk held after a cut with the real store, and says in sentences what is wrong with it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bodega.core.ledger import DOCK, Account, Goods, Reference
from bodega.errors import InvalidInput
from bodega_agent.store import ledger
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction
from support.faulty_disk_vfs import Trace
from support.node_under_test import opened_store

BINS = ("A-01-01", "A-01-02", "B-02-01")
SKUS = tuple(f"SKU-{number}" for number in range(1, 5))
BATCH_COMMANDS_MAX = 4
CHECKPOINT_PAGES = 24
ANSWER_S = 30.0

Json = dict[str, Any]
Answer = tuple[str, Json | Exception]
"""A cmd_id, and its result or why there is none."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command as a client sends it: an id of its own, and what to do."""

    cmd_id: str
    body: Json

    def run(self, tx: Transaction) -> Json:
        """Do it once; the same answer when it comes again."""
        return tx.once(self.cmd_id, self.body, lambda: self._move(tx))

    def _move(self, tx: Transaction) -> Json:
        seq = ledger.move(
            tx,
            Context(self.cmd_id, actor="ana", device="scanner-1"),
            self.body["command"],
            [Goods(*goods) for goods in self.body["goods"]],
            source_bin=self.body["source"],
            target_bin=self.body["target"],
            reference=Reference(reason=self.body["reason"]),
        )
        return {"seq": seq, "last_seq": tx.head.seq}


class Day:
    """Commands from a seed: small and large ones, some that find goods, some that must be refused."""

    def __init__(self, seed: int, *, batches: int) -> None:
        self._seed = seed
        self._luck = Random(f"day {seed}")
        self._numbers = itertools.count(1)
        self.batches = [self._batch() for _ in range(batches)]

    @property
    def commands(self) -> list[Command]:
        """All of them in order."""
        return [command for batch in self.batches for command in batch]

    def _batch(self) -> list[Command]:
        return [self._command() for _ in range(self._luck.randint(1, BATCH_COMMANDS_MAX))]

    def _command(self) -> Command:
        luck, number = self._luck, next(self._numbers)
        shelf, stage = luck.choice(BINS), f"STAGE-FO-{luck.randint(1, 3)}"
        word, source, target = luck.choice(
            [
                ("receive", "", DOCK),
                ("put_away", DOCK, shelf),
                ("pick", shelf, stage),
                ("pack", stage, f"PARCEL-{number}"),
                ("count_up", "", shelf),
                ("count_down", shelf, ""),
            ]
        )
        lines = 12 if luck.random() < 0.05 else luck.randint(1, 2)
        quantity = -1 if luck.random() < 0.05 else luck.randint(1, 9)
        goods = [[luck.choice(SKUS), quantity, f"L{line}" if lines > 2 else ""] for line in range(lines)]
        reason = "counted twice, and a third time to be sure; " * luck.choice((0, 0, 0, 10))
        body = {"command": word, "goods": goods, "source": source, "target": target, "reason": reason}
        return Command(f"cmd-{self._seed}-{number}", body)


def set_checkpoint_pages(tx: Transaction) -> None:
    """Checkpoint often, so that a short day has many."""
    tx.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


async def work(store: Store, batch: Sequence[Command], trace: Trace) -> list[Answer]:
    """Send commands while the writer is held up, so that they are one commit; their answers.

    All are noted, too: ("answer", cmd_id, result or error).
    """
    loop = asyncio.get_running_loop()
    held, go_on = asyncio.Event(), threading.Event()

    def hold_up(_tx: Transaction) -> None:
        loop.call_soon_threadsafe(held.set)
        go_on.wait(ANSWER_S)

    async def send(command: Command) -> Answer:
        try:
            answer: Json | Exception = await store.write(command.run)
        except Exception as error:  # noqa: BLE001 - an error is an answer as well; the caller judges it
            answer = error
        trace.note("answer", command.cmd_id, answer)
        return command.cmd_id, answer

    async with asyncio.timeout(ANSWER_S):
        holding = asyncio.create_task(store.write(hold_up))
        await asyncio.wait([holding, asyncio.create_task(held.wait())], return_when="FIRST_COMPLETED")
        held.set()
        sending = [asyncio.create_task(send(command)) for command in batch]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(holding, return_exceptions=True)
        return await asyncio.gather(*sending)


def acknowledged(notes: Sequence[tuple[Any, ...]]) -> dict[str, Json]:
    """What was promised to be kept, by cmd_id."""
    return {cmd_id: answer for _, cmd_id, answer in notes if not isinstance(answer, BaseException)}


@dataclass(frozen=True)
class Books:
    """What a store holds: journal rows (cmd_id, hash), stored results by cmd_id, balances."""

    journal: tuple[tuple[str, bytes], ...]
    results: Mapping[str, Json]
    balances: Mapping[Account, int]

    @classmethod
    def read(cls, tx: Transaction) -> Books:
        """All of it, in one transaction."""
        return cls(
            tuple((row[0], row[1]) for row in tx.execute("SELECT cmd_id, hash FROM journal ORDER BY seq")),
            {row[0]: json.loads(row[1]) for row in tx.execute("SELECT cmd_id, result FROM command")},
            {
                Account(*row[:6]): row[6]
                for row in tx.execute(
                    "SELECT sku_id, bin, disposition, lot, owner, external, quantity FROM balance"
                )
            },
        )


class Inspection:
    """Open a ledger as the agent would after a power cut, and look for what must not be."""

    def __init__(self, folder: Path, promised: Mapping[str, Json], full: Books | None) -> None:
        """`promised`: acknowledged results; `full`: the books if nothing had been cut, of which a part is left."""
        self._folder = folder
        self._promised = promised
        self._full = full
        self.problems: list[str] = []

    async def run(self, again: Sequence[Command], trace: Trace) -> Books | None:
        """Open, look, send commands again (old and new ones) and look at the answers; the books at the end.

        Problems are collected; without books the store could not even be worked with.
        """
        try:
            with opened_store(self._folder) as store:
                found = await store.write(self._look)
                self._compare(found)
                await self._send(store, again, found, trace)
                books = await store.write(self._look)
                report = await store.read(Reader.verify)
        except Exception as error:  # noqa: BLE001 - whatever it is, a power cut must not lead to it
            self.problems.append(f"the store fails: {error!r}")
            return None
        if not report["ok"]:
            self.problems.append(f"the books do not verify: {report}")
        return books

    def _look(self, tx: Transaction) -> Books:
        found = [row[0] for row in tx.execute("PRAGMA integrity_check")]
        if found != ["ok"]:
            self.problems.append(f"the file is corrupt: {found}")
        return Books.read(tx)

    def _compare(self, books: Books) -> None:
        for cmd_id, result in self._promised.items():
            if books.results.get(cmd_id) != result:
                self.problems.append(f"acknowledged {cmd_id} is lost: {books.results.get(cmd_id)}")
        ends = {result["last_seq"]: cmd_id for cmd_id, result in books.results.items()}
        for seq, (cmd_id, _) in enumerate(books.journal, start=1):
            goes_on = seq < len(books.journal) and books.journal[seq][0] == cmd_id
            if goes_on == (seq in ends) or ends.get(seq, cmd_id) != cmd_id:
                self.problems.append(f"{cmd_id} is there in part: event {seq}, result {ends.get(seq)}")
        if self._full is not None and books.journal != self._full.journal[: len(books.journal)]:
            self.problems.append("the journal is not the beginning of what was recorded")

    async def _send(self, store: Store, again: Sequence[Command], books: Books, trace: Trace) -> None:
        earlier = {**books.results, **self._promised}
        for cmd_id, answer in await work(store, again, trace):
            if isinstance(answer, Exception) and not isinstance(answer, InvalidInput):
                self.problems.append(f"{cmd_id} fails: {answer!r}")
            if cmd_id in earlier and answer != earlier[cmd_id]:
                self.problems.append(f"{cmd_id} again gives {answer}, was {earlier[cmd_id]}")
