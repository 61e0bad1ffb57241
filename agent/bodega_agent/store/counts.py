"""Rows of counts: begun, counted line by line, and what waits for a decision. `count_rounds` ends and decides them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bodega.limits_floor import COUNT_EVENT_LINES_MAX
from bodega.v1 import floor_pb2
from bodega_agent.store.transaction import Context, Transaction

OPEN, WAITS, POSTED, REJECTED = "open", "waits_for_approval", "posted", "rejected"
HELD, AGAIN = "held", "again"


class CountRow(NamedTuple):
    """A count of one bin. `whole`: its present round is about all that lies there; `covers`: one of its rounds was."""

    count_id: str
    bin_id: str
    cause: str
    state: str
    round: int
    whole: bool
    covers: bool
    device: str
    actor: str
    basis_seq: int


class LineRow(NamedTuple):
    """One line of one round; `book` and `settled_seq` are set when it gets its verdict."""

    count_id: str
    round: int
    sku_id: str
    lot: str
    counted: int
    seen: bool
    serials: tuple[str, ...]
    looks: int
    verdict: str
    book: int
    settled_seq: int


_COUNT = "SELECT count_id, bin, cause, state, round, whole, covers, device, actor, basis_seq FROM stock_count"
_LINE = (
    "SELECT count_id, round, sku_id, lot, counted, seen, serials, looks, verdict, book, settled_seq"
    " FROM stock_count_line"
)


def next_id(tx: Transaction) -> str:
    """The name of the next count; unique at this node over epochs."""
    return f"COUNT-{tx.head.epoch}-{tx.get('counts_made', 0) + 1}"


def find(tx: Transaction, count_id: str) -> CountRow | None:
    """The count of this id."""
    row = tx.one(f"{_COUNT} WHERE count_id = ?", (count_id,))
    return _count(row) if row else None


def open_at(tx: Transaction, bin_id: str) -> CountRow | None:
    """The count of this bin that has not ended."""
    row = tx.one(f"{_COUNT} WHERE bin = ? AND state = 'open'", (bin_id,))
    return _count(row) if row else None


def all_open(tx: Transaction) -> list[CountRow]:
    """Counts that have not ended, the oldest first."""
    rows = tx.execute(f"{_COUNT} WHERE state = 'open' ORDER BY begun_at_ms, count_id")
    return [_count(row) for row in list(rows)]


def lines_of(tx: Transaction, count_id: str, number: int) -> list[LineRow]:
    """The lines of one round."""
    rows = tx.execute(f"{_LINE} WHERE count_id = ? AND round = ? ORDER BY sku_id, lot", (count_id, number))
    return [_line(row) for row in list(rows)]


def held(tx: Transaction, limit: int) -> list[LineRow]:
    """Lines that wait for a lead, the oldest first."""
    rows = tx.execute(f"{_LINE} WHERE verdict = 'held' ORDER BY settled_seq, sku_id, lot LIMIT ?", (limit,))
    return [_line(row) for row in list(rows)]


def held_line(tx: Transaction, count_id: str, sku_id: str, lot: str) -> LineRow | None:
    """One line that waits for a lead."""
    row = tx.one(
        f"{_LINE} WHERE count_id = ? AND sku_id = ? AND lot = ? AND verdict = 'held'", (count_id, sku_id, lot)
    )
    return _line(row) if row else None


def found_before(tx: Transaction, line: LineRow) -> tuple[int, ...]:
    """What each round that was held against the book has counted of this line, in order."""
    rows = tx.execute(
        "SELECT counted FROM stock_count_line WHERE count_id = ? AND sku_id = ? AND lot = ?"
        " AND verdict IN ('again', 'held') ORDER BY round",
        (line.count_id, line.sku_id, line.lot),
    )
    return tuple(row[0] for row in rows)


def begin_round(
    tx: Transaction,
    context: Context,
    *,
    count_id: str,
    bin_id: str,
    cause: str,
    number: int,
    scope: Sequence[tuple[str, str]],
) -> None:
    """A round begins at the journal's head; with no scope it is about all that lies there."""
    before = {(line.sku_id, line.lot): line for line in lines_of(tx, count_id, number - 1)}
    if find(tx, count_id) is None:
        tx.put("counts_made", tx.get("counts_made", 0) + 1)
    whole = not scope
    tx.execute(
        "INSERT INTO stock_count VALUES (?1, ?2, ?3, 'open', ?4, ?5, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (count_id)"
        " DO UPDATE SET cause = ?3, round = ?4, whole = ?5, covers = max(covers, ?5), device = ?6, actor = ?7,"
        " basis_seq = ?8",
        (
            count_id,
            bin_id,
            cause,
            number,
            whole,
            context.device,
            context.actor,
            tx.head.seq,
            tx.now_ms(),
        ),
    )
    keys = dict.fromkeys((*scope, *(before if whole else ())))
    tx.executemany(
        "INSERT INTO stock_count_line(count_id, round, sku_id, lot, looks) VALUES (?, ?, ?, ?, ?)",
        [
            (
                count_id,
                number,
                *key,
                before[key].looks + (before[key].verdict == AGAIN) if key in before else 0,
            )
            for key in keys
        ],
    )


def keep(
    tx: Transaction, count_id: str, number: int, key: tuple[str, str], counted: int, serials: Sequence[str]
) -> None:
    """So many of a line were counted by now."""
    tx.execute(
        "INSERT INTO stock_count_line(count_id, round, sku_id, lot, counted, seen, serials)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6) ON CONFLICT DO UPDATE SET counted = ?5, seen = 1, serials = ?6",
        (count_id, number, *key, counted, json.dumps(list(serials))),
    )


def judge(tx: Transaction, line: LineRow) -> None:
    """A line has its verdict; the row of one that nobody has scanned is made by it."""
    tx.execute(
        "INSERT INTO stock_count_line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET counted = excluded.counted, verdict = excluded.verdict, book = excluded.book,"
        " settled_seq = excluded.settled_seq",
        (*line[:6], json.dumps(list(line.serials)), *line[7:]),
    )


def advance(tx: Transaction, count_id: str, state: str) -> None:
    """The count's state, unless one of its lines waits for a lead still."""
    waits = tx.one("SELECT 1 FROM stock_count_line WHERE count_id = ? AND verdict = 'held'", (count_id,))
    tx.execute("UPDATE stock_count SET state = ? WHERE count_id = ?", (WAITS if waits else state, count_id))


def supersede(tx: Transaction, context: Context, bin_id: str, sku_id: str, lot: str) -> None:
    """Somebody has counted this place since: what waits for a lead there has nothing to say any more."""
    rows = tx.execute(
        f"{_LINE} WHERE verdict = 'held' AND sku_id = ?2 AND lot = ?3"  # noqa: S608  # a constant
        " AND count_id IN (SELECT count_id FROM stock_count WHERE bin = ?1)",
        (bin_id, sku_id, lot),
    )
    for line in [_line(row) for row in list(rows)]:
        decide(tx, context, line, posted=False, by="")


def decide(tx: Transaction, context: Context, line: LineRow, *, posted: bool, by: str) -> None:
    """A line that waited waits no more; `by` is empty where a later count has overtaken it."""
    state = POSTED if posted else REJECTED
    row = find(tx, line.count_id)
    assert row is not None, "its line is here"
    judge(tx, line._replace(verdict=state))
    if row.state == WAITS:
        advance(tx, line.count_id, state)
    tell(tx, context, row, state, [line], by=by)


def tell(
    tx: Transaction, context: Context, row: CountRow, state: str, lines: Sequence[LineRow], *, by: str = ""
) -> None:
    """`CountAdvanced` for the lines that have come to a state, each of them once; a long list is several facts."""
    for at in range(0, max(1, len(lines)), COUNT_EVENT_LINES_MAX):
        some: Iterable[LineRow] = lines[at : at + COUNT_EVENT_LINES_MAX]
        told = floor_pb2.CountAdvanced(
            count_id=row.count_id,
            bin_id=row.bin_id,
            cause=row.cause,
            state=state,
            decided_by=by,
            lines=[
                floor_pb2.CountAdvanced.Line(
                    sku_id=line.sku_id, lot=line.lot, counted=line.counted, book=line.book
                )
                for line in some
            ],
        )
        tx.append(context, count_advanced=told)


def hand_on(tx: Transaction, from_device: str, to_device: str) -> None:
    """Another device goes on with what one has begun."""
    tx.execute(
        "UPDATE stock_count SET device = ? WHERE device = ? AND state = 'open'", (to_device, from_device)
    )


def _count(row: Sequence[object]) -> CountRow:
    found = CountRow(*row)  # type: ignore[arg-type]  # columns of the table, in its order
    return found._replace(whole=bool(found.whole), covers=bool(found.covers))


def _line(row: Sequence[object]) -> LineRow:
    found = LineRow(*row)  # type: ignore[arg-type]  # columns of the table, in its order
    return found._replace(seen=bool(found.seen), serials=tuple(json.loads(str(row[6]))))
