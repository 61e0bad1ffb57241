"""Every flow of the floor, and the one table that they make together.

To add one: its room (`<flow>/flow.py`), its name here, its steps in `session.py`, its words in `scans.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bodega_agent.rules.floor.arrive.flow import ARRIVE
from bodega_agent.rules.floor.count.flow import COUNT
from bodega_agent.rules.floor.handover.flow import HANDOVER
from bodega_agent.rules.floor.hold.flow import HOLD
from bodega_agent.rules.floor.leaving import LEAVE, cancelled
from bodega_agent.rules.floor.pack.flow import PACK
from bodega_agent.rules.floor.pack.void import VOID
from bodega_agent.rules.floor.people.flow import PEOPLE, anywhere
from bodega_agent.rules.floor.pick.flow import PICK
from bodega_agent.rules.floor.pickup.flow import COLLECT, STAGE
from bodega_agent.rules.floor.putaway.flow import PUT_AWAY
from bodega_agent.rules.floor.receive.flow import RECEIVE
from bodega_agent.rules.floor.reconcile.flow import RECONCILE
from bodega_agent.rules.floor.replenish.flow import REPLENISH
from bodega_agent.rules.floor.resume.flow import RESUME
from bodega_agent.rules.floor.returns.flow import RETURN
from bodega_agent.rules.floor.scans import CONTROL_WORDS, Kind
from bodega_agent.rules.floor.send.flow import SEND
from bodega_agent.rules.floor.session import FLOWS, FloorStep
from bodega_agent.rules.floor.table import Flow, Move, remind

ALL: tuple[Flow, ...] = (
    RECEIVE,
    PUT_AWAY,
    REPLENISH,
    HOLD,
    PICK,
    PACK,
    VOID,
    HANDOVER,
    STAGE,
    COLLECT,
    RETURN,
    COUNT,
    RECONCILE,
    SEND,
    ARRIVE,
    PEOPLE,
    RESUME,
)
BY_NAME: Mapping[str, Flow] = {flow.name: flow for flow in ALL}

# News is never wrong: where a flow does not say otherwise, it repeats the prompt.
_NEWS = (Kind.PRINT, Kind.VERDICT, Kind.WEIGHT)


def _together() -> dict[tuple[FloorStep, Kind], Move]:
    table = {
        (step, kind): move
        for step in FloorStep
        for kind, move in {
            Kind.CANCEL: LEAVE,
            Kind.CANCELLED: Move(cancelled, (step, FloorStep.IDLE)),
            **dict.fromkeys(_NEWS, remind(step)),
            **anywhere(step),
        }.items()
    }
    table[FloorStep.IDLE, Kind.CANCEL] = remind(FloorStep.IDLE)
    for flow in ALL:
        table |= flow.moves
    return table


TABLE: Mapping[tuple[FloorStep, Kind], Move] = _together()

# The words that begin a flow, in the order of the flows.
START_WORDS: tuple[str, ...] = tuple(
    kind.value
    for flow in ALL
    for (step, kind), move in flow.moves.items()
    if step is FloorStep.IDLE and not move.reminds and kind.value in CONTROL_WORDS
)


def flow_of(step: FloorStep) -> Flow | None:
    """The flow that a step belongs to; None at idle."""
    return BY_NAME.get(FLOWS[step])


def started_by(kind: Kind) -> Flow | None:
    """The flow that a kind of scan begins at idle, or None."""
    return next((flow for flow in ALL if (FloorStep.IDLE, kind) in flow.moves), None)


def diagram_of(flow: Flow) -> str:
    """The flow's table as a mermaid state diagram; what every step has (CMD-CANCEL, news, people) is left out."""
    edges: dict[tuple[FloorStep, FloorStep], list[str]] = {}
    for (step, kind), move in flow.moves.items():
        for after in move.to if not move.reminds else ():
            if kind not in _NEWS or after is not step:
                edges.setdefault((step, after), []).append(kind.value)
    lines = ["stateDiagram-v2", f"    [*] --> {FloorStep.IDLE}"]
    lines += [f"    {step} --> {after}: {', '.join(kinds)}" for (step, after), kinds in edges.items()]
    return "\n".join(lines)


def words_table() -> str:
    """Every control word with the steps at which it does something, as a markdown table; those of idle come first."""
    found: dict[str, dict[str, list[str]]] = {word: {} for word in START_WORDS}
    for flow in ALL:
        for (step, kind), move in flow.moves.items():
            if kind.value in CONTROL_WORDS and kind is not Kind.CANCEL and not move.reminds:
                steps = found.setdefault(kind.value, {}).setdefault(flow.name, [])
                steps.append(step.value + (f" (only a {move.role})" if move.role else ""))
    lines = ["| word | does something in |", "|---|---|"]
    for word, where in found.items():
        told = "; ".join(f"{name}: {', '.join(steps)}" for name, steps in where.items())
        lines.append(f"| `{word}` | {told} |")
    return "\n".join(lines)
