"""What must hold for every state machine that is written as a table."""

from __future__ import annotations

from typing import Any

from bodega.core.tables import IllegalTransition, StateTable

AnyTable = StateTable[Any, Any]


def reachable(table: AnyTable) -> set[Any]:
    """Every state that some sequence of events leads to."""
    seen = {table.start}
    waiting = [table.start]
    while waiting:
        state = waiting.pop()
        for (before, _), after in table.steps.items():
            if before is state and after not in seen:
                seen.add(after)
                waiting.append(after)
    return seen


def _answer(table: AnyTable, state: Any, event: Any) -> Any:
    try:
        return table.step(state, event)
    except IllegalTransition:
        return IllegalTransition


def faults_of(table: AnyTable) -> list[str]:
    """One sentence for each rule of tables that this one breaks."""
    pairs = [(state, event) for state in table.states for event in table.events]
    faults = [f"{pair} is no pair of its states and events" for pair in table.steps if pair not in pairs]
    faults += [
        f"{pair} leads to a foreign state"
        for pair, to in table.steps.items()
        if not isinstance(to, table.states)
    ]
    faults += [
        f"({state}, {event}) answers something else than the table says"
        for state, event in pairs
        if _answer(table, state, event) != table.steps.get((state, event), IllegalTransition)
    ]
    leaving = {state for state, _ in table.steps}
    faults += [f"{state} can never be reached" for state in table.states if state not in reachable(table)]
    faults += [f"{state} is final but can be left" for state in table.terminal if state in leaving]
    resting = leaving | table.terminal
    faults += [f"{state} is a dead end but not final" for state in table.states if state not in resting]
    used = {event for _, event in table.steps}
    return faults + [f"{event} is never legal" for event in table.events if event not in used]
