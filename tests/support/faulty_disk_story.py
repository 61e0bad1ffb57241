"""A day of commands for a node's real store, its books afterwards, and what must still be true after a power cut.

`Day` deals out commands in batches from a seed. `work` sends them through the real `Writer`, so that each batch is
one commit, and notes every answer in the disk's trace at the moment when it was given. `Inspection` opens what a
disk held after a cut with the real store code, and says in sentences what is wrong with it.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from bodega.core.ledger import DOCK, Account, Goods, Reference
from bodega.errors import BodegaError
from bodega_agent.store import ledger
from bodega_agent.store.reader import Reader
from bodega_agent.store.transaction import Context, Transaction
from bodega_agent.store.writer import Writer
from support.faulty_disk_vfs import Trace

NODE_ID = "lisbon-01"
BINS = ("A-01-01", "A-01-02", "B-02-01")
SKUS = tuple(f"SKU-{number}" for number in range(1, 5))
BATCH_COMMANDS_MAX = 4
CHECKPOINT_PAGES = 24
ANSWER_S = 30.0

Json = dict[str, Any]


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
        return Command(f"cmd-{number}", body)


@contextmanager
def opened_writer(path: Path) -> Iterator[Writer]:
    """The real writer; its clock counts milliseconds."""
    ticks = itertools.count(1)
    writer = Writer(path, node_id=NODE_ID, now_ms=lambda: next(ticks), on_commit=lambda _seq: None)
    writer.start()
    try:
        yield writer
    finally:
        writer.close()


def set_checkpoint_pages(tx: Transaction) -> None:
    """Checkpoint often, so that a short day has many."""
    tx.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


def send_together(writer: Writer, jobs: Sequence[Callable[[Transaction], Any]]) -> list[Future[Any]]:
    """Submit jobs while the writer is held up, so that it takes them as one batch."""
    held, go_on = threading.Event(), threading.Event()

    def hold_up(_tx: Transaction) -> None:
        held.set()
        go_on.wait(ANSWER_S)

    writer.submit(hold_up).add_done_callback(lambda _done: held.set())
    assert held.wait(ANSWER_S), "the writer answers nobody"
    futures = [writer.submit(job) for job in jobs]
    go_on.set()
    return futures


def work(writer: Writer, batches: Sequence[Sequence[Command]], trace: Trace) -> None:
    """Send each batch and wait for its answers; all answers are noted: ("answer", cmd_id, result or error)."""

    def note(cmd_id: str, future: Future[Json]) -> None:
        error = future.exception()
        trace.note("answer", cmd_id, error if error is not None else future.result())

    for batch in batches:
        futures = send_together(writer, [command.run for command in batch])
        for command, future in zip(batch, futures, strict=True):
            future.add_done_callback(lambda done, cmd_id=command.cmd_id: note(cmd_id, done))
        for future in futures:
            future.exception(ANSWER_S)


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

    def __init__(self, path: Path, promised: Mapping[str, Json], full: Books | None) -> None:
        """`promised`: acknowledged results; `full`: the books if nothing had been cut, of which a part is left."""
        self._path = path
        self._promised = promised
        self._full = full
        self.problems: list[str] = []

    def run(self, again: Sequence[Command], trace: Trace) -> Books | None:
        """Open, look, send commands again (old and new ones) and look at the answers; the books at the end.

        Problems are collected; without books the store could not even be worked with.
        """
        try:
            with opened_writer(self._path) as writer:
                found = writer.submit(self._look).result(ANSWER_S)
                self._compare(found)
                self._send(writer, again, found, trace)
                books = writer.submit(self._look).result(ANSWER_S)
            self._verify()
        except Exception as error:  # noqa: BLE001 - whatever it is, a power cut must not lead to it
            self.problems.append(f"the store fails: {error!r}")
            return None
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
        if self._full is None:
            return
        kept = len(books.journal)
        if books.journal != self._full.journal[:kept]:
            self.problems.append("the journal is not the beginning of what was recorded")
        whole = {cmd: result for cmd, result in self._full.results.items() if result["last_seq"] <= kept}
        if books.results != whole or kept not in {0, *(r["last_seq"] for r in whole.values())}:
            self.problems.append(f"a command is there in part: {kept} events, {len(books.results)} results")

    def _send(self, writer: Writer, again: Sequence[Command], books: Books, trace: Trace) -> None:
        earlier = {**books.results, **self._promised}
        notes = len(trace.steps)
        work(writer, [again], trace)
        answers = [values for name, values in trace.steps[notes:] if name == "note"]
        for _, cmd_id, answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, BodegaError):
                self.problems.append(f"{cmd_id} fails: {answer!r}")
            if cmd_id in earlier and answer != earlier[cmd_id]:
                self.problems.append(f"{cmd_id} again gives {answer}, was {earlier[cmd_id]}")

    def _verify(self) -> None:
        reader = Reader(self._path)
        report = reader.verify()
        reader.close()
        if not report["ok"]:
            self.problems.append(f"the books do not verify: {report}")
