"""Arriving as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.arrive import steps
from bodega_agent.rules.floor.arrive.doing import Arriving
from bodega_agent.rules.floor.arrive.facts import ArriveFacts
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan
from bodega_agent.rules.floor.words import Word

S = FloorStep


def _choose(session: Session, facts: ArriveFacts) -> Shown:
    if isinstance(session.doing, Arriving):
        text = f"CMD-ACCEPT receives {session.doing.transfer_id} all the same, or scan another one."
        expect = Expect(ExpectKind.ANY, (Kind.ACCEPT.value, *facts.expected))
        return Shown(Tone.ASK, text, (), expect)
    such = f", such as {facts.expected[0]}" if facts.expected else ""
    text = f"Scan the transfer's paper{such}, or CMD-DONE."
    return Shown(Tone.OK, text, (), Expect(ExpectKind.TRANSFER, facts.expected))


def _item(session: Session, facts: ArriveFacts) -> Shown:
    arrival = steps.arrival_of(facts)
    missing = [line for line in arrival.lines if line.difference < 0]
    detail = tuple(f"{-line.difference} x {line.name} to come" for line in missing)
    doing = session.doing
    more = ""
    if isinstance(doing, Arriving) and doing.sku_id:
        more = " A number says how many in all, 'damaged' sets it aside."
    text = f"Scan what came with {arrival.transfer_id}, then CMD-DONE.{more}"
    return Shown(Tone.OK, text, detail, Expect(ExpectKind.ITEM))


def _close(_session: Session, facts: ArriveFacts) -> Shown:
    arrival = steps.arrival_of(facts)
    told = [
        f"{abs(line.difference)} x {line.name} {'more than ordered' if line.difference > 0 else 'missing'}"
        for line in arrival.differing
    ]
    text = f"{'; '.join(told[:2]) or 'All is here'}. Is that all of {arrival.transfer_id}, yes or no?"
    return Shown(
        Tone.ASK,
        text,
        tuple(told[2:]),
        Expect(ExpectKind.ANY, (Word.YES.value, Word.NO.value, Kind.DONE.value)),
    )


_CHOICES = (S.ARRIVE_CHOOSE, S.ARRIVE_ITEM)
_CLOSE = Move(without_scan(steps.close), (S.IDLE,))

ARRIVE = Flow(
    "arrive",
    {
        (S.IDLE, Kind.ARRIVE): Move(without_scan(steps.start), (S.ARRIVE_CHOOSE,)),
        (S.ARRIVE_CHOOSE, Kind.TRANSFER): Move(steps.named, _CHOICES),
        (S.ARRIVE_CHOOSE, Kind.UNKNOWN): Move(steps.unknown, _CHOICES),
        (S.ARRIVE_CHOOSE, Kind.ACCEPT): Move(without_scan(steps.accept), _CHOICES),
        (S.ARRIVE_CHOOSE, Kind.ARRIVE): remind(S.ARRIVE_CHOOSE),
        (S.ARRIVE_CHOOSE, Kind.DONE): LEAVE,
        (S.ARRIVE_ITEM, Kind.ITEM): Move(steps.item, (S.ARRIVE_ITEM,)),
        (S.ARRIVE_ITEM, Kind.NUMBER): Move(steps.number, (S.ARRIVE_ITEM,)),
        (S.ARRIVE_ITEM, Kind.WORD): Move(steps.word, (S.ARRIVE_ITEM,)),
        (S.ARRIVE_ITEM, Kind.ARRIVE): remind(S.ARRIVE_ITEM),
        (S.ARRIVE_ITEM, Kind.DONE): Move(without_scan(steps.done), (S.IDLE, S.ARRIVE_CLOSE)),
        (S.ARRIVE_CLOSE, Kind.ITEM): Move(steps.item, (S.ARRIVE_CLOSE, S.ARRIVE_ITEM)),
        (S.ARRIVE_CLOSE, Kind.WORD): Move(steps.answer, (S.IDLE, S.ARRIVE_ITEM, S.ARRIVE_CLOSE)),
        (S.ARRIVE_CLOSE, Kind.ACCEPT): _CLOSE,
        (S.ARRIVE_CLOSE, Kind.DONE): _CLOSE,
        (S.ARRIVE_CLOSE, Kind.ARRIVE): remind(S.ARRIVE_CLOSE),
    },
    {S.ARRIVE_CHOOSE: _choose, S.ARRIVE_ITEM: _item, S.ARRIVE_CLOSE: _close},
    steps.settle,
)
