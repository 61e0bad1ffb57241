"""A node's day as ledger commands, and the rows that they leave, made without the store.

The raw limit must write exactly what the store writes, so the rows come from the pure rules and the codec
alone; a test holds all files against each other, row by row. The day: 1,000 SKUs; units are received, put away,
picked, packed and shipped, five commands a life and a hundred lives side by side; five lives make an order, with a
stage and a parcel of its own. Command ids are random UUIDs: what clients send, and what an index likes least.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import apsw

from bodega.codec import movement_to_wire
from bodega.core.chain import GENESIS, link
from bodega.core.ledger import (
    CARRIER,
    DOCK,
    SUPPLIER,
    Account,
    Disposition,
    Goods,
    Posting,
    Reference,
    parcel_place,
    stage_of,
)
from bodega.core.recipes import Book, Places, book
from bodega.v1 import journal_pb2
from bodega_agent.store import ledger
from bodega_agent.store.schema import open_for_reading, open_for_writing
from bodega_agent.store.transaction import Context, Transaction

SKUS = 1_000
COMMANDS_A_LIFE = 5
LIVES_SIDE_BY_SIDE = 100
COMMANDS_A_BLOCK = COMMANDS_A_LIFE * LIVES_SIDE_BY_SIDE
LINES_AN_ORDER = 5
NODE_ID = "bench-01"
AT_MS = 1_700_000_000_000
BUILD_BLOCKS_A_COMMIT = 100
# One order in so many is not done yet.
OPEN_ORDER_OF = 250

Values = tuple[object, ...]
Writes = dict[str, list[Values]]

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


class Life(NamedTuple):
    """What becomes of some units of one SKU: all but one of them are sold."""

    sku_id: str
    shelf: str
    units: int
    order: str
    sscc: str

    @classmethod
    def at(cls, number: int) -> Life:
        """The `number`th life of the day."""
        sku, order = number % SKUS, number // LINES_AN_ORDER
        units = 2 + (number + number // SKUS) % 5
        return cls(
            f"SKU-{sku:04}", f"A-{sku // 20:02}-{sku % 20:02}", units, f"FO-{order:07}", f"{order:018}"
        )

    def step(self, phase: int) -> Step:
        """One of its five commands."""
        sold, stage, parcel = self.units - 1, stage_of(self.order), parcel_place(self.sscc)
        for_order = Reference(self.order)
        match phase:
            case 0:
                return Step("receive", self.sku_id, self.units, "", DOCK, Reference())
            case 1:
                return Step("put_away", self.sku_id, self.units, DOCK, self.shelf, Reference())
            case 2:
                return Step("pick", self.sku_id, sold, self.shelf, stage, for_order)
            case 3:
                return Step("pack", self.sku_id, sold, stage, parcel, for_order)
            case _:
                return Step("ship", self.sku_id, sold, parcel, "", Reference(self.order, self.sscc))


def place_in_day(number: int) -> tuple[int, int]:
    """(life, phase) of the `number`th command of the day."""
    block, within = divmod(number, COMMANDS_A_BLOCK)
    phase, lane = divmod(within, LIVES_SIDE_BY_SIDE)
    return block * LIVES_SIDE_BY_SIDE + lane, phase


def step(number: int) -> Step:
    """The step of the `number`th command of the day."""
    life, phase = place_in_day(number)
    return Life.at(life).step(phase)


def cmd_ids(seed: int = 0) -> Iterator[str]:
    """Random UUIDs (RFC 9562 but for the version's bits), the same ones for the same seed."""
    random = Random(seed)
    while True:
        text = random.randbytes(16).hex()
        yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Asked(NamedTuple):
    """A command as it has arrived: who asks, what was sent, and the goods that it names."""

    context: Context
    body: dict[str, object]
    goods: tuple[Goods, ...]
    step: Step


def arrived(cmd_id: str, wanted: Step) -> Asked:
    """A step of the day with its id, before the store has seen it."""
    context = Context(cmd_id, actor="ana", device="scanner-1", correlation_id=cmd_id)
    return Asked(context, wanted.body(), (Goods(wanted.sku_id, wanted.quantity),), wanted)


def through_store(tx: Transaction, asked: Asked) -> dict[str, object]:
    """One command the whole way: its id, the rules, the journal and the balances."""
    context, body, goods, wanted = asked

    def work() -> dict[str, object]:
        seq = ledger.move(
            tx,
            context,
            wanted.command,
            goods,
            source_bin=wanted.source_bin,
            target_bin=wanted.target_bin,
            reference=wanted.reference,
        )
        return {"seq": seq}

    return tx.once(context.cmd_id, body, work)


class Rows(NamedTuple):
    """What one command leaves: an event, its command, and the changes of the balances."""

    event: Values
    command: Values
    postings: tuple[Posting, ...]


def day(ids: Iterator[str]) -> Iterator[Rows]:
    """The rows of all commands of the day, from the first on, without end."""
    head, seq = GENESIS, 0
    while True:
        asked, cmd_id = step(seq), next(ids)
        postings, body = _event(asked, cmd_id)
        seq, head = seq + 1, link(head, body)
        yield Rows(_event_row(seq, cmd_id, body, head), _command_row(seq, cmd_id, _digest(asked)), postings)


def _event(asked: Step, cmd_id: str) -> tuple[tuple[Posting, ...], bytes]:
    enough = {
        Account(asked.sku_id, bin=asked.source_bin, disposition=disposition): asked.quantity
        for disposition in Disposition
    }
    movement = book(
        asked.command,
        [Goods(asked.sku_id, asked.quantity)],
        Book(enough),
        Places(asked.source_bin, asked.target_bin),
        reference=asked.reference,
    ).movement
    event = journal_pb2.NodeEvent(
        cmd_id=cmd_id,
        at_ms=AT_MS,
        actor="ana",
        device="scanner-1",
        correlation_id=cmd_id,
        movement=movement_to_wire(movement),
    )
    return movement.postings, event.SerializeToString()


def _digest(asked: Step) -> bytes:
    return hashlib.sha256(json.dumps(asked.body(), sort_keys=True).encode()).digest()


def _event_row(seq: int, cmd_id: str, body: bytes, head: bytes) -> Values:
    return (seq, cmd_id, "movement", AT_MS, body, head)


def _command_row(seq: int, cmd_id: str, digest: bytes) -> Values:
    return (cmd_id, digest, f'{{"seq": {seq}}}', seq)


class RawFile:
    """The raw limit: apsw alone on a file of the same shape with the same pragmas, rows ready made."""

    def __init__(self, path: Path) -> None:
        self.connection = open_for_writing(path)
        self._balances: dict[Account, int] = defaultdict(int)

    def writes(self, rows: Rows) -> list[tuple[str, Values]]:
        """The statements of one command with their values."""
        return [
            (_INSERT_EVENT, rows.event),
            (_INSERT_COMMAND, rows.command),
            *(self._balance(posting) for posting in rows.postings),
        ]

    def _balance(self, posting: Posting) -> tuple[str, Values]:
        account, change = posting.account, posting.quantity
        self._balances[account] += change
        quantity = self._balances[account]
        return (_PUT_BALANCE, (*account, quantity)) if quantity else (_DROP_BALANCE, tuple(account))

    def commit_one(self, writes: list[tuple[str, Values]]) -> None:
        """One command, one commit."""
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        for sql, values in writes:
            execute(sql, values)
        execute("COMMIT")

    def together(self, many: Iterable[Rows]) -> Writes:
        """The values of many commands by statement; every balance is put each time, those at zero go last."""
        writes: Writes = defaultdict(list)
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

    def commit_many(self, writes: Writes) -> None:
        """Many commands in one commit, each kind of row at once."""
        self.connection.execute("BEGIN IMMEDIATE")
        for sql, values in writes.items():
            self.connection.executemany(sql, values)
        self.connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; SQLite then brings the WAL home."""
        self.connection.close()


def path_in(folder: Path) -> Path:
    """The ledger of a folder."""
    return folder / "ledger.db"


def build(folder: Path, blocks: int, seed: int = 2) -> None:
    """A ledger of so many blocks of the day, with the rows that the store would have written, made fast.

    Memory instead of safety while it is made: nothing is synced, the balances are written once, at the end. All
    names have one length, so the bytes of an event differ from those of a template in its names only.
    """
    raw = RawFile(path_in(folder))
    for pragma in ("synchronous=OFF", "cache_size=-800000"):
        raw.connection.execute(f"PRAGMA {pragma}")
    ids, head, seq = cmd_ids(seed), GENESIS, 0
    while seq < blocks * COMMANDS_A_BLOCK:
        writes: Writes = {_INSERT_EVENT: [], _INSERT_COMMAND: []}
        until = min(blocks * COMMANDS_A_BLOCK, seq + BUILD_BLOCKS_A_COMMIT * COMMANDS_A_BLOCK)
        for number, cmd_id in zip(range(seq, until), ids, strict=False):
            number_of_life, phase = place_in_day(number)
            life = Life.at(number_of_life)
            body, digest = _template(phase, life.sku_id, life.shelf, life.units)
            for name, value in ((_ANY_CMD, cmd_id), (_ANY_ORDER, life.order), (_ANY_SSCC, life.sscc)):
                body = body.replace(name, value.encode())
            seq, head = number + 1, link(head, body)
            writes[_INSERT_EVENT].append(_event_row(seq, cmd_id, body, head))
            writes[_INSERT_COMMAND].append(_command_row(seq, cmd_id, digest))
        raw.commit_many(writes)
    raw.commit_many({_PUT_BALANCE: _balances_after(blocks * LIVES_SIDE_BY_SIDE)})
    raw.close()


_ANY_CMD, _ANY_ORDER, _ANY_SSCC = b"%" * 36, b"&" * 10, b"+" * 18


@cache
def _template(phase: int, sku_id: str, shelf: str, units: int) -> tuple[bytes, bytes]:
    asked = Life(sku_id, shelf, units, _ANY_ORDER.decode(), _ANY_SSCC.decode()).step(phase)
    return _event(asked, _ANY_CMD.decode())[1], _digest(asked)


def _balances_after(lives: int) -> list[Values]:
    balances: dict[Account, int] = defaultdict(int)
    for life in map(Life.at, range(lives)):
        balances[Account(life.sku_id, external=SUPPLIER)] -= life.units
        balances[Account(life.sku_id, bin=life.shelf, disposition=Disposition.SELLABLE)] += 1
        balances[Account(life.sku_id, external=CARRIER)] += life.units - 1
    return [(*account, quantity) for account, quantity in balances.items()]


def hash_all(folder: Path) -> bytes:
    """Read and hash every event of a ledger, and nothing else; the head of its chain."""
    connection = open_for_reading(path_in(folder))
    head = GENESIS
    for (body,) in connection.execute("SELECT body FROM journal ORDER BY seq"):
        head = link(head, body)
    connection.close()
    return head


def promise(folder: Path, orders: int = 50_000) -> None:
    """Promises in a ledger: years of orders that are done and a busy day's that are not, reservations and rights."""
    connection = open_for_writing(path_in(folder))
    skus = [f"SKU-{number:04}" for number in range(SKUS)]
    open_from = orders - orders // OPEN_ORDER_OF
    with connection:
        connection.executemany(
            "INSERT INTO sku(sku_id, name, owner, lot_tracked, version, body) VALUES (?, ?, '', 0, 1, x'')",
            ((sku_id, f"Product {sku_id}") for sku_id in skus),
        )
        connection.executemany(
            "INSERT INTO fulfillment_order(fulfillment_order_id, order_id, state, fencing_token, carrier_service,"
            " recipient, arrived_seq) VALUES (?, ?, ?, 1, 'standard', x'', ?)",
            (
                (f"FO-{order:07}", f"O-{order:07}", "shipped" if order < open_from else "assigned", order)
                for order in range(orders)
            ),
        )
        connection.executemany(
            "INSERT INTO fulfillment_line(fulfillment_order_id, line, sku_id, quantity, picked) VALUES (?, ?, ?, 2, ?)",
            (
                (
                    f"FO-{order:07}",
                    line,
                    skus[(order * LINES_AN_ORDER + line) % SKUS],
                    2 * (order < open_from),
                )
                for order in range(orders)
                for line in range(LINES_AN_ORDER)
            ),
        )
        connection.executemany(
            "INSERT INTO rights(sku_id, held) VALUES (?, 10)", ((sku_id,) for sku_id in skus)
        )
        connection.executemany(
            "INSERT INTO reservation(reservation_id, sku_id, quantity, posted, state, reference, boot_id,"
            " expires_at_ms, expires_after_ms, opened_seq) VALUES (?, ?, 1, ?, ?, '', 'boot', 0, 0, 1)",
            (
                (f"R-{n:07}", skus[n % SKUS], int(n >= SKUS), "posted" if n >= SKUS else "pending")
                for n in range(orders)
            ),
        )
    connection.close()


def sellable_alone(connection: apsw.Connection, sku_id: str) -> int:
    """The least that an answer about a SKU must read: its sellable units."""
    ((units,),) = connection.execute(
        "SELECT sum(quantity) FROM balance WHERE sku_id = ? AND external = '' AND disposition = ?",
        (sku_id, Disposition.SELLABLE),
    )
    return int(units)
