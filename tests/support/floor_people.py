"""Obedient associates: they scan what the prompt asks for, until there is nothing left to do."""

from __future__ import annotations

from collections.abc import Callable

from bodega.core.ledger import DOCK
from bodega.core.lifecycles import FulfillmentState, PrintEvent
from bodega_agent.rules.floor.prompt import ExpectKind, Prompt, Tone
from bodega_agent.rules.floor.scans import (
    BinScan,
    CheckOutcome,
    ControlScan,
    ItemScan,
    Kind,
    NamedScan,
    NumberScan,
    Scanned,
    SsccScan,
    WordScan,
)
from bodega_agent.rules.floor.session import FloorStep
from bodega_agent.rules.floor.words import Word
from support.floor_model import NAMES, FloorModel


def follow(prompt: Prompt, *, quantity: int = 1) -> Scanned | None:
    """What an obedient associate scans after this prompt; None means: wait for the camera."""
    expect = prompt.expect
    if expect is None:
        return None
    if expect.kind is ExpectKind.ITEM:
        return ItemScan(expect.sku_id, NAMES[expect.sku_id], "", quantity=quantity)
    if expect.kind is ExpectKind.NUMBER:
        return NumberScan(expect.quantity)
    if expect.kind is ExpectKind.TOTE:
        empty = f"TOTE-OF-{expect.fulfillment_order_id}"
        return NamedScan(Kind.TOTE, expect.values[0] if expect.values else empty)
    if expect.kind in _BY_FIRST_VALUE:
        return _BY_FIRST_VALUE[expect.kind](expect.values[0])
    return SsccScan(expect.values[0]) if expect.sscc else ControlScan("CMD-ACCEPT")


_BY_FIRST_VALUE: dict[ExpectKind, Callable[[str], Scanned]] = {
    ExpectKind.BIN: BinScan,
    ExpectKind.CONTROL: ControlScan,
    ExpectKind.SSCC: SsccScan,
    ExpectKind.WORD: lambda value: WordScan(Word(value)),
}


def work_off(model: FloorModel, device: str) -> None:
    """One obedient associate ends every order that can be ended: pick, pack, label, hand over, put back."""
    model.handle(device, ControlScan("CMD-CANCEL"))
    # A walk of several ends when all is picked; then each of its orders is packed.
    for _ in range(2 * len(model.books.orders) + 1):
        _work_one(model, device, model.handle(device, ControlScan("CMD-PICK")).prompt)
    model.handle(device, ControlScan("CMD-HANDOVER"))
    for work in list(model.books.orders.values()):
        if work.state is FulfillmentState.LABELLED:
            model.handle(device, SsccScan(work.sscc))
    model.handle(device, ControlScan("CMD-DONE"))
    _put_back(model, device)


def _work_one(model: FloorModel, device: str, prompt: Prompt) -> None:
    for _ in range(200):
        if prompt.step is FloorStep.IDLE:
            return
        scan = follow(prompt)
        order_id = model.session(device).fulfillment_order_id
        if prompt.step is FloorStep.LABEL:
            model.printed(model.books.orders[order_id].sscc, PrintEvent.SEND)
        if scan is None:
            waiting = model.books.orders[order_id].checks[0]
            prompt = model.verdict(device, order_id, waiting.line, CheckOutcome.PASS).prompt
        else:
            prompt = model.handle(device, scan).prompt
    raise AssertionError(f"the associate goes round in circles: {prompt}")


def _put_back(model: FloorModel, device: str) -> None:
    model.handle(device, ControlScan("CMD-PUTAWAY"))
    waiting = [
        (account, quantity)
        for account, quantity in model.balances().items()
        if account.bin == DOCK or account.bin.removeprefix("STAGE-") in model.books.put_back
    ]
    for account, quantity in waiting:
        item = ItemScan(account.sku_id, NAMES[account.sku_id], "", lot=account.lot, quantity=quantity)
        assert model.handle(device, item).prompt.tone is Tone.OK
        assert model.handle(device, BinScan("A-02")).prompt.tone is Tone.OK
    model.handle(device, ControlScan("CMD-DONE"))
