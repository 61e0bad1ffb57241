"""The flow table: which kind of scan does what at which step. What it does not list changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bodega_agent.rules.scans import Kind
from bodega_agent.rules.session import WORK_STEPS, FloorStep

S = FloorStep


@dataclass(frozen=True, slots=True)
class Move:
    """The handler's name (bodega_agent.rules.floor.HANDLERS) and every step that it may lead to."""

    handler: str
    to: tuple[FloorStep, ...]


_STANDS = (S.PICK_BIN, S.PICK_CHECK, S.PACK, S.LABEL)
_CLAIM = Move("pick.start", (*_STANDS, S.TAKE_OVER, S.IDLE))
_SHORT = Move("pick.short", (S.PICK_BIN, S.PICK_ITEM, S.PICK_CHECK, S.PACK, S.IDLE))
_PUT_AWAY = Move("putaway.item", (S.PUTAWAY_ITEM, S.PUTAWAY_BIN))


def _stay(step: FloorStep) -> Move:
    return Move("remind", (step,))


FLOW: dict[tuple[FloorStep, Kind], Move] = {
    (S.IDLE, Kind.RECEIVE): Move("receive.start", (S.RECEIVE_ITEM,)),
    (S.IDLE, Kind.PUTAWAY): Move("putaway.start", (S.PUTAWAY_ITEM,)),
    (S.IDLE, Kind.PICK): _CLAIM,
    (S.IDLE, Kind.HANDOVER): Move("handover.start", (S.HANDOVER,)),
    (S.IDLE, Kind.CANCEL): _stay(S.IDLE),
    (S.RECEIVE_ITEM, Kind.ITEM): Move("receive.item", (S.RECEIVE_ITEM,)),
    (S.RECEIVE_ITEM, Kind.RECEIVE): _stay(S.RECEIVE_ITEM),
    (S.RECEIVE_ITEM, Kind.DONE): Move("leave", (S.IDLE,)),
    (S.PUTAWAY_ITEM, Kind.ITEM): _PUT_AWAY,
    (S.PUTAWAY_ITEM, Kind.PUTAWAY): _stay(S.PUTAWAY_ITEM),
    (S.PUTAWAY_ITEM, Kind.DONE): Move("leave", (S.IDLE,)),
    (S.PUTAWAY_BIN, Kind.ITEM): Move("putaway.item", (S.PUTAWAY_BIN,)),
    (S.PUTAWAY_BIN, Kind.BIN): Move("putaway.into_bin", (S.PUTAWAY_ITEM,)),
    (S.PUTAWAY_BIN, Kind.PUTAWAY): _stay(S.PUTAWAY_BIN),
    (S.TAKE_OVER, Kind.ACCEPT): Move("pick.take_over", _STANDS),
    (S.TAKE_OVER, Kind.PICK): _stay(S.TAKE_OVER),
    (S.PICK_BIN, Kind.BIN): Move("pick.into_bin", (S.PICK_BIN, S.PICK_ITEM)),
    (S.PICK_BIN, Kind.ITEM): Move("pick.show_again", (S.PICK_BIN,)),
    (S.PICK_BIN, Kind.SHORT): _SHORT,
    (S.PICK_BIN, Kind.ACCEPT): Move("pick.accept", (S.PICK_BIN,)),
    (S.PICK_BIN, Kind.PICK): _stay(S.PICK_BIN),
    (S.PICK_ITEM, Kind.ITEM): Move("pick.item", (S.PICK_BIN, S.PICK_ITEM, S.PICK_CHECK, S.PACK)),
    (S.PICK_ITEM, Kind.BIN): Move("pick.other_bin", (S.PICK_ITEM,)),
    (S.PICK_ITEM, Kind.SHORT): _SHORT,
    (S.PICK_ITEM, Kind.ACCEPT): Move("pick.accept", (S.PICK_ITEM,)),
    (S.PICK_ITEM, Kind.PICK): _stay(S.PICK_ITEM),
    (S.PICK_CHECK, Kind.ITEM): Move("pick.show_again", (S.PICK_CHECK,)),
    (S.PICK_CHECK, Kind.ACCEPT): Move("pick.accept", (S.PICK_CHECK, S.PACK)),
    (S.PICK_CHECK, Kind.PICK): _stay(S.PICK_CHECK),
    (S.PACK, Kind.ITEM): Move("pick.show_again", (S.PACK,)),
    (S.PACK, Kind.ACCEPT): Move("pick.accept", (S.PACK,)),
    (S.PACK, Kind.PACK): Move("pack.close", (S.PACK, S.LABEL)),
    (S.PACK, Kind.PICK): _stay(S.PACK),
    (S.LABEL, Kind.SSCC): Move("pack.scan_back", (S.LABEL, S.IDLE)),
    (S.LABEL, Kind.REPRINT): Move("pack.reprint", (S.LABEL,)),
    (S.LABEL, Kind.PACK): _stay(S.LABEL),
    (S.LABEL, Kind.PICK): _stay(S.LABEL),
    (S.HANDOVER, Kind.SSCC): Move("handover.parcel", (S.HANDOVER,)),
    (S.HANDOVER, Kind.HANDOVER): _stay(S.HANDOVER),
    (S.HANDOVER, Kind.DONE): Move("leave", (S.IDLE,)),
}
# A person may walk out of anything, at any step.
FLOW |= {(step, Kind.CANCEL): Move("leave", (S.IDLE,)) for step in FloorStep if step is not S.IDLE}
# News is never wrong: where it matters it may move the session, elsewhere it repeats the prompt.
FLOW |= {(step, Kind.PRINT): _stay(step) for step in FloorStep}
FLOW |= {
    (step, Kind.VERDICT): Move("pick.verdict", (step, S.PACK)) if step in WORK_STEPS else _stay(step)
    for step in FloorStep
}
FLOW |= {(step, Kind.CANCELLED): Move("cancelled", (step, S.IDLE)) for step in FloorStep}


def flow_diagram() -> str:
    """The table as a mermaid state diagram; what every step has (CMD-CANCEL, news) is left out."""
    everywhere = {Kind.CANCEL, Kind.VERDICT, Kind.PRINT, Kind.CANCELLED}
    edges: dict[tuple[FloorStep, FloorStep], list[str]] = {}
    for (step, kind), move in FLOW.items():
        for after in move.to if kind not in everywhere and move.handler != "remind" else ():
            edges.setdefault((step, after), []).append(kind.value)
    lines = ["stateDiagram-v2", f"    [*] --> {S.IDLE}"]
    lines += [f"    {step} --> {after}: {', '.join(kinds)}" for (step, after), kinds in edges.items()]
    lines.append(f"    {S.PICK_CHECK} --> {S.PACK}: verdict")
    return "\n".join(lines)
