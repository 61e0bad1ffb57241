"""A node's day as ledger commands, and the rows that they leave, made without the store.

The raw limit must write exactly what the store writes, so the rows come from the pure rules and the codec
alone; a test holds both files against each other, row by row. The day: 1,000 SKUs; each command belongs to a
life of receive, put away, pick, pack and ship, a hundred lives side by side; command ids are random UUIDs,
because that is what clients send and what an index likes least.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple
from uuid import UUID

from bodega.codec import movement_to_wire
from bodega.core.chain import GENESIS, link
from bodega.core.ledger import DOCK, Account, Disposition, Goods, Posting, Reference
from bodega.core.recipes import Book, Places, book
from bodega.v1 import journal_pb2, stock_pb2
from bodega_agent.store import ledger
from bodega_agent.store.schema import open_for_reading, open_for_writing
from bodega_agent.store.transaction import Context, Transaction

SKUS = 1_000
SIDE_BY_SIDE = 100
UNITS_IN, UNITS_OUT = 6, 5
NODE_ID = "bench-01"
AT_MS = 1_700_000_000_000
BUILD_SEED = 2
BUILD_EVENTS_A_COMMIT = 50_000

_INSERT_EVENT = "INSERT INTO journal(seq, cmd_id, fact, at_ms, body, hash) VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_COMMAND = "INSERT INTO command(cmd_id, digest, result, seq) VALUES (?, ?, ?, ?)"
_PUT_BALANCE = (
    "INSERT OR REPLACE INTO balance(sku_id, bin, disposition, lot, owner, external, quantity)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_DROP_BALANCE = (
    "DELETE FROM balance WHERE sku_id = ? AND bin = ? AND disposition = ? AND lot = ? AND owner = ?"
    " AND external = ?"
)


class Step(NamedTuple):
    """What one command does: its name, its goods and the places."""

    command: str
    sku_id: str
    quantity: int
    source_bin: str
    target_bin: str
    reference: Reference

    def body(self) -> dict[str, object]:
        """The command as its client sent it."""
        return {"command": self.command, "sku_id": self.sku_id, "quantity": self.quantity}


def step(number: int) -> Step:
    """The step of the `number`th command of the day."""
    block, within = divmod(number, SIDE_BY_SIDE * 5)
    phase, lane = divmod(within, SIDE_BY_SIDE)
    return _step(phase, (block * SIDE_BY_SIDE + lane) % SKUS)


@cache
def _step(phase: int, life: int) -> Step:
    order, sscc = f"FO-{life:06}", f"{life:018}"
    sku_id, shelf, stage, parcel = (
        f"SKU-{life:04}",
        f"A-{life // 20:02}-{life % 20:02}",
        f"STAGE-{order}",
        sscc,
    )
    reference = Reference(fulfillment_order_id=order)
    return (
        Step("receive", sku_id, UNITS_IN, "", DOCK, Reference()),
        Step("put_away", sku_id, UNITS_IN, DOCK, shelf, Reference()),
        Step("pick", sku_id, UNITS_OUT, shelf, stage, reference),
        Step("pack", sku_id, UNITS_OUT, stage, f"PARCEL-{parcel}", reference),
        Step("ship", sku_id, UNITS_OUT, f"PARCEL-{parcel}", "", Reference(order, sscc)),
    )[phase]


def cmd_ids(seed: int = 0) -> Iterator[str]:
    """Random UUIDs, the same ones for the same seed."""
    random = Random(seed)
    while True:
        yield str(UUID(int=random.getrandbits(128), version=4))


def through_store(tx: Transaction, cmd_id: str, asked: Step) -> dict[str, object]:
    """One command the whole way: its id, the rules, the journal and the balances."""
    context = Context(cmd_id, actor="ana", device="scanner-1", correlation_id=cmd_id)

    def work() -> dict[str, object]:
        seq = ledger.move(
            tx,
            context,
            asked.command,
            [Goods(asked.sku_id, asked.quantity)],
            source_bin=asked.source_bin,
            target_bin=asked.target_bin,
            reference=asked.reference,
        )
        return {"seq": seq}

    return tx.once(cmd_id, asked.body(), work)


class Rows(NamedTuple):
    """What one command leaves: an event, its command, and the changes of the balances."""

    event: tuple[int, str, str, int, bytes, bytes]
    command: tuple[str, bytes, str, int]
    postings: tuple[Posting, ...]


def day(ids: Iterator[str]) -> Iterator[Rows]:
    """The rows of all commands of the day, from the first on, without end."""
    seq, head = 0, GENESIS
    while True:
        postings, message, digest = _recorded(step(seq))
        cmd_id = next(ids)
        event = journal_pb2.NodeEvent(
            cmd_id=cmd_id,
            at_ms=AT_MS,
            actor="ana",
            device="scanner-1",
            correlation_id=cmd_id,
            movement=message,
        )
        body = event.SerializeToString()
        seq, head = seq + 1, link(head, body)
        yield Rows(
            (seq, cmd_id, "movement", AT_MS, body, head), (cmd_id, digest, f'{{"seq": {seq}}}', seq), postings
        )


@cache
def _recorded(asked: Step) -> tuple[tuple[Posting, ...], stock_pb2.Movement, bytes]:
    goods = Goods(asked.sku_id, asked.quantity)
    everywhere = {
        Account(asked.sku_id, bin=asked.source_bin, disposition=disposition): asked.quantity
        for disposition in Disposition
    }
    movement = book(
        asked.command,
        [goods],
        Book(everywhere),
        Places(asked.source_bin, asked.target_bin),
        reference=asked.reference,
    ).movement
    digest = hashlib.sha256(json.dumps(asked.body(), sort_keys=True).encode()).digest()
    return movement.postings, movement_to_wire(movement), digest


class RawFile:
    """The raw limit: apsw alone on a file of the same shape with the same pragmas, rows ready made."""

    def __init__(self, path: Path) -> None:
        self.connection = open_for_writing(path)
        self._balances: dict[Account, int] = defaultdict(int)

    def writes(self, rows: Rows) -> list[tuple[str, tuple[object, ...]]]:
        """The statements of one command with their values."""
        return [
            (_INSERT_EVENT, rows.event),
            (_INSERT_COMMAND, rows.command),
            *(self._balance(posting) for posting in rows.postings),
        ]

    def _balance(self, posting: Posting) -> tuple[str, tuple[object, ...]]:
        account, change = posting.account, posting.quantity
        self._balances[account] += change
        quantity = self._balances[account]
        return (_PUT_BALANCE, (*account, quantity)) if quantity else (_DROP_BALANCE, tuple(account))

    def commit_one(self, writes: list[tuple[str, tuple[object, ...]]]) -> None:
        """One command, one commit."""
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        for sql, values in writes:
            execute(sql, values)
        execute("COMMIT")

    def commit_many(self, writes: Mapping[str, Sequence[tuple[object, ...]]]) -> None:
        """Many commands in one commit, each kind of row at once."""
        self.connection.execute("BEGIN IMMEDIATE")
        for sql, values in writes.items():
            self.connection.executemany(sql, values)
        self.connection.execute("COMMIT")

    def together(self, many: Iterable[Rows]) -> dict[str, list[tuple[object, ...]]]:
        """The values of many commands by statement; every balance is put each time, those at zero go last."""
        writes: dict[str, list[tuple[object, ...]]] = defaultdict(list)
        touched: dict[Account, None] = {}
        for rows in many:
            writes[_INSERT_EVENT].append(rows.event)
            writes[_INSERT_COMMAND].append(rows.command)
            for account, change, _serials in rows.postings:
                self._balances[account] += change
                writes[_PUT_BALANCE].append((*account, self._balances[account]))
                touched[account] = None
        writes[_DROP_BALANCE] = [tuple(account) for account in touched if not self._balances[account]]
        return writes

    def close(self) -> None:
        """Close the file; SQLite then brings the WAL home."""
        self.connection.close()


def path_in(folder: Path) -> Path:
    """The ledger of a folder."""
    return folder / "ledger.db"


def build(folder: Path, events: int) -> None:
    """A ledger with this many events, with the rows that the store would have written, made fast.

    Memory instead of safety while it is made: nothing is synced, and balances are written once, at the end.
    """
    raw = RawFile(path_in(folder))
    for pragma in ("synchronous=OFF", "cache_size=-800000"):
        raw.connection.execute(f"PRAGMA {pragma}")
    balances: dict[Account, int] = defaultdict(int)
    many = islice(day(cmd_ids(seed=BUILD_SEED)), events)
    while batch := list(islice(many, BUILD_EVENTS_A_COMMIT)):
        for made in batch:
            for account, change, _serials in made.postings:
                balances[account] += change
        raw.commit_many(
            {_INSERT_EVENT: [made.event for made in batch], _INSERT_COMMAND: [made.command for made in batch]}
        )
    raw.commit_many({_PUT_BALANCE: [(*account, units) for account, units in balances.items() if units]})
    raw.close()


def hash_all(folder: Path) -> bytes:
    """Read and hash every event of a ledger, and nothing else; the head of its chain."""
    connection = open_for_reading(path_in(folder))
    head = GENESIS
    for (body,) in connection.execute("SELECT body FROM journal ORDER BY seq"):
        head = link(head, body)
    connection.close()
    return head
