"""One open transaction on the ledger: append facts to the chain, read and write the tables beside it.

Everything that a command does goes through one `Transaction`, so the journal, the balances and the work
tables can not disagree. `Context` says who does it; events of one command share its `cmd_id`.

Events, command results and changes of balances wait in memory (`store.pending`) until a statement could see
them, or the end of the job: commands that share a commit share their writes too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import apsw

from bodega.codec import fact_of, fill_movement
from bodega.core.chain import GENESIS, link
from bodega.core.deadline import BootTime
from bodega.core.ledger import Movement
from bodega.core.sync import Head
from bodega.errors import IdempotencyMismatch, InvalidInput
from bodega.limits import EVENT_BYTES_MAX
from bodega.v1 import journal_pb2
from bodega_agent.store.clock import boot_time
from bodega_agent.store.gate import Gate
from bodega_agent.store.pending import Pending

Row = tuple[Any, ...]

_any_canonical = json.JSONEncoder(sort_keys=True).encode


def _canonical(body: dict[str, Any]) -> str:
    """JSON with sorted keys. Flat texts and numbers, which most commands are, are put together here: json's own
    encoder is made anew for each call.
    """
    parts = []
    for key in sorted(body):
        value = body[key]
        if type(value) is str:
            parts.append(f"{_quoted(key)}: {_quoted(value)}")
        elif type(value) is int:
            parts.append(f"{_quoted(key)}: {value}")
        else:
            return _any_canonical(body)
    return f"{{{', '.join(parts)}}}"


_quoted = json.encoder.encode_basestring_ascii
_RESULT_OF = "SELECT digest, result FROM command WHERE cmd_id = ?"


class Context(NamedTuple):
    """Who does what: the command's id, the person or rule, the device, and what ties it together."""

    cmd_id: str
    actor: str = "system"
    device: str = ""
    correlation_id: str = ""


class Transaction:
    """The writer's view of the ledger. Only the writer's thread may touch it, inside one job.

    `now_ms` is the wall clock and decides nothing about quantity; `clock` is the one that promises end by.
    Commands that promise ask `gate.check_promise()` before they write.

    With `hope`, only the first `once` of a transaction looks its id up; if that one is new, the ids behind it are
    taken for new as well. One that is not can not be written (apsw.ConstraintError), and neither can a taking of
    units that were brought there once and are not there any more. So whatever fails after the transaction
    `has_guessed` must be rolled back, with all that was remembered, and run again without hope.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        *,
        node_id: str,
        now_ms: Callable[[], int],
        clock: Callable[[], BootTime] = boot_time,
        gate: Gate | None = None,
    ) -> None:
        self._connection = connection
        self.gate = gate or Gate()
        self.pending = Pending()
        self._peeking = connection.cursor()
        self.now_ms = now_ms
        self.clock = clock
        self.head = Head()
        self._seen_seq: int | None = None
        self._hopes = self._guesses = self.has_guessed = False
        self._claim_file(node_id)
        self.reload_head()

    def hope(self, *, for_new_ids: bool) -> None:
        """At the begin of a transaction: whether ids behind one that is new may be taken for new."""
        self._hopes, self._guesses, self.has_guessed = for_new_ids, False, False

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> Iterable[Row]:
        """Run one statement, after all that is pending."""
        if self.pending:
            self.flush()
        return self._connection.execute(sql, values)

    def executemany(self, sql: str, values: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement for many rows, after all that is pending."""
        if self.pending:
            self.flush()
        self._connection.executemany(sql, values)

    def one(self, sql: str, values: tuple[Any, ...] = ()) -> Row | None:
        """The first row, or None; after all that is pending."""
        if self.pending:
            self.flush()
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def peek(self, sql: str, values: tuple[Any, ...]) -> list[Row]:
        """Rows as they are without what is pending; the caller knows how to add that."""
        found: list[Row] = self._peeking.execute(sql, values).fetchall()
        return found

    def flush(self) -> None:
        """Write what is pending; raises apsw's error if it may not be written."""
        self.pending.write(self._connection)

    def changes(self) -> int:
        """Rows changed by the last statement."""
        return self._connection.changes()

    def get(self, key: str, default: Any = None) -> Any:
        """A value of the meta table."""
        row = self.one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else default

    def put(self, key: str, value: Any) -> None:
        """Set a value of the meta table."""
        self._seen_seq = None
        self.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", (key, value))

    def today(self) -> str:
        """The date in UTC, ISO 8601: what an expiry date is compared with."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC).date().isoformat()

    def append(self, context: Context, **fact: Any) -> int:
        """Record one fact (`movement=...`, `label_advanced=...`); returns its sequence."""
        event = self._event(context, fact)
        return self._append(context, event, fact_of(event))

    def append_movement(self, context: Context, movement: Movement) -> int:
        """Record a movement; returns its sequence."""
        event = self._event(context, {})
        fill_movement(event.movement, movement)
        return self._append(context, event, "movement")

    def _event(self, context: Context, fact: dict[str, Any]) -> journal_pb2.NodeEvent:
        return journal_pb2.NodeEvent(
            cmd_id=context.cmd_id,
            at_ms=self.now_ms(),
            seen_seq=self._hub_seen(),
            actor=context.actor,
            device=context.device,
            correlation_id=context.correlation_id,
            **fact,
        )

    def _append(self, context: Context, event: journal_pb2.NodeEvent, fact: str) -> int:
        body = event.SerializeToString()
        if len(body) > EVENT_BYTES_MAX:
            raise InvalidInput(f"the event has {len(body)} bytes, {EVENT_BYTES_MAX} is the most")
        seq, chain_hash = self.head.seq + 1, link(self.head.hash, body)
        self.pending.event((seq, context.cmd_id, fact, event.at_ms, body, chain_hash))
        self.head = Head(self.head.epoch, seq, chain_hash)
        if self.pending.full:
            self.flush()
        return seq

    def _hub_seen(self) -> int:
        """How far the hub's stream is applied; asked of the table once, until something may have changed it."""
        if self._seen_seq is None:
            self._seen_seq = int(self.get("down_seq", 0))
        return self._seen_seq

    def once(self, cmd_id: str, body: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Do `work` once for a client-made id: the same id and body gives the stored result again.

        Raises IdempotencyMismatch when the id comes back with another body.
        """
        digest = hashlib.sha256(_canonical(body).encode()).digest()
        rows = self.pending.result_of(cmd_id) or self._look_up(cmd_id)
        if not rows:
            result = work()
            self.pending.command((cmd_id, digest, _canonical(result), self.head.seq))
            return result
        ((known_digest, known_result),) = rows
        if known_digest != digest:
            raise IdempotencyMismatch(
                f"command '{cmd_id}' was already used for something else", hint="use a new cmd_id"
            )
        stored: dict[str, Any] = json.loads(known_result)
        return stored

    def _look_up(self, cmd_id: str) -> list[Row]:
        """(digest, result) of a command that is written, if it is one; unless it is taken for new."""
        if self._guesses:
            self.has_guessed = True
            return []
        rows = self.peek(_RESULT_OF, (cmd_id,))
        self._guesses = self._hopes and not rows
        return rows

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """A part of the transaction that is undone as a whole if it raises.

        Who begins one lives on with its failure, which a guess must not have made: from here on ids are looked up.
        """
        self._hopes = self._guesses = False
        mark = self.head
        self.execute("SAVEPOINT part")
        try:
            yield
            self.flush()
        except BaseException:
            self.return_to(mark)
            # A disk that fails may have undone all of it: the error that says so is the one to be told.
            if self._connection.in_transaction:
                self.execute("ROLLBACK TO part")
                self.execute("RELEASE part")
            raise
        self.execute("RELEASE part")

    def return_to(self, mark: Head) -> None:
        """What was appended after `mark` is being undone; what is pending never was anything else."""
        self.pending.forget()
        self.head = mark
        self._seen_seq = None

    def reload_head(self) -> None:
        """Read the head of the chain from the file (at start, and after a rolled back commit).

        What is still pending then was part of what failed: its callers have been told so.
        """
        self.pending.forget()
        row = self.one("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
        seq, chain_hash = row or (0, GENESIS)
        self.return_to(Head(self.get("epoch", 1), seq, chain_hash))

    def _claim_file(self, node_id: str) -> None:
        owner = self.get("node_id")
        if owner is None:
            with self._connection:
                self.put("node_id", node_id)
                self.put("epoch", 1)
        elif owner != node_id:
            raise InvalidInput(
                f"this ledger belongs to node '{owner}', the configuration says '{node_id}'",
                hint="set node_id to the ledger's owner, or give another state_dir",
            )
