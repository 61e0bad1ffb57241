"""Packing as a table, with the prompt of each step."""

from __future__ import annotations

from bodega.core.lifecycles import PrintState
from bodega_agent.rules.floor.pack import steps
from bodega_agent.rules.floor.pick import camera as pick
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.show import ask_about, control, work_of
from bodega_agent.rules.floor.pick.work import settle
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _pack(_session: Session, facts: PickFacts) -> Shown:
    work = work_of(facts)
    doubted = work.flagged()
    if doubted is not None:
        return ask_about(work, doubted, (Kind.ACCEPT, Kind.PACK))
    return Shown(
        Tone.OK,
        "All picked. Pack it and scan CMD-PACK.",
        _shorts(work),
        control(work.fulfillment_order_id, Kind.PACK),
    )


def _shorts(work: Work) -> tuple[str, ...]:
    return tuple(f"short: {units(line.short, line.name)}" for line in work.lines if line.short)


def _label(_session: Session, facts: PickFacts) -> Shown:
    work = work_of(facts)
    order, sscc = work.fulfillment_order_id, work.sscc
    if work.print_state is PrintState.UNKNOWN:
        text = "Nobody knows if the label was printed. Look: if it is there, scan it; if not, CMD-REPRINT."
        return Shown(
            Tone.ASK,
            text,
            _why(work),
            Expect(ExpectKind.ANY, (sscc, Kind.REPRINT.value), fulfillment_order_id=order, sscc=sscc),
        )
    if work.print_state is PrintState.FAILED:
        text = "The label can not be printed as it is. When the cause is mended, CMD-REPRINT."
        return Shown(Tone.ERROR, text, _why(work), control(order, Kind.REPRINT))
    expect = Expect(ExpectKind.SSCC, (sscc,), fulfillment_order_id=order, sscc=sscc)
    return Shown(Tone.OK, "Stick the label on the parcel and scan it.", (sscc,), expect)


def _why(work: Work) -> tuple[str, ...]:
    return (work.sscc, *([work.print_detail] if work.print_detail else []))


PACK = Flow(
    "pack",
    {
        (S.PACK, Kind.ITEM): Move(pick.show_again, (S.PACK,)),
        (S.PACK, Kind.ACCEPT): Move(without_scan(pick.accept), (S.PACK,)),
        (S.PACK, Kind.PACK): Move(without_scan(steps.close), (S.PACK, S.LABEL)),
        (S.PACK, Kind.PICK): remind(S.PACK),
        (S.PACK, Kind.VERDICT): Move(pick.verdict, (S.PACK,)),
        (S.LABEL, Kind.SSCC): Move(steps.scan_back, (S.LABEL, S.IDLE)),
        (S.LABEL, Kind.REPRINT): Move(without_scan(steps.reprint), (S.LABEL,)),
        (S.LABEL, Kind.PACK): remind(S.LABEL),
        (S.LABEL, Kind.PICK): remind(S.LABEL),
        (S.LABEL, Kind.VERDICT): Move(pick.verdict, (S.LABEL, S.PACK)),
    },
    {S.PACK: _pack, S.LABEL: _label},
    settle,
)
