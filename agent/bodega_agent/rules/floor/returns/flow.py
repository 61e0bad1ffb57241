"""Taking back as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.returns import grading, taking
from bodega_agent.rules.floor.returns.bench import current_of, in_hand, settle
from bodega_agent.rules.floor.returns.choices import GRADES, may_become
from bodega_agent.rules.floor.returns.facts import ReturnFacts, ReturnLine
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _find(_session: Session, _facts: ReturnFacts) -> Shown:
    text = "Scan the return, the order, the parcel or the goods, or CMD-DONE."
    return Shown(Tone.OK, text, (), Expect(ExpectKind.ANY))


def _item(_session: Session, facts: ReturnFacts) -> Shown:
    waited_for = current_of(facts).outstanding()
    gtins = tuple(gtin for due in waited_for for gtin in due.gtins)
    detail = tuple(units(due.quantity, due.name) for due in waited_for)
    return Shown(Tone.OK, "Scan what came back, or CMD-DONE.", detail, Expect(ExpectKind.ITEM, gtins))


def _grade(_session: Session, facts: ReturnFacts) -> Shown:
    line = in_hand(facts)
    words = tuple(GRADES)
    text = f"{units(line.quantity, line.name)}: {', '.join(words[:-1])} or {words[-1]}?"
    detail = ("a number: so many alike", f"{Kind.VOID}: scanned by mistake")
    return Shown(Tone.ASK, text, (*_camera(line), *detail), _about(line, ExpectKind.WORD, words))


def _dispose(_session: Session, facts: ReturnFacts) -> Shown:
    line = in_hand(facts)
    first, *others = may_become(line.grade, line.unfit)
    text = f"{line.name} is {line.grade.replace('_', ' ')}: {first}? {Kind.ACCEPT}, or {', '.join(others)}."
    detail = (*((f"it can not be sold again: {line.unfit}",) if line.unfit else ()), *_camera(line))
    return Shown(Tone.ASK, text, detail, _about(line, ExpectKind.ANY, (Kind.ACCEPT.value, first, *others)))


def _place(_session: Session, facts: ReturnFacts) -> Shown:
    line = in_hand(facts)
    where = facts.places[0] if facts.places else "a bin"
    text = f"Put {units(line.quantity, line.name)} into {where} and scan the bin."
    return Shown(Tone.OK, text, (line.disposition,), _about(line, ExpectKind.BIN, facts.places))


def _about(line: ReturnLine, kind: ExpectKind, values: tuple[str, ...]) -> Expect:
    return Expect(kind, tuple(map(str, values)), sku_id=line.sku_id, quantity=line.quantity)


def _camera(line: ReturnLine) -> tuple[str, ...]:
    """The camera's word, where somebody has asked for it."""
    return (f"camera: {line.camera}", *line.camera_reasons) if line.camera else ()


RETURN = Flow(
    "return",
    {
        (S.IDLE, Kind.RETURN): Move(without_scan(taking.start), (S.RETURN_FIND,)),
        **{
            (S.RETURN_FIND, kind): Move(
                taking.find,
                (S.RETURN_FIND, S.RETURN_ITEM, S.RETURN_GRADE, S.RETURN_DISPOSE, S.RETURN_PLACE),
            )
            for kind in (Kind.RETURN_ID, Kind.ORDER, Kind.SSCC, Kind.TRACKING)
        },
        (S.RETURN_FIND, Kind.ITEM): Move(taking.blind, (S.RETURN_FIND, S.RETURN_GRADE)),
        (S.RETURN_FIND, Kind.RETURN): remind(S.RETURN_FIND),
        (S.RETURN_FIND, Kind.DONE): LEAVE,
        (S.RETURN_ITEM, Kind.ITEM): Move(taking.item, (S.RETURN_ITEM, S.RETURN_GRADE)),
        (S.RETURN_ITEM, Kind.DONE): Move(without_scan(taking.done), (S.RETURN_ITEM, S.RETURN_FIND)),
        (S.RETURN_GRADE, Kind.WORD): Move(grading.grade, (S.RETURN_GRADE, S.RETURN_DISPOSE)),
        (S.RETURN_GRADE, Kind.NUMBER): Move(taking.several, (S.RETURN_GRADE,)),
        (S.RETURN_GRADE, Kind.VOID): Move(without_scan(taking.void), (S.RETURN_GRADE, S.RETURN_ITEM)),
        (S.RETURN_DISPOSE, Kind.WORD): Move(
            grading.dispose, (S.RETURN_DISPOSE, S.RETURN_PLACE, S.RETURN_ITEM)
        ),
        (S.RETURN_DISPOSE, Kind.ACCEPT): Move(without_scan(grading.accept), (S.RETURN_PLACE, S.RETURN_ITEM)),
        (S.RETURN_PLACE, Kind.BIN): Move(grading.into_bin, (S.RETURN_PLACE, S.RETURN_ITEM)),
        **{
            (step, Kind.VERDICT): Move(grading.verdict, (step,))
            for step in (S.RETURN_ITEM, S.RETURN_GRADE, S.RETURN_DISPOSE, S.RETURN_PLACE)
        },
        **{
            (step, Kind.RETURN): remind(step)
            for step in (S.RETURN_ITEM, S.RETURN_GRADE, S.RETURN_DISPOSE, S.RETURN_PLACE)
        },
    },
    {
        S.RETURN_FIND: _find,
        S.RETURN_ITEM: _item,
        S.RETURN_GRADE: _grade,
        S.RETURN_DISPOSE: _dispose,
        S.RETURN_PLACE: _place,
    },
    settle,
)
