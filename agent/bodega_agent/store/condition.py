"""What the ledger file says of itself across restarts: stopped cleanly, found wrong, put back from a backup.

Each is a row of table `meta`, written in the writer's transactions.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import apsw

from bodega.v1 import stock_pb2
from bodega_agent.store import catalogue, labels, rate_card
from bodega_agent.store.integrity import Trouble
from bodega_agent.store.transaction import Context, Transaction

CLEAN_STOP = "clean_stop"
TROUBLE = "ledger_trouble"
RESTORED = "restored"
RESTORED_SEQ = "restored_seq"

_QUICK_CHECK_LINES_MAX = 5


@dataclass(frozen=True, slots=True)
class Restored:
    """The store was put back from a backup that ended at `backup_seq`; the one that it replaced, at `replaced_seq`."""

    backup_seq: int
    replaced_seq: int
    actor: str
    reason: str
    at_ms: int

    @property
    def advice(self) -> str:
        """What it means, and what to do."""
        return (
            f"this ledger was restored from a backup that ends at event {self.backup_seq}: nothing is sent to the hub"
            " in the old epoch and nothing new is promised; scans are recorded. The node asks the hub for a new epoch"
            " by itself: bodega sync status"
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """What a start finds. `clean`: the last stop was one, so the file needs no check."""

    clean: bool
    trouble: Trouble | None
    restored: Restored | None


def note_start(tx: Transaction) -> Condition:
    """Read the marks and take the clean one away; the first start after a restore records it."""
    fresh = tx.head.seq == 0 and tx.get("down_seq") is None
    condition = Condition(
        clean=fresh or tx.get(CLEAN_STOP) is not None,
        trouble=_stored(tx.get(TROUBLE), Trouble),
        restored=_stored(tx.get(RESTORED), Restored),
    )
    tx.execute("DELETE FROM meta WHERE key = ?", (CLEAN_STOP,))
    if condition.restored is not None and tx.get(RESTORED_SEQ) is None:
        tx.put(RESTORED_SEQ, _record_restored(tx, condition.restored))
        if (last_serial := tx.get("sscc_last_serial")) is not None:
            labels.skip_ssccs(tx, last_serial)
        rate_card.skip_numbers(tx, catalogue.profile_of(tx), rate_card.last_serials(tx))
    return condition


def _record_restored(tx: Transaction, restored: Restored) -> int:
    return tx.append(
        Context(f"restored-{restored.at_ms}", actor=restored.actor),
        store_restored=stock_pb2.StoreRestored(
            backup_seq=restored.backup_seq,
            replaced_seq=restored.replaced_seq,
            actor=restored.actor,
            reason=restored.reason,
        ),
    )


def note_stop(tx: Transaction) -> None:
    """The last words of a clean stop."""
    tx.put(CLEAN_STOP, 1)


def note_trouble(tx: Transaction, trouble: Trouble | None) -> None:
    """Keep what was found wrong, or take it back."""
    if trouble is None:
        tx.execute("DELETE FROM meta WHERE key = ?", (TROUBLE,))
    else:
        tx.put(TROUBLE, json.dumps(asdict(trouble)))


def _stored(text: str | None, shape: Any) -> Any:
    return shape(**json.loads(text)) if text is not None else None


def quick_check(connection: apsw.Connection) -> Trouble | None:
    """SQLite's own look at every page of the file; reads all of it."""
    rows = connection.execute(f"PRAGMA quick_check({_QUICK_CHECK_LINES_MAX})")
    try:
        found = [str(row[0]) for row in rows]
    except (apsw.CorruptError, apsw.NotADBError, apsw.IOError) as error:
        found = [str(error)]
    if found == ["ok"]:
        return None
    return Trouble("file", f"SQLite finds the file damaged: {'; '.join(found)}".replace("\n", " "))
