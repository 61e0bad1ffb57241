"""Sending as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone, units
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.send import steps
from bodega_agent.rules.floor.send.facts import SendFacts
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _choose(_session: Session, facts: SendFacts) -> Shown:
    if not facts.open:
        done = Expect(ExpectKind.CONTROL, (Kind.DONE.value,))
        return Shown(Tone.OK, "No transfer is to be sent. CMD-DONE.", (), done)
    text = f"Scan the transfer that you send, such as {facts.open[0]}."
    return Shown(Tone.OK, text, (" ".join(facts.open),), Expect(ExpectKind.TRANSFER, facts.open))


def _bin(session: Session, facts: SendFacts) -> Shown:
    transfer = steps.transfer_of(facts)
    task, line = steps.next_of(transfer, session.bin_id), steps.wanted_line(transfer, session.bin_id)
    if task is None:
        thing = units(line.outstanding, line.name)
        text = f"By the book no bin holds {thing}. Scan the bin where it lies, or CMD-SHORT."
        return Shown(Tone.ASK, text, (), Expect(ExpectKind.CONTROL, (Kind.SHORT.value,)))
    detail = (f"transfer {transfer.transfer_id}: {units(task.quantity, line.name)}",)
    expect = Expect(ExpectKind.BIN, (task.bin_id,), line.sku_id, task.quantity)
    return Shown(Tone.OK, f"Go to {task.bin_id}.", detail, expect)


def _item(session: Session, facts: SendFacts) -> Shown:
    transfer = steps.transfer_of(facts)
    task, line = steps.next_of(transfer, session.bin_id), steps.wanted_line(transfer, session.bin_id)
    lot = f" of lot {task.lot}" if task and task.lot else ""
    quantity = task.quantity if task else line.outstanding
    text = f"Take {units(quantity, line.name)}{lot} for {transfer.to_node_id}."
    detail = (f"from {session.bin_id}; CMD-SHORT if there is none",)
    return Shown(Tone.OK, text, detail, Expect(ExpectKind.ITEM, line.gtins, line.sku_id, quantity))


def _ready(_session: Session, facts: SendFacts) -> Shown:
    transfer = steps.transfer_of(facts)
    text = f"{transfer.picked} units for {transfer.to_node_id} are ready. Load them, then CMD-DONE."
    if not transfer.picked:
        text = f"Nothing of {transfer.transfer_id} can be sent. CMD-DONE tells {transfer.to_node_id}."
    return Shown(Tone.ASK, text, (), Expect(ExpectKind.CONTROL, (Kind.DONE.value,)))


_STANDS = (S.SEND_BIN, S.SEND_ITEM, S.SEND_READY)
_SHORT = Move(without_scan(steps.short), _STANDS)

SEND = Flow(
    "send",
    {
        (S.IDLE, Kind.SEND): Move(without_scan(steps.start), (S.IDLE, S.SEND_CHOOSE, *_STANDS)),
        (S.SEND_CHOOSE, Kind.TRANSFER): Move(steps.choose, (S.SEND_CHOOSE, *_STANDS)),
        (S.SEND_CHOOSE, Kind.SEND): remind(S.SEND_CHOOSE),
        (S.SEND_CHOOSE, Kind.DONE): LEAVE,
        (S.SEND_BIN, Kind.BIN): Move(steps.into_bin, (S.SEND_BIN, S.SEND_ITEM)),
        (S.SEND_BIN, Kind.SHORT): _SHORT,
        (S.SEND_BIN, Kind.SEND): remind(S.SEND_BIN),
        (S.SEND_ITEM, Kind.ITEM): Move(steps.item, _STANDS),
        (S.SEND_ITEM, Kind.NUMBER): Move(steps.number, _STANDS),
        (S.SEND_ITEM, Kind.BIN): Move(steps.into_bin, (S.SEND_ITEM,)),
        (S.SEND_ITEM, Kind.SHORT): _SHORT,
        (S.SEND_ITEM, Kind.SEND): remind(S.SEND_ITEM),
        (S.SEND_READY, Kind.DONE): Move(without_scan(steps.ship), (S.IDLE,)),
        (S.SEND_READY, Kind.SEND): remind(S.SEND_READY),
    },
    {S.SEND_CHOOSE: _choose, S.SEND_BIN: _bin, S.SEND_ITEM: _item, S.SEND_READY: _ready},
    steps.settle,
)
