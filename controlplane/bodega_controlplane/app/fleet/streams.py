"""The broker's streams, held against what the hub remembers of them: a loss becomes a new incarnation.

Instances of the hub share the memory. Each reads it before it asks the broker, so what it compares with is never
newer than the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bodega.core.incarnation import Change, StreamState, change
from bodega_controlplane.store import broker
from bodega_controlplane.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Known:
    """A stream as it was known: None and 0 before the first time."""

    state: StreamState | None
    incarnation: int


def known(tx: Transaction, names: tuple[str, ...]) -> Mapping[str, Known]:
    """What is remembered of each stream."""
    return {name: Known(*broker.known(tx, name)) for name in names}


def note(
    tx: Transaction, now_ms: int, before: Mapping[str, Known], now: Mapping[str, StreamState]
) -> Mapping[str, tuple[Change, int]]:
    """Remember what the broker says now; per stream what has become of it, and its incarnation.

    Another instance may have noted the same loss meanwhile: then it is counted once.
    """
    found = {}
    for name, state in now.items():
        was = before[name]
        what = change(was.state, state)
        stored, incarnation = broker.known(tx, name)
        if incarnation == was.incarnation:
            incarnation += was.state is None or what is not Change.SAME
            if what is not Change.SAME:
                _tell(tx, now_ms, name, what, was.state, state)
            if stored is None or what is not Change.SAME or state.last_seq > stored.last_seq:
                broker.keep(tx, name, state, incarnation)
        found[name] = (what, incarnation)
    return found


def _tell(
    tx: Transaction, now_ms: int, name: str, what: Change, was: StreamState | None, state: StreamState
) -> None:
    tx.audit(
        at_ms=now_ms,
        actor="hub",
        action=f"broker.stream_{what}",
        subject=name,
        detail={"last_seq": state.last_seq, "was_last_seq": was.last_seq if was else 0},
    )
