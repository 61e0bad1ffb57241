"""What the commands of one transaction have yet to write: events, results, and changes of balances, netted.

Goods that come to a place and leave it again within one commit never touch its row. All of it is gone when the
transaction is rolled back, so nothing here outlives what it belongs to.

Beside it, how many units each account in the node holds at least. The writer writes every balance, so it need not
read one to know that what it has brought somewhere is still there. This outlives a commit and no rollback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import apsw

from bodega.core.ledger import Account, Posting
from bodega.limits import BALANCES_REMEMBERED_MAX, PENDING_EVENTS_MAX

Row = tuple[Any, ...]

_EVENT = "INSERT INTO journal(seq, cmd_id, fact, at_ms, body, hash) VALUES (?, ?, ?, ?, ?, ?)"
_COMMAND = "INSERT INTO command(cmd_id, digest, result, seq) VALUES (?, ?, ?, ?)"
# Two statements, because SQLite looks at a CHECK before it looks for a row to update: what an upsert would
# take from a bin is refused as a negative row. Triggers drop a row that has come to zero.
_TAKE = (
    "UPDATE balance SET quantity = quantity + ? WHERE sku_id = ? AND bin = ? AND disposition = ? AND lot = ?"
    " AND owner = ? AND external = ?"
)
_BRING = (
    "INSERT INTO balance(sku_id, bin, disposition, lot, owner, external, quantity) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity"
)


class Pending:
    """Truthy while there is something to write."""

    def __init__(self) -> None:
        self._events: list[Row] = []
        self._commands: dict[str, Row] = {}
        self._changes: dict[Account, int] = {}
        self._floors: dict[Account, int] = {}
        # Units of accounts in the node: so many are there, and maybe more; with what is pending.
        self.units_at_least: Mapping[Account, int] = MappingProxyType(self._floors)

    def __bool__(self) -> bool:
        return bool(self._events or self._commands or self._changes)

    @property
    def full(self) -> bool:
        """Whether it is time to write, however long the transaction may still be."""
        return len(self._events) >= PENDING_EVENTS_MAX

    def event(self, row: Row) -> None:
        """A row of the journal."""
        self._events.append(row)

    def command(self, row: Row) -> None:
        """A row of the commands; its first value is the id."""
        self._commands[row[0]] = row

    def result_of(self, cmd_id: str) -> list[Row]:
        """(digest, result) of a command that is not written yet, if it is one."""
        row = self._commands.get(cmd_id)
        return [row[1:3]] if row else []

    def post(self, postings: Iterable[Posting]) -> None:
        """Net changes of accounts, by one movement: in the midst of it an account may be below zero."""
        changes, floors = self._changes, self._floors
        for account, quantity, _serials in postings:
            changes[account] = changes.get(account, 0) + quantity
            if not account.external:
                floor = floors.get(account, 0) + quantity
                if floor:
                    floors[account] = floor
                else:
                    floors.pop(account, None)
        if len(floors) > BALANCES_REMEMBERED_MAX:
            floors.clear()

    def learn(self, account: Account, written: int) -> None:
        """What the row of an account in the node says."""
        self._floors[account] = written + self._changes.get(account, 0)

    def write(self, connection: apsw.Connection) -> None:
        """Write everything. A CHECK refuses what would leave less than nothing in a bin (apsw.ConstraintError)."""
        if self._changes:
            self._write_balances(connection)
        if self._events:
            connection.executemany(_EVENT, self._events)
        if self._commands:
            connection.executemany(_COMMAND, self._commands.values())
        self._events.clear()
        self._commands.clear()
        self._changes.clear()

    def _write_balances(self, connection: apsw.Connection) -> None:
        cursor = connection.cursor()
        brought: list[Row] = []
        for account, change in self._changes.items():
            if change < 0 and not account.external:
                cursor.execute(_TAKE, (change, *account))
                if connection.changes():
                    continue
            if change:
                brought.append((*account, change))
        if brought:
            cursor.executemany(_BRING, brought)

    def forget(self) -> None:
        """Forget everything: it is being undone."""
        self._events.clear()
        self._commands.clear()
        self._changes.clear()
        self._floors.clear()
