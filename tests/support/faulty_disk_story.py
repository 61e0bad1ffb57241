"""Work for a node's real store, its books afterwards, and what must still be true after a power cut.

`work` sends a batch of a `Day` through the real `Store`, so that it is one commit, and notes every answer in the
disk's trace when it was given, before the disk is used again. `Inspection` opens what a disk held after a cut with
the real store, and says in sentences what is wrong with it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodega.errors import BodegaError, Unavailable
from bodega_agent.store.reader import Reader
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Transaction
from support.faulty_disk_day import Clock, Command, News
from support.faulty_disk_vfs import Trace

CHECKPOINT_PAGES = 24
ANSWER_S = 30.0
TABLES = {
    "balance": "sku_id, bin, disposition, lot, owner, external, quantity",
    "serial": "sku_id, serial, bin, disposition, lot, owner, external",
    "lot": "sku_id, lot, expiry",
    "rights": "sku_id, held",
    "reservation": "reservation_id, quantity, posted, voided, state, expires_at_ms",
    "rule_override": "override_id, quantity, state, expires_at_ms",
    "discrepancy": "seq, bin, sku_id, lot, difference, closed_seq",
    "correction": "corrected_seq, seq",
    "fulfillment_order": "fulfillment_order_id, state, sscc",
    "fulfillment_line": "fulfillment_order_id, line, picked, short",
    "print_job": "print_job_id, sscc, state",
}
"""What a node holds beside its journal, without wall-clock times."""

Json = dict[str, Any]
Sending = Command | News
Answer = tuple[str, Json | Exception]
"""A cmd_id, and its result or why there is none."""


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The store in `folder`, as the agent opens it; its clocks are those of the day."""
    ticks = itertools.count(1)
    store = Store(
        folder / "ledger.db",
        node_id="lisbon-01",
        now_ms=lambda: next(ticks),
        verify=lambda *_: True,
        clock=Clock.now,
    )
    try:
        yield store
    finally:
        store.close()


def set_checkpoint_pages(tx: Transaction) -> None:
    """Checkpoint often, so that a short day has many."""
    tx.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")


async def work(store: Store, batch: Sequence[Sending], trace: Trace) -> list[Answer]:
    """Send a batch while the writer is held up, so that they are one commit; their answers.

    All are noted, too: ("answer", cmd_id, result or error).
    """
    loop = asyncio.get_running_loop()
    held, go_on = asyncio.Event(), threading.Event()

    def hold_up(_tx: Transaction) -> None:
        loop.call_soon_threadsafe(held.set)
        go_on.wait(ANSWER_S)

    async def send(sending: Sending) -> Answer:
        try:
            answer: Json | Exception = await sending.send(store)
        except Exception as error:  # noqa: BLE001 - an error is an answer as well; the caller judges it
            answer = error
        trace.note("answer", sending.cmd_id, answer)
        return sending.cmd_id, answer

    async with asyncio.timeout(ANSWER_S):
        holding = asyncio.create_task(store.write(hold_up))
        await asyncio.wait([holding, asyncio.create_task(held.wait())], return_when="FIRST_COMPLETED")
        held.set()
        sending = [asyncio.create_task(send(sending)) for sending in batch]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(holding, return_exceptions=True)
        return await asyncio.gather(*sending)


def acknowledged(notes: Sequence[tuple[Any, ...]]) -> dict[str, Json]:
    """What was promised to be kept, by cmd_id."""
    return {cmd_id: answer for _, cmd_id, answer in notes if not isinstance(answer, BaseException)}


def is_refusal(answer: Json | Exception) -> bool:
    """Whether a command was refused for what it says, which has nothing to do with the disk."""
    return isinstance(answer, BodegaError) and not isinstance(answer, Unavailable)


@dataclass(frozen=True)
class Books:
    """What a store holds: journal rows (cmd_id, hash), what was done by cmd_id, and its tables."""

    journal: tuple[tuple[str, bytes], ...]
    results: Mapping[str, Json]
    last_seqs: Mapping[str, int]
    tables: Mapping[str, Sequence[tuple[Any, ...]]]

    @classmethod
    def read(cls, tx: Transaction) -> Books:
        """All of it, in one transaction. Applied events of the hub count as results."""
        done = list(tx.execute("SELECT cmd_id, result, seq FROM command"))
        heard = {f"hub-{seq}": {"down_seq": seq} for seq in range(1, tx.get("down_seq", 0) + 1)}
        return cls(
            tuple((row[0], row[1]) for row in tx.execute("SELECT cmd_id, hash FROM journal ORDER BY seq")),
            {**heard, **{row[0]: json.loads(row[1]) for row in done}},
            {row[0]: row[2] for row in done},
            {name: sorted(tx.execute(f"SELECT {columns} FROM {name}")) for name, columns in TABLES.items()},
        )


class Inspection:
    """Open a ledger as the agent would after a power cut, and look for what must not be."""

    def __init__(self, folder: Path, promised: Mapping[str, Json], full: Books | None) -> None:
        """`promised`: acknowledged results; `full`: the books if nothing had been cut, of which a part is left."""
        self._folder = folder
        self._promised = promised
        self._full = full
        self.problems: list[str] = []

    async def run(self, again: Sequence[Sequence[Sending]], trace: Trace) -> Books | None:
        """Open, look, send batches again (old ones and new) and look at the answers; the books at the end.

        Problems are collected; without books the store could not even be worked with.
        """
        try:
            with opened(self._folder) as store:
                found = await store.write(self._look)
                self._compare(found)
                for batch in again:
                    await self._send(store, batch, found, trace)
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
        kept = len(books.journal)
        for seq, (cmd_id, _) in enumerate(books.journal, start=1):
            is_last = seq == kept or books.journal[seq][0] != cmd_id
            # A file of the first version did not note where the events of a command end: 0.
            ends_right = cmd_id.startswith("hub-") or books.last_seqs.get(cmd_id) in (0, seq)
            if is_last and not ends_right:
                self.problems.append(f"{cmd_id} is there in part: up to event {seq}")
        if self._full is None:
            return
        if books.journal != self._full.journal[:kept]:
            self.problems.append("the journal is not the beginning of what was recorded")
        for cmd_id, seq in self._full.last_seqs.items():
            if seq < kept and books.results.get(cmd_id) != self._full.results[cmd_id]:
                self.problems.append(f"{cmd_id} is there in part: its events are, its result is not")

    async def _send(self, store: Store, batch: Sequence[Sending], books: Books, trace: Trace) -> None:
        earlier = {**books.results, **self._promised}
        for cmd_id, answer in await work(store, batch, trace):
            if isinstance(answer, Exception) and not is_refusal(answer):
                self.problems.append(f"{cmd_id} fails: {answer!r}")
            if cmd_id in earlier and answer != earlier[cmd_id]:
                self.problems.append(f"{cmd_id} again gives {answer}, was {earlier[cmd_id]}")
