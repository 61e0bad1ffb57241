"""Zero check: who takes the last unit by the book looks whether the bin is empty: the cheapest of counts."""

from __future__ import annotations

from dataclasses import replace

from bodega_agent.rules.floor.answer import Answer, refuse
from bodega_agent.rules.floor.effects import Effect, NoteException
from bodega_agent.rules.floor.pick.doing import doing_of
from bodega_agent.rules.floor.pick.effects import ZeroChecked
from bodega_agent.rules.floor.pick.facts import PickFacts, Shelf
from bodega_agent.rules.floor.pick.going import go_on
from bodega_agent.rules.floor.pick.walk import more_on_shelf
from bodega_agent.rules.floor.scans import NumberScan, WordScan
from bodega_agent.rules.floor.session import Session
from bodega_agent.rules.floor.words import Word


def answered(session: Session, scan: WordScan, facts: PickFacts) -> Answer:
    """Yes, it is empty; no: how many are left is asked."""
    if scan.word is Word.YES:
        return left(session, NumberScan(0), facts)
    if scan.word is Word.NO:
        return refuse(session, facts, "Count what is left and type the number.")
    return refuse(session, facts, f"'{scan.word}' is no answer.")


def left(session: Session, scan: NumberScan, facts: PickFacts) -> Answer:
    """So many units lie there: the book follows the person who looks."""
    doing = doing_of(session.doing)
    asked = doing.may_be_empty
    assert asked is not None, "without a question nobody answers it"
    order = session.fulfillment_order_id
    effects: tuple[Effect, ...] = (ZeroChecked(order, asked.bin_id, asked.sku_id, asked.lot, scan.value),)
    if scan.value:
        noted = NoteException("zero_check", "found", order, asked.bin_id, asked.sku_id, asked.lot, scan.value)
        effects += (noted,)
        found = Shelf(asked.sku_id, asked.lot, asked.bin_id, asked.walk_order, scan.value, asked.first_out)
        facts = more_on_shelf(facts, found)
    said = (
        f"{asked.bin_id} holds {scan.value} of {asked.name}." if scan.value else f"{asked.bin_id} is empty."
    )
    return go_on(replace(session, doing=replace(doing, may_be_empty=None)), facts, said, effects=effects)
