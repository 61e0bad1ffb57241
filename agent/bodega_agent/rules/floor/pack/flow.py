"""Packing as a table, with the prompt of each step."""

from __future__ import annotations

from bodega.core.lifecycles import PrintState
from bodega_agent.rules import cartons
from bodega_agent.rules.floor.pack import boxing, steps
from bodega_agent.rules.floor.pack.doing import Doubted
from bodega_agent.rules.floor.pack.facts import PackFacts, Packing, packing_of
from bodega_agent.rules.floor.pick import camera as pick
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.show import ask_about, control, work_of
from bodega_agent.rules.floor.pick.work import settle as settle_work
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Lost, Move, Shown, remind, without_scan

S = FloorStep


def settle(session: Session, facts: PickFacts) -> Session | Lost:
    """An order that is picked is where its packing is; what the session remembers stays with its step."""
    settled = settle_work(session, facts)
    if isinstance(settled, Lost) or settled.step is not S.PACK or not isinstance(facts, PackFacts):
        return settled
    step = facts.packing.step
    if session.step is step or (step is S.PACK_ITEM and session.step is S.PACK_SHORT):
        return session
    return settled.at(step, fulfillment_order_id=settled.fulfillment_order_id)


def _pack(_session: Session, facts: PickFacts) -> Shown:
    work = work_of(facts)
    doubted = work.flagged()
    if doubted is not None:
        return ask_about(work, doubted, (Kind.ACCEPT, Kind.PACK))
    return Shown(
        Tone.OK,
        "All picked. Pack it and scan CMD-PACK.",
        (*_shorts(work), *cartons.dunnage(packing_of(facts).pieces, None)),
        control(work.fulfillment_order_id, Kind.PACK),
    )


def _shorts(work: Work) -> tuple[str, ...]:
    return tuple(f"short: {units(line.short, line.name)}" for line in work.lines if line.short)


def _missing(packing: Packing) -> tuple[str, ...]:
    return tuple(units(content.missing, content.piece.name) for content in packing.missing)


def _item(_session: Session, facts: PackFacts) -> Shown:
    first = facts.packing.missing[0]
    expect = Expect(
        ExpectKind.ITEM,
        first.gtins,
        first.sku_id,
        first.missing,
        fulfillment_order_id=work_of(facts).fulfillment_order_id,
    )
    text = f"Put {units(first.missing, first.piece.name)} into the box and scan each."
    return Shown(Tone.OK, text, (*_missing(facts.packing)[1:], "CMD-SHORT if something is not there"), expect)


def _short(_session: Session, facts: PackFacts) -> Shown:
    words = tuple(word.value for word in boxing.TAKEN_OFF)
    order = work_of(facts).fulfillment_order_id
    text = f"Why does it not go: {', '.join(words)}? Or CMD-PACK to look again."
    expect = Expect(ExpectKind.WORD, words, fulfillment_order_id=order)
    return Shown(Tone.ASK, text, _missing(facts.packing), expect)


def _carton(session: Session, facts: PackFacts) -> Shown:
    packing, order = facts.packing, work_of(facts).fulfillment_order_id
    if isinstance(session.doing, Doubted):
        return _doubted(session.doing, order)
    best = choose_carton(packing.pieces, packing.cartons)
    if not best:
        text = "No box of the list holds it. Take a box of your own and scan CMD-OVERRIDE."
        return Shown(Tone.ASK, text, _padding(packing, ""), control(order, Kind.OVERRIDE))
    others = tuple(
        one.carton_id
        for one in packing.cartons
        if one.carton_id != best and not cartons.why_not(one, packing.pieces)
    )
    expect = Expect(ExpectKind.CARTON, (best, *others), fulfillment_order_id=order)
    return Shown(Tone.OK, f"Pack it into {best} and scan the box.", _padding(packing, best), expect)


def _doubted(doubted: Doubted, order: str) -> Shown:
    text = f"Scan another box, or CMD-OVERRIDE takes {doubted.carton_id} all the same."
    return Shown(Tone.ASK, text, (), control(order, Kind.OVERRIDE))


# An engine that packs in three dimensions takes its place here.
choose_carton: cartons.CartonChoice = cartons.smallest_that_holds


def _padding(packing: Packing, carton_id: str) -> tuple[str, ...]:
    box = next((one for one in packing.cartons if one.carton_id == carton_id), None)
    return cartons.dunnage(packing.pieces, box)


def _weigh(session: Session, facts: PackFacts) -> Shown:
    packing, order = facts.packing, work_of(facts).fulfillment_order_id
    if isinstance(session.doing, Doubted):
        return _doubted(session.doing, order)
    expected_g = cartons.expected_g(packing.pieces, packing.carton)
    if packing.weight_g:
        text = f"{boxing.doubt_of(packing, packing.weight_g)}. Look into it: CMD-ACCEPT if all is right, else CMD-PACK."
        return Shown(Tone.ASK, text, _padding(packing, packing.carton_id or ""), control(order, Kind.ACCEPT))
    how = (
        "Put it on the scale; or type the grams."
        if packing.has_scale
        else "Weigh the closed box and type the grams."
    )
    expect = Expect(ExpectKind.NUMBER, quantity=expected_g, fulfillment_order_id=order)
    return Shown(Tone.OK, how, _padding(packing, packing.carton_id or ""), expect)


def _label(_session: Session, facts: PickFacts) -> Shown:
    work = work_of(facts)
    order, sscc = work.fulfillment_order_id, work.sscc
    if work.print_state is PrintState.UNKNOWN:
        text = "Was the label printed? See to the printer, then look: if it is there, scan it; if not, CMD-REPRINT."
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


_BOX = (S.PACK_CARTON, S.PACK_WEIGH, S.LABEL)
_BEFORE_LABEL = (S.PACK_ITEM, S.PACK_SHORT, S.PACK_CARTON, S.PACK_WEIGH)

PACK = Flow(
    "pack",
    {
        (S.PACK, Kind.ITEM): Move(pick.show_again, (S.PACK,)),
        (S.PACK, Kind.ACCEPT): Move(without_scan(pick.accept), (S.PACK,)),
        (S.PACK, Kind.PACK): Move(without_scan(steps.start), (S.PACK, S.PACK_ITEM, *_BOX)),
        (S.PACK, Kind.PICK): remind(S.PACK),
        (S.PACK, Kind.VERDICT): Move(pick.verdict, (S.PACK,)),
        (S.PACK_ITEM, Kind.ITEM): Move(boxing.item, (S.PACK_ITEM, *_BOX)),
        (S.PACK_ITEM, Kind.NUMBER): Move(boxing.number, (S.PACK_ITEM, *_BOX)),
        (S.PACK_ITEM, Kind.SHORT): Move(without_scan(boxing.short), (S.PACK_SHORT,)),
        (S.PACK_ITEM, Kind.PACK): remind(S.PACK_ITEM),
        (S.PACK_SHORT, Kind.WORD): Move(boxing.short_because, (S.PACK_SHORT, *_BOX, S.IDLE)),
        (S.PACK_SHORT, Kind.PACK): Move(without_scan(boxing.look_again), (S.PACK_ITEM,)),
        (S.PACK_CARTON, Kind.CARTON): Move(boxing.carton, (S.PACK_CARTON, S.PACK_WEIGH)),
        (S.PACK_CARTON, Kind.OVERRIDE): Move(without_scan(boxing.other_carton), (S.PACK_WEIGH,)),
        (S.PACK_CARTON, Kind.PACK): remind(S.PACK_CARTON),
        (S.PACK_WEIGH, Kind.NUMBER): Move(boxing.number_weighed, (S.PACK_WEIGH, S.LABEL)),
        (S.PACK_WEIGH, Kind.WEIGHT): Move(boxing.scale_weighed, (S.PACK_WEIGH, S.LABEL)),
        (S.PACK_WEIGH, Kind.CARTON): Move(boxing.carton, (S.PACK_WEIGH,)),
        (S.PACK_WEIGH, Kind.OVERRIDE): Move(without_scan(boxing.other_carton), (S.PACK_WEIGH,)),
        (S.PACK_WEIGH, Kind.ACCEPT): Move(without_scan(boxing.accept_weight), (S.PACK_WEIGH, S.LABEL)),
        (S.PACK_WEIGH, Kind.PACK): Move(without_scan(boxing.ask_scale), (S.PACK_WEIGH,)),
        **{(step, Kind.PICK): remind(step) for step in _BEFORE_LABEL},
        (S.LABEL, Kind.SSCC): Move(steps.scan_back, (S.LABEL, S.IDLE)),
        (S.LABEL, Kind.TRACKING): Move(steps.scan_back, (S.LABEL, S.IDLE)),
        (S.LABEL, Kind.REPRINT): Move(without_scan(steps.reprint), (S.LABEL,)),
        (S.LABEL, Kind.VOID): Move(without_scan(steps.void), (S.VOID_REASON,)),
        (S.LABEL, Kind.PACK): remind(S.LABEL),
        (S.LABEL, Kind.PICK): remind(S.LABEL),
        (S.LABEL, Kind.VERDICT): Move(pick.verdict, (S.LABEL, S.PACK)),
    },
    {
        S.PACK: _pack,
        S.PACK_ITEM: _item,
        S.PACK_SHORT: _short,
        S.PACK_CARTON: _carton,
        S.PACK_WEIGH: _weigh,
        S.LABEL: _label,
    },
    settle,
)
