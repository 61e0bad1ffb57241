"""Events of the hub that could not be applied: kept byte for byte with the reason, tried again at the next start."""

from __future__ import annotations

from typing import NamedTuple

from bodega_agent.store.transaction import Transaction


class Parked(NamedTuple):
    """One event: its place in the hub's stream, its bytes, and why it has no effect yet."""

    epoch: int
    seq: int
    body: bytes
    reason: str


def park(tx: Transaction, event: Parked) -> None:
    """Keep an event, or the newest reason of one that is kept."""
    tx.execute("INSERT OR REPLACE INTO parked(epoch, seq, body, reason) VALUES (?, ?, ?, ?)", tuple(event))


def remove(tx: Transaction, event: Parked) -> None:
    """It has its effect now."""
    tx.execute("DELETE FROM parked WHERE epoch = ? AND seq = ?", (event.epoch, event.seq))


def following(tx: Transaction, after: tuple[int, int], limit: int) -> list[Parked]:
    """Kept events after (epoch, sequence), in the order of the stream."""
    rows = tx.execute(
        "SELECT epoch, seq, body, reason FROM parked WHERE (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?",
        (*after, limit),
    )
    return [Parked(*row) for row in rows]
