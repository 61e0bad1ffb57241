"""Replenishing as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.replenish import steps
from bodega_agent.rules.floor.replenish.facts import ReplenishFacts
from bodega_agent.rules.floor.replenish.plan import next_source
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _from(session: Session, facts: ReplenishFacts) -> Shown:
    face, doing = steps.face_of(facts), steps.doing_of(session)
    source = next_source(face, doing.empty)
    bin_id = source.bin_id if source else ""
    text = f"{face.bin_id} needs {units(face.wanted, face.name)}. Go to {bin_id or 'reserve'} and scan it."
    detail: tuple[str, ...] = (f"lot {source.lot}",) if source and source.lot else ()
    expect = Expect(ExpectKind.BIN, (bin_id,) if bin_id else (), sku_id=face.sku_id, quantity=face.wanted)
    return Shown(Tone.OK, text, detail, expect)


def _item(session: Session, facts: ReplenishFacts) -> Shown:
    face, doing = steps.face_of(facts), steps.doing_of(session)
    source = steps.source_at(facts, session.bin_id, doing.lot)
    there = min(face.wanted, source.quantity if source else 0)
    left = max(0, there - doing.quantity)
    text = f"Take {units(left, face.name)}: scan one, then the number."
    detail: tuple[str, ...] = (f"lot {source.lot}",) if source and source.lot else ()
    if doing.quantity:
        detail += (f"{doing.quantity} in hand; CMD-DONE goes to {face.bin_id}",)
    return Shown(Tone.OK, text, detail, Expect(ExpectKind.ITEM, face.gtins, face.sku_id, left))


def _into(session: Session, facts: ReplenishFacts) -> Shown:
    face, doing = steps.face_of(facts), steps.doing_of(session)
    text = f"Put {units(doing.quantity, face.name)} into {face.bin_id} and scan it."
    return Shown(Tone.OK, text, (), Expect(ExpectKind.BIN, (face.bin_id,), face.sku_id, doing.quantity))


REPLENISH = Flow(
    "replenish",
    {
        (S.IDLE, Kind.REPLENISH): Move(without_scan(steps.start), (S.IDLE, S.REPLENISH_FROM)),
        (S.REPLENISH_FROM, Kind.BIN): Move(steps.at_reserve, (S.REPLENISH_FROM, S.REPLENISH_ITEM)),
        (S.REPLENISH_FROM, Kind.REPLENISH): remind(S.REPLENISH_FROM),
        (S.REPLENISH_FROM, Kind.DONE): Move(without_scan(steps.done), (S.IDLE,)),
        (S.REPLENISH_ITEM, Kind.ITEM): Move(steps.item, (S.REPLENISH_ITEM, S.REPLENISH_INTO)),
        (S.REPLENISH_ITEM, Kind.NUMBER): Move(steps.number, (S.REPLENISH_ITEM, S.REPLENISH_INTO)),
        (S.REPLENISH_ITEM, Kind.SHORT): Move(
            without_scan(steps.short), (S.REPLENISH_FROM, S.REPLENISH_INTO, S.IDLE)
        ),
        (S.REPLENISH_ITEM, Kind.BIN): Move(steps.into_face, (S.REPLENISH_ITEM, S.REPLENISH_FROM, S.IDLE)),
        (S.REPLENISH_ITEM, Kind.REPLENISH): remind(S.REPLENISH_ITEM),
        (S.REPLENISH_ITEM, Kind.DONE): Move(without_scan(steps.done), (S.IDLE, S.REPLENISH_INTO)),
        (S.REPLENISH_INTO, Kind.BIN): Move(steps.into_face, (S.REPLENISH_INTO, S.REPLENISH_FROM, S.IDLE)),
        (S.REPLENISH_INTO, Kind.ITEM): Move(steps.item, (S.REPLENISH_INTO,)),
        (S.REPLENISH_INTO, Kind.NUMBER): Move(steps.number, (S.REPLENISH_INTO,)),
        (S.REPLENISH_INTO, Kind.REPLENISH): remind(S.REPLENISH_INTO),
    },
    {S.REPLENISH_FROM: _from, S.REPLENISH_ITEM: _item, S.REPLENISH_INTO: _into},
    steps.settle,
)
