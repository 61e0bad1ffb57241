"""Import: many ledger commands in one transaction, or none of them.

A file comes in parts, because a request of the control socket is bounded; the last part runs it. Every row is
done as `ledger.command` would do it, under a `cmd_id` of its own: rows that were done before change nothing.
One fault undoes all, and all faults are told at once. While it runs, other commands wait.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bodega.core.commands import Command, decode
from bodega.errors import BodegaError, FieldFault, InvalidInput
from bodega.host.log import get_logger
from bodega.limits import (
    IDENTIFIER_CHARS_MAX,
    LEDGER_IMPORT_FAULTS_MAX,
    LEDGER_IMPORT_ROWS_MAX,
    LEDGER_IMPORTS_WAITING_MAX,
)
from bodega_agent.services.control import Json
from bodega_agent.store import commands
from bodega_agent.store.catalogue import sku_by_id
from bodega_agent.store.store import Store
from bodega_agent.store.transaction import Context, Transaction

log = get_logger(__name__)


class _Undone(BodegaError):
    """Not an error of anybody: ends a transaction of which nothing is to be kept."""

    code = "import-undone"

    def __init__(self, tally: _Tally) -> None:
        super().__init__("nothing of this is kept")
        self.tally = tally


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: where it stands in the file, its command, and who should own the goods (empty: nobody said)."""

    line: int
    command: Command
    owner: str = ""


@dataclass(slots=True)
class _Tally:
    """What an import has done so far; rows that were done before are `repeated`."""

    rows: int
    repeated: int = 0
    first_seq: int = 0
    last_seq: int = 0
    faults: list[Json] = field(default_factory=list)

    def fault(self, line: int, where: str, problem: str) -> None:
        """One more; beyond the bound they are only known to be there."""
        if len(self.faults) < LEDGER_IMPORT_FAULTS_MAX:
            self.faults.append({"line": line, "field": where, "problem": problem})

    def answer(self, *, dry_run: bool) -> Json:
        """{rows, imported, repeated, first_seq, last_seq, dry_run, faults}; with faults, nothing was imported."""
        done = 0 if self.faults else self.rows - self.repeated
        return {
            "rows": self.rows,
            "imported": done,
            "repeated": self.repeated,
            "first_seq": self.first_seq if done else 0,
            "last_seq": self.last_seq if done else 0,
            "dry_run": dry_run,
            "faults": self.faults,
        }


class ImportService:
    """Gathers the parts of imports, and runs an import when its last part is there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, list[Json]] = {}

    async def take(self, request: Json) -> Json:
        """One part: {import_id, at, rows: [{line, command, owner?}], last, dry_run}.

        `at` is how many rows came before. Answers {waiting} until the last part, and then what was done.
        Raises InvalidInput for a request that can not be a part of this import.
        """
        rows = self._gather(request)
        if request.get("last") is not True:
            return {"waiting": len(rows)}
        del self._waiting[request["import_id"]]
        decoded, tally = await asyncio.to_thread(_decoded, rows)
        if not tally.faults:
            tally = await self._run(decoded, keep=request.get("dry_run") is not True)
        return tally.answer(dry_run=request.get("dry_run") is True)

    def _gather(self, request: Json) -> list[Json]:
        import_id, rows, at = request.get("import_id"), request.get("rows"), request.get("at")
        if not (isinstance(import_id, str) and 0 < len(import_id) <= IDENTIFIER_CHARS_MAX):
            raise _not_a_part("import_id", f"must be a text of 1 to {IDENTIFIER_CHARS_MAX} characters")
        if not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            raise _not_a_part("rows", "must be a list of objects")
        # The first part begins the import anew: whoever sent parts before has gone.
        before = self._waiting.pop(import_id, []) if at != 0 else []
        if at != len(before):
            raise _not_a_part("at", f"must be {len(before)}, the rows that are here, or 0 to begin anew")
        if len(before) + len(rows) > LEDGER_IMPORT_ROWS_MAX:
            raise _not_a_part("rows", f"are more than {LEDGER_IMPORT_ROWS_MAX}: split the file")
        self._waiting[import_id] = [*before, *rows]
        while len(self._waiting) > LEDGER_IMPORTS_WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]
        return self._waiting[import_id]

    async def _run(self, rows: list[_Row], *, keep: bool) -> _Tally:
        def work(tx: Transaction) -> _Tally:
            # Made anew each time: a job may run more than once before it counts.
            tally = _Tally(len(rows))
            for row in rows:
                if len(tally.faults) < LEDGER_IMPORT_FAULTS_MAX:
                    _do(tx, row, tally)
            if tally.faults or not keep:
                raise _Undone(tally)
            return tally

        try:
            tally = await self._store.write(work)
        except _Undone as undone:
            return undone.tally
        log.info("ledger_imported", rows=tally.rows, repeated=tally.repeated, last_seq=tally.last_seq)
        return tally


def _decoded(rows: list[Json]) -> tuple[list[_Row], _Tally]:
    """Every row as a command; what is wrong with them is in the tally."""
    tally = _Tally(len(rows))
    decoded: list[_Row] = []
    for row in rows:
        line, owner = row.get("line"), row.get("owner", "")
        if type(line) is not int or not isinstance(owner, str):
            raise _not_a_part("rows", "must be {line, command, owner?}")
        try:
            decoded.append(_Row(line, decode(row.get("command")), owner))
        except InvalidInput as error:
            _tell(tally, line, error)
    return decoded, tally


def _do(tx: Transaction, row: _Row, tally: _Tally) -> None:
    """One row in the transaction of all; its faults undo it alone, so that the next ones can be judged."""
    before = tx.head.seq
    done = tx.one("SELECT 1 FROM command WHERE cmd_id = ?", (row.command.cmd_id,))
    try:
        with tx.all_or_nothing():
            _check_owner(tx, row)
            context = Context(row.command.cmd_id, actor="technician", device="control")
            commands.run(tx, context, row.command)
    except BodegaError as error:
        _tell(tally, row.line, error)
        return
    tally.repeated += done is not None
    if tx.head.seq > before:
        tally.first_seq = tally.first_seq or before + 1
        tally.last_seq = tx.head.seq


def _check_owner(tx: Transaction, row: _Row) -> None:
    for line in row.command.lines:
        sku = sku_by_id(tx, line.sku_id) if row.owner and line.sku_id else None
        if sku is not None and sku.owner != row.owner:
            owner = f"'{sku.owner}'" if sku.owner else "the operator"
            fault = FieldFault("owner", f"is {owner} in the catalogue, not '{row.owner}'")
            raise InvalidInput("the goods have another owner", faults=(fault,))


def _tell(tally: _Tally, line: int, error: BodegaError) -> None:
    for fault in error.faults:
        tally.fault(line, fault.where, fault.problem)
    if not error.faults:
        tally.fault(line, "row", error.message)


def _not_a_part(where: str, problem: str) -> InvalidInput:
    return InvalidInput(
        f"this is no part of an import: '{where}' {problem}",
        hint="import the file again: bodega ledger import",
        faults=(FieldFault(where, problem),),
    )
