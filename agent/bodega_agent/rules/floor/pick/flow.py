"""Picking as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.pick import steps
from bodega_agent.rules.floor.pick.facts import PickFacts, Work
from bodega_agent.rules.floor.pick.show import ask_about, control, work_of
from bodega_agent.rules.floor.pick.work import settle, task_of
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _take_over(session: Session, facts: PickFacts) -> Shown:
    assert facts.left_work is not None, "a lost take-over is shown as idle"
    order = session.fulfillment_order_id
    text = f"Order {order} was begun on {facts.left_work.device}, which is gone. CMD-ACCEPT takes it over."
    return Shown(Tone.ASK, text, (), control(order, Kind.ACCEPT))


def _pick_bin(_session: Session, facts: PickFacts) -> Shown:
    work = work_of(facts)
    task = task_of(work, "")
    order = work.fulfillment_order_id
    thing = units(task.quantity, task.line.name)
    if not task.bin_id:
        text = f"By the book no bin holds {thing}. Scan the bin where it lies, or CMD-SHORT."
        return Shown(Tone.ASK, text, _doubts(work), control(order, Kind.SHORT))
    expect = Expect(
        ExpectKind.BIN, (task.bin_id,), task.line.sku_id, task.quantity, fulfillment_order_id=order
    )
    return Shown(Tone.OK, f"Go to {task.bin_id}.", (f"order {order}: {thing}", *_doubts(work)), expect)


def _pick_item(session: Session, facts: PickFacts) -> Shown:
    work = work_of(facts)
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
    return Shown(
        Tone.OK, text, (f"from {session.bin_id}; CMD-SHORT if there is none", *_doubts(work)), expect
    )


def _pick_check(_session: Session, facts: PickFacts) -> Shown:
    work = work_of(facts)
    doubted = work.flagged()
    if doubted is None:
        return Shown(Tone.OK, "All picked. Wait for the camera.", (), None)
    return ask_about(work, doubted, (Kind.ACCEPT,))


def _doubts(work: Work) -> tuple[str, ...]:
    return tuple(
        f"the camera doubts {work.line(check.line).name}: {'; '.join(check.reasons) or check.outcome}"
        for check in work.checks
        if check.flagged
    )


_STANDS = (S.PICK_BIN, S.PICK_CHECK, S.PACK, S.LABEL)
_CLAIM = Move(without_scan(steps.start), (*_STANDS, S.TAKE_OVER, S.IDLE))
_SHORT = Move(without_scan(steps.short), (S.PICK_BIN, S.PICK_ITEM, S.PICK_CHECK, S.PACK, S.IDLE))

PICK = Flow(
    "pick",
    {
        (S.IDLE, Kind.PICK): _CLAIM,
        (S.TAKE_OVER, Kind.ACCEPT): Move(without_scan(steps.take_over), _STANDS),
        (S.TAKE_OVER, Kind.PICK): remind(S.TAKE_OVER),
        (S.PICK_BIN, Kind.BIN): Move(steps.into_bin, (S.PICK_BIN, S.PICK_ITEM)),
        (S.PICK_BIN, Kind.ITEM): Move(steps.show_again, (S.PICK_BIN,)),
        (S.PICK_BIN, Kind.SHORT): _SHORT,
        (S.PICK_BIN, Kind.ACCEPT): Move(without_scan(steps.accept), (S.PICK_BIN,)),
        (S.PICK_BIN, Kind.PICK): remind(S.PICK_BIN),
        (S.PICK_ITEM, Kind.ITEM): Move(steps.item, (S.PICK_BIN, S.PICK_ITEM, S.PICK_CHECK, S.PACK)),
        (S.PICK_ITEM, Kind.BIN): Move(steps.other_bin, (S.PICK_ITEM,)),
        (S.PICK_ITEM, Kind.SHORT): _SHORT,
        (S.PICK_ITEM, Kind.ACCEPT): Move(without_scan(steps.accept), (S.PICK_ITEM,)),
        (S.PICK_ITEM, Kind.PICK): remind(S.PICK_ITEM),
        (S.PICK_CHECK, Kind.ITEM): Move(steps.show_again, (S.PICK_CHECK,)),
        (S.PICK_CHECK, Kind.ACCEPT): Move(without_scan(steps.accept), (S.PICK_CHECK, S.PACK)),
        (S.PICK_CHECK, Kind.PICK): remind(S.PICK_CHECK),
        **{
            (step, Kind.VERDICT): Move(steps.verdict, (step, S.PACK))
            for step in (S.PICK_BIN, S.PICK_ITEM, S.PICK_CHECK)
        },
    },
    {
        S.TAKE_OVER: _take_over,
        S.PICK_BIN: _pick_bin,
        S.PICK_ITEM: _pick_item,
        S.PICK_CHECK: _pick_check,
    },
    settle,
)
