"""The prompt of a session as it stands: one function a step, so that every way to a step says the same."""

from __future__ import annotations

from collections.abc import Callable

from bodega.core.lifecycles import PrintState
from bodega_agent.rules.effects import Effect
from bodega_agent.rules.facts import Check, Facts, Work
from bodega_agent.rules.prompt import Expect, ExpectKind, Outcome, Prompt, Tone, units
from bodega_agent.rules.scans import ItemScan, Kind
from bodega_agent.rules.session import FloorStep, Session
from bodega_agent.rules.work import is_lost, task_of

START_WORDS = (Kind.RECEIVE.value, Kind.PUTAWAY.value, Kind.PICK.value, Kind.HANDOVER.value)


def say(
    session: Session,
    facts: Facts,
    said: str = "",
    *,
    effects: tuple[Effect, ...] = (),
    tone: Tone | None = None,
) -> Outcome:
    """An outcome whose prompt is `said` followed by what to do next. `tone` replaces the step's own."""
    return Outcome(session, effects, show(session, facts, said, tone=tone))


def refuse(session: Session, facts: Facts, said: str) -> Outcome:
    """Nothing moves; the session stays where it is."""
    return say(session, facts, said, tone=Tone.ERROR)


def needs_serial(scan: ItemScan) -> str:
    """Every unit of this SKU has a serial number, and the scan did not say which unit it is."""
    return f"{scan.name} needs its serial: scan each unit's own code (AI 21)."


def show(session: Session, facts: Facts, said: str = "", *, tone: Tone | None = None) -> Prompt:
    """The present prompt, also for the control socket and after a restart; facts as for a step."""
    if is_lost(session, facts):
        session = session.idle()
    own_tone, text, detail, expect = _SHOW[session.step](session, facts)
    return Prompt(tone or own_tone, f"{said} {text}".strip(), detail, session.step, expect)


_Shown = tuple[Tone, str, tuple[str, ...], Expect | None]


def _idle(_session: Session, facts: Facts) -> _Shown:
    if facts.work is not None:
        text = f"Order {facts.work.fulfillment_order_id} is still yours. CMD-PICK goes on with it."
    elif facts.next_work is not None:
        text = "An order waits. CMD-PICK takes it."
    else:
        text = "Ready. Scan what to do."
    return Tone.OK, text, (" ".join(START_WORDS),), Expect(ExpectKind.CONTROL, START_WORDS)


def _receive_item(_session: Session, _facts: Facts) -> _Shown:
    return Tone.OK, "Scan what came in, or CMD-DONE.", (), Expect(ExpectKind.ITEM)


def _putaway_item(_session: Session, _facts: Facts) -> _Shown:
    return Tone.OK, "Scan what you put away, or CMD-DONE.", (), Expect(ExpectKind.ITEM)


def _putaway_bin(session: Session, facts: Facts) -> _Shown:
    held = session.in_hand
    assert held is not None, "goods are in hand between item and bin"
    where = facts.suggested_bin
    text = f"Put {units(held.quantity, held.name)} into {where or 'a bin'} and scan the bin."
    expect = Expect(ExpectKind.BIN, (where,) if where else (), sku_id=held.sku_id, quantity=held.quantity)
    return Tone.OK, text, (f"lot {held.lot}",) if held.lot else (), expect


def _take_over(session: Session, facts: Facts) -> _Shown:
    assert facts.left_work is not None, "a lost take-over is shown as idle"
    order = session.fulfillment_order_id
    text = f"Order {order} was begun on {facts.left_work.device}, which is gone. CMD-ACCEPT takes it over."
    return Tone.ASK, text, (), _control(order, Kind.ACCEPT)


def _pick_bin(_session: Session, facts: Facts) -> _Shown:
    work = _work(facts)
    task = task_of(work, "")
    order = work.fulfillment_order_id
    thing = units(task.quantity, task.line.name)
    if not task.bin_id:
        text = f"By the book no bin holds {thing}. Scan the bin where it lies, or CMD-SHORT."
        return Tone.ASK, text, _doubts(work), _control(order, Kind.SHORT)
    expect = Expect(
        ExpectKind.BIN, (task.bin_id,), task.line.sku_id, task.quantity, fulfillment_order_id=order
    )
    return Tone.OK, f"Go to {task.bin_id}.", (f"order {order}: {thing}", *_doubts(work)), expect


def _pick_item(session: Session, facts: Facts) -> _Shown:
    work = _work(facts)
    task = task_of(work, session.bin_id)
    lot = f" of lot {task.lot}" if task.lot else ""
    expect = Expect(
        ExpectKind.ITEM,
        task.line.gtins,
        task.line.sku_id,
        task.quantity,
        fulfillment_order_id=work.fulfillment_order_id,
    )
    text = f"Take {units(task.quantity, task.line.name)}{lot}."
    return Tone.OK, text, (f"from {session.bin_id}; CMD-SHORT if there is none", *_doubts(work)), expect


def _pick_check(_session: Session, facts: Facts) -> _Shown:
    work = _work(facts)
    doubted = work.flagged()
    if doubted is None:
        return Tone.OK, "All picked. Wait for the camera.", (), None
    return _ask_about(work, doubted, (Kind.ACCEPT,))


def _pack(_session: Session, facts: Facts) -> _Shown:
    work = _work(facts)
    doubted = work.flagged()
    if doubted is not None:
        return _ask_about(work, doubted, (Kind.ACCEPT, Kind.PACK))
    return (
        Tone.OK,
        "All picked. Pack it and scan CMD-PACK.",
        _shorts(work),
        _control(work.fulfillment_order_id, Kind.PACK),
    )


def _label(_session: Session, facts: Facts) -> _Shown:
    work = _work(facts)
    order, sscc = work.fulfillment_order_id, work.sscc
    if work.print_state is PrintState.UNKNOWN:
        text = "Nobody knows if the label was printed. Look: if it is there, scan it; if not, CMD-REPRINT."
        return (
            Tone.ASK,
            text,
            _why(work),
            Expect(ExpectKind.ANY, (sscc, Kind.REPRINT.value), fulfillment_order_id=order, sscc=sscc),
        )
    if work.print_state is PrintState.FAILED:
        text = "The label can not be printed as it is. When the cause is mended, CMD-REPRINT."
        return Tone.ERROR, text, _why(work), _control(order, Kind.REPRINT)
    expect = Expect(ExpectKind.SSCC, (sscc,), fulfillment_order_id=order, sscc=sscc)
    return Tone.OK, "Stick the label on the parcel and scan it.", (sscc,), expect


def _why(work: Work) -> tuple[str, ...]:
    return (work.sscc, *([work.print_detail] if work.print_detail else []))


def _handover(_session: Session, _facts: Facts) -> _Shown:
    return Tone.OK, "Scan the label of a parcel, or CMD-DONE.", (), Expect(ExpectKind.SSCC)


def _control(order: str, *words: Kind) -> Expect:
    return Expect(ExpectKind.CONTROL, tuple(word.value for word in words), fulfillment_order_id=order)


def _ask_about(work: Work, doubted: Check, words: tuple[Kind, ...]) -> _Shown:
    line = work.line(doubted.line)
    choices = " or ".join(word.value for word in words)
    expect = Expect(
        ExpectKind.ANY,
        (*line.gtins, *(word.value for word in words)),
        sku_id=line.sku_id,
        fulfillment_order_id=work.fulfillment_order_id,
    )
    text = f"The camera doubts {line.name}. Show it again and scan it, or {choices}."
    return Tone.ASK, text, doubted.reasons, expect


def _doubts(work: Work) -> tuple[str, ...]:
    return tuple(
        f"the camera doubts {work.line(check.line).name}: {'; '.join(check.reasons) or check.outcome}"
        for check in work.checks
        if check.flagged
    )


def _shorts(work: Work) -> tuple[str, ...]:
    return tuple(f"short: {units(line.short, line.name)}" for line in work.lines if line.short)


def _work(facts: Facts) -> Work:
    assert facts.work is not None, "a session without its work is lost, and shown as idle"
    return facts.work


_SHOW: dict[FloorStep, Callable[[Session, Facts], _Shown]] = {
    FloorStep.IDLE: _idle,
    FloorStep.RECEIVE_ITEM: _receive_item,
    FloorStep.PUTAWAY_ITEM: _putaway_item,
    FloorStep.PUTAWAY_BIN: _putaway_bin,
    FloorStep.TAKE_OVER: _take_over,
    FloorStep.PICK_BIN: _pick_bin,
    FloorStep.PICK_ITEM: _pick_item,
    FloorStep.PICK_CHECK: _pick_check,
    FloorStep.PACK: _pack,
    FloorStep.LABEL: _label,
    FloorStep.HANDOVER: _handover,
}
