"""The board of prompts: a slow watcher may miss a prompt, and still learns how its scan was answered."""

from __future__ import annotations

from bodega_agent.rules.floor.prompt import Prompt, Tone
from bodega_agent.services.prompts import PromptBoard

DEVICE = "scanner-1"


async def test_news_right_behind_a_refusal_does_not_hide_it() -> None:
    board = PromptBoard("boot-1")
    await board.show(DEVICE, Prompt(Tone.OK, "Ready."), scanned=False)
    watching = board.watch(DEVICE)
    first = await anext(watching)
    await board.show(DEVICE, Prompt(Tone.ERROR, "Milk is not wanted now."), scanned=True)
    await board.show(DEVICE, Prompt(Tone.OK, "Go to A-01-01."), scanned=False)
    seen = await anext(watching)
    await watching.aclose()
    assert (first["scan_no"], first["answer"]) == (0, None)
    assert (seen["scan_no"], seen["tone"]) == (1, "ok")
    assert seen["answer"] == {"tone": "error", "text": "Milk is not wanted now."}


async def test_each_device_has_its_own_answer() -> None:
    board = PromptBoard("boot-1")
    await board.show("a", Prompt(Tone.ERROR, "No."), scanned=True)
    shown = await board.show("b", Prompt(Tone.OK, "Yes."), scanned=True)
    assert shown["answer"] == {"tone": "ok", "text": "Yes."}
    current = board.current("a")
    assert current is not None
    assert current["answer"] == {"tone": "error", "text": "No."}
