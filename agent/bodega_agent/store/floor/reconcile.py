"""Reconciling: facts. Its effects are those of counting."""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.count.facts import Key
from bodega_agent.rules.floor.reconcile.facts import ReconcileFacts
from bodega_agent.store import traces
from bodega_agent.store.floor import count
from bodega_agent.store.floor.look import Look


def facts(look: Look) -> ReconcileFacts:
    """The count, and what could explain its differences once its goods are counted."""
    known = count.with_tolerances(look, ReconcileFacts(count=count.count_of(look)))
    known = count.with_lots(look, count.with_scanned(look, known, ""))
    assert isinstance(known, ReconcileFacts), "it was one, and is changed field by field"
    return replace(known, why=_why(look, known))


def _why(look: Look, known: ReconcileFacts) -> dict[Key, tuple[str, ...]]:
    counted = known.count
    if counted is None or not count.ends_round(look):
        return {}
    differing = {line.key: line.difference for line in counted.lines if line.difference}
    return traces.explained(look.tx, counted.bin_id, differing, look.tx.now_ms())
