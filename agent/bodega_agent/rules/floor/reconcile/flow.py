"""Reconciling as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.count import steps as counting
from bodega_agent.rules.floor.count.flow import ask_for
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.reconcile import steps
from bodega_agent.rules.floor.reconcile.facts import ReconcileFacts
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan
from bodega_agent.rules.floor.words import Word

S = FloorStep
_TITLES_MAX = 2


def _bin(_session: Session, _facts: ReconcileFacts) -> Shown:
    return Shown(Tone.OK, "Scan the bin that does not fit, or CMD-DONE.", (), Expect(ExpectKind.BIN))


def _item(_session: Session, facts: ReconcileFacts) -> Shown:
    return ask_for(counting.count_of(facts))


def _post(session: Session, facts: ReconcileFacts) -> Shown:
    """The preview: what differs, and the movements that could explain it."""
    lines = steps.differing(facts)
    told = [f"{line.title} {line.counted}, book {line.book} ({line.difference:+d})" for line in lines]
    more = f" and {len(told) - _TITLES_MAX} more" if len(told) > _TITLES_MAX else ""
    text = f"{session.bin_id}: {'; '.join(told[:_TITLES_MAX]) or 'all agrees'}{more}. Book what you counted, yes or no?"
    detail = [*told[_TITLES_MAX:]]
    for line in lines:
        guesses = facts.why.get(line.key, ()) or ("no movement explains it",)
        detail += [f"{line.title}: {guess}" for guess in guesses]
    expect = Expect(ExpectKind.ANY, (Word.YES.value, Word.NO.value, Kind.ACCEPT.value))
    return Shown(Tone.ASK, text, tuple(detail), expect)


_ENDS = (S.RECONCILE_BIN, S.RECONCILE_ITEM)

RECONCILE = Flow(
    "reconcile",
    {
        (S.IDLE, Kind.RECONCILE): Move(without_scan(steps.start), (S.RECONCILE_BIN,)),
        (S.RECONCILE_BIN, Kind.BIN): Move(steps.into_bin, _ENDS),
        (S.RECONCILE_BIN, Kind.RECONCILE): remind(S.RECONCILE_BIN),
        (S.RECONCILE_BIN, Kind.DONE): LEAVE,
        (S.RECONCILE_ITEM, Kind.ITEM): Move(counting.item, (S.RECONCILE_ITEM,)),
        (S.RECONCILE_ITEM, Kind.NUMBER): Move(counting.number, (S.RECONCILE_ITEM,)),
        (S.RECONCILE_ITEM, Kind.BIN): Move(counting.same_bin, (S.RECONCILE_ITEM,)),
        (S.RECONCILE_ITEM, Kind.DONE): Move(without_scan(steps.done), (*_ENDS, S.RECONCILE_POST)),
        (S.RECONCILE_ITEM, Kind.RECONCILE): remind(S.RECONCILE_ITEM),
        (S.RECONCILE_POST, Kind.WORD): Move(steps.answer, (*_ENDS, S.RECONCILE_POST)),
        (S.RECONCILE_POST, Kind.ACCEPT): Move(without_scan(steps.accept), _ENDS),
        (S.RECONCILE_POST, Kind.RECONCILE): remind(S.RECONCILE_POST),
    },
    {S.RECONCILE_BIN: _bin, S.RECONCILE_ITEM: _item, S.RECONCILE_POST: _post},
    counting.settle,
)
