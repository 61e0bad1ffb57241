"""Counting as a table, with the prompt of each step."""

from __future__ import annotations

from bodega_agent.rules.floor.count import deciding, steps
from bodega_agent.rules.floor.count.facts import Count, CountFacts
from bodega_agent.rules.floor.facts import LEAD
from bodega_agent.rules.floor.leaving import LEAVE
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.session import FloorStep, Session
from bodega_agent.rules.floor.table import Flow, Move, Shown, remind, without_scan

S = FloorStep


def _bin(session: Session, facts: CountFacts) -> Shown:
    place = steps.suggested(session, facts)
    if place is None:
        return Shown(
            Tone.OK, "No bin is due. Scan any bin to count it, or CMD-DONE.", (), Expect(ExpectKind.BIN)
        )
    why = (f"because of: {place.cause}", "CMD-SKIP for another one, CMD-DONE to end")
    if place.label:
        text = f"Go to {place.bin_id} and scan it, to count it."
        return Shown(Tone.OK, text, why, Expect(ExpectKind.BIN, (place.bin_id,)))
    text = f"Go to {place.bin_id}. CMD-ACCEPT begins to count there."
    return Shown(Tone.OK, text, why, Expect(ExpectKind.CONTROL, (Kind.ACCEPT.value,)))


def _item(_session: Session, facts: CountFacts) -> Shown:
    return ask_for(steps.count_of(facts))


def ask_for(count: Count) -> Shown:
    """What to count, and never how many the book has."""
    if count.whole:
        text = f"Scan all that lies in {count.bin_id}, or scan one and type how many. Then CMD-DONE."
        return Shown(Tone.OK, text, (), Expect(ExpectKind.ITEM))
    text = f"Count only {', '.join(line.title for line in count.lines[:3])}"
    text += f" and {len(count.lines) - 3} more" if len(count.lines) > 3 else ""
    gtins = tuple(gtin for line in count.lines for gtin in line.gtins)
    only = count.lines[0].sku_id if len(count.lines) == 1 else ""
    detail = tuple(line.title for line in count.lines[3:])
    return Shown(
        Tone.OK,
        f"{text} in {count.bin_id}, then CMD-DONE.",
        detail,
        Expect(ExpectKind.ANY, (*gtins, Kind.DONE.value), sku_id=only),
    )


def _approve(session: Session, facts: CountFacts) -> Shown:
    held = deciding.shown(session, facts)
    if held is None:
        return Shown(
            Tone.OK,
            "No count waits for approval. CMD-DONE.",
            (),
            Expect(ExpectKind.CONTROL, (Kind.DONE.value,)),
        )
    lot = f" lot {held.lot}" if held.lot else ""
    found = held.counted[-1]
    text = f"{held.bin_id}: {held.name}{lot} {found}, the book has {held.book} ({found - held.book:+d}). Book it?"
    rounds = ", ".join(str(counted) for counted in held.counted)
    detail = (f"counted {rounds} by {held.counted_by}", "yes books it, no has it counted again, CMD-SKIP")
    return Shown(Tone.ASK, text, detail, Expect(ExpectKind.ANY, deciding.ANSWERS, sku_id=held.sku_id))


COUNT = Flow(
    "count",
    {
        (S.IDLE, Kind.COUNT): Move(without_scan(steps.start), (S.COUNT_BIN, S.COUNT_ITEM)),
        (S.COUNT_BIN, Kind.BIN): Move(steps.into_bin, (S.COUNT_BIN, S.COUNT_ITEM)),
        (S.COUNT_BIN, Kind.ACCEPT): Move(without_scan(steps.accept), (S.COUNT_BIN, S.COUNT_ITEM)),
        (S.COUNT_BIN, Kind.SKIP): Move(without_scan(steps.skip), (S.COUNT_BIN,)),
        (S.COUNT_BIN, Kind.COUNT): remind(S.COUNT_BIN),
        (S.COUNT_BIN, Kind.DONE): LEAVE,
        (S.COUNT_ITEM, Kind.ITEM): Move(steps.item, (S.COUNT_ITEM,)),
        (S.COUNT_ITEM, Kind.NUMBER): Move(steps.number, (S.COUNT_ITEM,)),
        (S.COUNT_ITEM, Kind.BIN): Move(steps.same_bin, (S.COUNT_ITEM,)),
        (S.COUNT_ITEM, Kind.DONE): Move(without_scan(steps.done), (S.COUNT_BIN, S.COUNT_ITEM)),
        (S.COUNT_ITEM, Kind.COUNT): remind(S.COUNT_ITEM),
        (S.IDLE, Kind.APPROVE): Move(without_scan(deciding.start), (S.IDLE, S.COUNT_APPROVE), role=LEAD),
        (S.COUNT_APPROVE, Kind.ACCEPT): Move(
            without_scan(deciding.approve), (S.COUNT_APPROVE, S.IDLE), role=LEAD
        ),
        (S.COUNT_APPROVE, Kind.WORD): Move(deciding.word, (S.COUNT_APPROVE, S.IDLE), role=LEAD),
        (S.COUNT_APPROVE, Kind.SKIP): Move(without_scan(deciding.skip), (S.COUNT_APPROVE,)),
        (S.COUNT_APPROVE, Kind.APPROVE): remind(S.COUNT_APPROVE),
        (S.COUNT_APPROVE, Kind.DONE): LEAVE,
    },
    {S.COUNT_BIN: _bin, S.COUNT_ITEM: _item, S.COUNT_APPROVE: _approve},
    steps.settle,
)
