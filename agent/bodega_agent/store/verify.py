"""`bodega ledger verify`: everything that can be checked of a ledger and its archives, in one read snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import apsw

from bodega.errors import IntegrityBroken, NotFound
from bodega_agent.store import checkpoints
from bodega_agent.store.archive import Segment, check_file, events_in, segments
from bodega_agent.store.integrity import Event, Fold, Trouble, compare, live_events, walk

Json = dict[str, Any]


@dataclass(slots=True)
class _Plan:
    """Where the walk begins, which archives it reads, and what was found on the way there."""

    fold: Fold = field(default_factory=Fold)
    files: list[Segment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trouble: Trouble | None = None


def verify(connection: apsw.Connection, archives: Path | None, *, since_checkpoint: bool = False) -> Json:
    """Walk the archives and the journal, and hold balances and serials against them.

    `archives`: their folder, or None to begin after them. `since_checkpoint`: begin at the newest checkpoint.
    Where an archive is gone, the walk begins at the oldest checkpoint behind it: a note, if the disk's ladder has
    dropped it, and trouble otherwise. Returns {ok, events, from_seq, archives, first_bad_seq, balances_ok, problem,
    notes}; `events` were checked, from `from_seq` on, and the first thing wrong is in `problem`.
    """
    plan, begun_at = _Plan(), 0
    try:
        with connection:
            plan = _plan_since_checkpoint(connection) if since_checkpoint else _plan(connection, archives)
            begun_at = plan.fold.seq
            bad = walk(_events(connection, archives, plan), plan.fold)
            plan.trouble = plan.trouble or bad or compare(connection, plan.fold)
    except (apsw.CorruptError, apsw.NotADBError, apsw.IOError) as error:
        plan.trouble = plan.trouble or Trouble("file", f"SQLite can not read the ledger: {error}")
    except (IntegrityBroken, NotFound) as error:
        plan.trouble = plan.trouble or Trouble("archive", error.message, plan.fold.seq + 1)
    trouble = plan.trouble
    return {
        "ok": trouble is None,
        "events": plan.fold.seq - begun_at,
        "from_seq": begun_at + 1,
        "archives": len(plan.files),
        "first_bad_seq": trouble.seq if trouble else None,
        "balances_ok": trouble is None or trouble.kind not in ("balance", "serial"),
        "problem": trouble.problem if trouble else "",
        "notes": plan.notes,
    }


def _plan_since_checkpoint(connection: apsw.Connection) -> _Plan:
    fold = checkpoints.newest_trusted(connection)
    if fold is None:
        return _plan(connection, None)
    return _Plan(fold, notes=[f"checked from the checkpoint at event {fold.seq} on"])


def _plan(connection: apsw.Connection, archives: Path | None) -> _Plan:
    plan, missing_to = _Plan(), 0
    for segment in segments(connection):
        trouble = None if segment.dropped or archives is None else check_file(archives, segment)
        if segment.dropped:
            plan.notes.append(
                f"the archive of events {segment.first_seq} to {segment.last_seq} was dropped to make room"
            )
        if segment.dropped or trouble or archives is None:
            missing_to, plan.files = segment.last_seq, []
            plan.trouble = plan.trouble or trouble
        else:
            plan.files.append(segment)
    if missing_to:
        _begin_behind(connection, plan, missing_to)
    return plan


def _begin_behind(connection: apsw.Connection, plan: _Plan, missing_to: int) -> None:
    fold = checkpoints.oldest_trusted(connection, missing_to)
    if fold is None:
        plan.trouble = plan.trouble or Trouble(
            "archive", f"no checkpoint at or after event {missing_to} holds: the journal can not be added up"
        )
        return
    plan.fold = fold
    plan.files = [segment for segment in plan.files if segment.last_seq > fold.seq]
    plan.notes.append(f"checked from the checkpoint at event {fold.seq} on")


def _events(connection: apsw.Connection, archives: Path | None, plan: _Plan) -> Iterator[Event]:
    begin = plan.fold.seq
    after = plan.files[-1].last_seq if plan.files else begin
    archived = chain.from_iterable(
        events_in(archives / segment.file) for segment in plan.files if archives is not None
    )
    # A checkpoint may lie inside an archive.
    return chain((event for event in archived if event[0] > begin), live_events(connection, after))
