"""What picking and packing say of an order: shared by the prompts of both."""

from __future__ import annotations

from bodega_agent.rules.floor.pick.facts import Check, PickFacts, Work
from bodega_agent.rules.floor.prompt import Expect, ExpectKind, Tone
from bodega_agent.rules.floor.scans import Kind
from bodega_agent.rules.floor.table import Shown


def work_of(facts: PickFacts) -> Work:
    """The order that the session works on."""
    assert facts.work is not None, "a session without its work is lost, and shown as idle"
    return facts.work


def control(order: str, *words: Kind) -> Expect:
    """Control words that lead on."""
    return Expect(ExpectKind.CONTROL, tuple(word.value for word in words), fulfillment_order_id=order)


def ask_about(work: Work, doubted: Check, words: tuple[Kind, ...]) -> Shown:
    """The camera doubts a line: look, show it again, or say one of `words`."""
    line = work.line(doubted.line)
    choices = " or ".join(word.value for word in words)
    expect = Expect(
        ExpectKind.ANY,
        (*line.gtins, *(word.value for word in words)),
        sku_id=line.sku_id,
        fulfillment_order_id=work.fulfillment_order_id,
    )
    text = f"The camera doubts {line.name}. Show it again and scan it, or {choices}."
    return Shown(Tone.ASK, text, doubted.reasons, expect)
