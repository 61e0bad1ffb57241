"""What each step of picking says, and what may be scanned next."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bodega_agent.rules.floor.pick.camera import doubted_in, watched
from bodega_agent.rules.floor.pick.doing import doing_of
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.shorts import REASONS, offered
from bodega_agent.rules.floor.pick.show import ask_about, control, work_of
from bodega_agent.rules.floor.pick.walk import Task, task_of
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Shown
from bodega_agent.rules.floor.words import Word

_YES_NO = (Word.YES.value, Word.NO.value)


def _take_over(session: Session, facts: PickFacts) -> Shown:
    assert facts.left_work is not None, "a lost take-over is shown as idle"
    order = session.fulfillment_order_id
    others = f" with {len(facts.walk) - 1} others" if len(facts.walk) > 1 else ""
    text = f"Order {order} was begun{others} on {facts.left_work.device}, which is gone. CMD-ACCEPT takes it over."
    return Shown(Tone.ASK, text, (), control(order, Kind.ACCEPT))


def _cart_tote(_session: Session, facts: PickFacts) -> Shown:
    order = facts.next_works[0].fulfillment_order_id
    text = f"Scan an empty tote for order {order}, or CMD-DONE."
    ready = (f"{len(facts.walk)} totes are on the cart",) if facts.walk else ()
    return Shown(Tone.OK, text, ready, Expect(ExpectKind.TOTE, fulfillment_order_id=order))


def _pick_bin(session: Session, facts: PickFacts) -> Shown:
    task = _task(session, facts)
    order = task.work.fulfillment_order_id
    thing = units(task.quantity, task.line.name)
    if not task.bin_id:
        text = f"By the book no bin holds {thing}. Scan the bin where it lies, or CMD-SHORT."
        return Shown(Tone.ASK, text, _doubts(facts), control(order, Kind.SHORT))
    expect = Expect(ExpectKind.BIN, (task.bin_id,), task.line.sku_id, task.quantity, order)
    return Shown(Tone.OK, f"Go to {task.bin_id}.", (f"{_for(task)}: {thing}", *_doubts(facts)), expect)


def _pick_item(session: Session, facts: PickFacts) -> Shown:
    task = _task(session, facts)
    lot = f" of lot {task.lot}" if task.lot else ""
    order = task.work.fulfillment_order_id
    into = f" for {' or '.join(task.work.totes)}" if task.work.is_on_cart and task.work.totes else ""
    expect = Expect(ExpectKind.ITEM, task.line.gtins, task.line.sku_id, task.quantity, order)
    text = f"Take {units(task.quantity, task.line.name)}{lot}{into}."
    detail = (f"from {session.bin_id}; CMD-SHORT if there is none", *_instead(task), *_doubts(facts))
    return Shown(Tone.OK, text, detail, expect)


def _instead(task: Task) -> tuple[str, ...]:
    line = task.line
    if not line.substitute_of:
        return ()
    return (f"instead of what line {line.substitute_of} asked for",)


def _pick_check(_session: Session, facts: PickFacts) -> Shown:
    found = doubted_in(facts)
    if found is None:
        return Shown(Tone.OK, "All picked. Wait for the camera.", (), None)
    return ask_about(*found, (Kind.ACCEPT,))


def _pick_tote(session: Session, facts: PickFacts) -> Shown:
    work, held = work_of(facts), doing_of(session.doing).in_hand
    assert held is not None, "without goods in hand nobody is asked for a tote"
    text = f"Put {units(held.units, held.name)} into {' or '.join(work.totes)} and scan it."
    expect = Expect(
        ExpectKind.TOTE, work.totes, quantity=held.units, fulfillment_order_id=held.fulfillment_order_id
    )
    return Shown(Tone.OK, text, (f"order {held.fulfillment_order_id}; CMD-FULL if it is full",), expect)


def _pick_full(session: Session, _facts: PickFacts) -> Shown:
    order = session.fulfillment_order_id
    text = f"Scan an empty tote for order {order}."
    return Shown(Tone.ASK, text, (), Expect(ExpectKind.TOTE, fulfillment_order_id=order))


def _pick_zero(session: Session, _facts: PickFacts) -> Shown:
    asked = doing_of(session.doing).may_be_empty
    assert asked is not None, "without a question there is no such step"
    lot = f" of lot {asked.lot}" if asked.lot else ""
    text = f"Is {asked.bin_id} empty of {asked.name}{lot} now? yes, or how many are left."
    order = session.fulfillment_order_id
    return Shown(
        Tone.ASK, text, (), Expect(ExpectKind.WORD, _YES_NO, asked.sku_id, fulfillment_order_id=order)
    )


def _pick_short(session: Session, facts: PickFacts) -> Shown:
    task = _task(session, facts)
    text = f"Why does {task.bin_id} give no {task.line.name}? Say one of: {', '.join(REASONS)}."
    order = task.work.fulfillment_order_id
    expect = Expect(ExpectKind.WORD, REASONS, task.line.sku_id, task.quantity, order)
    return Shown(Tone.ASK, text, ("CMD-PICK if it is there after all",), expect)


def _pick_damaged(session: Session, facts: PickFacts) -> Shown:
    task = _task(session, facts)
    order, sku_id = task.work.fulfillment_order_id, task.line.sku_id
    if task.line.serial_tracked:
        expect = Expect(ExpectKind.ITEM, task.line.gtins, sku_id, 1, order)
        return Shown(Tone.ASK, f"Scan a damaged {task.line.name}.", (), expect)
    text = f"How many {task.line.name} in {task.bin_id} are damaged? Type the number."
    return Shown(Tone.ASK, text, (), Expect(ExpectKind.NUMBER, (), sku_id, task.quantity, order))


def _pick_substitute(session: Session, facts: PickFacts) -> Shown:
    work, line, instead, quantity = offered(session, facts)
    text = f"{line.name} is missing. Send {units(quantity, instead.name)} instead? yes or no."
    order = work.fulfillment_order_id
    return Shown(Tone.ASK, text, (), Expect(ExpectKind.WORD, _YES_NO, instead.sku_id, quantity, order))


def _for(task: Task) -> str:
    return f"order {task.work.fulfillment_order_id}" if task.orders == 1 else f"{task.orders} orders"


def _doubts(facts: PickFacts) -> tuple[str, ...]:
    return tuple(text for work in watched(facts) for text in _doubts_of(work))


def _doubts_of(work: Work) -> tuple[str, ...]:
    return tuple(
        f"the camera doubts {work.line(check.line).name}: {'; '.join(check.reasons) or check.outcome}"
        for check in work.checks
        if check.flagged
    )


def _task(session: Session, facts: PickFacts) -> Task:
    task = task_of(facts, session)
    assert task is not None, "a session with nothing to pick is at another step"
    return task


PROMPTS: Mapping[FloorStep, Callable[[Session, PickFacts], Shown]] = {
    FloorStep.TAKE_OVER: _take_over,
    FloorStep.CART_TOTE: _cart_tote,
    FloorStep.PICK_BIN: _pick_bin,
    FloorStep.PICK_ITEM: _pick_item,
    FloorStep.PICK_CHECK: _pick_check,
    FloorStep.PICK_TOTE: _pick_tote,
    FloorStep.PICK_FULL: _pick_full,
    FloorStep.PICK_ZERO: _pick_zero,
    FloorStep.PICK_SHORT: _pick_short,
    FloorStep.PICK_DAMAGED: _pick_damaged,
    FloorStep.PICK_SUBSTITUTE: _pick_substitute,
}
